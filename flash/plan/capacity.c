/* The probe for media that claim too much. See capacity.h.
 *
 * Marks are written from the end down: where two share a cell, the lower one remains and the higher
 * one is missed, and a medium that answers with what it wrote last has no mark of its end. */
#include "flash/plan/capacity.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/verified.h"

/* A mark is this record, repeated: a name for whoever finds one after a power cut, the nonce, and
 * the place. */
enum {
	RECORD_BYTES = 32,
	AT_NONCE = 16,
	AT_OFFSET = 24,
};

static const char record_name[AT_NONCE] = "lkflash mark";

/* ---- Where -------------------------------------------------------------------------------------
 */

static void add_mark(struct capacity_places *p, uint64_t offset_bytes)
{
	size_t at = p->n_marks;

	while (at > 0 && p->marks[at - 1] < offset_bytes)
		at--;
	if (at > 0 && p->marks[at - 1] == offset_bytes)
		return;
	assert(p->n_marks < CAPACITY_N_MARKS_MAX);
	memmove(p->marks + at + 1, p->marks + at, (p->n_marks - at) * sizeof *p->marks);
	p->marks[at] = offset_bytes;
	p->n_marks++;
}

void capacity_places(uint64_t size_bytes, struct capacity_places *out)
{
	const uint64_t end_bytes =
		align_down(size_bytes, CAPACITY_MARK_BYTES) - CAPACITY_MARK_BYTES;
	const uint64_t top_bytes = align_down(end_bytes, CAPACITY_UNIT_BYTES);
	/* The looks fill the gap between two marks. */
	const uint64_t gap_bytes =
		min_u64(align_up(top_bytes / 2 / CAPACITY_N_HIGH, CAPACITY_UNIT_BYTES),
			(uint64_t)CAPACITY_N_LOOKS * CAPACITY_UNIT_BYTES);
	uint64_t high_bytes = top_bytes;

	out->n_marks = 0;
	out->n_looks = (size_t)(gap_bytes / CAPACITY_UNIT_BYTES);
	add_mark(out, end_bytes);
	for (uint64_t power = MIB; power != 0 && power <= end_bytes; power <<= 1)
		add_mark(out, power);
	for (size_t i = 0; i < CAPACITY_N_HIGH && high_bytes > top_bytes / 2; i++) {
		add_mark(out, high_bytes);
		high_bytes -= gap_bytes;
	}
}

/* ---- Marks -------------------------------------------------------------------------------------
 */

static void mark_make(uint64_t nonce, uint64_t offset_bytes, uint8_t mark[CAPACITY_MARK_BYTES])
{
	for (uint8_t *r = mark; r < mark + CAPACITY_MARK_BYTES; r += RECORD_BYTES) {
		memcpy(r, record_name, sizeof record_name);
		put_le64(r + AT_NONCE, nonce);
		put_le64(r + AT_OFFSET, offset_bytes);
	}
}

/* Is this a whole mark of this run, and of which place? */
static bool mark_read(uint64_t nonce, const uint8_t mark[CAPACITY_MARK_BYTES],
		      uint64_t *out_offset_bytes)
{
	if (memcmp(mark, record_name, sizeof record_name) != 0 || le64(mark + AT_NONCE) != nonce ||
	    memcmp(mark, mark + RECORD_BYTES, CAPACITY_MARK_BYTES - RECORD_BYTES) != 0)
		return false;
	*out_offset_bytes = le64(mark + AT_OFFSET);
	return true;
}

/* ---- Doing -------------------------------------------------------------------------------------
 */

struct probe {
	struct sink *sink;           /* borrowed */
	const struct cancel *cancel; /* borrowed; may be NULL */
	uint64_t nonce;
	struct capacity_places places;
	uint8_t *saved;      /* owned; what was at each mark */
	uint8_t *block;      /* owned; aligned room for one mark */
	size_t n_written;    /* marks, from the first, that may be on the medium */
	uint64_t lost_bytes; /* the lowest byte that is known not to be kept; the end: none is */
};

static int read_at(const struct probe *p, uint64_t offset_bytes, struct err *e)
{
	return sink_read_back(p->sink, offset_bytes, p->block, CAPACITY_MARK_BYTES, e);
}

static int write_at(const struct probe *p, uint64_t offset_bytes, const uint8_t *bytes,
		    struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *c = NULL;

	if (chunk_derived_new(offset_bytes, bytes, CAPACITY_MARK_BYTES, p->nonce, &c, e) < 0)
		return -1;
	return sink_write(p->sink, c, e);
}

static uint8_t *saved_at(const struct probe *p, size_t i)
{
	return p->saved + i * CAPACITY_MARK_BYTES;
}

/* All before the first mark is written: on a medium that wraps each place then shows what its cell
 * really held, and putting it back mends that cell. */
static int save_all(const struct probe *p, struct err *e)
{
	for (size_t i = 0; i < p->places.n_marks; i++) {
		if (cancel_check(p->cancel, e) < 0 || read_at(p, p->places.marks[i], e) < 0)
			return -1;
		memcpy(saved_at(p, i), p->block, CAPACITY_MARK_BYTES);
	}
	return 0;
}

static int write_marks(struct probe *p, struct err *e)
{
	for (size_t i = 0; i < p->places.n_marks; i++) {
		if (cancel_check(p->cancel, e) < 0)
			return -1;
		mark_make(p->nonce, p->places.marks[i], p->block);
		p->n_written = i + 1;
		if (write_at(p, p->places.marks[i], p->block, e) < 0)
			return -1;
	}
	return sink_flush(p->sink, e);
}

