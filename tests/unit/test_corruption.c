/* Every byte of a small signed image, altered; every length, cut short. Whatever is done to
 * manifest, signature, index or payload, in either shape: it is refused as untrusted, and no byte
 * of a chunk that did not verify is on the target. What is signed to be zeros is not read at all,
 * and the target gets zeros whatever stands there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/plan/execute.h"
#include "tests/unit/fixture.h"

enum {
	MEDIUM_BYTES = 4 * FIXTURE_CHUNK_BYTES,
	FILLER = 0xee, /* what the medium holds before; no byte of the image is like it */
};

/* Open, plan and execute, as `write` does. Returns the error's code. */
static enum err_code write_to(const struct fixture *f, const char *path, struct sink *s)
{
	static const struct signatures nothing_old = {0};
	const struct image_request r = fixture_request(f, path);
	CLEANUP(image_freep) struct image *im = NULL;
	CLEANUP(feed_freep) struct feed *feed = NULL;
	CLEANUP(plan_freep) struct plan *p = NULL;
	struct err e = {0};

	if (image_open(&r, &im, &e) < 0)
		return e.code;
	const struct plan_input in = {
		.image_size_bytes = image_size_bytes(im),
		.medium_size_bytes = MEDIUM_BYTES,
		.sector_bytes = 512,
		.chunk_bytes = image_chunk_bytes(im),
		.index = image_index(im),
		.stale = &nothing_old,
	};
	assert_int_equal(plan_make(&in, &p, &e), 0);
	assert_int_equal(feed_image_new(im, &feed, &e), 0);
	struct execution x = {.plan = p, .image = im, .feed = feed, .sink = s, .target = "medium"};
	return execute(&x, &e) < 0 ? e.code : ERR_NONE;
}

/* Does every chunk of the medium hold the true image, what was there before, or zeros? */
static bool holds_nothing_foreign(const struct fixture *f, const uint8_t *medium)
{
	for (size_t i = 0; i < FIXTURE_IMAGE_BYTES; i += FIXTURE_CHUNK_BYTES) {
		size_t n = FIXTURE_IMAGE_BYTES - i < FIXTURE_CHUNK_BYTES ? FIXTURE_IMAGE_BYTES - i
									 : FIXTURE_CHUNK_BYTES;
		bool is_filler =
			medium[i] == FILLER && memcmp(medium + i, medium + i + 1, n - 1) == 0;
		if (!is_filler && !bytes_are_zero(medium + i, n) &&
		    memcmp(medium + i, f->image + i, n) != 0)
			return false;
	}
	return true;
}

/* Write the image at path to a fresh medium. True when it is refused as it must be. */
static bool is_refused(const struct fixture *f, const char *path)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	uint8_t *medium = NULL;
	struct err e = {0};

	assert_int_equal(sink_mem_new(MEDIUM_BYTES, &medium, &s, &e), 0);
	memset(medium, FILLER, MEDIUM_BYTES);
	enum err_code code = write_to(f, path, s);
	bool is_bootable = memcmp(medium, f->image, 512) == 0;
	return code == ERR_UNTRUSTED && !is_bootable && holds_nothing_foreign(f, medium);
}

/* Write the image at path to a fresh medium. True when the true image is there then. */
static bool is_written_right(const struct fixture *f, const char *path)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	uint8_t *medium = NULL;
	struct err e = {0};

	assert_int_equal(sink_mem_new(MEDIUM_BYTES, &medium, &s, &e), 0);
	memset(medium, FILLER, MEDIUM_BYTES);
	return write_to(f, path, s) == ERR_NONE &&
	       memcmp(medium, f->image, FIXTURE_IMAGE_BYTES) == 0;
}

/* The first byte from from_bytes on of n_bytes at bytes that can be altered without a refusal;
 * n_bytes: none. The file at path holds them, and image is what is opened. */
static size_t first_malleable(const struct fixture *f, const char *path, const char *image,
			      uint8_t *bytes, size_t from_bytes, size_t n_bytes)
{
	static const uint8_t masks[] = {0x01, 0x80};
	size_t i = 0;
	bool is_safe = true;

	for (i = from_bytes; i < n_bytes && is_safe; i++) {
		for (size_t k = 0; k < sizeof masks && is_safe; k++) {
			bytes[i] ^= masks[k];
			fixture_put(path, bytes, n_bytes);
			is_safe = is_refused(f, image);
			bytes[i] ^= masks[k];
		}
	}
	return is_safe ? n_bytes : i - 1;
}

/* The first length below n_bytes to which the file can be cut without a refusal; n_bytes: none. */
static size_t first_acceptable_cut(const struct fixture *f, const char *path, const char *image,
				   const uint8_t *bytes, size_t n_bytes)
{
	size_t n = 0;

	for (; n < n_bytes; n++) {
		fixture_put(path, bytes, n);
		if (!is_refused(f, image))
			break;
	}
	return n;
}

static void unaltered_image_is_written_from_both_shapes(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(sink_freep) struct sink *a = NULL;
	CLEANUP(sink_freep) struct sink *b = NULL;
	uint8_t *a_medium = NULL;
	uint8_t *b_medium = NULL;
	struct err e = {0};

	assert_int_equal(sink_mem_new(MEDIUM_BYTES, &a_medium, &a, &e), 0);
	assert_int_equal(sink_mem_new(MEDIUM_BYTES, &b_medium, &b, &e), 0);
	assert_int_equal(write_to(f, f->image_path, a), ERR_NONE);
	assert_int_equal(write_to(f, f->packed_path, b), ERR_NONE);
	assert_memory_equal(a_medium, f->image, FIXTURE_IMAGE_BYTES);
	assert_memory_equal(b_medium, f->image, FIXTURE_IMAGE_BYTES);
}

