/* Images that nobody signed: what a block map and SHA256SUMS still say about them, in the first
 * pass and in later ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/image/bmap.h"
#include "flash/trust/digest.h"
#include "tests/unit/fixture.h"
#include "tests/unit/walk.h"

static void unsigned_image_has_kinds_and_no_index(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_null(image_index(im));
	assert_string_equal(walk_all(im, k, bytes), "0d 1z 2d ");
}

static void wanted_chunks_of_an_unsigned_stream_need_its_size(void **state)
{
	static const uint8_t is_wanted[] = {0, 0, 1};
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();
	CLEANUP(buf_release) struct buf stream = {0};
	struct cursor *early = NULL;
	struct err e = {0};

	walk_append_zstd(&stream, bytes, UNSIGNED_BYTES);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	assert_int_equal(cursor_new(im, 0, is_wanted, &early, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, first, bytes), "0d 1z 2d ");
	assert_int_equal(image_size_bytes(im), UNSIGNED_BYTES);
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, second, bytes), "2d ");
}

static void unsigned_image_that_changed_shows_other_fingerprints(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	CLEANUP(chunk_freep) struct chunk *before = walk_next(im, first);
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	CLEANUP(chunk_freep) struct chunk *same = walk_next(im, second);
	bytes[7] ^= 1;
	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	CLEANUP(cursor_freep) struct cursor *third = walk_from(im, 0, NULL);
	CLEANUP(chunk_freep) struct chunk *after = walk_next(im, third);
	assert_true(fingerprint_is_same(chunk_fingerprint(before), chunk_fingerprint(same)));
	assert_false(fingerprint_is_same(chunk_fingerprint(before), chunk_fingerprint(after)));
}

static void unsigned_stream_of_another_length_is_refused(void **state)
{
	static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18}; /* RFC 8878, 3.1.2 */
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();
	CLEANUP(buf_release) struct buf stream = {0};
	struct unverified *u = NULL;
	struct err e = {0};

	walk_append_zstd(&stream, bytes, 100);
	size_t n_first = stream.n_bytes;
	walk_append_zstd(&stream, bytes, 100);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	(void)walk_all(im, first, bytes);
	/* The second frame becomes one that holds nothing. */
	memcpy(stream.bytes + n_first, skippable, sizeof skippable);
	memset(stream.bytes + n_first + 4, 0, 4);
	stream.bytes[n_first + 4] = (uint8_t)(stream.n_bytes - n_first - 8);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	unverified_free(walk_fetch(second));
	assert_int_equal(cursor_fetch(second, &u, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "has 100 bytes and not the 200"));
}

/* ---- What was given to check it by -------------------------------------------------------------
 */

/* A file in the fixture's folder that is removed with it. */
static const char *evidence_path(const struct fixture *f)
{
	static char path[128];

	(void)snprintf(path, sizeof path, "%s/keys/ca.pem", f->folder);
	return path;
}

static struct image_request unsigned_request(const struct fixture *f)
{
	struct image_request r = fixture_request(f, f->image_path);

	r.store = NULL;
	r.is_unsigned_allowed = true;
	return r;
}

/* A block map of bytes: the first chunk is mapped, and the last. */
static void put_bmap(const struct fixture *f, const uint8_t *bytes, bool has_digests)
{
	struct bmap_range ranges[] = {
		{.start_bytes = 0, .end_bytes = UNSIGNED_CHUNK_BYTES},
		{.start_bytes = 2 * UNSIGNED_CHUNK_BYTES, .end_bytes = UNSIGNED_BYTES},
	};
	const struct bmap map = {
		.image_size_bytes = UNSIGNED_BYTES,
		.block_bytes = 4096,
		.digest_kind = DIGEST_SHA256,
		.ranges = ranges,
		.n_ranges = 2,
	};
	CLEANUP(buf_release) struct buf xml = {0};
	struct err e = {0};

	for (size_t i = 0; i < 2; i++) {
		size_t start_bytes = (size_t)ranges[i].start_bytes;
		ranges[i].has_digest = has_digests;
		assert_int_equal(digest_sha256(bytes + start_bytes,
					       (size_t)ranges[i].end_bytes - start_bytes,
					       ranges[i].digest, &e),
				 0);
	}
	assert_int_equal(bmap_format(&map, &xml, &e), 0);
	fixture_put(evidence_path(f), xml.bytes, xml.n_bytes);
}

static void put_sums(const struct fixture *f, const uint8_t *bytes, size_t n_bytes)
{
	uint8_t sum[SHA256_BYTES];
	char line[128];
	struct err e = {0};
	size_t n = 0;

	assert_int_equal(digest_sha256(bytes, n_bytes, sum, &e), 0);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		n += (size_t)snprintf(line + n, sizeof line - n, "%02x", sum[i]);
	n += (size_t)snprintf(line + n, sizeof line - n, "  image.raw\n");
	fixture_put(evidence_path(f), line, n);
}

/* Fetch everything; the code of the first failure, or ERR_NONE. */
static enum err_code drained(struct cursor *k)
{
	struct err e = {0};
	struct unverified *u = NULL;

	do {
		unverified_free(u);
		u = NULL;
		if (cursor_fetch(k, &u, &e) < 0)
			return e.code;
	} while (u);
	return ERR_NONE;
}

