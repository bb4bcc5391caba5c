/* What was given as a root file system: a folder, a tar, or the image of a file system. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/tree.h"

struct payload_request;

/* Zero-initialise. */
struct root_source {
	struct tree tree;        /* of a folder or tar, sorted */
	const char *file_system; /* static; of an image: "squashfs", "erofs", "ext4"; else NULL */
	uint64_t image_bytes;    /* of an image, a multiple of 512; else 0 */
};

/* A tar, compressed or not, is unpacked below p's scratch_folder. Fails with ERR_USAGE for anything
 * else, and for an image whose size is no multiple of 512, or less than its head says; with ERR_IO.
 */
int root_source_load(const char *path, const struct payload_request *p, struct root_source *out,
		     struct err *e);
void root_source_release(struct root_source *r);

/* The file system that an image begins with, by its magic; NULL for another or none. Pure.
 * ext2 and ext3 are "ext4", by which the kernel mounts them as well. */
const char *root_source_file_system(const uint8_t *head, size_t head_bytes);
