/* Looking at the start of an image before it is streamed, and what image_open refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/fixture.h"

static struct image *opened(const struct image_request *r)
{
	struct image *im = NULL;
	struct err e = {0};

	assert_int_equal(image_open(r, &im, &e), 0);
	return im;
}

/* The image streamed from im into memory; the caller's. */
static uint8_t *streamed(struct image *im)
{
	uint8_t *bytes = calloc(1, FIXTURE_IMAGE_BYTES);
	const struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(image_next(im, &c, &e), 0);
	while (c) {
		if (chunk_bytes(c))
			memcpy(bytes + chunk_offset_bytes(c), chunk_bytes(c), chunk_size_bytes(c));
		assert_int_equal(image_next(im, &c, &e), 0);
	}
	return bytes;
}

static void head_is_shown_without_being_taken(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(image_freep) struct image *im = opened(&r);
	const uint8_t *head = NULL;
	size_t head_bytes = 0;
	struct err e = {0};

	assert_int_equal(image_head(im, 2 * FIXTURE_CHUNK_BYTES + 3, &head, &head_bytes, &e), 0);
	assert_int_equal(head_bytes, 2 * FIXTURE_CHUNK_BYTES + 3);
	assert_memory_equal(head, f->image, head_bytes);
	CLEANUP(freep) uint8_t *bytes = streamed(im);
	assert_memory_equal(bytes, f->image, FIXTURE_IMAGE_BYTES);
}

static void head_longer_than_the_image_ends_with_it(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->packed_path);
	CLEANUP(image_freep) struct image *im = opened(&r);
	const uint8_t *head = NULL;
	size_t head_bytes = 0;
	struct err e = {0};

	assert_int_equal(image_head(im, IMAGE_HEAD_MAX_BYTES, &head, &head_bytes, &e), 0);
	assert_int_equal(head_bytes, FIXTURE_IMAGE_BYTES);
	CLEANUP(freep) uint8_t *bytes = streamed(im);
	assert_memory_equal(bytes, f->image, FIXTURE_IMAGE_BYTES);
}

