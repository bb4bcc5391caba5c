/* What fetching and verifying refuse: bytes that are not those that were signed, whoever altered
 * them, and images that are cut or go on behind their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/walk.h"

/* Fetch and verify chunk 0 and 2 at once. */
static void verify_data(struct image *im, struct chunk *out[2], struct err failures[2])
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {1, 0, 1, 0};
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	struct unverified *u[2] = {walk_fetch(k), NULL};

	u[1] = walk_fetch(k);
	image_verify(im, u, 2, out, failures);
}

static void bad_chunk_is_refused_and_its_neighbour_comes(void **state)
{
	const struct fixture *f = *state;
	struct chunk *out[2] = {NULL, NULL};
	struct err failures[2] = {0};

	f->image[17] ^= 1;
	fixture_put(f->image_path, f->image, FIXTURE_IMAGE_BYTES);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	verify_data(im, out, failures);
	assert_null(out[0]);
	assert_int_equal(failures[0].code, ERR_UNTRUSTED);
	assert_non_null(strstr(failures[0].text, "chunk 0 at byte 0 differs"));
	walk_assert_is_part_of(out[1], f->image);
	assert_int_equal(failures[1].code, ERR_NONE);
	chunk_free(out[1]);
}

static void bad_frame_is_refused_before_it_is_decompressed(void **state)
{
	const struct fixture *f = *state;
	struct chunk *out[2] = {NULL, NULL};
	struct err failures[2] = {0};

	/* The last byte of the frame's checksum: a decompressor would say so. */
	f->packed[f->payload_offset_bytes + f->stored_offsets_bytes[3] - 1] ^= 1;
	fixture_put(f->packed_path, f->packed, f->packed_bytes);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	verify_data(im, out, failures);
	walk_assert_is_part_of(out[0], f->image);
	assert_null(out[1]);
	assert_int_equal(failures[1].code, ERR_UNTRUSTED);
	assert_non_null(strstr(failures[1].text, "differs from the signed index"));
	chunk_free(out[0]);
}

/* Have somebody sign a packed image whose third frame is n_bytes at frame, which the index
 * describes rightly as stored, but not as plain. What image_verify says of it. */
static struct err verdict_on_frame(const struct fixture *f, const struct buf *frame)
{
	CLEANUP(image_freep) struct image *honest = walk_open_at(f, f->packed_path);
	struct index_entry entries[FIXTURE_N_CHUNKS];
	struct index x = *image_index(honest);
	CLEANUP(buf_release) struct buf payload = {0};
	struct chunk *out[2] = {NULL, NULL};
	struct err failures[2] = {0};

	memcpy(entries, x.entries, sizeof entries);
	x.entries = entries;
	buf_append(&payload, f->packed + f->payload_offset_bytes, f->stored_offsets_bytes[2]);
	buf_append(&payload, frame->bytes, frame->n_bytes);
	entries[2].stored_bytes = (uint32_t)frame->n_bytes;
	entries[3].stored_offset_bytes = payload.n_bytes;
	x.payload_size_bytes = payload.n_bytes + entries[3].stored_bytes;
	buf_append(&payload, f->packed + f->payload_offset_bytes + f->stored_offsets_bytes[3],
		   entries[3].stored_bytes);
	assert_int_equal(
		digest_sha256(frame->bytes, frame->n_bytes, entries[2].stored_sha256, &failures[0]),
		0);
	fixture_put_packed(f, &x, &payload);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	verify_data(im, out, failures);
	walk_assert_is_part_of(out[0], f->image);
	assert_null(out[1]);
	chunk_free(out[0]);
	return failures[1];
}

static void frame_of_other_bytes_than_were_signed_is_refused(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(buf_release) struct buf frame = {0};

	walk_append_zstd(&frame, f->image, FIXTURE_CHUNK_BYTES);
	struct err e = verdict_on_frame(f, &frame);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_string_equal(e.text, "chunk 2 at byte 131072 differs from the signed index");
}

static void frame_of_more_bytes_than_the_chunk_has_is_refused(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(buf_release) struct buf frame = {0};

	walk_append_zstd(&frame, f->image, FIXTURE_CHUNK_BYTES + 1);
	struct err e = verdict_on_frame(f, &frame);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "chunk 2 at byte 131072: zstd frame of"));
	assert_non_null(strstr(e.text, "holds more than 65536 bytes"));
}

