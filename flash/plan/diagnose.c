/* What a bad medium gave back. See diagnose.h. */
#include "flash/plan/diagnose.h"

#include <inttypes.h>

#include "flash/base/units.h"

enum {
	SECTOR_BYTES = 512, /* the smallest a medium loses at once */
	ERASED = 0xff,      /* what flash reads as that was erased and not written */
};

/* How the found bytes differ from the wanted ones; offsets from the start of the piece. */
struct difference {
	uint64_t first_bytes;
	uint64_t end_bytes; /* behind the last that differs; 0: none does */
	uint64_t n_bits;
	bool is_zero;   /* all bytes that differ are zero */
	bool is_erased; /* all bytes that differ are ERASED */
};

static uint8_t wanted_at(const struct mismatch *m, uint64_t i)
{
	return m->wanted_bytes ? m->wanted_bytes[i] : 0;
}

static struct difference compare(const struct mismatch *m)
{
	struct difference d = {.is_zero = true, .is_erased = true};

	for (uint64_t i = 0; i < m->wanted->size_bytes; i++) {
		uint8_t found = m->found_bytes[i];
		uint8_t flipped = found ^ wanted_at(m, i);
		if (flipped == 0)
			continue;
		if (d.end_bytes == 0)
			d.first_bytes = i;
		d.end_bytes = i + 1;
		d.n_bits += (uint64_t)__builtin_popcount(flipped);
		d.is_zero &= found == 0;
		d.is_erased &= found == ERASED;
	}
	return d;
}

static bool are_all(const uint8_t *bytes, uint64_t from_bytes, uint64_t to_bytes, uint8_t value)
{
	while (from_bytes < to_bytes && bytes[from_bytes] == value)
		from_bytes++;
	return from_bytes == to_bytes;
}

/* Are all sectors that the difference touches full of value? */
static bool are_sectors(const struct mismatch *m, const struct difference *d, uint8_t value)
{
	const uint64_t at_bytes = m->wanted->offset_bytes % SECTOR_BYTES;
	const uint64_t from_bytes = align_down(at_bytes + d->first_bytes, SECTOR_BYTES);
	const uint64_t to_bytes = align_up(at_bytes + d->end_bytes, SECTOR_BYTES) - at_bytes;

	return are_all(m->found_bytes, from_bytes > at_bytes ? from_bytes - at_bytes : 0,
		       min_u64(to_bytes, m->wanted->size_bytes), value);
}

/* Name each bit that was flipped; there are few. */
static void say_bits(const struct mismatch *m, const struct difference *d, struct buf *out)
{
	const char *between = ": ";

	if (d->n_bits == 1)
		buf_append_text(out, "one flipped bit");
	else
		buf_printf(out, "%" PRIu64 " flipped bits", d->n_bits);
	for (uint64_t i = d->first_bytes; i < d->end_bytes; i++) {
		unsigned flipped = m->found_bytes[i] ^ wanted_at(m, i);
		for (; flipped != 0; flipped &= flipped - 1) {
			buf_printf(out, "%sbit %d of byte %" PRIu64, between,
				   __builtin_ctz(flipped), m->wanted->offset_bytes + i);
			between = ", ";
		}
	}
}

/* The piece elsewhere that holds what was found, or NULL. */
static const struct written *find_other(const struct mismatch *m)
{
	const struct fingerprint found =
		fingerprint_of(m->found_bytes, (size_t)m->wanted->size_bytes, m->seed);

	for (size_t i = 0; i < m->n_all; i++) {
		const struct written *w = &m->all[i];
		if (!w->is_zero && w->offset_bytes != m->wanted->offset_bytes &&
		    fingerprint_is_same(w->fingerprint, found))
			return w;
	}
	return NULL;
}

static void say_content(const struct mismatch *m, bool is_zero, bool is_erased, struct buf *out)
{
	const struct written *other = find_other(m);

	if (other)
		buf_printf(out,
			   "reads as the content of byte %" PRIu64
			   ": the medium wraps, as counterfeit ones do",
			   other->offset_bytes);
	else if (is_zero)
		buf_append_text(out, "reads as zeros");
	else if (is_erased)
		buf_append_text(out, "reads as 0xff bytes");
	else
		buf_append_text(out, "reads as other bytes");
}

static void diagnose_unknown(const struct mismatch *m, struct buf *out)
{
	const uint64_t n_bytes = m->wanted->size_bytes;

	buf_printf(out, "differs somewhere in the %" PRIu64 " bytes at byte %" PRIu64 "; ", n_bytes,
		   m->wanted->offset_bytes);
	say_content(m, are_all(m->found_bytes, 0, n_bytes, 0),
		    are_all(m->found_bytes, 0, n_bytes, ERASED), out);
}

void diagnose(const struct mismatch *m, struct buf *out)
{
	if (!m->wanted_bytes && !m->wanted->is_zero) {
		diagnose_unknown(m, out);
		return;
	}
	const struct difference d = compare(m);
	if (d.end_bytes == 0) {
		buf_append_text(out, "does not differ");
		return;
	}
	buf_printf(out, "first differs at byte %" PRIu64 ", %" PRIu64 " byte%s long; ",
		   m->wanted->offset_bytes + d.first_bytes, d.end_bytes - d.first_bytes,
		   d.end_bytes - d.first_bytes == 1 ? "" : "s");
	if (are_sectors(m, &d, 0))
		buf_append_text(out, "reads as zeros");
	else if (are_sectors(m, &d, ERASED))
		buf_append_text(out, "reads as 0xff bytes");
	else if (d.n_bits <= DIAGNOSE_FLIPPED_MAX)
		say_bits(m, &d, out);
	else
		say_content(m, d.is_zero, d.is_erased, out);
}
