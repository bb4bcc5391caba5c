/* Message digests of bytes, whole or piece by piece. The only way to a digest in the program. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"

enum digest_kind {
	DIGEST_MD5, /* only read in old bmap files; never trusted */
	DIGEST_SHA1,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	N_DIGESTS,
};

enum {
	SHA256_BYTES = 32,
	DIGEST_MAX_BYTES = 64,
};

/* Bytes of a digest of that kind. */
size_t digest_size_bytes(enum digest_kind kind);

/* The kind with that lower-case name ("sha256"). Fails with ERR_USAGE for any other name. */
int digest_by_name(const char *name, enum digest_kind *out, struct err *e);

/* All at once. Fails with ERR_IO only when memory is short. */
int digest_of(enum digest_kind kind, const void *bytes, size_t n_bytes, uint8_t *out,
	      struct err *e);
static inline int digest_sha256(const void *bytes, size_t n_bytes, uint8_t out[SHA256_BYTES],
				struct err *e)
{
	return digest_of(DIGEST_SHA256, bytes, n_bytes, out, e);
}

/* The SHA-256 of several pieces at once, as fast as this machine can: where it has instructions for
 * it, the pieces are taken two at a time, side by side, which is fastest when their lengths are the
 * same. Fails with ERR_IO only when memory is short; what out then holds is not defined. */
struct digest_piece {
	const void *bytes; /* borrowed */
	size_t n_bytes;
};
int digest_sha256_many(const struct digest_piece *pieces, size_t n_pieces,
		       uint8_t (*out)[SHA256_BYTES], struct err *e);

/* What makes SHA-256 on this machine, for all functions here: "sha-ni" (x86) or "armv8" (arm64),
 * the instructions of the processor, where it has them and they give known answers; "mbedtls"
 * otherwise. */
const char *digest_kernel_name(void);

/* Piece by piece: _new, _update as often as needed, _finish once, _free. */
struct digest;
int digest_new(enum digest_kind kind, struct digest **out, struct err *e);
int digest_update(struct digest *d, const void *bytes, size_t n_bytes, struct err *e);
/* Writes digest_size_bytes(kind) bytes to out; d can only be freed afterwards. */
int digest_finish(struct digest *d, uint8_t *out, struct err *e);
void digest_free(struct digest *d);
static inline void digest_freep(struct digest **d)
{
	digest_free(*d);
}
