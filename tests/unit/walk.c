/* Walking through an image with cursors. See walk.h. */
#include "tests/unit/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/image/codec.h"

uint8_t *walk_unsigned_bytes(void)
{
	uint8_t *bytes = calloc(3, UNSIGNED_CHUNK_BYTES);

	assert_non_null(bytes);
	memset(bytes, 0x11, UNSIGNED_CHUNK_BYTES);
	memset(bytes + 2 * UNSIGNED_CHUNK_BYTES, 0x22, 100);
	return bytes;
}

struct image *walk_open(const struct image_request *r)
{
	struct image *im = NULL;
	struct err e = {0};

	assert_int_equal(image_open(r, &im, &e), 0);
	return im;
}

struct image *walk_open_at(const struct fixture *f, const char *path)
{
	const struct image_request r = fixture_request(f, path);

	return walk_open(&r);
}

struct image *walk_open_unsigned(const struct fixture *f)
{
	struct image_request r = fixture_request(f, f->image_path);

	r.store = NULL;
	r.is_unsigned_allowed = true;
	return walk_open(&r);
}

struct cursor *walk_from(struct image *im, uint64_t first_chunk, const uint8_t *is_wanted)
{
	struct cursor *k = NULL;
	struct err e = {0};

	assert_int_equal(cursor_new(im, first_chunk, is_wanted, &k, &e), 0);
	return k;
}

struct unverified *walk_fetch(struct cursor *k)
{
	struct unverified *u = NULL;
	struct err e = {0};

	assert_int_equal(cursor_fetch(k, &u, &e), 0);
	return u;
}

struct chunk *walk_next(const struct image *im, struct cursor *k)
{
	struct unverified *u = walk_fetch(k);
	struct chunk *c = NULL;
	struct err e = {0};

	if (!u)
		return NULL;
	image_verify(im, &u, 1, &c, &e);
	assert_non_null(c);
	return c;
}

void walk_assert_is_part_of(const struct chunk *c, const uint8_t *bytes)
{
	static const uint8_t zeros[UNSIGNED_CHUNK_BYTES];
	const uint8_t *got = chunk_bytes(c) ? chunk_bytes(c) : zeros;

	if (chunk_kind(c) != CHUNK_SKIP)
		assert_memory_equal(got, bytes + chunk_offset_bytes(c), chunk_size_bytes(c));
}

const char *walk_all(const struct image *im, struct cursor *k, const uint8_t *bytes)
{
	static char seen[256];
	size_t n = 0;

	seen[0] = '\0';
	for (struct chunk *c = walk_next(im, k); c; c = walk_next(im, k)) {
		walk_assert_is_part_of(c, bytes);
		n += (size_t)snprintf(
			seen + n, sizeof seen - n, "%llu%c ",
			(unsigned long long)(chunk_offset_bytes(c) / image_chunk_bytes(im)),
			"dzs"[chunk_kind(c)]);
		chunk_free(c);
	}
	return seen;
}

void walk_append_zstd(struct buf *out, const void *bytes, size_t n_bytes)
{
	size_t n_frame = codec_zstd_bound(n_bytes);
	CLEANUP(freep) uint8_t *frame = malloc(n_frame);
	struct err e = {0};

	assert_int_equal(codec_zstd_encode(bytes, n_bytes, 1, frame, &n_frame, &e), 0);
	buf_append(out, frame, n_frame);
}

void walk_compress_image(const struct fixture *f)
{
	CLEANUP(buf_release) struct buf stream = {0};

	walk_append_zstd(&stream, f->image, FIXTURE_IMAGE_BYTES);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
}