/* A mark that shows below its place was wrapped there: by a multiple of what the medium has. */
static int look(struct probe *p, struct err *e)
{
	for (size_t i = 0; i < p->places.n_looks; i++) {
		uint64_t offset_bytes = i * CAPACITY_UNIT_BYTES;
		uint64_t found_bytes = 0;
		if (cancel_check(p->cancel, e) < 0 || read_at(p, offset_bytes, e) < 0)
			return -1;
		if (mark_read(p->nonce, p->block, &found_bytes) && found_bytes > offset_bytes)
			p->lost_bytes = min_u64(p->lost_bytes, found_bytes - offset_bytes);
	}
	return 0;
}

static int find_marks(struct probe *p, struct err *e)
{
	for (size_t i = 0; i < p->places.n_marks; i++) {
		uint64_t offset_bytes = p->places.marks[i];
		uint64_t found_bytes = 0;
		if (cancel_check(p->cancel, e) < 0 || read_at(p, offset_bytes, e) < 0)
			return -1;
		if (!mark_read(p->nonce, p->block, &found_bytes) || found_bytes != offset_bytes)
			p->lost_bytes = min_u64(p->lost_bytes, offset_bytes);
	}
	return 0;
}

/* Low places last: should what was saved behind the end not be what its cell held, and wrap onto
 * one of them, their own content remains. Marks that are under way still, after a request to stop,
 * must not overtake it. */
static int write_saved(const struct probe *p, struct err *e)
{
	if (sink_flush(p->sink, e) < 0)
		return err_wrap(e, "putting back what was at byte %" PRIu64, p->places.marks[0]);
	for (size_t i = 0; i < p->n_written; i++)
		if (write_at(p, p->places.marks[i], saved_at(p, i), e) < 0)
			return err_wrap(e, "putting back what was at byte %" PRIu64,
					p->places.marks[i]);
	if (sink_flush(p->sink, e) < 0)
		return err_wrap(e, "putting back what was at byte %" PRIu64, p->places.marks[0]);
	return 0;
}

/* Behind what is lost nothing need be kept, so nothing can be told. */
static int check_saved(const struct probe *p, struct err *e)
{
	for (size_t i = 0; i < p->n_written; i++) {
		uint64_t offset_bytes = p->places.marks[i];
		if (offset_bytes >= p->lost_bytes)
			continue;
		if (read_at(p, offset_bytes, e) < 0)
			return err_wrap(e, "reading what was put back at byte %" PRIu64,
					offset_bytes);
		if (memcmp(p->block, saved_at(p, i), CAPACITY_MARK_BYTES) != 0)
			return err_set(e, ERR_DIFFERS,
				       "byte %" PRIu64 " does not read back as it was put back; "
				       "replace the medium",
				       offset_bytes);
	}
	return 0;
}

static int put_back(const struct probe *p, struct err *e)
{
	const struct cancel *cancel = p->sink->options.cancel;

	if (p->n_written == 0)
		return 0;
	sink_hold_on(p->sink);
	int result = write_saved(p, e) < 0 ? -1 : check_saved(p, e);
	p->sink->options.cancel = cancel;
	return result;
}

static int mark_and_look(struct probe *p, struct err *e)
{
	if (save_all(p, e) < 0 || write_marks(p, e) < 0 || look(p, e) < 0)
		return -1;
	return find_marks(p, e);
}

static int judge(const struct probe *p, struct err *e)
{
	char claimed[UNITS_TEXT_BYTES];
	char lost[UNITS_TEXT_BYTES];

	if (p->lost_bytes == p->sink->size_bytes)
		return 0;
	return err_set(e, ERR_DIFFERS,
		       "the medium is counterfeit or broken: it claims %s (%" PRIu64
		       " bytes) and does not keep what is written at byte %" PRIu64
		       " (%s); replace it",
		       units_format_bytes(p->sink->size_bytes, claimed), p->sink->size_bytes,
		       p->lost_bytes, units_format_bytes(p->lost_bytes, lost));
}

int capacity_probe(struct sink *s, uint64_t nonce, const struct cancel *cancel, struct err *e)
{
	struct probe p = {.sink = s, .cancel = cancel, .nonce = nonce, .lost_bytes = s->size_bytes};
	struct err e_back = {0};

	assert(s->sector_bytes <= CAPACITY_MARK_BYTES);
	if (s->size_bytes < CAPACITY_MIN_BYTES)
		return 0;
	capacity_places(s->size_bytes, &p.places);
	CLEANUP(freep) uint8_t *saved = malloc(p.places.n_marks * CAPACITY_MARK_BYTES);
	CLEANUP(freep) uint8_t *block = aligned_alloc(CHUNK_ALIGN_BYTES, CAPACITY_MARK_BYTES);
	if (!saved || !block)
		return err_errno(e, "probing the capacity");
	p.saved = saved;
	p.block = block;
	int result = mark_and_look(&p, e);
	if (result < 0)
		(void)err_wrap(e, "probing the capacity");
	else
		result = judge(&p, e);
	if (put_back(&p, &e_back) == 0)
		return result;
	if (result < 0)
		return err_hint(e, "%s", e_back.text);
	*e = e_back;
	return err_wrap(e, "probing the capacity");
}
