/* How a machine is made bootable: one method a file, each ends in a const struct boot_method, and
 * has one line in methods.def. Pure but for programs that a method must start: a board and a
 * payload in, files and raw bytes out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boards/profile.h"
#include "flash/base/bytes.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/disk/table.h"
#include "flash/disk/tree.h"

/* What is to be started. All is borrowed. */
struct boot_payload {
	struct span kernel; /* of the board's architecture, not compressed by gzip */
	struct span initrd; /* no bytes: none; microcode is in front of it already */
	/* Device trees, as below --dtb DIR, overlays included; sorted; NULL: none were given. */
	const struct tree *dtbs;
	const char *version; /* shown in menus: the image's; "" when there is none */
};

/* One of the systems on the medium. Without A/B there is one, named "". */
struct boot_slot {
	const char *name;        /* "", "a", "b" */
	const char *cmdline;     /* complete: placeholders are filled in */
	unsigned boot_partition; /* number in the table of the partition its boot files are in */
	struct tree *boot;       /* its boot files; slots share it unless the profile's boot
				  * partition is slotted */
	bool is_boot_shared;     /* with the other slots */
};

struct boot_firmware {
	const char *file; /* as in the profile */
	struct span content;
};

/* A signature as firmware wants it: RSA-2048 PKCS#1 v1.5 over a SHA-256. */
struct boot_signer {
	int (*sign)(void *context, const uint8_t sha256[32], uint8_t signature[256], struct err *e);
	void *context;
};

struct boot_input {
	const struct board *board;
	const struct boot_payload *payload;
	enum table_kind table;
	const struct boot_slot *slots;
	size_t n_slots;
	const struct boot_firmware *firmware; /* all that the board has and that was found */
	size_t n_firmware;
	struct tree *select; /* files of the partition that chooses among slots; NULL: there is
			      * none */
	uint64_t bios_boot_offset_bytes; /* of the partition of type "bios-boot"; 0: none */
	uint64_t bios_boot_bytes;        /* and its size */
	uint64_t first_partition_bytes;  /* where the first partition starts */
	int64_t time_s;
	const struct boot_signer *signer; /* NULL: nothing is signed for firmware */
	const char *scratch_folder;
	const struct cancel *cancel;
};

/* Bytes outside of file systems: boot sectors, GRUB's core, a piece of a blob. */
struct boot_raw {
	const char *name; /* static, or borrowed from the board; for plans and messages */
	uint64_t offset_bytes;
	uint8_t *bytes; /* owned */
	size_t n_bytes;
};

enum { BOOT_RAW_MAX = 16 };

/* What methods add besides files in the slots' trees. Zero-initialise. */
struct boot_output {
	struct boot_raw raw[BOOT_RAW_MAX];
	size_t n_raw;
};
void boot_output_release(struct boot_output *o);

/* Append a copy of content. Fails with ERR_USAGE for one more than BOOT_RAW_MAX, ERR_IO without
 * memory. */
int boot_output_add(struct boot_output *o, const char *name, uint64_t offset_bytes,
		    struct span content, struct err *e);

/* Methods of one kind stand in for each other. */
enum boot_kind {
	BOOT_FIRMWARE, /* the board's own: before the others, and never replaced */
	BOOT_UEFI,
	BOOT_BIOS,
	BOOT_U_BOOT,
	BOOT_VENDOR, /* firmware that finds files by itself */
};

struct boot_method {
	const char *name;  /* "systemd-boot" */
	const char *title; /* for people: "systemd-boot on the removable media path" */
	enum boot_kind kind;
	bool has_slots;    /* it can choose between two, and how is in its comment */
	bool has_fallback; /* and it counts failed starts */
	/* The firmware file it needs, by name as in profiles, for index 0, 1, ...; NULL behind the
	 * last. */
	const char *(*firmware)(const struct board *b, size_t index);
	/* Add the files of all slots to their trees, and raw bytes to *out. Fails with ERR_USAGE
	 * for what cannot work on this board, with a way out; with ERR_IO. */
	int (*add)(const struct boot_input *in, struct boot_output *out, struct err *e);
};

/* Fails with ERR_USAGE, naming those there are. */
int boot_method_by_name(const char *name, const struct boot_method **out, struct err *e);

/* All methods, in the order of methods.def, ended by NULL. */
const struct boot_method *const *boot_methods(void);

/* Was the firmware file found? What the profile calls optional may be left out when not. */
bool boot_firmware_is_there(const struct boot_input *in, const char *file);

/* The content of a firmware file; ERR_USAGE that says where to get it when it was not found. */
int boot_firmware_find(const struct boot_input *in, const char *file, struct span *out,
		       struct err *e);
