/* The chunk index: what it holds comes back, and everything that image-format forbids is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/units.h"
#include "flash/image/index.h"

enum { ENTRY0 = INDEX_HEADER_BYTES, ENTRY1 = INDEX_HEADER_BYTES + INDEX_ENTRY_BYTES };

/* Two chunks of 64 KiB, the second of 1 byte, both in zstd frames. */
struct fixture {
	struct index *index;
	struct buf bytes;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e;

	f = (struct fixture){0};
	assert_int_equal(index_new(65537, 16, &f.index, &e), 0);
	f.index->codec = CHUNK_CODEC_ZSTD;
	f.index->payload_size_bytes = 120;
	f.index->entries[0] = (struct index_entry){
		.kind = CHUNK_DATA, .codec = CHUNK_CODEC_ZSTD, .stored_bytes = 100};
	f.index->entries[1] = (struct index_entry){.kind = CHUNK_ZERO,
						   .codec = CHUNK_CODEC_ZSTD,
						   .stored_bytes = 20,
						   .stored_offset_bytes = 100};
	memset(f.index->entries[0].plain_sha256, 1, SHA256_BYTES);
	memset(f.index->entries[1].stored_sha256, 2, SHA256_BYTES);
	assert_int_equal(index_format(f.index, &f.bytes, &e), 0);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	index_free(f->index);
	buf_release(&f->bytes);
	return 0;
}

