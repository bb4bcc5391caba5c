/* Places on a medium. See layout.h. */
#include "flash/disk/layout.h"

#include <inttypes.h>
#include <stdio.h>

#include "flash/base/units.h"

/* ---- What the table takes ------------------------------------------------------------------- */

static unsigned n_entries(const struct layout *l)
{
	return l->gpt_entries ? l->gpt_entries : (unsigned)TABLE_GPT_ENTRIES;
}

static uint64_t entries_bytes(const struct layout *l)
{
	return align_up((uint64_t)n_entries(l) * TABLE_GPT_ENTRY_BYTES, l->sector_bytes);
}

uint64_t layout_table_bytes(const struct layout *l)
{
	switch (l->kind) {
	case TABLE_NONE:
		break;
	case TABLE_MBR:
		return TABLE_MBR_BYTES;
	case TABLE_GPT:
		return 2 * (uint64_t)l->sector_bytes + entries_bytes(l);
	}
	return 0;
}

/* The copy at the end: entries, and behind them the header. */
static uint64_t backup_bytes(const struct layout *l)
{
	return l->kind == TABLE_GPT ? l->sector_bytes + entries_bytes(l) : 0;
}

/* ---- Who is where --------------------------------------------------------------------------- */

enum { PARTY_TEXT_BYTES = 160 };

/* Somebody who takes bytes. */
struct party {
	const char *kind;
	const char *name;
	uint64_t start_bytes;
	uint64_t end_bytes;
};

/* Party 0 is the table, then come the partitions, then the blobs. */
static size_t n_parties(const struct layout *l)
{
	return 1 + l->n_partitions + l->n_blobs;
}

static struct party party_of(const struct layout *l, size_t i)
{
	if (i == 0)
		return (struct party){"the ", "partition table", TABLE_BOOT_CODE_BYTES,
				      layout_table_bytes(l)};
	if (i <= l->n_partitions) {
		const struct layout_partition *p = &l->partitions[i - 1];
		return (struct party){"partition ", p->name, p->start_bytes,
				      p->start_bytes + p->size_bytes};
	}
	const struct layout_blob *b = &l->blobs[i - 1 - l->n_partitions];
	return (struct party){"", b->name, b->offset_bytes, b->offset_bytes + b->size_bytes};
}

/* "partition boot (bytes 1048576 to 2097151)" */
static const char *party_text(const struct party *p, char text[PARTY_TEXT_BYTES])
{
	(void)snprintf(text, PARTY_TEXT_BYTES, "%s%.80s (bytes %" PRIu64 " to %" PRIu64 ")",
		       p->kind, p->name, p->start_bytes, p->end_bytes - 1);
	return text;
}

static bool do_overlap(const struct party *a, const struct party *b)
{
	return max_u64(a->start_bytes, b->start_bytes) < min_u64(a->end_bytes, b->end_bytes);
}

static int check_overlaps_with(const struct layout *l, size_t i, struct err *e)
{
	const struct party a = party_of(l, i);
	char a_text[PARTY_TEXT_BYTES];
	char b_text[PARTY_TEXT_BYTES];

	for (size_t k = 0; k < i; k++) {
		const struct party b = party_of(l, k);
		if (do_overlap(&a, &b))
			return err_set(e, ERR_USAGE,
				       "%s overlaps %s; give one of them another place or size",
				       party_text(&a, a_text), party_text(&b, b_text));
	}
	return 0;
}

static int check_overlaps(const struct layout *l, struct err *e)
{
	for (size_t i = 1; i < n_parties(l); i++)
		if (check_overlaps_with(l, i, e) < 0)
			return -1;
	return 0;
}

/* The one that ends last. */
static struct party last_party(const struct layout *l)
{
	struct party last = party_of(l, 0);

	for (size_t i = 1; i < n_parties(l); i++) {
		const struct party p = party_of(l, i);
		if (p.end_bytes > last.end_bytes && p.end_bytes > p.start_bytes)
			last = p;
	}
	return last;
}

/* ---- Placing -------------------------------------------------------------------------------- */

static int check_partition(const struct layout *l, size_t i, struct err *e)
{
	const struct layout_partition *p = &l->partitions[i];

	if (p->wanted_start_bytes % l->sector_bytes || p->wanted_bytes % l->sector_bytes)
		return err_set(e, ERR_USAGE,
			       "partition %s: start %" PRIu64 " and size %" PRIu64
			       " must be multiples of the sector, %" PRIu32 " bytes",
			       p->name, p->wanted_start_bytes, p->wanted_bytes, l->sector_bytes);
	if (p->wanted_bytes && p->need_bytes > p->wanted_bytes)
		return err_set(e, ERR_USAGE,
			       "partition %s: its content takes %" PRIu64
			       " bytes, but its size is %" PRIu64
			       "; make it larger, or put less in",
			       p->name, p->need_bytes, p->wanted_bytes);
	if (!p->wanted_bytes && !p->need_bytes && !p->minimum_bytes && !p->is_rest)
		return err_set(e, ERR_USAGE,
			       "partition %s has no size; give it a size or a minimum", p->name);
	if (p->is_rest && i + 1 != l->n_partitions)
		return err_set(e, ERR_USAGE,
			       "partition %s takes the rest of the medium, but partition %s comes "
			       "behind it; only the last one can",
			       p->name, l->partitions[i + 1].name);
	return 0;
}