/* What image_next says first when every byte is read. */
static enum err_code first_refusal(const struct image_request *r, char text[ERR_TEXT_BYTES])
{
	CLEANUP(image_freep) struct image *im = walk_open(r);
	const struct chunk *c = NULL;
	struct err e = {0};

	do {
		if (image_next(im, &c, &e) < 0) {
			memcpy(text, e.text, ERR_TEXT_BYTES);
			return e.code;
		}
	} while (c);
	return ERR_NONE;
}

static void altered_zeros_are_refused_when_every_byte_is_read(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->image_path);
	char text[ERR_TEXT_BYTES] = "";

	f->image[FIXTURE_CHUNK_BYTES + 5] = 1;
	fixture_put(f->image_path, f->image, FIXTURE_IMAGE_BYTES);
	assert_int_equal(first_refusal(&r, text), ERR_NONE);
	r.is_every_byte_read = true;
	assert_int_equal(first_refusal(&r, text), ERR_UNTRUSTED);
	assert_non_null(strstr(text, "should be zeros"));
}

static void altered_frame_of_zeros_is_refused_when_every_byte_is_read(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->packed_path);
	char text[ERR_TEXT_BYTES] = "";

	f->packed[f->payload_offset_bytes + f->stored_offsets_bytes[1]] ^= 1;
	fixture_put(f->packed_path, f->packed, f->packed_bytes);
	assert_int_equal(first_refusal(&r, text), ERR_NONE);
	r.is_every_byte_read = true;
	assert_int_equal(first_refusal(&r, text), ERR_UNTRUSTED);
	assert_non_null(strstr(text, "chunk 1 at byte 65536 differs"));
}

static void altered_zeros_of_a_stream_are_refused(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	char text[ERR_TEXT_BYTES] = "";

	f->image[FIXTURE_CHUNK_BYTES + 5] = 1;
	walk_compress_image(f);
	assert_int_equal(first_refusal(&r, text), ERR_UNTRUSTED);
	assert_non_null(strstr(text, "should be zeros"));
}

static void stream_that_goes_on_behind_its_end_is_refused(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(buf_release) struct buf stream = {0};
	char text[ERR_TEXT_BYTES] = "";

	walk_append_zstd(&stream, f->image, FIXTURE_IMAGE_BYTES);
	walk_append_zstd(&stream, "x", 1);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	assert_int_equal(first_refusal(&r, text), ERR_UNTRUSTED);
	assert_non_null(strstr(text, "longer than the 196613 bytes"));
}

static void image_cut_while_it_is_read_fails_for_good(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 2, NULL);
	struct unverified *u = NULL;
	struct err e = {0};

	assert_int_equal(truncate(f->image_path, 3 * FIXTURE_CHUNK_BYTES - 1), 0);
	assert_int_equal(cursor_fetch(k, &u, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "chunk 2 at byte 131072 is cut short"));
	assert_int_equal(cursor_fetch(k, &u, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_null(u);
}

static void stream_cut_before_what_is_wanted_is_refused(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 0, 0, 1};
	const struct fixture *f = *state;
	CLEANUP(buf_release) struct buf stream = {0};
	struct unverified *u = NULL;
	struct err e = {0};

	walk_append_zstd(&stream, f->image, FIXTURE_CHUNK_BYTES);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_int_equal(cursor_fetch(k, &u, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bad_chunk_is_refused_and_its_neighbour_comes),
		TEST(bad_frame_is_refused_before_it_is_decompressed),
		TEST(frame_of_other_bytes_than_were_signed_is_refused),
		TEST(frame_of_more_bytes_than_the_chunk_has_is_refused),
		TEST(altered_zeros_are_refused_when_every_byte_is_read),
		TEST(altered_frame_of_zeros_is_refused_when_every_byte_is_read),
		TEST(altered_zeros_of_a_stream_are_refused),
		TEST(stream_that_goes_on_behind_its_end_is_refused),
		TEST(image_cut_while_it_is_read_fails_for_good),
		TEST(stream_cut_before_what_is_wanted_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