static void every_altered_byte_of_the_sidecar_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		first_malleable(f, f->sidecar_path, f->image_path, f->sidecar, 0, f->sidecar_bytes),
		f->sidecar_bytes);
}

/* Where the frame of zeros is in the packed image. */
static size_t zeros_start(const struct fixture *f)
{
	return f->payload_offset_bytes + (size_t)f->stored_offsets_bytes[1];
}

static size_t zeros_end(const struct fixture *f)
{
	return f->payload_offset_bytes + (size_t)f->stored_offsets_bytes[2];
}

static void every_altered_byte_of_a_packed_image_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		first_malleable(f, f->packed_path, f->packed_path, f->packed, 0, f->packed_bytes),
		zeros_start(f));
	assert_int_equal(first_malleable(f, f->packed_path, f->packed_path, f->packed, zeros_end(f),
					 f->packed_bytes),
			 f->packed_bytes);
}

static void altered_frame_of_zeros_still_gives_zeros(void **state)
{
	const struct fixture *f = *state;
	size_t n_bytes = zeros_end(f) - zeros_start(f);

	memset(f->packed + zeros_start(f), 0xaa, n_bytes);
	fixture_put(f->packed_path, f->packed, f->packed_bytes);
	assert_true(is_written_right(f, f->packed_path));
}

static void altered_zeros_are_written_as_zeros(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *altered = malloc(FIXTURE_IMAGE_BYTES);

	assert_non_null(altered);
	memcpy(altered, f->image, FIXTURE_IMAGE_BYTES);
	altered[FIXTURE_CHUNK_BYTES + 7] ^= 0x40;
	fixture_put(f->image_path, altered, FIXTURE_IMAGE_BYTES);
	assert_true(is_written_right(f, f->image_path));
}

static void every_cut_of_the_sidecar_is_refused(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(first_acceptable_cut(f, f->sidecar_path, f->image_path, f->sidecar,
					      f->sidecar_bytes),
			 f->sidecar_bytes);
}

static void every_cut_of_a_packed_image_is_refused(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(
		first_acceptable_cut(f, f->packed_path, f->packed_path, f->packed, f->packed_bytes),
		f->packed_bytes);
}

/* Alter one byte of the plain image, and say whether that is refused. */
static bool altered_image_is_refused(struct fixture *f, size_t offset_bytes)
{
	f->image[offset_bytes] ^= 0x40;
	fixture_put(f->image_path, f->image, FIXTURE_IMAGE_BYTES);
	f->image[offset_bytes] ^= 0x40;
	return is_refused(f, f->image_path);
}

static void one_altered_byte_in_each_chunk_of_data_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_true(altered_image_is_refused(f, 510));
	assert_true(altered_image_is_refused(f, 3 * FIXTURE_CHUNK_BYTES - 1));
	assert_true(altered_image_is_refused(f, FIXTURE_IMAGE_BYTES - 1));
}

static bool cut_image_is_refused(const struct fixture *f, size_t n_bytes)
{
	fixture_put(f->image_path, f->image, n_bytes);
	return is_refused(f, f->image_path);
}

static void image_cut_at_and_around_each_chunk_is_refused(void **state)
{
	const struct fixture *f = *state;

	assert_true(cut_image_is_refused(f, 0));
	assert_true(cut_image_is_refused(f, 1));
	assert_true(cut_image_is_refused(f, FIXTURE_CHUNK_BYTES - 1));
	assert_true(cut_image_is_refused(f, FIXTURE_CHUNK_BYTES));
	assert_true(cut_image_is_refused(f, 2 * FIXTURE_CHUNK_BYTES + 1));
	assert_true(cut_image_is_refused(f, 3 * FIXTURE_CHUNK_BYTES));
	assert_true(cut_image_is_refused(f, FIXTURE_IMAGE_BYTES - 1));
}

static void image_with_a_byte_behind_its_end_is_refused(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *longer = calloc(1, FIXTURE_IMAGE_BYTES + 1);

	assert_non_null(longer);
	memcpy(longer, f->image, FIXTURE_IMAGE_BYTES);
	fixture_put(f->image_path, longer, FIXTURE_IMAGE_BYTES + 1);
	assert_true(is_refused(f, f->image_path));
}

static void image_without_any_sections_is_refused(void **state)
{
	const struct fixture *f = *state;
	char bare[160];

	(void)snprintf(bare, sizeof bare, "%s/keys/ca.key", f->folder); /* a file like any other */
	fixture_put(bare, f->image, FIXTURE_IMAGE_BYTES);
	assert_true(is_refused(f, bare));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unaltered_image_is_written_from_both_shapes),
		TEST(every_altered_byte_of_the_sidecar_is_refused),
		TEST(every_altered_byte_of_a_packed_image_is_refused),
		TEST(every_cut_of_the_sidecar_is_refused),
		TEST(every_cut_of_a_packed_image_is_refused),
		TEST(altered_frame_of_zeros_still_gives_zeros),
		TEST(altered_zeros_are_written_as_zeros),
		TEST(one_altered_byte_in_each_chunk_of_data_is_refused),
		TEST(image_cut_at_and_around_each_chunk_is_refused),
		TEST(image_with_a_byte_behind_its_end_is_refused),
		TEST(image_without_any_sections_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
