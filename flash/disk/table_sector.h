/* What the first two sectors of a medium look like; for the table files of this folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TABLE_SECTOR_BYTES = 512,
	/* in a GPT header: UEFI 2.10, table 5.5 */
	GPT_FIRST_USABLE_AT = 40,
	GPT_ENTRIES_LBA_AT = 72,
	GPT_N_ENTRIES_AT = 80,
	GPT_ENTRY_BYTES_AT = 84,
	GPT_ENTRIES_CRC_AT = 88,
};

/* A boot sector whose four entries could be a table. */
bool table_sector_is_mbr(const uint8_t *head, size_t head_bytes);
/* One that says that a GPT follows. */
bool table_sector_is_protective(const uint8_t *head, size_t head_bytes);
/* The boot sector of a file system on the whole medium, with no partition in it. */
bool table_sector_is_boot_sector(const uint8_t *head, size_t head_bytes);
/* The second sector begins as a GPT header does. */
bool table_sector_has_gpt_magic(const uint8_t *head, size_t head_bytes, uint32_t sector_bytes);
/* No GPT header that a reader comes across from here has entries over the first two sectors, or
 * asks for more memory than a head takes: libfdisk takes what headers say, whatever it is.
 * medium_size_bytes is a sector or more. */
bool table_sector_is_sane(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes,
			  uint32_t sector_bytes);

/* Set the CRC of a GPT header that says how long it is, at most a sector. */
void table_sector_seal(uint8_t *header);
/* The second sector is a GPT header with the right CRC. */
bool table_sector_is_good_header(const uint8_t *head, size_t head_bytes, uint32_t sector_bytes);
