/* What is on a medium, through libblkid: labels to show, signatures to wipe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"

enum { SIGNATURE_TYPE_BYTES = 40, SIGNATURE_LABEL_BYTES = 80 };

/* Bytes by which something could be recognised: a file system, RAID or LVM member, swap area,
 * partition table. */
struct signature {
	uint64_t offset_bytes; /* of the magic, from the medium's start */
	size_t size_bytes;     /* of the magic */
	uint64_t area_bytes;   /* where the area it describes starts: 0, or a partition's start */
	char type[SIGNATURE_TYPE_BYTES];   /* "ext4", "gpt", "LVM2_member", ... */
	char label[SIGNATURE_LABEL_BYTES]; /* "" when there is none */
};

struct signatures {
	struct signature *items; /* owned; in order of offset */
	size_t n_items;
};

/* All signatures of the whole medium and of each partition that its table names, found by offset on
 * fd (buffered, readable), size_bytes long, with logical sectors of sector_bytes. One area may show
 * several. Fails with ERR_IO. */
int probe_signatures(int fd, uint64_t size_bytes, uint32_t sector_bytes, struct signatures *out,
		     struct err *e);
void signatures_release(struct signatures *s);

/* The type of the file system in [offset_bytes, offset_bytes + size_bytes) of fd, "" when there is
 * none, into type. */
int probe_file_system(int fd, uint64_t offset_bytes, uint64_t size_bytes,
		      char type[SIGNATURE_TYPE_BYTES], struct err *e);
