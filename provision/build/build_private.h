/* What the files of build.h share: an image while it is settled and made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/bootloader.h"
#include "flash/disk/layout.h"
#include "flash/disk/mkfs.h"
#include "flash/disk/part_type.h"
#include "provision/build/build.h"
#include "provision/build/uuids.h"

enum {
	BUILD_SECTOR_BYTES = 512,
	BUILD_PARTS_MAX = 32,
	BUILD_METHODS_MAX = 8,
	BUILD_PIECES_MAX = 64,
	BUILD_NAME_BYTES = 80, /* as struct table_partition has it */
};

/* A partition that is made. */
struct build_part {
	const struct board_build_partition *wish; /* borrowed from the board */
	unsigned slot;                            /* 0 as well when it is not slotted */
	char name[BUILD_NAME_BYTES];
	char type[PART_TYPE_BYTES];
	char uuid[UUID_TEXT_BYTES];      /* in a GPT; else "" */
	char part_uuid[UUID_TEXT_BYTES]; /* as the kernel's PARTUUID= */
	uint8_t fs_uuid[UUID_BYTES];
	const struct mkfs_kind *mkfs; /* of a file system that is made; NULL: none is */
	const struct tree *tree;      /* what goes into it; borrowed, or own below */
	struct tree own;              /* owned; boot and select files */
	char *own_image_path;         /* owned; of one that was made below scratch_folder */
	const char *image_path;       /* borrowed; of an image that is copied; NULL: none */
	const char *file_system;      /* borrowed; what is or will be in it; NULL: none */
	const char *file;             /* borrowed; the firmware file that is in it; NULL: none */
	struct span bytes;            /* of that file; borrowed */
	uint64_t need_bytes;
};

/* Bytes at a fixed place outside of file systems. A blob with holes is several. */
struct build_piece {
	const char *name; /* borrowed */
	uint64_t offset_bytes;
	struct span bytes; /* borrowed */
};

struct build {
	struct build_request r; /* a copy; what it points to is borrowed */
	const struct boot_method *methods[BUILD_METHODS_MAX];
	size_t n_methods;
	enum table_kind table;
	unsigned n_slots;
	uint8_t seed[SHA256_BYTES];
	char disk_id[TABLE_ID_BYTES];
	struct build_part parts[BUILD_PARTS_MAX];
	size_t n_parts;
	struct boot_slot slots[SLOTS_MAX];
	char *cmdlines[SLOTS_MAX]; /* owned */
	struct boot_output output;
	struct build_piece pieces[BUILD_PIECES_MAX];
	size_t n_pieces;
	struct layout_partition places[BUILD_PARTS_MAX];
	struct layout_blob blobs[BUILD_PIECES_MAX];
	struct layout layout;
	uint64_t minimum_bytes; /* of the medium */
};

/* The steps of build_prepare, in this order. All fail with ERR_USAGE or ERR_IO. */
int build_choose(struct build *b, struct err *e);     /* methods, table, slots */
int build_list_parts(struct build *b, struct err *e); /* partitions and file systems */
int build_identify(struct build *b, struct err *e);   /* seed, UUIDs */
int build_fill(struct build *b, struct err *e);       /* command lines, files, raw bytes */
int build_place(struct build *b, struct err *e);      /* sizes, places */

/* Where partitions are before anything is known of their content. */
int build_place_roughly(struct build *b, struct layout *out,
			struct layout_partition places[BUILD_PARTS_MAX], struct err *e);

/* In an MBR one partition alone is active: of slots, the first. */
bool build_is_bootable(const struct build *b, const struct build_part *p);
bool build_does_grow(const struct build *b, const struct build_part *p);

uint64_t build_first_partition_bytes(const struct layout *l);
/* The BIOS boot partition; NULL when there is none. Borrowed from l. */
const struct layout_partition *build_bios_boot(const struct build *b, const struct layout *l);

/* The partition with that content in that slot; NULL when there is none. */
struct build_part *build_part_with(struct build *b, enum board_content content, unsigned slot);

/* The content of a firmware file of the board. As boot_firmware_find. */
int build_firmware(const struct build *b, const char *file, struct span *out, struct err *e);
