/* Pure parts of making a table. See table_spec.h. */
#include "flash/disk/table_spec.h"

#include <inttypes.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/units.h"
#include "flash/disk/part_type.h"
#include "flash/disk/table_sector.h"

static size_t entries_bytes(const struct table *t)
{
	return (size_t)align_up((uint64_t)t->gpt_entries * TABLE_GPT_ENTRY_BYTES, t->sector_bytes);
}

size_t table_spec_head_bytes(const struct table *t)
{
	return t->kind == TABLE_GPT ? 2 * (size_t)t->sector_bytes + entries_bytes(t)
				    : TABLE_MBR_BYTES;
}

static uint64_t smallest_medium_bytes(const struct table *t)
{
	uint64_t head_bytes = table_spec_head_bytes(t);

	/* The backup is a sector shorter; one sector is for a partition. */
	return t->kind == TABLE_GPT ? 2 * head_bytes : t->sector_bytes + head_bytes;
}

static int check_whole(const struct table *t, uint64_t medium_size_bytes, struct err *e)
{
	if (t->kind == TABLE_NONE)
		return err_set(e, ERR_USAGE, "a table of kind \"none\" cannot be made");
	if (t->sector_bytes != 512 && t->sector_bytes != 4096)
		return err_set(e, ERR_USAGE,
			       "there is no table for sectors of %" PRIu32
			       " bytes; take 512 or 4096",
			       t->sector_bytes);
	if (t->kind == TABLE_GPT && (t->gpt_entries == 0 || t->gpt_entries > TABLE_HEAD_BYTES ||
				     table_spec_head_bytes(t) > TABLE_HEAD_BYTES))
		return err_set(e, ERR_USAGE,
			       "a GPT of %u entries cannot be made; it must have one, and end "
			       "before byte %d",
			       t->gpt_entries, TABLE_HEAD_BYTES);
	if (medium_size_bytes < smallest_medium_bytes(t))
		return err_set(e, ERR_USAGE,
			       "a medium of %" PRIu64
			       " bytes does not hold a table; it must have %" PRIu64,
			       medium_size_bytes, smallest_medium_bytes(t));
	return 0;
}

/* As UTF-16, which the name has at most 36 units of (UEFI 2.10, table 5.6). text is UTF-8. */
static size_t utf16_units(const char *text)
{
	size_t n_units = 0;

	for (const char *p = text; *p; p++) {
		unsigned char byte = (unsigned char)*p;
		if ((byte & 0xc0) != 0x80)
			n_units += byte >= 0xf0 ? 2 : 1;
	}
	return n_units;
}

static int check_mbr_partition(const struct table *t, const struct table_partition *p,
			       struct err *e)
{
	enum { MBR_PRIMARY = 4 };
	const uint64_t limit_bytes = (UINT64_C(1) << 32) * t->sector_bytes;

	if (p->number > MBR_PRIMARY)
		return err_set(e, ERR_USAGE, "an MBR has no partition %u, but 4 at most; use a GPT",
			       p->number);
	if (!part_type_is_mbr_code(p->type))
		return err_set(e, ERR_USAGE, "an MBR has no type \"%s\", which partition %u wants",
			       p->type, p->number);
	if (p->start_bytes + p->size_bytes > limit_bytes)
		return err_set(e, ERR_USAGE,
			       "partition %u passes byte %" PRIu64
			       ", where what an MBR can tell ends; use a GPT",
			       p->number, limit_bytes);
	return 0;
}

static int check_gpt_partition(const struct table *t, const struct table_partition *p,
			       struct err *e)
{
	enum { NAME_UNITS_MAX = 36 };

	if (p->number > t->gpt_entries)
		return err_set(e, ERR_USAGE,
			       "the GPT has no partition %u, but %u at most; give it more entries",
			       p->number, t->gpt_entries);
	if (!part_type_is_guid(p->type) || !part_type_is_guid(p->uuid))
		return err_set(e, ERR_USAGE,
			       "partition %u wants type \"%s\" and UUID \"%s\", but both must be "
			       "GUIDs",
			       p->number, p->type, p->uuid);
	if (utf16_units(p->name) > NAME_UNITS_MAX)
		return err_set(e, ERR_USAGE,
			       "the name of partition %u, \"%s\", has more than the %d characters "
			       "of a GPT",
			       p->number, p->name, NAME_UNITS_MAX);
	return 0;
}

static int check_partition(const struct table *t, const struct table_partition *p,
			   uint64_t medium_size_bytes, struct err *e)
{
	uint64_t end_bytes = 0;

	if (p->start_bytes % t->sector_bytes || p->size_bytes % t->sector_bytes ||
	    p->size_bytes == 0)
		return err_set(e, ERR_USAGE,
			       "partition %u: start %" PRIu64 " and size %" PRIu64
			       " must be multiples of the sector, %" PRIu32
			       " bytes, and the size not 0",
			       p->number, p->start_bytes, p->size_bytes, t->sector_bytes);
	if (p->number == 0)
		return err_set(e, ERR_USAGE, "there is no partition 0; they count from 1");
	if (!checked_add(p->start_bytes, p->size_bytes, &end_bytes) ||
	    end_bytes > medium_size_bytes)
		return err_set(e, ERR_USAGE,
			       "partition %u, of %" PRIu64 " bytes at %" PRIu64
			       ", passes the end of the medium at byte %" PRIu64,
			       p->number, p->size_bytes, p->start_bytes, medium_size_bytes);
	return t->kind == TABLE_GPT ? check_gpt_partition(t, p, e) : check_mbr_partition(t, p, e);
}

int table_spec_check(const struct table *t, uint64_t medium_size_bytes, struct err *e)
{
	if (check_whole(t, medium_size_bytes, e) < 0)
		return -1;
	for (size_t i = 0; i < t->n_partitions; i++)
		if (check_partition(t, &t->partitions[i], medium_size_bytes, e) < 0)
			return -1;
	return 0;
}

static void set_first_usable(uint8_t *header, uint64_t lba)
{
	put_le64(header + GPT_FIRST_USABLE_AT, lba);
	table_sector_seal(header);
}

void table_spec_keep_front(const struct table *t, struct table_ends *made)
{
	uint64_t first_bytes = UINT64_MAX;

	for (size_t i = 0; i < t->n_partitions; i++)
		first_bytes = min_u64(first_bytes, t->partitions[i].start_bytes);
	if (t->kind != TABLE_GPT || t->n_partitions == 0)
		return;
	set_first_usable(made->head + t->sector_bytes, first_bytes / t->sector_bytes);
	set_first_usable(made->tail + made->tail_bytes - t->sector_bytes,
			 first_bytes / t->sector_bytes);
}
