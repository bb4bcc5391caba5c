/* Doing a plan, step by step. See execute.h. */
#include "flash/plan/execute.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"

enum { N_KEPT_MAX = 4 };

/* What the medium is held against. */
struct record {
	enum chunk_kind kind;
	struct fingerprint fingerprint;
};

struct run {
	struct execution *x;    /* borrowed */
	struct record *records; /* owned; of the image's chunks so far */
	uint64_t n_records;
	/* Chunks that were changed on the way, because the partition table moves: the medium is
	 * held against these, not against the index. Owned. The first chunk is always the first of
	 * them, changed or not: it is written last. */
	struct chunk *kept[N_KEPT_MAX];
	size_t n_kept;
	const struct chunk *tail; /* the moved backup table, one of kept; NULL: none */
	uint8_t *buffer;          /* owned; aligned room for one chunk */
};

static void run_release(struct run *r)
{
	for (size_t i = 0; i < r->n_kept; i++)
		chunk_free(r->kept[i]);
	free(r->records);
	free(r->buffer);
}

const char *target_state_text(enum target_state state)
{
	switch (state) {
	case STATE_UNTOUCHED:
		return "the target was not touched";
	case STATE_INCOMPLETE:
		return "the target is incomplete and will not boot";
	case STATE_COMMITTING:
		return "the target holds the image, but its first chunk is in doubt";
	case STATE_COMPLETE:
		return "the target is complete";
	}
	return "";
}

static void emit(const struct run *r, enum event_kind kind, enum phase phase, uint64_t done_bytes,
		 uint64_t total_bytes)
{
	const struct event ev = {
		.kind = kind,
		.phase = phase,
		.done_bytes = done_bytes,
		.total_bytes = total_bytes,
		.target = r->x->target,
	};
	event_emit(r->x->listener, &ev);
}

/* ---- Chunks that change on the way -------------------------------------------------------------
 */

/* Put the part of patch that lies in [offset_bytes, offset_bytes + n_bytes) into bytes. */
static void apply_patch(const uint8_t *patch, uint64_t patch_offset_bytes, size_t patch_bytes,
			uint8_t *bytes, uint64_t offset_bytes, size_t n_bytes)
{
	uint64_t from_bytes = max_u64(offset_bytes, patch_offset_bytes);
	uint64_t to_bytes = min_u64(offset_bytes + n_bytes, patch_offset_bytes + patch_bytes);

	if (from_bytes < to_bytes)
		memcpy(bytes + (from_bytes - offset_bytes),
		       patch + (from_bytes - patch_offset_bytes), (size_t)(to_bytes - from_bytes));
}

static bool is_moved_in(const struct table_moved *m, const struct chunk *c)
{
	return m && (chunk_offset_bytes(c) < m->head_bytes ||
		     chunk_offset_bytes(c) + chunk_size_bytes(c) > m->tail_offset_bytes);
}

/* c as the medium shall hold it: a new chunk when the moved table changes it, else NULL. */
static int moved_chunk(const struct run *r, const struct chunk *c, struct chunk **out,
		       struct err *e)
{
	const struct table_moved *m = r->x->moved;
	uint64_t offset_bytes = chunk_offset_bytes(c);
	size_t n_bytes = (size_t)chunk_size_bytes(c);

	*out = NULL;
	if (!is_moved_in(m, c))
		return 0;
	CLEANUP(freep) uint8_t *bytes = calloc(1, n_bytes);
	if (!bytes)
		return err_errno(e, "moving the partition table");
	if (chunk_kind(c) == CHUNK_DATA)
		memcpy(bytes, chunk_bytes(c), n_bytes);
	apply_patch(m->head, 0, m->head_bytes, bytes, offset_bytes, n_bytes);
	apply_patch(m->tail, m->tail_offset_bytes, m->tail_bytes, bytes, offset_bytes, n_bytes);
	return chunk_derived_new(offset_bytes, bytes, n_bytes, image_seed(r->x->image), out, e);
}

