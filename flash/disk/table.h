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

enum {
	TABLE_MBR_BYTES = 512,
	TABLE_BOOT_CODE_BYTES = 440, /* in front of an MBR, a protective one as well */
	TABLE_GPT_ENTRIES = 128,     /* usual; UEFI 2.10, 5.3.1: at least 16384 bytes */
	TABLE_GPT_ENTRY_BYTES = 128,
	TABLE_GRAIN_BYTES =
		4096, /* where a partition that takes what is left ends: systemd-repart's
		       * grain, so that it finds nothing to do on the machine */
	TABLE_ID_BYTES = 40,
};

struct table_partition {
	unsigned number; /* from 1, as in the table */
	uint64_t start_bytes;
	uint64_t size_bytes;
	char type[40];    /* GPT: lower-case GUID; MBR: "0xef" */
	char uuid[40];    /* lower case; "" when there is none */
	char name[80];    /* GPT name, UTF-8; "" when there is none */
	bool is_bootable; /* MBR active flag, GPT attribute bit 2 */
	bool does_grow;   /* GPT attribute bit 59, "grow-file-system" of the Discoverable Partitions
			   * Specification: to the end of the medium, and its file system with it */
};

struct table {
	enum table_kind kind;
	uint32_t sector_bytes;
	char id[TABLE_ID_BYTES];            /* GPT: lower-case GUID; MBR: "0x1234abcd"; else "" */
	unsigned gpt_entries;               /* 0 unless it is a GPT */
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

/* A partition that was made larger, because its medium is larger than the one it was made for. */
struct table_growth {
	unsigned number;     /* 0: none was */
	uint64_t from_bytes; /* its sizes */
	uint64_t to_bytes;
};

/* What a table is on its medium: bytes at the start, and of a GPT at the end. */
struct table_ends {
	uint8_t *head; /* owned; head_bytes long */
	size_t head_bytes;
	uint8_t *tail;     /* owned; backup entries and header, to be put at tail_offset_bytes */
	size_t tail_bytes; /* 0: an MBR */
	uint64_t tail_offset_bytes; /* tail_offset_bytes + tail_bytes is the end of the medium's
				     * last whole sector */
	struct table_growth growth; /* by table_move_gpt */
};
void table_ends_free(struct table_ends *t);
static inline void table_ends_freep(struct table_ends **t)
{
	table_ends_free(*t);
}

/* Make t, of kind TABLE_MBR or TABLE_GPT, for a medium of medium_size_bytes: what table_parse then
 * reads from the head is t. The head has zeros for the boot code, its first TABLE_BOOT_CODE_BYTES,
 * and ends with the last entry. What is in front of the first partition is kept from partitions
 * that others may add: firmware may be there. uuid may be "" in an MBR only. The same input gives
 * the same bytes. Fails with ERR_USAGE for what this kind of table cannot tell or what does not
 * fit, naming it. */
int table_make(const struct table *t, uint64_t medium_size_bytes, struct table_ends **out,
	       struct err *e);

/* Move the GPT in head, made for a smaller medium, so that its backup is at the real end. The
 * partition that ends last takes the new room, up to a multiple of TABLE_GRAIN_BYTES, when
 * does_grow of it is set; out's growth tells. Other partitions and GUIDs stay; out's head is the
 * given one with protective MBR and primary GPT changed. The same input gives the same bytes. Fails
 * with ERR_UNTRUSTED when head holds no good GPT. */
int table_move_gpt(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes,
		   uint32_t sector_bytes, struct table_ends **out, struct err *e);