static void head_above_the_limit_is_refused(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(image_freep) struct image *im = opened(&r);
	const uint8_t *head = NULL;
	size_t head_bytes = 0;
	struct err e = {0};

	assert_int_equal(image_head(im, IMAGE_HEAD_MAX_BYTES + 1, &head, &head_bytes, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void chunks_come_in_order_and_with_their_kinds(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(image_freep) struct image *im = opened(&r);
	const struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(chunk_kind(c), CHUNK_DATA);
	assert_int_equal((uintptr_t)chunk_bytes(c) % CHUNK_ALIGN_BYTES, 0);
	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(chunk_kind(c), CHUNK_ZERO);
	assert_null(chunk_bytes(c));
	assert_int_equal(chunk_offset_bytes(c), FIXTURE_CHUNK_BYTES);
	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(chunk_size_bytes(c), 5);
	assert_int_equal(chunk_bytes(c)[5], 0);
	assert_int_equal(chunk_bytes(c)[CHUNK_ALIGN_BYTES - 1], 0);
}

static void signed_image_tells_who_signed_it(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(image_freep) struct image *im = opened(&r);

	assert_int_equal(image_guarantee(im), GUARANTEE_SIGNATURE);
	assert_int_equal(image_verdict(im)->n_signers, 1);
	assert_string_equal(image_manifest(im)->name, "fixture");
}

static void failure_is_for_good(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	const struct chunk *c = NULL;
	struct err e = {0};

	f->image[0] ^= 1;
	fixture_put(f->image_path, f->image, FIXTURE_IMAGE_BYTES);
	CLEANUP(image_freep) struct image *im = opened(&r);
	assert_int_equal(image_next(im, &c, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(image_next(im, &c, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void nobody_trusted_means_nothing_is_opened(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->image_path);
	struct image *im = NULL;
	struct err e = {0};

	r.store = NULL;
	assert_int_equal(image_open(&r, &im, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "--trust"));
}

static void bad_signature_is_refused_even_when_unsigned_images_are_allowed(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->image_path);
	struct image *im = NULL;
	struct err e = {0};

	r.is_unsigned_allowed = true;
	f->sidecar[f->sidecar_bytes / 2] ^= 1;
	fixture_put(f->sidecar_path, f->sidecar, f->sidecar_bytes);
	assert_int_equal(image_open(&r, &im, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void sidecar_of_another_name_is_found_when_named(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->image_path);
	char other[160];

	(void)snprintf(other, sizeof other, "%s/keys/ca.key",
		       f->folder); /* a place that is removed */
	assert_int_equal(rename(f->sidecar_path, other), 0);
	r.manifest_where = other;
	CLEANUP(image_freep) struct image *im = opened(&r);
	assert_int_equal(image_size_bytes(im), FIXTURE_IMAGE_BYTES);
}

static void block_map_of_a_signed_image_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->image_path);
	struct image *im = NULL;
	struct err e = {0};

	r.bmap_where = "/nonexistent/bmap";
	assert_int_equal(image_open(&r, &im, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void missing_image_is_an_io_error(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, "/nonexistent/image.raw");
	struct image *im = NULL;
	struct err e = {0};

	assert_int_equal(image_open(&r, &im, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void packed_image_without_trust_is_plain_zstd_when_that_is_allowed(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->packed_path);

	r.store = NULL;
	r.is_unsigned_allowed = true;
	CLEANUP(image_freep) struct image *im = opened(&r);
	CLEANUP(freep) uint8_t *bytes = streamed(im);
	assert_memory_equal(bytes, f->image, FIXTURE_IMAGE_BYTES);
	assert_int_equal(image_guarantee(im), GUARANTEE_NONE);
}

static void slice_of_a_chunk_stands_at_its_own_offset(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(image_freep) struct image *im = opened(&r);
	CLEANUP(chunk_freep) struct chunk *slice = NULL;
	const struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(chunk_slice_new(c, 4096, 5000, 7, &slice, &e), 0);
	assert_int_equal(chunk_offset_bytes(slice), 4096);
	assert_int_equal(chunk_size_bytes(slice), 904);
	assert_memory_equal(chunk_bytes(slice), f->image + 4096, 904);
}

static void chunk_lives_until_its_last_owner_is_gone(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(chunk_freep) struct chunk *first = NULL;
	struct err e = {0};

	assert_int_equal(chunk_derived_new(512, f->image, 100, 7, &first, &e), 0);
	CLEANUP(chunk_freep) struct chunk *second = chunk_share(first);
	chunk_free(TAKE(first));
	assert_int_equal(chunk_offset_bytes(second), 512);
	assert_memory_equal(chunk_bytes(second), f->image, 100);
}

static void fingerprint_is_of_the_bytes_and_the_seed(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(image_freep) struct image *im = opened(&r);
	const struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(image_next(im, &c, &e), 0);
	assert_true(
		fingerprint_is_same(chunk_fingerprint(c),
				    fingerprint_of(f->image, FIXTURE_CHUNK_BYTES, image_seed(im))));
	assert_false(fingerprint_is_same(
		chunk_fingerprint(c),
		fingerprint_of(f->image, FIXTURE_CHUNK_BYTES, image_seed(im) + 1)));
	assert_false(fingerprint_is_same(
		chunk_fingerprint(c),
		fingerprint_of(f->image, FIXTURE_CHUNK_BYTES - 1, image_seed(im))));
}

static void fingerprint_of_zeros_is_nothing(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(image_freep) struct image *im = opened(&r);
	const struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(chunk_kind(c), CHUNK_ZERO);
	assert_true(fingerprint_is_same(chunk_fingerprint(c), (struct fingerprint){0}));
}

static void images_have_seeds_of_their_own(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(image_freep) struct image *a = opened(&r);
	CLEANUP(image_freep) struct image *b = opened(&r);

	assert_true(image_seed(a) != image_seed(b));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(head_is_shown_without_being_taken),
		TEST(head_longer_than_the_image_ends_with_it),
		TEST(head_above_the_limit_is_refused),
		TEST(chunks_come_in_order_and_with_their_kinds),
		TEST(signed_image_tells_who_signed_it),
		TEST(failure_is_for_good),
		TEST(nobody_trusted_means_nothing_is_opened),
		TEST(bad_signature_is_refused_even_when_unsigned_images_are_allowed),
		TEST(sidecar_of_another_name_is_found_when_named),
		TEST(block_map_of_a_signed_image_is_refused),
		TEST(missing_image_is_an_io_error),
		TEST(packed_image_without_trust_is_plain_zstd_when_that_is_allowed),
		TEST(slice_of_a_chunk_stands_at_its_own_offset),
		TEST(chunk_lives_until_its_last_owner_is_gone),
		TEST(fingerprint_is_of_the_bytes_and_the_seed),
		TEST(fingerprint_of_zeros_is_nothing),
		TEST(images_have_seeds_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
