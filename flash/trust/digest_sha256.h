/* SHA-256 by a kernel: padding, and messages that come piece by piece. Seen by digest*.c and their
 * tests only; the rest of the program asks digest.h. FIPS 180-4, sections 5 and 6.2. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/trust/digest.h"
#include "flash/trust/digest_kernel.h"

/* A message of which n_bytes were seen. */
struct sha256 {
	const struct digest_kernel *kernel; /* borrowed */
	uint64_t n_bytes;
	uint32_t state[SHA256_STATE_WORDS];
	uint8_t block[SHA256_BLOCK_BYTES]; /* begins with the n_bytes % 64 that fill no block yet */
};

/* None of these can fail. _init, then _update as often as needed, then _finish once. */
void sha256_init(struct sha256 *s, const struct digest_kernel *kernel);
void sha256_update(struct sha256 *s, const void *bytes, size_t n_bytes);
void sha256_finish(struct sha256 *s, uint8_t out[SHA256_BYTES]);

/* Several whole messages, two at a time: as many blocks as both have side by side, the rest of the
 * longer one alone. */
void sha256_many(const struct digest_kernel *kernel, const struct digest_piece *pieces,
		 size_t n_pieces, uint8_t (*out)[SHA256_BYTES]);
