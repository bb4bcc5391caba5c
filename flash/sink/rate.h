/* How fast a device did something in this run, and which of two ways is slower. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { RATE_SAMPLE_BYTES = 16 << 20 }; /* what a rate is not told from is a guess */

struct rate {
	uint64_t n_bytes;
	uint64_t busy_ns;
};

static inline bool rate_is_known(const struct rate *r)
{
	return r->n_bytes >= RATE_SAMPLE_BYTES;
}

/* False while one of them is not known. */
static inline bool rate_is_slower(const struct rate *a, const struct rate *b)
{
	return rate_is_known(a) && rate_is_known(b) &&
	       (double)a->n_bytes * (double)b->busy_ns < (double)b->n_bytes * (double)a->busy_ns;
}