static const struct chunk *keep(struct run *r, struct chunk *c)
{
	assert(r->n_kept < N_KEPT_MAX);
	r->kept[r->n_kept++] = c;
	return c;
}

/* The kept chunk that starts at offset_bytes, or NULL. */
static const struct chunk *kept_at(const struct run *r, uint64_t offset_bytes)
{
	for (size_t i = 0; i < r->n_kept; i++)
		if (chunk_offset_bytes(r->kept[i]) == offset_bytes)
			return r->kept[i];
	return NULL;
}

/* Note what c is, before it is changed. */
static int note(struct run *r, const struct chunk *c, struct err *e)
{
	/* Room grows by doubling: a power of two of records is always full. */
	if ((r->n_records & (r->n_records - 1)) == 0) {
		size_t n_room = r->n_records ? (size_t)r->n_records * 2 : 1;
		struct record *grown = reallocarray(r->records, n_room, sizeof *grown);
		if (!grown)
			return err_errno(e, "what is to be read back");
		r->records = grown;
	}
	r->records[r->n_records++] = (struct record){
		.kind = chunk_kind(c),
		.fingerprint = chunk_fingerprint(c),
	};
	return 0;
}

/* The image's first chunk, to be held until the commit. */
static int hold_first(struct run *r, struct err *e)
{
	const struct chunk *c = NULL;
	struct chunk *held = NULL;

	if (image_next(r->x->image, &c, e) < 0)
		return err_wrap(e, "image");
	if (!c)
		return err_set(e, ERR_UNTRUSTED, "the image is empty");
	if (note(r, c, e) < 0 || moved_chunk(r, c, &held, e) < 0)
		return -1;
	if (!held && chunk_kind(c) == CHUNK_DATA &&
	    chunk_slice_new(c, 0, (size_t)chunk_size_bytes(c), image_seed(r->x->image), &held, e) <
		    0)
		return -1;
	if (!held && chunk_zero_new(0, chunk_size_bytes(c), &held, e) < 0)
		return -1;
	(void)keep(r, held);
	return 0;
}

/* ---- Comparing ---------------------------------------------------------------------------------
 */

static int differs(uint64_t offset_bytes, const char *from, struct err *e)
{
	return err_hint((err_set(e, ERR_DIFFERS, "the medium differs %s at byte %" PRIu64, from,
				 offset_bytes),
			 e),
			"write it again, and replace the medium if that does not help");
}

static int compare_zeros(const struct run *r, uint64_t offset_bytes, size_t n_bytes, struct err *e)
{
	size_t i = 0;

	if (sink_read_back(r->x->sink, offset_bytes, r->buffer, n_bytes, e) < 0)
		return err_wrap(e, "reading back");
	if (bytes_are_zero(r->buffer, n_bytes))
		return 0;
	while (r->buffer[i] == 0)
		i++;
	return differs(offset_bytes + i, "from zeros", e);
}

static int compare_bytes(const struct run *r, const struct chunk *c, struct err *e)
{
	size_t n_bytes = (size_t)chunk_size_bytes(c);
	const uint8_t *wanted = chunk_bytes(c);
	size_t i = 0;

	if (!wanted)
		return compare_zeros(r, chunk_offset_bytes(c), n_bytes, e);
	if (sink_read_back(r->x->sink, chunk_offset_bytes(c), r->buffer, n_bytes, e) < 0)
		return err_wrap(e, "reading back");
	if (memcmp(r->buffer, wanted, n_bytes) == 0)
		return 0;
	while (r->buffer[i] == wanted[i])
		i++;
	return differs(chunk_offset_bytes(c) + i, "from the image", e);
}

static size_t bytes_of_chunk(const struct run *r, uint64_t i)
{
	uint64_t chunk_bytes = image_chunk_bytes(r->x->image);

	return (size_t)min_u64(chunk_bytes, image_size_bytes(r->x->image) - i * chunk_bytes);
}

