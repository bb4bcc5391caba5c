/* What can be said of a partition table without a library. See table.h. */
#include "flash/disk/table.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/crc32.h"
#include "flash/base/units.h"
#include "flash/disk/table_sector.h"

const char *table_kind_name(enum table_kind kind)
{
	switch (kind) {
	case TABLE_NONE:
		return "none";
	case TABLE_MBR:
		return "mbr";
	case TABLE_GPT:
		return "gpt";
	}
	return "unknown";
}

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->partitions);
	free(t);
}

/* ---- The first sector ----------------------------------------------------------------------- */

enum {
	MBR_ENTRIES_AT = 446,
	MBR_N_ENTRIES = 4,
	MBR_ENTRY_BYTES = 16,
	MBR_TYPE_AT = 4,  /* of an entry */
	MBR_START_AT = 8, /* of an entry: first sector, then number of sectors */
	MBR_MAGIC_AT = 510,
	MBR_TYPE_PROTECTIVE = 0xee, /* UEFI 2.10, table 5.4 */
};

static const uint8_t *mbr_entry(const uint8_t *head, unsigned i)
{
	return head + MBR_ENTRIES_AT + (size_t)i * MBR_ENTRY_BYTES;
}

bool table_sector_is_mbr(const uint8_t *head, size_t head_bytes)
{
	if (head_bytes < TABLE_SECTOR_BYTES || head[MBR_MAGIC_AT] != 0x55 ||
	    head[MBR_MAGIC_AT + 1] != 0xaa)
		return false;
	/* The boot code of a file system ends in the same magic, and has anything where a table has
	 * the "active" flag. */
	for (unsigned i = 0; i < MBR_N_ENTRIES; i++)
		if ((mbr_entry(head, i)[0] & 0x7f) != 0)
			return false;
	return true;
}

bool table_sector_is_protective(const uint8_t *head, size_t head_bytes)
{
	if (!table_sector_is_mbr(head, head_bytes))
		return false;
	for (unsigned i = 0; i < MBR_N_ENTRIES; i++)
		if (mbr_entry(head, i)[MBR_TYPE_AT] == MBR_TYPE_PROTECTIVE)
			return true;
	return false;
}

bool table_sector_is_boot_sector(const uint8_t *head, size_t head_bytes)
{
	/* Where the type of a file system stands in its boot sector: FAT12 and FAT16, FAT32, exFAT
	 * and NTFS. */
	static const struct {
		size_t at_bytes;
		const char *magic;
	} magics[] = {{54, "FAT1"}, {82, "FAT32"}, {3, "EXFAT   "}, {3, "NTFS    "}};
	bool has_magic = false;

	if (head_bytes < TABLE_SECTOR_BYTES)
		return false;
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		has_magic = has_magic || memcmp(head + magics[i].at_bytes, magics[i].magic,
						strlen(magics[i].magic)) == 0;
	for (unsigned i = 0; i < MBR_N_ENTRIES; i++)
		if (le32(mbr_entry(head, i) + MBR_START_AT + 4) != 0)
			return false;
	return has_magic;
}

/* ---- The GPT header ------------------------------------------------------------------------- */

static const char gpt_magic[8] = "EFI PART";

enum {
	/* UEFI 2.10, table 5.5 */
	GPT_HEADER_BYTES_AT = 12,
	GPT_HEADER_CRC_AT = 16,
	GPT_ALTERNATE_AT = 32,
	GPT_HEADER_MIN_BYTES = 92,
	GPT_HEADER_MAX_BYTES = 512, /* ours; the smallest sector */
	GPT_ENTRY_MIN_BYTES = 128,
	GPT_ENTRY_MAX_BYTES = 4096, /* ours */
};

bool table_sector_has_gpt_magic(const uint8_t *head, size_t head_bytes, uint32_t sector_bytes)
{
	return head_bytes >= 2 * (size_t)sector_bytes &&
	       memcmp(head + sector_bytes, gpt_magic, sizeof gpt_magic) == 0;
}

/* A sector of head that is no GPT header, or one whose entries are behind the primary header and
 * can be read in little memory. */
static bool is_sane(const uint8_t *head, size_t head_bytes, uint64_t lba, uint32_t sector_bytes)
{
	uint64_t at_bytes = 0;

	if (!checked_mul(lba, sector_bytes, &at_bytes) || at_bytes >= head_bytes ||
	    head_bytes - at_bytes < sector_bytes)
		return true;
	const uint8_t *header = head + at_bytes;
	uint32_t entry_bytes = le32(header + GPT_ENTRY_BYTES_AT);
	return memcmp(header, gpt_magic, sizeof gpt_magic) != 0 ||
	       (le64(header + GPT_ENTRIES_LBA_AT) >= 2 && entry_bytes >= GPT_ENTRY_MIN_BYTES &&
		entry_bytes <= GPT_ENTRY_MAX_BYTES &&
		le32(header + GPT_N_ENTRIES_AT) <= TABLE_HEAD_BYTES / entry_bytes);
}

bool table_sector_is_sane(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes,
			  uint32_t sector_bytes)
{
	uint64_t alternate_lba = table_sector_has_gpt_magic(head, head_bytes, sector_bytes)
					 ? le64(head + sector_bytes + GPT_ALTERNATE_AT)
					 : 1;

	return is_sane(head, head_bytes, 1, sector_bytes) &&
	       is_sane(head, head_bytes, alternate_lba, sector_bytes) &&
	       is_sane(head, head_bytes, medium_size_bytes / sector_bytes - 1, sector_bytes);
}

void table_sector_seal(uint8_t *header)
{
	put_le32(header + GPT_HEADER_CRC_AT, 0);
	put_le32(header + GPT_HEADER_CRC_AT,
		 crc32_of(0, header, le32(header + GPT_HEADER_BYTES_AT)));
}

bool table_sector_is_good_header(const uint8_t *head, size_t head_bytes, uint32_t sector_bytes)
{
	uint8_t header[GPT_HEADER_MAX_BYTES];

	if (!table_sector_has_gpt_magic(head, head_bytes, sector_bytes))
		return false;
	uint32_t header_bytes = le32(head + sector_bytes + GPT_HEADER_BYTES_AT);
	if (header_bytes < GPT_HEADER_MIN_BYTES || header_bytes > sizeof header)
		return false;
	memcpy(header, head + sector_bytes, header_bytes);
	table_sector_seal(header);
	return memcmp(header, head + sector_bytes, header_bytes) == 0;
}

uint32_t table_gpt_sector_bytes(const uint8_t *head, size_t head_bytes)
{
	static const uint32_t sizes[] = {512, 4096};

	if (!table_sector_is_protective(head, head_bytes))
		return 0;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (table_sector_has_gpt_magic(head, head_bytes, sizes[i]))
			return sizes[i];
	return 0;
}

bool table_gpt_is_short(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes)
{
	uint32_t sector_bytes = table_gpt_sector_bytes(head, head_bytes);

	if (sector_bytes == 0 || medium_size_bytes < sector_bytes)
		return false;
	return le64(head + sector_bytes + GPT_ALTERNATE_AT) < medium_size_bytes / sector_bytes - 1;
}