static void holes_of_a_block_map_are_holes_in_every_pass(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = unsigned_request(f);
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	bytes[UNSIGNED_CHUNK_BYTES] = 'x'; /* nothing that matters */
	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	put_bmap(f, bytes, true);
	r.bmap_where = evidence_path(f);
	CLEANUP(image_freep) struct image *im = walk_open(&r);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, second, bytes), "0d 1s 2d ");
	assert_string_equal(walk_all(im, first, bytes), "0d 1s 2d ");
	assert_int_equal(image_guarantee(im), GUARANTEE_BMAP);
}

static void block_map_is_checked_in_the_first_pass_only(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = unsigned_request(f);
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	put_bmap(f, bytes, true);
	bytes[5] ^= 1;
	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	r.bmap_where = evidence_path(f);
	CLEANUP(image_freep) struct image *im = walk_open(&r);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	assert_int_equal(drained(first), ERR_UNTRUSTED);
	assert_int_equal(drained(second), ERR_NONE);
}

static void block_map_sees_what_is_not_wanted(void **state)
{
	static const uint8_t is_wanted[] = {0, 0, 1};
	const struct fixture *f = *state;
	struct image_request r = unsigned_request(f);
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	put_bmap(f, bytes, true);
	bytes[5] ^= 1;
	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	r.bmap_where = evidence_path(f);
	CLEANUP(image_freep) struct image *im = walk_open(&r);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_int_equal(drained(k), ERR_UNTRUSTED);
}

static void block_map_without_digests_guarantees_nothing(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = unsigned_request(f);
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	put_bmap(f, bytes, false);
	r.bmap_where = evidence_path(f);
	CLEANUP(image_freep) struct image *im = walk_open(&r);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_int_equal(image_guarantee(im), GUARANTEE_NONE);
	assert_string_equal(walk_all(im, k, bytes), "0d 1s 2d ");
}

static void image_longer_than_its_block_map_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = unsigned_request(f);
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	put_bmap(f, bytes, true);
	fixture_put(f->image_path, bytes, UNSIGNED_BYTES + 1);
	r.bmap_where = evidence_path(f);
	CLEANUP(image_freep) struct image *im = walk_open(&r);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_int_equal(drained(k), ERR_UNTRUSTED);
}

static void sums_are_of_the_file_as_it_was_found(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = unsigned_request(f);
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();
	CLEANUP(buf_release) struct buf stream = {0};

	walk_append_zstd(&stream, bytes, UNSIGNED_BYTES);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	put_sums(f, stream.bytes, stream.n_bytes);
	r.sums_where = evidence_path(f);
	CLEANUP(image_freep) struct image *im = walk_open(&r);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, second, bytes), "0d 1z 2d ");
	assert_string_equal(walk_all(im, first, bytes), "0d 1z 2d ");
	assert_int_equal(image_guarantee(im), GUARANTEE_SHA256SUM);
}

static void other_sum_is_refused_at_the_end(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = unsigned_request(f);
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	put_sums(f, bytes, UNSIGNED_BYTES);
	bytes[UNSIGNED_BYTES - 1] ^= 1;
	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	r.sums_where = evidence_path(f);
	CLEANUP(image_freep) struct image *im = walk_open(&r);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_int_equal(drained(k), ERR_UNTRUSTED);
}

static void empty_image_is_refused(void **state)
{
	const struct fixture *f = *state;

	fixture_put(f->image_path, "", 0);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_int_equal(drained(k), ERR_UNTRUSTED);
}

/* ---- Whether it is unsigned --------------------------------------------------------------------
 */

static void image_without_a_sidecar_is_unsigned(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->image_path);

	r.is_unsigned_allowed = true;
	assert_int_equal(unlink(f->sidecar_path), 0);
	CLEANUP(image_freep) struct image *im = walk_open(&r);
	assert_int_equal(image_guarantee(im), GUARANTEE_NONE);
}

static void sidecar_that_cannot_be_read_does_not_make_an_image_unsigned(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->image_path);
	struct image *im = NULL;
	struct err e = {0};

	r.is_unsigned_allowed = true;
	assert_int_equal(unlink(f->sidecar_path), 0);
	assert_int_equal(mkdir(f->sidecar_path, 0700), 0);
	int status = image_open(&r, &im, &e);
	assert_int_equal(rmdir(f->sidecar_path), 0);
	assert_int_equal(status, -1);
	assert_non_null(strstr(e.text, "is a folder"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unsigned_image_has_kinds_and_no_index),
		TEST(wanted_chunks_of_an_unsigned_stream_need_its_size),
		TEST(unsigned_image_that_changed_shows_other_fingerprints),
		TEST(unsigned_stream_of_another_length_is_refused),
		TEST(holes_of_a_block_map_are_holes_in_every_pass),
		TEST(block_map_is_checked_in_the_first_pass_only),
		TEST(block_map_sees_what_is_not_wanted),
		TEST(block_map_without_digests_guarantees_nothing),
		TEST(image_longer_than_its_block_map_is_refused),
		TEST(sums_are_of_the_file_as_it_was_found),
		TEST(other_sum_is_refused_at_the_end),
		TEST(empty_image_is_refused),
		TEST(image_without_a_sidecar_is_unsigned),
		TEST(sidecar_that_cannot_be_read_does_not_make_an_image_unsigned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
