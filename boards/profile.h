/* A board profile: what an image for a machine must look like. YAML to struct, through libcyaml. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"

enum {
	PROFILE_MAX_BYTES = 65536,
	PROFILE_BLOB_END_MAX_BYTES = 16 << 20, /* the farthest byte a blob's magic may have: what is
						* checked before the first write must fit memory */
};

enum board_tested {
	TESTED_NO,
	TESTED_LAYOUT, /* images of this layout were built and checked */
	TESTED_QEMU,   /* an emulator booted it */
};

enum board_table {
	BOARD_TABLE_ANY, /* no layout is expected */
	BOARD_TABLE_MBR,
	BOARD_TABLE_GPT,
	BOARD_TABLE_MBR_OR_GPT,
};

/* A partition the board's firmware looks for. */
struct board_partition {
	char *name;   /* owned; for messages: "EFI system partition" */
	char **types; /* owned; any of these: lower-case GUIDs and "0xNN" */
	unsigned n_types;
	char *file_system; /* owned; libblkid's name, "vfat"; NULL: any */
};

/* Bytes that firmware looks for at an offset of the medium. */
struct board_blob {
	char *name;            /* owned; for messages: "U-Boot SPL" */
	uint64_t offset_bytes; /* of the magic */
	char *magic;           /* owned; lower-case hex digits, an even number, at most 128 */
};

struct board {
	char *id;   /* owned; as given to --board; parse_is_name holds */
	char *name; /* owned; for people */
	char *arch; /* owned; "x86_64", "arm64", ... */
	char *boot; /* owned; how it boots, for people: "UEFI removable path" */
	enum board_tested tested;
	enum board_table table;
	struct board_partition *partitions; /* owned */
	unsigned n_partitions;
	struct board_blob *blobs; /* owned */
	unsigned n_blobs;
};

/* Parse one profile. where names it in errors. Fails with ERR_USAGE: "where:line: reason", for bad
 * YAML, unknown keys, missing keys and values that make no sense; with ERR_IO out of memory. */
int board_parse(const char *where, const void *yaml, size_t yaml_bytes, struct board **out,
		struct err *e);
void board_free(struct board *b);
static inline void board_freep(struct board **b)
{
	board_free(*b);
}

const char *board_tested_name(enum board_tested tested); /* "no", "layout", "qemu" */
const char *board_table_name(enum board_table table);    /* "any", "mbr", "gpt", "mbr-or-gpt" */
