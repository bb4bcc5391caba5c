/* What an image shall start: read from where the user has it, checked, and held in memory or mapped
 * until the image is made. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bootloader/bootloader.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/disk/tree.h"

/* Paths as given; NULL: not given. All borrowed. */
struct payload_request {
	const char *arch; /* of the board */
	const char *kernel_path;
	const char *initrd_path;
	const char *cmdline; /* NULL: that of the LinuxKit build, else "" */
	const char *dtb_folder;
	const char *microcode_path;
	const char *linuxkit;          /* prefix of a LinuxKit build, or its tar */
	const char *rootfs_path;       /* folder, tar, or image of squashfs, erofs, ext4 */
	const char *const *boot_files; /* "SRC:DST" */
	size_t n_boot_files;
	const char *version; /* of the image, for menus */
	int64_t time_s;      /* no file in the image is younger */
	const char *scratch_folder;
	const struct cancel *cancel;
};

struct payload {
	struct boot_payload boot; /* what methods see; points into what is owned here */
	char *cmdline;            /* owned */
	struct tree dtbs;
	struct tree boot_files; /* for the boot partition, besides what methods add */
	struct tree root;       /* of a root file system that was given as folder or tar */
	char *root_image_path;  /* owned; of one that was given as an image; NULL: none */
	uint64_t root_image_bytes;
	const char *root_file_system; /* static; of the image: "ext4", ...; NULL: none */
	bool has_root;
	uint8_t digest[32];        /* SHA-256 over all inputs, for the seed */
	struct payload_maps *maps; /* owned */
};

/* *out must stay where it is, since it points into itself; it is empty after a failure. Fails with
 * ERR_USAGE for what does not go together or is not what it should be (a kernel for
 * another machine, a file that is missing from a LinuxKit build), naming it; with ERR_IO. */
int payload_load(const struct payload_request *r, struct payload *out, struct err *e);
void payload_release(struct payload *p);