static int compare_fingerprint(const struct run *r, uint64_t i, struct err *e)
{
	uint64_t offset_bytes = i * image_chunk_bytes(r->x->image);
	size_t n_bytes = bytes_of_chunk(r, i);

	if (sink_read_back(r->x->sink, offset_bytes, r->buffer, n_bytes, e) < 0)
		return err_wrap(e, "reading back");
	if (!fingerprint_is_same(fingerprint_of(r->buffer, n_bytes, image_seed(r->x->image)),
				 r->records[i].fingerprint))
		return err_wrap((differs(offset_bytes, "from the image", e), e),
				"chunk %" PRIu64 " of %zu bytes", i, n_bytes);
	return 0;
}

/* Chunk i of the image, on the medium. */
static int compare_chunk(const struct run *r, uint64_t i, struct err *e)
{
	uint64_t offset_bytes = i * image_chunk_bytes(r->x->image);
	const struct chunk *kept = kept_at(r, offset_bytes);

	if (kept)
		return compare_bytes(r, kept, e);
	switch (r->records[i].kind) {
	case CHUNK_DATA:
		return compare_fingerprint(r, i, e);
	case CHUNK_ZERO:
		return compare_zeros(r, offset_bytes, bytes_of_chunk(r, i), e);
	case CHUNK_SKIP:
		break;
	}
	return r->x->plan->unmapped == UNMAPPED_ZERO
		       ? compare_zeros(r, offset_bytes, bytes_of_chunk(r, i), e)
		       : 0;
}

/* ---- Steps -------------------------------------------------------------------------------------
 */

static int do_wipe(struct run *r, const struct step *s, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *zeros = NULL;

	emit(r, EVENT_PHASE, PHASE_WIPE, 0, s->size_bytes);
	if (chunk_zero_new(s->offset_bytes, s->size_bytes, &zeros, e) < 0)
		return -1;
	r->x->state = STATE_INCOMPLETE;
	if (sink_write(r->x->sink, zeros, e) < 0)
		return err_wrap(e, "wiping %s", s->reason);
	return 0;
}

/* A hole, as the user wants it. */
static int write_hole(struct run *r, const struct chunk *c, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *zeros = NULL;

	switch (r->x->plan->unmapped) {
	case UNMAPPED_KEEP:
		return 0;
	case UNMAPPED_DISCARD:
		return sink_discard(r->x->sink, chunk_offset_bytes(c), chunk_size_bytes(c), e);
	case UNMAPPED_ZERO:
		break;
	}
	if (chunk_zero_new(chunk_offset_bytes(c), chunk_size_bytes(c), &zeros, e) < 0)
		return -1;
	return sink_write(r->x->sink, zeros, e);
}

static int write_chunk(struct run *r, const struct chunk *c, struct err *e)
{
	struct chunk *moved = NULL;

	if (note(r, c, e) < 0 || moved_chunk(r, c, &moved, e) < 0)
		return -1;
	if (moved)
		c = keep(r, moved);
	r->x->state = STATE_INCOMPLETE;
	return chunk_kind(c) == CHUNK_SKIP ? write_hole(r, c, e) : sink_write(r->x->sink, c, e);
}

static int do_write(struct run *r, const struct step *s, struct err *e)
{
	uint64_t total_bytes = image_size_bytes(r->x->image);
	uint64_t done_bytes = s->offset_bytes;
	const struct chunk *c = NULL;

	emit(r, EVENT_PHASE, PHASE_WRITE, done_bytes, total_bytes);
	while (true) {
		if (cancel_check(r->x->cancel, e) < 0)
			return -1;
		if (image_next(r->x->image, &c, e) < 0)
			return err_wrap(e, "image");
		if (!c)
			return 0;
		if (write_chunk(r, c, e) < 0)
			return err_wrap(e, "chunk %" PRIu64,
					chunk_offset_bytes(c) / image_chunk_bytes(r->x->image));
		done_bytes = chunk_offset_bytes(c) + chunk_size_bytes(c);
		emit(r, EVENT_PROGRESS, PHASE_WRITE, done_bytes, total_bytes);
	}
}

