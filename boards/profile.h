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

/* A range of a blob's file that is not written, because something else is in its place. */
struct board_hole {
	uint64_t offset_bytes; /* from the start of the file */
	uint64_t size_bytes;
};

/* Bytes that firmware looks for at an offset of the medium, outside every partition. */
struct board_blob {
	char *name;               /* owned; for messages: "U-Boot SPL" */
	uint64_t offset_bytes;    /* where it starts */
	char *magic;              /* owned; lower-case hex digits, an even number, at most 128;
				   * NULL: its file does not tell itself by any */
	uint64_t magic_at_bytes;  /* where in the blob the magic is; 0 when not given */
	char *file;               /* owned; the firmware file that build puts here; NULL: none */
	uint64_t maximum_bytes;   /* what the file may have; 0 without one */
	struct board_hole *holes; /* owned */
	unsigned n_holes;
};

/* What build puts into a partition. */
enum board_content {
	CONTENT_NONE,   /* nothing, not even a file system */
	CONTENT_BOOT,   /* what the boot methods and --boot-file give */
	CONTENT_SELECT, /* what chooses among slots; made only when there are several */
	CONTENT_ROOT,   /* the root file system; made only when there is one */
	CONTENT_DATA,   /* an empty file system for what must outlive updates */
	CONTENT_FILE,   /* a firmware file, as it is */
};

/* A partition that build makes, in the order of the table. */
struct board_build_partition {
	char *name;           /* owned; its GPT name; slots get "-a" and "-b" behind it */
	char *type;           /* owned; a name of flash/disk/part_type.h ("esp", "root"), a
			       * lower-case GUID, or "0xNN" */
	char *mbr_type;       /* owned; the type in an MBR when type is a GUID; NULL: none needed */
	uint64_t start_bytes; /* 0: behind the one before, at a multiple of 1 MiB */
	uint64_t size_bytes;  /* 0: what its content needs, in whole MiB */
	bool is_rest;         /* "size: rest": all that is left of the medium; the last one only */
	uint64_t minimum_bytes; /* where the size is not given */
	enum board_content content;
	char *file;        /* owned; for CONTENT_FILE: the firmware file */
	char *magic;       /* owned; that the file must begin with, as of a blob; may be NULL */
	char *file_system; /* owned; "vfat", "ext4", "squashfs"; NULL: none; a root
			    * file system that is given as an image brings its own */
	bool is_slotted;   /* made once for each slot */
	bool is_bootable;  /* MBR active flag, GPT attribute bit 2 */
	bool does_grow;    /* in a GPT: to the end of the medium, when the image is written */
};

/* A firmware file that is put into the boot partition, where firmware before it looks. */
struct board_boot_file {
	char *file;             /* owned; the firmware file */
	char *to;               /* owned; its path in the boot partition: "MLO" */
	char *magic;            /* owned; that it must begin with, as of a blob; may be NULL */
	uint64_t maximum_bytes; /* 0: the partition's size is the limit */
};

enum { SLOTS_MAX = 2 };

/* How build makes an image for the board. */
struct board_build {
	char **methods; /* owned; names of bootloader/methods.def: all are applied */
	unsigned n_methods;
	enum board_table table; /* MBR or GPT: made unless --table says otherwise */
	unsigned gpt_entries;   /* 0: 128. 56 end before byte 8192, where Allwinner's SPL is */
	unsigned slots_max;     /* 1, or 2 when it can hold two systems */
	uint64_t size_bytes;    /* the smallest medium this board is used with; 0: what it takes */
	char *dtb;              /* owned; the device tree below --dtb DIR; NULL: firmware's own */
	char *cmdline;          /* owned; put in front of the payload's unless it has console=;
				 * NULL: none */
	struct board_build_partition *partitions; /* owned */
	unsigned n_partitions;
	struct board_boot_file *boot_files; /* owned */
	unsigned n_boot_files;
};

/* A file that firmware is made of. Names are unique in a board. */
struct board_firmware {
	char *file;    /* owned; what blobs, partitions and methods call it, and its name in a
			* firmware folder */
	char *package; /* owned; Debian's, "u-boot-sunxi:armhf"; NULL: Debian does not carry it */
	char *suite;   /* owned; "trixie"; NULL: bookworm */
	char *path;    /* owned; in the package: "usr/lib/u-boot/orangepi_zero/u-boot.bin" */
	char *source;  /* owned; without a package: where it comes from, for people */
	bool is_optional; /* an image boots without it (a power-management firmware) */
};

/* The machine in QEMU that starts this board's images. */
struct board_qemu {
	char *program; /* owned; "qemu-system-arm" */
	char *package; /* owned; Debian's, that has it */
	/* owned; {drive} is "file=IMAGE,format=FORMAT", {firmware:NAME} the path of a firmware
	 * file, {copy:PATH} that of a fresh copy, for what the machine writes to. All but the
	 * console, which boot adds. */
	char **arguments;
	unsigned n_arguments;
	unsigned console;     /* the number of the serial port with the console, from 0 */
	bool is_power_of_two; /* the medium's size must be one (QEMU's SD cards) */
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
	struct board_build *build;       /* owned; NULL: build makes no image for it */
	struct board_firmware *firmware; /* owned */
	unsigned n_firmware;
	struct board_qemu *qemu; /* owned; NULL: no emulator is known to start it */
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

/* The firmware file of that name; NULL when there is none. Borrowed from b. */
const struct board_firmware *board_firmware_by_file(const struct board *b, const char *file);

const char *board_content_name(enum board_content content); /* "boot", "select", ... */
const char *board_tested_name(enum board_tested tested);    /* "no", "layout", "qemu" */
const char *board_table_name(enum board_table table);       /* "any", "mbr", "gpt", "mbr-or-gpt" */
