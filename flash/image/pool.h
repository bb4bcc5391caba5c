/* Aligned buffers of one size, used again and again, so that no image is too large for memory and
 * no chunk waits for the kernel to zero pages. May be used by several threads at once.
 *
 * Buffers are mapped, not malloc'ed: one that a device never gave back (sink.h, stall_timeout_ms)
 * stays mapped until the process ends. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"

struct pool;

/* buffer_bytes is rounded up to CHUNK_ALIGN_BYTES. Maps nothing yet. Fails with ERR_IO. */
int pool_new(size_t buffer_bytes, struct pool **out, struct err *e);

/* Unmaps all buffers but those that were not given back; nobody may do that any more. */
void pool_free(struct pool *p);
static inline void pool_freep(struct pool **p)
{
	pool_free(*p);
}

size_t pool_buffer_bytes(const struct pool *p);

/* A buffer with any content, aligned to CHUNK_ALIGN_BYTES. ERR_IO when memory is short. How many
 * there are at once is bounded by those who take them (flash/copy.h has the formula). */
int pool_take(struct pool *p, uint8_t **out, struct err *e);
/* NULL is accepted. */
void pool_give(struct pool *p, uint8_t *buffer);

/* Bytes of the most buffers that were ever in use at once. */
uint64_t pool_peak_bytes(struct pool *p);
