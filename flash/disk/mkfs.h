/* Making file systems inside a file, by the programs of their makers, without root, and so that the
 * same request gives the same bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/disk/tree.h"

enum { MKFS_UUID_BYTES = 16, MKFS_LABEL_BYTES = 17 };

struct mkfs_request {
	const char *path; /* borrowed, as all here; a file that exists, and holds zeros in the
			   * range */
	uint64_t offset_bytes;
	uint64_t size_bytes;
	const struct tree *tree;       /* sorted; what it does not know (links, owners in a FAT) is
					* refused or dropped, as the kind says */
	const char *label;             /* at most 11 bytes for a FAT, 16 for ext4; a squashfs has
					* none */
	uint8_t uuid[MKFS_UUID_BYTES]; /* of a FAT the first four are the volume id */
	int64_t time_s;                /* of everything that has no time of its own */
	bool does_grow;                /* leave room to be grown to any size */
	const char *scratch_folder;    /* for what the programs want as files */
	const struct cancel *cancel;   /* may be NULL */
};

struct mkfs_kind {
	const char *name;            /* as in a profile: "vfat" */
	const char *const *programs; /* that it starts, ended by NULL */
	const char *packages;        /* Debian's, that have them: "dosfstools mtools" */
	/* It is read-only, and as large as what is in it: how large, only making it tells. The
	 * file at path is then one of its own; it is empty, offset_bytes and size_bytes are 0, and
	 * it becomes as long as the file system, a multiple of 4096. */
	bool is_image;
	/* ERR_USAGE for what this file system cannot hold, naming it; as make does, but at once.
	 * NULL: only make finds out. */
	int (*check)(const struct tree *t, struct err *e);
	/* The smallest size_bytes for this tree, in whole KiB; NULL for an image. */
	uint64_t (*need_bytes)(const struct tree *t);
	/* Fails with ERR_USAGE when the tree does not fit or holds what this file system cannot,
	 * naming it; with ERR_IO when a program is missing (its package is named) or fails (with
	 * what it said). */
	int (*make)(const struct mkfs_request *r, struct err *e);
};

/* Fails with ERR_USAGE and lists those there are. */
int mkfs_by_name(const char *name, const struct mkfs_kind **out, struct err *e);
