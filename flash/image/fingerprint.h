/* A fast digest that is no cryptographic one (XXH3, 128 bits, by libxxhash): tells what a medium
 * gives back from what was written to it. It never decides what is trusted: the bytes it is made of
 * were verified before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fingerprint {
	uint64_t low;
	uint64_t high;
};

/* Of n_bytes (which may be 0). seed is drawn once for an image, so that no device can be made to
 * fit. May be called by several threads at once. */
struct fingerprint fingerprint_of(const void *bytes, size_t n_bytes, uint64_t seed);

static inline bool fingerprint_is_same(struct fingerprint a, struct fingerprint b)
{
	return a.low == b.low && a.high == b.high;
}
