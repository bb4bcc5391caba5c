/* Walking through an image with cursors, for unit tests. Any failure fails the test. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/image/verified.h"
#include "tests/unit/fixture.h"

enum {
	UNSIGNED_CHUNK_BYTES = 1 << INDEX_CHUNK_LOG2_DEFAULT,
	UNSIGNED_BYTES = 2 * UNSIGNED_CHUNK_BYTES + 100,
};

/* Three chunks, UNSIGNED_BYTES in all: data, zeros, a few bytes of data. The caller's. */
uint8_t *walk_unsigned_bytes(void);

/* Append a zstd frame of n_bytes at bytes. */
void walk_append_zstd(struct buf *out, const void *bytes, size_t n_bytes);

/* Put f's plain image, as it is in memory, as a stream that cannot seek at image_path. */
void walk_compress_image(const struct fixture *f);

/* The caller's. The second trusts the fixture's CA; the third opens image_path unsigned. */
struct image *walk_open(const struct image_request *r);
struct image *walk_open_at(const struct fixture *f, const char *path);
struct image *walk_open_unsigned(const struct fixture *f);

/* As cursor_new, cursor_fetch, and the next chunk verified (NULL at the end); the caller's. */
struct cursor *walk_from(struct image *im, uint64_t first_chunk, const uint8_t *is_wanted);
struct unverified *walk_fetch(struct cursor *k);
struct chunk *walk_next(const struct image *im, struct cursor *k);

/* Does c hold what is in bytes at its offset? Holes may hold anything. */
void walk_assert_is_part_of(const struct chunk *c, const uint8_t *bytes);

/* The numbers of all chunks that k still gives, and their kinds: "0d 1z 2s ". Each is as in bytes.
 * Borrowed until the next call. */
const char *walk_all(const struct image *im, struct cursor *k, const uint8_t *bytes);
