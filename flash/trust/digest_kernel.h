/* The instructions that make SHA-256: one struct of functions for each set of them. Seen by
 * digest*.c and their tests only; the rest of the program asks digest.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SHA256_BLOCK_BYTES = 64,
	SHA256_STATE_WORDS = 8, /* H0 to H7 of FIPS 180-4, section 6.2 */
	SHA256_ROUNDS = 64,
};

struct digest_kernel {
	const char *name;
	/* Can this processor, under this system, run the functions below? */
	bool (*is_supported)(void);
	/* Take n_blocks whole blocks at `blocks`, of any alignment, into state. */
	void (*compress)(uint32_t state[SHA256_STATE_WORDS], const uint8_t *blocks,
			 size_t n_blocks);
	/* The same for two messages at once. Each round of SHA-256 waits for the one before; the
	 * rounds of the other message fill that wait. */
	void (*compress_two)(uint32_t a[SHA256_STATE_WORDS], const uint8_t *blocks_a,
			     uint32_t b[SHA256_STATE_WORDS], const uint8_t *blocks_b,
			     size_t n_blocks);
};

/* The constants K of FIPS 180-4, section 4.2.2, aligned for vector loads. */
extern const uint32_t sha256_k[SHA256_ROUNDS];

/* On arm64 clang 14 has the intrinsics only in files that need the instructions from their first
 * line on, so that a program by clang leaves SHA-256 to mbedTLS there. */
#if defined(__x86_64__)
#define DIGEST_HAS_SHA_NI
extern const struct digest_kernel digest_sha_ni;
#elif defined(__AARCH64EL__) && !defined(__clang__)
#define DIGEST_HAS_ARMV8
extern const struct digest_kernel digest_armv8;
#endif

/* The kernels for this kind of processor, the best first; a NULL ends the list. */
const struct digest_kernel *const *digest_kernels(void);

/* The first of the list that this processor supports and whose answers to known questions, with one
 * lane and with two, are right; NULL when there is none. A debug message names each that gave a
 * wrong answer. Takes less than a microsecond, so that nothing needs to be remembered. */
const struct digest_kernel *digest_kernel_pick(const struct digest_kernel *const *list);
