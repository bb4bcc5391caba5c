/* A piece of an image that was verified: the only thing a sink takes.
 *
 * The struct is opaque and made in verified.c alone, after its digest matched the signed index.
 * Whoever holds one may rely on that; nobody can make one from other bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/image/fingerprint.h"
#include "flash/image/index.h"

struct chunk;

/* One more owner of c, in any thread. Each owner ends with chunk_free, which frees c with the last.
 * The chunks of an image are freed before the image. */
struct chunk *chunk_share(const struct chunk *c);
void chunk_free(struct chunk *c);
static inline void chunk_freep(struct chunk **c)
{
	chunk_free(*c);
}

enum chunk_kind chunk_kind(const struct chunk *c);
uint64_t chunk_offset_bytes(const struct chunk *c);
/* For ZERO and SKIP this may be any length; for DATA it is at most the largest chunk size. */
uint64_t chunk_size_bytes(const struct chunk *c);

/* The bytes of a DATA chunk, borrowed from c, aligned to CHUNK_ALIGN_BYTES, with zeros behind them
 * up to the next multiple of CHUNK_ALIGN_BYTES. NULL for other kinds. */
const uint8_t *chunk_bytes(const struct chunk *c);

/* Of the bytes of a DATA chunk, made when they were verified (image_seed is the seed) or with the
 * seed that was given. All zero for other kinds. */
struct fingerprint chunk_fingerprint(const struct chunk *c);

enum { CHUNK_ALIGN_BYTES = 4096 }; /* the largest logical sector that O_DIRECT asks for */
