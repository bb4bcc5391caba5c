/* A GPT made byte by byte, as UEFI 2.10, chapter 5 lays it out; for tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flash/base/bytes.h"

/* What is in a test's GPT besides the two partitions that gpt_put_partitions() makes. */
struct gpt_bytes {
	uint32_t sector_bytes;
	uint64_t n_sectors; /* of the medium it is made for */
	uint32_t n_entries;
};

enum {
	GPT_ENTRY_BYTES = 128,
	GPT_FIRST_START_LBA = 64,
	GPT_FIRST_END_LBA = 127,
	GPT_SECOND_START_LBA = 128,
	GPT_SECOND_END_LBA = 159,
};

static inline uint32_t gpt_crc32(const uint8_t *bytes, size_t n_bytes)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n_bytes; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

/* "efi", a system partition, and "root", with the attribute "legacy boot". GUIDs are one byte
 * repeated, but for the type of the first. */
static inline void gpt_put_partitions(uint8_t *entries)
{
	static const uint8_t efi_system[] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
					     0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
	uint8_t *second = entries + GPT_ENTRY_BYTES;

	memcpy(entries, efi_system, sizeof efi_system);
	memset(entries + 16, 0x11, 16);
	put_le64(entries + 32, GPT_FIRST_START_LBA);
	put_le64(entries + 40, GPT_FIRST_END_LBA);
	memcpy(entries + 56, "e\0f\0i\0", 6);
	memset(second, 0x22, 16);
	memset(second + 16, 0x33, 16);
	put_le64(second + 32, GPT_SECOND_START_LBA);
	put_le64(second + 40, GPT_SECOND_END_LBA);
	put_le64(second + 48, 1 << 2);
	memcpy(second + 56, "r\0o\0o\0t\0", 8);
}

/* The CRC of a header, over itself with zeros in its place. */
static inline void gpt_seal(uint8_t *header)
{
	put_le32(header + 16, 0);
	put_le32(header + 16, gpt_crc32(header, 92));
}

/* A header at my_lba for entries that are laid at entries_lba already. */
static inline void gpt_put_header(const struct gpt_bytes *g, uint8_t *header,
				  const uint8_t *entries, uint64_t my_lba, uint64_t entries_lba)
{
	uint64_t n_entry_sectors =
		((uint64_t)g->n_entries * GPT_ENTRY_BYTES + g->sector_bytes - 1) / g->sector_bytes;

	memcpy(header, "EFI PART\0\0\1\0", 12);
	put_le32(header + 12, 92);
	put_le64(header + 24, my_lba);
	put_le64(header + 32, my_lba == 1 ? g->n_sectors - 1 : 1);
	put_le64(header + 40, 2 + n_entry_sectors);
	put_le64(header + 48, g->n_sectors - 2 - n_entry_sectors);
	memset(header + 56, 0x44, 16);
	put_le64(header + 72, entries_lba);
	put_le32(header + 80, g->n_entries);
	put_le32(header + 84, GPT_ENTRY_BYTES);
	put_le32(header + 88, gpt_crc32(entries, (size_t)g->n_entries * GPT_ENTRY_BYTES));
	gpt_seal(header);
}

/* The protective MBR, primary header and entries into head. */
static inline void gpt_put_head(const struct gpt_bytes *g, uint8_t *head)
{
	uint8_t *entries = head + 2 * (size_t)g->sector_bytes;

	head[446 + 2] = 2;
	head[446 + 4] = 0xee;
	memset(head + 446 + 5, 0xff, 3);
	put_le32(head + 446 + 8, 1);
	put_le32(head + 446 + 12, (uint32_t)g->n_sectors - 1);
	head[510] = 0x55;
	head[511] = 0xaa;
	gpt_put_partitions(entries);
	gpt_put_header(g, head + g->sector_bytes, entries, 1, 2);
}

/* The backup entries and header at the end of medium. */
static inline void gpt_put_tail(const struct gpt_bytes *g, uint8_t *medium)
{
	size_t header_at = (size_t)(g->n_sectors - 1) * g->sector_bytes;
	size_t entries_at = header_at - (size_t)g->n_entries * GPT_ENTRY_BYTES;

	gpt_put_partitions(medium + entries_at);
	gpt_put_header(g, medium + header_at, medium + entries_at, g->n_sectors - 1,
		       entries_at / g->sector_bytes);
}
