/* A partition of a GPT that grows with its medium. Pure. See table_grow.h. */
#include "flash/disk/table_grow.h"

#include "flash/base/bytes.h"
#include "flash/base/crc32.h"
#include "flash/base/units.h"
#include "flash/disk/table_sector.h"

/* UEFI 2.10, tables 5.6 and 5.8, and the Discoverable Partitions Specification for the last */
enum {
	ENTRY_TYPE_BYTES = 16,
	ENTRY_FIRST_LBA_AT = 32,
	ENTRY_LAST_LBA_AT = 40,
	ENTRY_ATTRIBUTES_AT = 48,
	ATTRIBUTE_GROW_BIT = 59,
};

/* The entries of a GPT, inside of its head. */
struct entries {
	uint8_t *bytes; /* borrowed */
	uint32_t n_entries;
	uint32_t entry_bytes;
};

static uint64_t entries_bytes(const struct entries *s)
{
	return (uint64_t)s->n_entries * s->entry_bytes;
}

static uint8_t *entry_of(const struct entries *s, uint32_t i)
{
	return s->bytes + (size_t)i * s->entry_bytes;
}

/* False unless header and entries are good: what is damaged must not become good here. */
static bool find_entries(uint8_t *head, size_t head_bytes, uint32_t sector_bytes,
			 struct entries *out)
{
	uint64_t at_bytes = 0;

	if (!table_sector_is_good_header(head, head_bytes, sector_bytes))
		return false;
	const uint8_t *header = head + sector_bytes;
	*out = (struct entries){.n_entries = le32(header + GPT_N_ENTRIES_AT),
				.entry_bytes = le32(header + GPT_ENTRY_BYTES_AT)};
	if (out->entry_bytes < TABLE_GPT_ENTRY_BYTES ||
	    !checked_mul(le64(header + GPT_ENTRIES_LBA_AT), sector_bytes, &at_bytes) ||
	    at_bytes < 2 * (uint64_t)sector_bytes || at_bytes >= head_bytes ||
	    entries_bytes(out) > head_bytes - at_bytes)
		return false;
	out->bytes = head + at_bytes;
	return crc32_of(0, out->bytes, (size_t)entries_bytes(out)) ==
	       le32(header + GPT_ENTRIES_CRC_AT);
}

/* The partition that ends last: its index; n_entries when there is none. */
static uint32_t find_last(const struct entries *s)
{
	uint32_t found = s->n_entries;
	uint64_t end_lba = 0;

	for (uint32_t i = 0; i < s->n_entries; i++) {
		const uint8_t *entry = entry_of(s, i);
		if (bytes_are_zero(entry, ENTRY_TYPE_BYTES) ||
		    le64(entry + ENTRY_LAST_LBA_AT) < end_lba)
			continue;
		found = i;
		end_lba = le64(entry + ENTRY_LAST_LBA_AT);
	}
	return found;
}

static bool does_grow(const uint8_t *entry)
{
	return (le64(entry + ENTRY_ATTRIBUTES_AT) >> ATTRIBUTE_GROW_BIT & 1) != 0;
}

/* Where the last partition ends when it takes all up to the backup: the sector behind it. */
static uint64_t end_lba_of(const struct entries *s, uint64_t medium_size_bytes,
			   uint32_t sector_bytes)
{
	uint64_t size_bytes = align_down(medium_size_bytes, sector_bytes);
	uint64_t backup_bytes = sector_bytes + align_up(entries_bytes(s), sector_bytes);

	return size_bytes < backup_bytes
		       ? 0
		       : align_down(size_bytes - backup_bytes, TABLE_GRAIN_BYTES) / sector_bytes;
}

bool table_grow(uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes, uint32_t sector_bytes,
		struct table_growth *out)
{
	struct entries s;

	if (!find_entries(head, head_bytes, sector_bytes, &s))
		return false;
	uint32_t last = find_last(&s);
	if (last == s.n_entries || !does_grow(entry_of(&s, last)))
		return false;
	uint8_t *entry = entry_of(&s, last);
	uint64_t first_lba = le64(entry + ENTRY_FIRST_LBA_AT);
	uint64_t old_end_lba = le64(entry + ENTRY_LAST_LBA_AT) + 1;
	uint64_t new_end_lba = end_lba_of(&s, medium_size_bytes, sector_bytes);
	if (old_end_lba <= first_lba || new_end_lba <= old_end_lba)
		return false;
	put_le64(entry + ENTRY_LAST_LBA_AT, new_end_lba - 1);
	put_le32(head + sector_bytes + GPT_ENTRIES_CRC_AT,
		 crc32_of(0, s.bytes, (size_t)entries_bytes(&s)));
	table_sector_seal(head + sector_bytes);
	*out = (struct table_growth){
		.number = last + 1,
		.from_bytes = (old_end_lba - first_lba) * sector_bytes,
		.to_bytes = (new_end_lba - first_lba) * sector_bytes,
	};
	return true;
}