static void assert_refused(const struct fixture *f)
{
	uint8_t *exact = malloc(f->bytes.n_bytes); /* a byte too far is a crash under ASan */
	struct index *x = NULL;
	struct err e = {0};

	assert_non_null(exact);
	memcpy(exact, f->bytes.bytes, f->bytes.n_bytes);
	assert_int_equal(index_parse(exact, f->bytes.n_bytes, &x, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_null(x);
	free(exact);
}

static void assert_accepted(const struct fixture *f)
{
	struct index *x = NULL;
	struct err e;

	assert_int_equal(index_parse(f->bytes.bytes, f->bytes.n_bytes, &x, &e), 0);
	index_free(x);
}

/* Two chunks of another size. */
static void set_chunk_log2(struct fixture *f, uint8_t chunk_log2)
{
	f->bytes.bytes[40] = chunk_log2;
	put_le64(f->bytes.bytes + 16, (UINT64_C(1) << chunk_log2) + 1);
}

static void what_is_formatted_comes_back(void **state)
{
	struct fixture *f = *state;
	struct index *x = NULL;
	struct err e;

	assert_int_equal(index_parse(f->bytes.bytes, f->bytes.n_bytes, &x, &e), 0);
	assert_int_equal(x->image_size_bytes, 65537);
	assert_int_equal(x->payload_size_bytes, 120);
	assert_int_equal(x->chunk_log2, 16);
	assert_int_equal(x->codec, CHUNK_CODEC_ZSTD);
	assert_int_equal(x->n_chunks, 2);
	assert_memory_equal(&x->entries[0], &f->index->entries[0], sizeof *x->entries);
	assert_memory_equal(&x->entries[1], &f->index->entries[1], sizeof *x->entries);
	index_free(x);
}

static void members_are_where_the_format_says(void **state)
{
	const uint8_t *p = ((struct fixture *)*state)->bytes.bytes;

	assert_memory_equal(p, "LKIDX\r\n\x1a\x01\x00\x50\x00\x01\x00\x00\x00", 16);
	assert_int_equal(le64(p + 16), 65537);
	assert_int_equal(le64(p + 24), 120);
	assert_int_equal(le64(p + 32), 2);
	assert_int_equal(p[40], 16);
	assert_int_equal(p[41], 1);
	assert_int_equal(p[ENTRY1], 1);
	assert_int_equal(p[ENTRY1 + 1], 1);
	assert_int_equal(le32(p + ENTRY1 + 4), 20);
	assert_int_equal(le64(p + ENTRY1 + 8), 100);
	assert_int_equal(p[ENTRY0 + 16], 1);
	assert_int_equal(p[ENTRY1 + 48], 2);
}

static void stream_index_stores_nothing(void **state)
{
	struct fixture *f = *state;
	struct index *x = NULL;
	struct err e;

	memset(f->bytes.bytes + ENTRY0, 0, 2 * INDEX_ENTRY_BYTES);
	f->bytes.bytes[41] = CHUNK_CODEC_STREAM;
	f->bytes.bytes[ENTRY0 + 1] = CHUNK_CODEC_STREAM;
	f->bytes.bytes[ENTRY1 + 1] = CHUNK_CODEC_STREAM;
	put_le64(f->bytes.bytes + 24, 0);
	assert_int_equal(index_parse(f->bytes.bytes, f->bytes.n_bytes, &x, &e), 0);
	index_free(x);
}

static void stream_chunk_with_a_stored_place_is_refused(void **state)
{
	struct fixture *f = *state;

	memset(f->bytes.bytes + ENTRY0, 0, 2 * INDEX_ENTRY_BYTES);
	f->bytes.bytes[41] = CHUNK_CODEC_STREAM;
	f->bytes.bytes[ENTRY0 + 1] = CHUNK_CODEC_STREAM;
	f->bytes.bytes[ENTRY1 + 1] = CHUNK_CODEC_STREAM;
	put_le64(f->bytes.bytes + 24, 0);
	put_le32(f->bytes.bytes + ENTRY1 + 4, 1);
	assert_refused(f);
}

static void stream_with_a_payload_is_refused(void **state)
{
	struct fixture *f = *state;

	memset(f->bytes.bytes + ENTRY0, 0, 2 * INDEX_ENTRY_BYTES);
	f->bytes.bytes[41] = CHUNK_CODEC_STREAM;
	f->bytes.bytes[ENTRY0 + 1] = CHUNK_CODEC_STREAM;
	f->bytes.bytes[ENTRY1 + 1] = CHUNK_CODEC_STREAM;
	assert_refused(f);
}

/* Chunks stored as they are: 65536 bytes, then 1 byte. */
static void make_stored(struct fixture *f)
{
	memset(f->bytes.bytes + ENTRY0, 0, 2 * INDEX_ENTRY_BYTES);
	f->bytes.bytes[41] = CHUNK_CODEC_STORED;
	put_le64(f->bytes.bytes + 24, 0);
	put_le32(f->bytes.bytes + ENTRY0 + 4, 65536);
	put_le32(f->bytes.bytes + ENTRY1 + 4, 1);
	put_le64(f->bytes.bytes + ENTRY1 + 8, 65536);
}

static void stored_chunks_are_accepted(void **state)
{
	struct fixture *f = *state;
	struct index *x = NULL;
	struct err e;

	make_stored(f);
	assert_int_equal(index_parse(f->bytes.bytes, f->bytes.n_bytes, &x, &e), 0);
	index_free(x);
}

static void stored_chunk_of_another_length_is_refused(void **state)
{
	make_stored(*state);
	put_le32(((struct fixture *)*state)->bytes.bytes + ENTRY1 + 4, 2);
	assert_refused(*state);
}

static void stored_chunk_with_two_digests_is_refused(void **state)
{
	make_stored(*state);
	((struct fixture *)*state)->bytes.bytes[ENTRY1 + 48] = 1;
	assert_refused(*state);
}

static void truncated_index_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.n_bytes--;
	assert_refused(*state);
}

static void index_without_a_whole_header_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.n_bytes = INDEX_HEADER_BYTES - 1;
	assert_refused(*state);
}

static void index_larger_than_allowed_is_refused(void **state)
{
	struct fixture *f = *state;
	struct index *x = NULL;
	struct err e;

	assert_int_equal(index_parse(f->bytes.bytes, (size_t)INDEX_MAX_BYTES + 1, &x, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void wrong_magic_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[7] ^= 1;
	assert_refused(*state);
}

static void unknown_version_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[8] = 2;
	assert_refused(*state);
}

static void other_entry_size_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[10] = 81;
	assert_refused(*state);
}

static void unknown_hash_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[12] = 2;
	assert_refused(*state);
}

