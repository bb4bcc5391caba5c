/* The manifest: what a signature says about an image. JSON text to struct and back; pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/trust/digest.h"

enum {
	MANIFEST_MAX_BYTES = 1 << 20, /* image format, MANI */
	MANIFEST_NAME_BYTES = 65,     /* 64 characters and the end */
};

struct manifest_partition {
	char name[MANIFEST_NAME_BYTES];
	char slot[MANIFEST_NAME_BYTES]; /* "" when it belongs to no slot */
	uint64_t start_bytes;
	uint64_t size_bytes;
};

struct manifest {
	char name[MANIFEST_NAME_BYTES];
	char version[MANIFEST_NAME_BYTES];
	char rollback_group[MANIFEST_NAME_BYTES]; /* "" when there is none */
	char (*boards)[MANIFEST_NAME_BYTES];      /* owned; at least one */
	size_t n_boards;
	struct manifest_partition *partitions; /* owned */
	size_t n_partitions;
	uint64_t security_version; /* 0 when there is none */
	uint64_t build_time_s;     /* seconds since 1970; 0 when not told */
	uint64_t image_size_bytes;
	uint8_t image_sha256[SHA256_BYTES]; /* of the whole plain image */
	uint32_t sector_bytes;              /* 512 or 4096 */
	uint64_t index_size_bytes;
	uint8_t index_sha256[SHA256_BYTES];
};

/* Parse text whose signature holds. Fails with ERR_UNTRUSTED for anything image-format forbids:
 * too large, too deep, a duplicate key, a wrong type, a number of 2^53 or more, a version other
 * than 1, a missing key, a name parse_is_name refuses, an unknown key named in "critical". */
int manifest_parse(const void *json, size_t json_bytes, struct manifest **out, struct err *e);
void manifest_free(struct manifest *m);
static inline void manifest_freep(struct manifest **m)
{
	manifest_free(*m);
}

/* Append the JSON of m, keys in image-format's order, to *out. The same struct gives the same
 * bytes. */
int manifest_format(const struct manifest *m, struct buf *out, struct err *e);

bool manifest_has_board(const struct manifest *m, const char *board_id);
