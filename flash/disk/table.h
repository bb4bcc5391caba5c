/* Partition tables, through libfdisk. Works on bytes, never on a device: the table is laid into a
 * sparse memory file, so that no partition node and no ioctl is needed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"

enum table_kind {
	TABLE_NONE,
	TABLE_MBR,
	TABLE_GPT,
};
/* "none", "mbr", "gpt". */
const char *table_kind_name(enum table_kind kind);

struct table_partition {
	unsigned number; /* from 1, as in the table */
	uint64_t start_bytes;
	uint64_t size_bytes;
	char type[40];    /* GPT: lower-case GUID; MBR: "0xef" */
	char uuid[40];    /* lower case; "" when there is none */
	char name[80];    /* GPT name, UTF-8; "" when there is none */
	bool is_bootable; /* MBR active flag, GPT attribute bit 2 */
};

struct table {
	enum table_kind kind;
	uint32_t sector_bytes;
	struct table_partition *partitions; /* owned; in order of number; extended ones as well */
	size_t n_partitions;
};

enum { TABLE_HEAD_BYTES = 65536 }; /* holds any table we read: 34 sectors of 512, 6 of 4096 */

/* The table in the first head_bytes of a medium. A GPT counts when its protective MBR, primary
 * header and entries are good. The logical partitions of an MBR are there as far as head holds the
 * records that chain them. sector_bytes is 512 or 4096. No table is not an error: kind is
 * TABLE_NONE, as it is for a file system on the whole medium. Fails with ERR_UNTRUSTED for a table
 * that is damaged or does not fit medium_size_bytes. */
int table_parse(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes,
		uint32_t sector_bytes, struct table **out, struct err *e);
void table_free(struct table *t);
static inline void table_freep(struct table **t)
{
	table_free(*t);
}

/* The sector size a GPT in head was made for: 512 or 4096; 0 when there is no GPT. Pure. */
uint32_t table_gpt_sector_bytes(const uint8_t *head, size_t head_bytes);

/* Was the GPT in head made for a medium smaller than this one, so that its backup would not be at
 * the end? False when there is no GPT. Pure. */
bool table_gpt_is_short(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes);

/* A GPT made for a smaller medium, moved to one of medium_size_bytes. */
struct table_moved {
	uint8_t *head; /* owned; head_bytes long: the given head with protective MBR and primary GPT
			* changed */
	size_t head_bytes;
	uint8_t *tail; /* owned; backup entries and header, to be put at tail_offset_bytes */
	size_t tail_bytes;
	uint64_t tail_offset_bytes; /* tail_offset_bytes + tail_bytes is the end of the medium's
				     * last whole sector */
};

/* Move the GPT in head so that its backup is at the real end. Partitions and GUIDs stay. The same
 * input gives the same bytes. Fails with ERR_UNTRUSTED when head holds no good GPT. */
int table_move_gpt(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes,
		   uint32_t sector_bytes, struct table_moved **out, struct err *e);
void table_moved_free(struct table_moved *m);
static inline void table_moved_freep(struct table_moved **m)
{
	table_moved_free(*m);
}