static void unknown_flag_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[14] = 1;
	assert_refused(*state);
}

static void reserved_header_byte_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[63] = 1;
	assert_refused(*state);
}

static void empty_image_is_refused(void **state)
{
	struct fixture *f = *state;

	put_le64(f->bytes.bytes + 16, 0);
	put_le64(f->bytes.bytes + 32, 0);
	f->bytes.n_bytes = INDEX_HEADER_BYTES;
	assert_refused(f);
}

static void chunk_count_that_does_not_fit_the_size_is_refused(void **state)
{
	put_le64(((struct fixture *)*state)->bytes.bytes + 16, 65536);
	assert_refused(*state);
}

static void image_of_the_largest_size_needs_as_many_entries(void **state)
{
	struct fixture *f = *state;

	put_le64(f->bytes.bytes + 16, UINT64_MAX);
	put_le64(f->bytes.bytes + 32, UINT64_C(1) << 48);
	assert_refused(f);
}

static void chunks_too_small_are_refused(void **state)
{
	set_chunk_log2(*state, 15);
	assert_refused(*state);
}

static void chunks_too_large_are_refused(void **state)
{
	set_chunk_log2(*state, 25);
	assert_refused(*state);
}

static void largest_chunks_are_accepted(void **state)
{
	set_chunk_log2(*state, 24);
	assert_accepted(*state);
}

static void unknown_codec_is_refused(void **state)
{
	struct fixture *f = *state;

	f->bytes.bytes[41] = 3;
	f->bytes.bytes[ENTRY0 + 1] = 3;
	f->bytes.bytes[ENTRY1 + 1] = 3;
	assert_refused(f);
}

static void skipped_chunk_is_accepted(void **state)
{
	((struct fixture *)*state)->bytes.bytes[ENTRY1] = CHUNK_SKIP;
	assert_accepted(*state);
}

static void unknown_chunk_kind_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[ENTRY1] = 3;
	assert_refused(*state);
}

static void chunk_of_another_codec_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[ENTRY1 + 1] = CHUNK_CODEC_STORED;
	assert_refused(*state);
}

static void reserved_entry_byte_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[ENTRY1 + 3] = 1;
	assert_refused(*state);
}

static void overlapping_frames_are_refused(void **state)
{
	put_le64(((struct fixture *)*state)->bytes.bytes + ENTRY1 + 8, 99);
	assert_refused(*state);
}

static void frame_past_the_payload_is_refused(void **state)
{
	put_le64(((struct fixture *)*state)->bytes.bytes + ENTRY1 + 8, 101);
	assert_refused(*state);
}

static void frame_at_the_end_of_all_numbers_is_refused(void **state)
{
	struct fixture *f = *state;

	put_le64(f->bytes.bytes + 24, 0);
	put_le64(f->bytes.bytes + ENTRY1 + 8, UINT64_MAX);
	assert_refused(f);
}

static void empty_frame_is_refused(void **state)
{
	put_le32(((struct fixture *)*state)->bytes.bytes + ENTRY1 + 4, 0);
	assert_refused(*state);
}

static void frame_of_two_chunks_is_accepted(void **state)
{
	struct fixture *f = *state;

	put_le64(f->bytes.bytes + 24, 0);
	put_le32(f->bytes.bytes + ENTRY1 + 4, 2 * 65536);
	assert_accepted(f);
}

static void frame_of_more_than_two_chunks_is_refused(void **state)
{
	struct fixture *f = *state;

	put_le64(f->bytes.bytes + 24, 0);
	put_le32(f->bytes.bytes + ENTRY1 + 4, 2 * 65536 + 1);
	assert_refused(f);
}

