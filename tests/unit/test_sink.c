/* What all sinks share; memory, regular files and null. */
#include "flash/sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "flash/base/bytes.h"
#include "flash/base/units.h"
#include "tests/unit/sink_fixture.h"

/* A sink whose writes and flushes fail, counting how often it is asked. */
struct broken {
	struct sink base;
	unsigned n_calls;
};

static int broken_write(struct sink *s, const struct chunk *c, struct err *e)
{
	(void)c;
	((struct broken *)s)->n_calls++;
	return err_set(e, ERR_IO, "writing at byte 0: cable fell out");
}

static int broken_flush(struct sink *s, struct err *e)
{
	((struct broken *)s)->n_calls++;
	return err_set(e, ERR_IO, "flushing: cable fell out");
}

static const struct sink_ops broken_ops = {
	.name = "broken", .write = broken_write, .flush = broken_flush};

static struct broken make_broken(void)
{
	return (struct broken){.base = {.ops = &broken_ops, .size_bytes = 100, .sector_bytes = 1}};
}

/* ---- All sinks ------------------------------------------------------------------------------ */

static void chunk_past_the_end_is_refused(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(97, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(101, &s, &e), 0);
	assert_int_equal(sink_write(s, c, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "5 bytes at byte 97"));
}

static void chunk_up_to_the_end_is_taken(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(97, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(102, &s, &e), 0);
	assert_int_equal(sink_write(s, c, &e), 0);
}