static int check_count(const struct layout *l, struct err *e)
{
	enum { MBR_PRIMARY = 4 };
	size_t maximum = l->kind == TABLE_GPT ? n_entries(l) : MBR_PRIMARY;

	if (l->n_partitions <= maximum)
		return 0;
	return err_set(e, ERR_USAGE, "%zu partitions are more than the %zu that the %s holds%s",
		       l->n_partitions, maximum, l->kind == TABLE_GPT ? "GPT" : "MBR",
		       l->kind == TABLE_GPT
			       ? "; give it more entries"
			       : "; do without slots or without a root file system, or "
				 "use a GPT if the board's firmware reads one");
}

/* Nothing that follows can wrap around: no medium is that large. */
static bool is_countable(const struct layout *l)
{
	enum { SHARE_BITS = 16 }; /* of all parties together, and of what is rounded up */
	const uint64_t maximum_bytes = UINT64_MAX >> SHARE_BITS;
	bool is_fine = n_parties(l) < UINT64_C(1) << (SHARE_BITS - 2) &&
		       l->medium_size_bytes <= maximum_bytes;

	for (size_t i = 0; i < l->n_partitions; i++) {
		const struct layout_partition *p = &l->partitions[i];
		is_fine = is_fine && p->wanted_start_bytes <= maximum_bytes &&
			  p->wanted_bytes <= maximum_bytes && p->minimum_bytes <= maximum_bytes &&
			  p->need_bytes <= maximum_bytes;
	}
	for (size_t i = 0; i < l->n_blobs; i++)
		is_fine = is_fine && l->blobs[i].offset_bytes <= maximum_bytes &&
			  l->blobs[i].size_bytes <= maximum_bytes;
	return is_fine;
}

static int check_wishes(const struct layout *l, struct err *e)
{
	if (!is_countable(l))
		return err_set(e, ERR_USAGE,
			       "a size or a place is more than any medium has; "
			       "sizes end at 256 TiB");
	if (check_count(l, e) < 0)
		return -1;
	for (size_t i = 0; i < l->n_partitions; i++)
		if (check_partition(l, i, e) < 0)
			return -1;
	return 0;
}

/* Each behind the one before, and no larger than it must be. */
static void place(struct layout *l)
{
	uint64_t end_bytes = layout_table_bytes(l);

	for (size_t i = 0; i < l->n_partitions; i++) {
		struct layout_partition *p = &l->partitions[i];
		uint64_t least_bytes = max_u64(p->need_bytes, p->minimum_bytes);

		p->start_bytes = p->wanted_start_bytes ? p->wanted_start_bytes
						       : align_up(end_bytes, LAYOUT_ALIGN_BYTES);
		p->size_bytes = p->wanted_bytes
					? p->wanted_bytes
					: align_up(max_u64(least_bytes, 1), LAYOUT_ALIGN_BYTES);
		end_bytes = p->start_bytes + p->size_bytes;
	}
}

/* Set the medium's size, or see that all fits it. */
static int settle_medium(struct layout *l, struct err *e)
{
	const struct party last = last_party(l);
	uint64_t smallest_bytes = align_up(last.end_bytes, l->sector_bytes) + backup_bytes(l);
	char text[PARTY_TEXT_BYTES];

	if (l->medium_size_bytes == 0)
		l->medium_size_bytes = smallest_bytes;
	if (align_down(l->medium_size_bytes, l->sector_bytes) >= smallest_bytes)
		return 0;
	return err_set(e, ERR_USAGE,
		       "%s%s does not fit the medium: it has %" PRIu64
		       " bytes, and must have %" PRIu64
		       "; take a larger medium, or make a partition smaller",
		       party_text(&last, text),
		       backup_bytes(l) ? " with the backup of the partition table behind it" : "",
		       l->medium_size_bytes, smallest_bytes);
}

/* Give what is left to the last partition, if it wants that. */
static void spread_rest(struct layout *l)
{
	struct layout_partition *p = l->n_partitions ? &l->partitions[l->n_partitions - 1] : NULL;

	if (!p || !p->is_rest)
		return;
	uint64_t usable_bytes = align_down(l->medium_size_bytes, l->sector_bytes) - backup_bytes(l);
	uint64_t end_bytes = align_down(usable_bytes, TABLE_GRAIN_BYTES);
	if (end_bytes > p->start_bytes + p->size_bytes)
		p->size_bytes = end_bytes - p->start_bytes;
}

static int check_mbr_limit(const struct layout *l, struct err *e)
{
	const uint64_t limit_bytes = (UINT64_C(1) << 32) * l->sector_bytes;
	char text[PARTY_TEXT_BYTES];

	for (size_t i = 1; l->kind == TABLE_MBR && i <= l->n_partitions; i++) {
		const struct party p = party_of(l, i);
		if (p.end_bytes > limit_bytes)
			return err_set(e, ERR_USAGE,
				       "%s passes byte %" PRIu64
				       ", where what an MBR can tell ends; use a GPT",
				       party_text(&p, text), limit_bytes);
	}
	return 0;
}

int layout_make(struct layout *l, struct err *e)
{
	if (check_wishes(l, e) < 0)
		return -1;
	place(l);
	if (check_overlaps(l, e) < 0 || settle_medium(l, e) < 0)
		return -1;
	spread_rest(l);
	if (check_overlaps(l, e) < 0)
		return -1;
	return check_mbr_limit(l, e);
}