static void new_index_of_nothing_is_refused(void **state)
{
	struct index *x = NULL;
	struct err e;

	(void)state;
	assert_int_equal(index_new(0, INDEX_CHUNK_LOG2_DEFAULT, &x, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void new_index_of_more_chunks_than_fit_is_refused(void **state)
{
	struct index *x = NULL;
	struct err e;

	(void)state;
	assert_int_equal(index_new(UINT64_MAX, INDEX_CHUNK_LOG2_MAX, &x, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void new_index_of_chunks_too_small_is_refused(void **state)
{
	struct index *x = NULL;
	struct err e;

	(void)state;
	assert_int_equal(index_new(1, INDEX_CHUNK_LOG2_MIN - 1, &x, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void new_index_of_chunks_too_large_is_refused(void **state)
{
	struct index *x = NULL;
	struct err e;

	(void)state;
	assert_int_equal(index_new(1, INDEX_CHUNK_LOG2_MAX + 1, &x, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void last_chunk_is_as_long_as_what_is_left(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(index_chunk_bytes(f->index, 0), 65536);
	assert_int_equal(index_chunk_bytes(f->index, 1), 1);
}

static void image_of_whole_chunks_has_a_whole_last_chunk(void **state)
{
	struct index *x = NULL;
	struct err e;

	(void)state;
	assert_int_equal(index_new(2 * MIB, INDEX_CHUNK_LOG2_DEFAULT, &x, &e), 0);
	assert_int_equal(x->n_chunks, 2);
	assert_int_equal(index_chunk_bytes(x, 1), MIB);
	index_free(x);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(what_is_formatted_comes_back),
		WITH_FIXTURE(members_are_where_the_format_says),
		WITH_FIXTURE(stream_index_stores_nothing),
		WITH_FIXTURE(stream_chunk_with_a_stored_place_is_refused),
		WITH_FIXTURE(stream_with_a_payload_is_refused),
		WITH_FIXTURE(stored_chunks_are_accepted),
		WITH_FIXTURE(stored_chunk_of_another_length_is_refused),
		WITH_FIXTURE(stored_chunk_with_two_digests_is_refused),
		WITH_FIXTURE(truncated_index_is_refused),
		WITH_FIXTURE(index_without_a_whole_header_is_refused),
		WITH_FIXTURE(index_larger_than_allowed_is_refused),
		WITH_FIXTURE(wrong_magic_is_refused),
		WITH_FIXTURE(unknown_version_is_refused),
		WITH_FIXTURE(other_entry_size_is_refused),
		WITH_FIXTURE(unknown_hash_is_refused),
		WITH_FIXTURE(unknown_flag_is_refused),
		WITH_FIXTURE(reserved_header_byte_is_refused),
		WITH_FIXTURE(empty_image_is_refused),
		WITH_FIXTURE(chunk_count_that_does_not_fit_the_size_is_refused),
		WITH_FIXTURE(image_of_the_largest_size_needs_as_many_entries),
		WITH_FIXTURE(chunks_too_small_are_refused),
		WITH_FIXTURE(chunks_too_large_are_refused),
		WITH_FIXTURE(largest_chunks_are_accepted),
		WITH_FIXTURE(unknown_codec_is_refused),
		WITH_FIXTURE(skipped_chunk_is_accepted),
		WITH_FIXTURE(unknown_chunk_kind_is_refused),
		WITH_FIXTURE(chunk_of_another_codec_is_refused),
		WITH_FIXTURE(reserved_entry_byte_is_refused),
		WITH_FIXTURE(overlapping_frames_are_refused),
		WITH_FIXTURE(frame_past_the_payload_is_refused),
		WITH_FIXTURE(frame_at_the_end_of_all_numbers_is_refused),
		WITH_FIXTURE(empty_frame_is_refused),
		WITH_FIXTURE(frame_of_two_chunks_is_accepted),
		WITH_FIXTURE(frame_of_more_than_two_chunks_is_refused),
		cmocka_unit_test(new_index_of_nothing_is_refused),
		cmocka_unit_test(new_index_of_more_chunks_than_fit_is_refused),
		cmocka_unit_test(new_index_of_chunks_too_small_is_refused),
		cmocka_unit_test(new_index_of_chunks_too_large_is_refused),
		WITH_FIXTURE(last_chunk_is_as_long_as_what_is_left),
		cmocka_unit_test(image_of_whole_chunks_has_a_whole_last_chunk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