static int do_move_gpt(struct run *r, const struct step *s, struct err *e)
{
	const struct table_moved *m = r->x->moved;
	struct chunk *tail = NULL;

	(void)s;
	if (chunk_derived_new(m->tail_offset_bytes, m->tail, m->tail_bytes, image_seed(r->x->image),
			      &tail, e) < 0)
		return -1;
	r->tail = keep(r, tail);
	r->x->state = STATE_INCOMPLETE;
	if (sink_write(r->x->sink, tail, e) < 0)
		return err_wrap(e, "moving the backup partition table");
	return 0;
}

static int do_flush(struct run *r, const struct step *s, struct err *e)
{
	(void)s;
	emit(r, EVENT_PHASE, PHASE_FLUSH, 0, 0);
	if (sink_flush(r->x->sink, e) < 0)
		return -1;
	return cancel_check(r->x->cancel, e);
}

/* [from_bytes, to_bytes), which may be larger than the buffer. */
static int compare_zero_range(const struct run *r, uint64_t from_bytes, uint64_t to_bytes,
			      struct err *e)
{
	while (from_bytes < to_bytes) {
		size_t n_bytes =
			(size_t)min_u64(to_bytes - from_bytes, image_chunk_bytes(r->x->image));
		if (compare_zeros(r, from_bytes, n_bytes, e) < 0)
			return -1;
		from_bytes += n_bytes;
	}
	return 0;
}

/* What was wiped behind the image's last sector must be found wiped, up to the moved table. */
static int compare_wipes(const struct run *r, struct err *e)
{
	const struct plan *p = r->x->plan;
	uint64_t image_end_bytes =
		align_up(image_size_bytes(r->x->image), r->x->sink->sector_bytes);
	uint64_t tail_bytes = r->x->moved ? r->x->moved->tail_offset_bytes : UINT64_MAX;

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct step *s = &p->steps[i];
		uint64_t to_bytes = min_u64(s->offset_bytes + s->size_bytes, tail_bytes);
		if (s->kind == STEP_WIPE &&
		    compare_zero_range(r, max_u64(s->offset_bytes, image_end_bytes), to_bytes, e) <
			    0)
			return -1;
	}
	return 0;
}

static int do_read_back(struct run *r, const struct step *s, struct err *e)
{
	uint64_t total_bytes = image_size_bytes(r->x->image);

	(void)s;
	emit(r, EVENT_PHASE, PHASE_READ_BACK, 0, total_bytes);
	for (uint64_t i = 1; i < r->n_records; i++) {
		if (cancel_check(r->x->cancel, e) < 0 || compare_chunk(r, i, e) < 0)
			return -1;
		emit(r, EVENT_PROGRESS, PHASE_READ_BACK,
		     min_u64((i + 1) * image_chunk_bytes(r->x->image), total_bytes), total_bytes);
	}
	if (r->tail && compare_bytes(r, r->tail, e) < 0)
		return -1;
	return compare_wipes(r, e);
}

/* Write c, wait until it is durable, and see whether it is. */
static int commit_chunk(struct run *r, const struct chunk *c, struct err *e)
{
	if (sink_write(r->x->sink, c, e) < 0 || sink_flush(r->x->sink, e) < 0)
		return err_wrap(e, "committing");
	return compare_bytes(r, c, e);
}

/* The same with [from_bytes, to_bytes) of the first chunk. */
static int commit_part(struct run *r, size_t from_bytes, size_t to_bytes, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *part = NULL;

	if (from_bytes >= to_bytes)
		return 0;
	if (chunk_slice_new(r->kept[0], from_bytes, to_bytes, image_seed(r->x->image), &part, e) <
	    0)
		return -1;
	return commit_chunk(r, part, e);
}