static void range_whose_end_overflows_is_refused(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(UINT64_MAX, &s, &e), 0);
	assert_int_equal(sink_discard(s, UINT64_MAX - 1, 4, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void read_back_past_the_end_is_refused(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};
	_Alignas(PAGE_BYTES) uint8_t bytes[PAGE_BYTES];

	(void)state;
	assert_int_equal(sink_null_new(10, &s, &e), 0);
	assert_int_equal(sink_read_back(s, 8, bytes, 3, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void chunk_in_the_middle_of_a_sector_is_a_usage_error(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(512, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(PAGE_BYTES, &s, &e), 0);
	s->sector_bytes = PAGE_BYTES;
	assert_int_equal(sink_write(s, c, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void failed_write_is_told_with_its_cause(void **state)
{
	struct broken b = make_broken();
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_write(&b.base, c, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "writing at byte 0: cable fell out");
}

static void after_a_failed_write_no_flush_reaches_the_device(void **state)
{
	struct broken b = make_broken();
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_write(&b.base, c, &e), -1);
	assert_int_equal(sink_flush(&b.base, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "the target failed before: writing at byte 0: cable fell out");
	assert_int_equal(b.n_calls, 1);
}

static void after_a_failed_flush_no_write_reaches_the_device(void **state)
{
	struct broken b = make_broken();
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_flush(&b.base, &e), -1);
	assert_int_equal(sink_write(&b.base, c, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(b.n_calls, 1);
}

static void refused_chunk_does_not_count_as_a_failure_of_the_device(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(97, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(100, &s, &e), 0);
	assert_int_equal(sink_write(s, c, &e), -1);
	assert_int_equal(sink_flush(s, &e), 0);
}

/* ---- Memory --------------------------------------------------------------------------------- */

static void memory_holds_what_was_written(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(7, "hello");
	uint8_t *bytes = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_mem_new(16, &bytes, &s, &e), 0);
	assert_int_equal(sink_write(s, c, &e), 0);
	assert_memory_equal(bytes, "\0\0\0\0\0\0\0hello\0\0\0\0", 16);
}

static void memory_is_zeroed_by_a_zero_chunk(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(chunk_freep) struct chunk *c = zero_chunk(2, 3);
	uint8_t *bytes = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_mem_new(8, &bytes, &s, &e), 0);
	memcpy(bytes, "abcdefgh", 8);
	assert_int_equal(sink_write(s, c, &e), 0);
	assert_memory_equal(bytes, "ab\0\0\0fgh", 8);
}

static void memory_is_read_back(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	_Alignas(PAGE_BYTES) char got[PAGE_BYTES];
	uint8_t *bytes = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_mem_new(8, &bytes, &s, &e), 0);
	memcpy(bytes, "abcdefgh", 8);
	assert_int_equal(sink_read_back(s, 3, got, 4, &e), 0);
	assert_memory_equal(got, "defg", 4);
}

static void memory_can_be_probed(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	uint8_t *bytes = NULL;
	char got[3];
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_mem_new(8, &bytes, &s, &e), 0);
	memcpy(bytes, "abcdefgh", 8);
	assert_int_equal(pread(s->probe_fd, got, 3, 5), 3);
	assert_memory_equal(got, "fgh", 3);
}

/* ---- Files ---------------------------------------------------------------------------------- */

static void missing_file_is_created_at_the_given_size(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 12345);

	assert_int_equal(s->size_bytes, 12345);
	assert_int_equal(file_size(f->file), 12345);
	assert_true(s->is_blank);
}

static void missing_file_of_unknown_size_is_a_usage_error(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	assert_int_equal(sink_file_open(f->file, SINK_WRITE, SIZE_UNKNOWN, NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(access(f->file, F_OK), -1);
}

static void looking_at_a_missing_file_of_unknown_size_is_a_usage_error(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	assert_int_equal(sink_file_open(f->file, SINK_LOOK, SIZE_UNKNOWN, NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void file_that_exists_is_not_blank(void **state)
{
	const struct folder *f = *state;

	fill_file(f->file, 'x', PAGE_BYTES);
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 12345);

	assert_false(s->is_blank);
}

static void file_that_cannot_be_as_large_does_not_stay(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	assert_int_equal(sink_file_open(f->file, SINK_WRITE, INT64_MAX, NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(access(f->file, F_OK), -1);
}

static void file_that_exists_keeps_size_and_content(void **state)
{
	const struct folder *f = *state;

	fill_file(f->file, 'x', 5000);
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 12345);
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	_Alignas(PAGE_BYTES) char got[2 * PAGE_BYTES];
	struct err e = {0};

	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_flush(s, &e), 0);
	assert_int_equal(sink_read_back(s, 0, got, 5000, &e), 0);
	assert_memory_equal(got, "helloxxx", 8);
	assert_int_equal(got[4999], 'x');
	assert_int_equal(file_size(f->file), 5000);
}

static void file_is_read_back_from_the_middle_of_a_block(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 3 * PAGE_BYTES);
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(PAGE_BYTES - 2, "hello");
	_Alignas(PAGE_BYTES) char got[PAGE_BYTES];
	struct err e = {0};

	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_flush(s, &e), 0);
	assert_int_equal(sink_read_back(s, PAGE_BYTES - 1, got, 5, &e), 0);
	assert_memory_equal(got, "ello\0", 5);
}

static void file_shows_later_writes_to_a_later_read_back(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, PAGE_BYTES);
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	_Alignas(PAGE_BYTES) char got[PAGE_BYTES];
	struct err e = {0};

	assert_int_equal(sink_read_back(s, 0, got, 5, &e), 0);
	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_flush(s, &e), 0);
	assert_int_equal(sink_read_back(s, 0, got, 5, &e), 0);
	assert_memory_equal(got, "hello", 5);
}

static void file_that_shrank_is_an_io_error_when_read_back(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 2 * PAGE_BYTES);
	_Alignas(PAGE_BYTES) char got[PAGE_BYTES];
	struct err e = {0};

	assert_int_equal(truncate(f->file, PAGE_BYTES), 0);
	assert_int_equal(sink_read_back(s, PAGE_BYTES, got, 5, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void file_is_zeroed_by_a_zero_chunk_to_the_byte(void **state)
{
	const struct folder *f = *state;

	fill_file(f->file, 'x', 3 * PAGE_BYTES);
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 0);
	CLEANUP(chunk_freep) struct chunk *c = zero_chunk(10, 2 * PAGE_BYTES);
	_Alignas(PAGE_BYTES) char got[3 * PAGE_BYTES];
	struct err e = {0};

	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_read_back(s, 0, got, sizeof got, &e), 0);
	assert_int_equal(got[9], 'x');
	assert_true(bytes_are_zero(got + 10, 2 * PAGE_BYTES));
	assert_int_equal(got[10 + 2 * PAGE_BYTES], 'x');
}

static void file_keeps_its_size_when_discarded(void **state)
{
	const struct folder *f = *state;

	fill_file(f->file, 'x', 2 * PAGE_BYTES);
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 0);
	struct err e = {0};

	assert_int_equal(sink_discard(s, PAGE_BYTES, PAGE_BYTES, &e), 0);
	assert_int_equal(file_size(f->file), 2 * PAGE_BYTES);
}

static void second_writer_of_a_file_is_refused(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *first = open_file(f->file, SINK_WRITE, 100);
	CLEANUP(sink_freep) struct sink *second = NULL;
	struct err e = {0};

	assert_non_null(first);
	assert_int_equal(sink_file_open(f->file, SINK_WRITE, 100, NULL, &second, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "another lkflash"));
}

static void looking_at_a_missing_file_leaves_it_missing(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_LOOK, 100);
	_Alignas(PAGE_BYTES) char got[PAGE_BYTES];
	struct err e = {0};

	assert_int_equal(s->size_bytes, 100);
	assert_int_equal(sink_read_back(s, 0, got, 100, &e), 0);
	assert_true(bytes_are_zero(got, 100));
	assert_int_equal(access(f->file, F_OK), -1);
}

static void folder_is_no_file(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	assert_int_equal(sink_file_open(f->path, SINK_LOOK, 100, NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void folder_is_no_file_to_write(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	assert_int_equal(sink_file_open(f->path, SINK_WRITE, 100, NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void file_in_a_missing_folder_is_an_io_error(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_file_open("/nonexistent/disk.img", SINK_WRITE, 100, NULL, &s, &e),
			 -1);
	assert_int_equal(e.code, ERR_IO);
}

/* ---- Block devices, as far as they can be had without one ----------------------------------- */

static void regular_file_is_no_block_device(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	fill_file(f->file, 'x', PAGE_BYTES);
	assert_int_equal(sink_blockdev_open(f->file, SINK_LOOK, NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void missing_block_device_is_an_io_error(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_blockdev_open("/dev/nonexistent", SINK_WRITE, NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "opening /dev/nonexistent: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunk_past_the_end_is_refused),
		cmocka_unit_test(chunk_up_to_the_end_is_taken),
		cmocka_unit_test(range_whose_end_overflows_is_refused),
		cmocka_unit_test(read_back_past_the_end_is_refused),
		cmocka_unit_test(chunk_in_the_middle_of_a_sector_is_a_usage_error),
		cmocka_unit_test(failed_write_is_told_with_its_cause),
		cmocka_unit_test(after_a_failed_write_no_flush_reaches_the_device),
		cmocka_unit_test(after_a_failed_flush_no_write_reaches_the_device),
		cmocka_unit_test(refused_chunk_does_not_count_as_a_failure_of_the_device),
		cmocka_unit_test(memory_holds_what_was_written),
		cmocka_unit_test(memory_is_zeroed_by_a_zero_chunk),
		cmocka_unit_test(memory_is_read_back),
		cmocka_unit_test(memory_can_be_probed),
		WITH_FOLDER(missing_file_is_created_at_the_given_size),
		WITH_FOLDER(missing_file_of_unknown_size_is_a_usage_error),
		WITH_FOLDER(looking_at_a_missing_file_of_unknown_size_is_a_usage_error),
		WITH_FOLDER(file_that_exists_is_not_blank),
		WITH_FOLDER(file_that_cannot_be_as_large_does_not_stay),
		WITH_FOLDER(file_that_exists_keeps_size_and_content),
		WITH_FOLDER(file_is_read_back_from_the_middle_of_a_block),
		WITH_FOLDER(file_shows_later_writes_to_a_later_read_back),
		WITH_FOLDER(file_that_shrank_is_an_io_error_when_read_back),
		WITH_FOLDER(file_is_zeroed_by_a_zero_chunk_to_the_byte),
		WITH_FOLDER(file_keeps_its_size_when_discarded),
		WITH_FOLDER(second_writer_of_a_file_is_refused),
		WITH_FOLDER(looking_at_a_missing_file_leaves_it_missing),
		WITH_FOLDER(folder_is_no_file),
		WITH_FOLDER(folder_is_no_file_to_write),
		cmocka_unit_test(file_in_a_missing_folder_is_an_io_error),
		WITH_FOLDER(regular_file_is_no_block_device),
		cmocka_unit_test(missing_block_device_is_an_io_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