static int do_commit(struct run *r, const struct step *s, struct err *e)
{
	const struct chunk *first = r->kept[0];
	size_t n_bytes = (size_t)chunk_size_bytes(first);
	size_t last_bytes = (size_t)min_u64(COMMIT_LAST_BYTES, n_bytes);

	(void)s;
	emit(r, EVENT_PHASE, PHASE_COMMIT, 0, n_bytes);
	if (chunk_kind(first) != CHUNK_DATA) {
		if (commit_chunk(r, first, e) < 0)
			return -1;
	} else {
		if (commit_part(r, last_bytes, n_bytes, e) < 0)
			return -1;
		r->x->state = STATE_COMMITTING;
		if (commit_part(r, 0, last_bytes, e) < 0)
			return -1;
	}
	r->x->state = STATE_COMPLETE;
	emit(r, EVENT_PROGRESS, PHASE_COMMIT, n_bytes, n_bytes);
	return 0;
}

static int do_nothing(struct run *r, const struct step *s, struct err *e)
{
	(void)r;
	(void)s;
	(void)e;
	return 0;
}

static int begin(struct run *r, struct execution *x, struct err *e)
{
	r->x = x;
	x->state = STATE_UNTOUCHED;
	r->buffer = aligned_alloc(CHUNK_ALIGN_BYTES, image_chunk_bytes(x->image));
	if (!r->buffer)
		return err_set(e, ERR_IO, "out of memory for a buffer of %zu bytes",
			       image_chunk_bytes(x->image));
	return 0;
}

int execute(struct execution *x, struct err *e)
{
	static int (*const steps[])(struct run *, const struct step *, struct err *) = {
		[STEP_WIPE] = do_wipe,           [STEP_WRITE] = do_write,
		[STEP_MOVE_GPT] = do_move_gpt,   [STEP_FLUSH] = do_flush,
		[STEP_READ_BACK] = do_read_back, [STEP_COMMIT] = do_commit,
		[STEP_PROBE] = do_nothing,
	};
	CLEANUP(run_release) struct run r = {0};

	if (begin(&r, x, e) < 0 || cancel_check(x->cancel, e) < 0 || hold_first(&r, e) < 0)
		return -1;
	for (size_t i = 0; i < x->plan->n_steps; i++)
		if (steps[x->plan->steps[i].kind](&r, &x->plan->steps[i], e) < 0)
			return -1;
	return 0;
}

/* The next chunk of the image against the medium; *out_c is NULL at the end. */
static int compare_next(struct run *r, const struct chunk **out_c, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *moved = NULL;

	if (cancel_check(r->x->cancel, e) < 0)
		return -1;
	if (image_next(r->x->image, out_c, e) < 0)
		return err_wrap(e, "image");
	if (!*out_c || chunk_kind(*out_c) == CHUNK_SKIP)
		return 0;
	if (moved_chunk(r, *out_c, &moved, e) < 0)
		return -1;
	return compare_bytes(r, moved ? moved : *out_c, e);
}

int execute_compare(struct execution *x, struct err *e)
{
	CLEANUP(run_release) struct run r = {0};
	CLEANUP(chunk_freep) struct chunk *tail = NULL;
	uint64_t total_bytes = image_size_bytes(x->image);
	const struct chunk *c = NULL;

	if (begin(&r, x, e) < 0)
		return -1;
	emit(&r, EVENT_PHASE, PHASE_READ_BACK, 0, total_bytes);
	do {
		if (compare_next(&r, &c, e) < 0)
			return -1;
		if (c)
			emit(&r, EVENT_PROGRESS, PHASE_READ_BACK,
			     chunk_offset_bytes(c) + chunk_size_bytes(c), total_bytes);
	} while (c);
	if (!x->moved)
		return 0;
	if (chunk_derived_new(x->moved->tail_offset_bytes, x->moved->tail, x->moved->tail_bytes,
			      image_seed(x->image), &tail, e) < 0)
		return -1;
	return compare_bytes(&r, tail, e);
}
