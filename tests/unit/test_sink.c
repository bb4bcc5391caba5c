/* Sinks that need no device: memory, null, regular files; and what all sinks share. */
#include "flash/sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/verified.h"
#include "flash/sink/fd_sink.h"

enum { PAGE_BYTES = 4096, N_RING_TESTS = 3 };

/* ---- Fixtures ------------------------------------------------------------------------------- */

static struct chunk *data_chunk(uint64_t offset_bytes, const char *text)
{
	struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(
		chunk_derived_new(offset_bytes, (const uint8_t *)text, strlen(text), 0, &c, &e), 0);
	return c;
}

static struct chunk *zero_chunk(uint64_t offset_bytes, uint64_t size_bytes)
{
	struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(chunk_zero_new(offset_bytes, size_bytes, &c, &e), 0);
	return c;
}

/* A folder of the test's own, with the path of a file in it that does not exist yet. */
struct folder {
	char path[64];
	char file[80];
};

static int setup_folder(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	assert_non_null(f);
	strcpy(f->path, "/tmp/lkflash-sink.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	(void)snprintf(f->file, sizeof f->file, "%s/disk.img", f->path);
	*state = f;
	return 0;
}

static int teardown_folder(void **state)
{
	struct folder *f = *state;

	(void)unlink(f->file);
	(void)rmdir(f->path);
	free(f);
	return 0;
}

static void fill_file(const char *path, int byte, size_t n_bytes)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "w");
	uint8_t bytes[3 * PAGE_BYTES];

	assert_non_null(file);
	assert_true(n_bytes <= sizeof bytes);
	memset(bytes, byte, n_bytes);
	assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
}

static uint64_t file_size(const char *path)
{
	struct stat st = {0};

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

/* What the file takes on its file system. */
static uint64_t blocks_bytes(const char *path)
{
	struct stat st = {0};

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static struct sink *open_file(const char *path, enum sink_mode mode, uint64_t create_bytes)
{
	struct sink *s = NULL;
	struct err e = {0};

	assert_int_equal(sink_file_open(path, mode, create_bytes, NULL, &s, &e), 0);
	return s;
}

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

/* ---- What goes on while the caller does ------------------------------------------------------ */

static struct sink *open_filled(const struct folder *f, int byte)
{
	fill_file(f->file, byte, 3 * PAGE_BYTES);
	return open_file(f->file, SINK_WRITE, 0);
}

static void write_all(struct sink *s, struct chunk *const *chunks, size_t n)
{
	struct err e = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(sink_write(s, chunks[i], &e), 0);
	assert_int_equal(sink_flush(s, &e), 0);
}

static void read_all(struct sink *s, char *got)
{
	struct err e = {0};

	assert_int_equal(sink_read_back(s, 0, got, 3 * PAGE_BYTES, &e), 0);
}

static unsigned n_cleanings;

int __real_helper_do(struct helper *h, const struct helper_job *job, const struct cancel *cancel,
		     int *out_error, struct err *e);
int __wrap_helper_do(struct helper *h, const struct helper_job *job, const struct cancel *cancel,
		     int *out_error, struct err *e);
int __wrap_helper_do(struct helper *h, const struct helper_job *job, const struct cancel *cancel,
		     int *out_error, struct err *e)
{
	n_cleanings += job->call == HELPER_CLEAN;
	return __real_helper_do(h, job, cancel, out_error, e);
}

/* Or a slow disk behind a large page cache would seem to stall. */
static void file_is_flushed_in_pieces(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 256 * MIB);
	CLEANUP(chunk_freep) struct chunk *last = data_chunk(200 * MIB, "last");
	CLEANUP(chunk_freep) struct chunk *first = data_chunk(70 * MIB, "first");
	struct chunk *const chunks[] = {last, first};

	n_cleanings = 0;
	write_all(s, chunks, 2);
	assert_int_equal(n_cleanings, 3);
	write_all(s, NULL, 0);
	assert_int_equal(n_cleanings, 3);
	write_all(s, chunks, 1);
	assert_int_equal(n_cleanings, 4);
}

static void neighbouring_zero_chunks_become_one_range(void **state)
{
	CLEANUP(sink_freep) struct sink *s = open_filled(*state, 'x');
	CLEANUP(chunk_freep) struct chunk *a = zero_chunk(0, PAGE_BYTES);
	CLEANUP(chunk_freep) struct chunk *b = zero_chunk(PAGE_BYTES, PAGE_BYTES);
	const struct fd_sink *f = (const struct fd_sink *)s;
	char got[3 * PAGE_BYTES];
	struct err e = {0};

	assert_int_equal(sink_write(s, a, &e), 0);
	assert_int_equal(sink_write(s, b, &e), 0);
	assert_int_equal(f->zeros_offset_bytes, 0);
	assert_int_equal(f->zeros_size_bytes, 2 * PAGE_BYTES);
	read_all(s, got);
	assert_true(bytes_are_zero(got, 2 * PAGE_BYTES));
	assert_int_equal(got[2 * PAGE_BYTES], 'x');
}

static void zero_chunks_apart_leave_what_is_between(void **state)
{
	CLEANUP(sink_freep) struct sink *s = open_filled(*state, 'x');
	CLEANUP(chunk_freep) struct chunk *a = zero_chunk(0, PAGE_BYTES);
	CLEANUP(chunk_freep) struct chunk *b = zero_chunk(2 * PAGE_BYTES, PAGE_BYTES);
	struct chunk *const chunks[] = {a, b};
	char got[3 * PAGE_BYTES];

	write_all(s, chunks, 2);
	read_all(s, got);
	assert_true(bytes_are_zero(got, PAGE_BYTES));
	assert_int_equal(got[PAGE_BYTES], 'x');
	assert_int_equal(got[2 * PAGE_BYTES - 1], 'x');
	assert_true(bytes_are_zero(got + 2 * PAGE_BYTES, PAGE_BYTES));
}

static void what_is_written_last_is_what_stays(void **state)
{
	CLEANUP(sink_freep) struct sink *s = open_filled(*state, 'x');
	CLEANUP(chunk_freep) struct chunk *zeros = zero_chunk(0, PAGE_BYTES);
	CLEANUP(chunk_freep) struct chunk *first = data_chunk(PAGE_BYTES, "first");
	CLEANUP(chunk_freep) struct chunk *over_zeros = data_chunk(0, "over");
	CLEANUP(chunk_freep) struct chunk *over_data = data_chunk(PAGE_BYTES, "LA");
	struct chunk *const chunks[] = {zeros, first, over_zeros, over_data};
	char got[3 * PAGE_BYTES];

	write_all(s, chunks, 4);
	read_all(s, got);
	assert_memory_equal(got, "over\0", 5);
	assert_memory_equal(got + PAGE_BYTES, "LArstx", 6);
}

static void device_that_cannot_zero_is_given_zeros(void **state)
{
	CLEANUP(sink_freep) struct sink *s = open_filled(*state, 'x');
	CLEANUP(chunk_freep) struct chunk *c = zero_chunk(10, PAGE_BYTES);
	struct fd_sink *f = (struct fd_sink *)s;
	char got[3 * PAGE_BYTES];

	f->has_no_zeroing = true;
	write_all(s, &c, 1);
	read_all(s, got);
	assert_int_equal(got[9], 'x');
	assert_true(bytes_are_zero(got + 10, PAGE_BYTES));
	assert_int_equal(got[10 + PAGE_BYTES], 'x');
	assert_int_equal(f->zeroing.n_bytes, 0);
}

static void device_that_zeroes_slowly_is_given_zeros(void **state)
{
	enum { N_BYTES = 2 * RATE_SAMPLE_BYTES };
	const struct folder *folder = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(folder->file, SINK_WRITE, N_BYTES);
	CLEANUP(chunk_freep) struct chunk *c = zero_chunk(0, N_BYTES);
	struct fd_sink *f = (struct fd_sink *)s;
	struct err e = {0};

	/* Zeros written by us tell how fast writing is; one by one, none is done unseen. */
	ioq_free(f->queue);
	assert_int_equal(ioq_new(0, true, &f->queue, &e), 0);
	f->has_no_zeroing = true;
	write_all(s, &c, 1);
	assert_true(rate_is_known(ioq_write_rate(f->queue)));
	f->has_no_zeroing = false;
	f->zeroing = (struct rate){RATE_SAMPLE_BYTES, UINT64_MAX / 2};
	write_all(s, &c, 1);
	assert_true(blocks_bytes(folder->file) >= N_BYTES);
	f->zeroing = (struct rate){RATE_SAMPLE_BYTES, 1};
	write_all(s, &c, 1);
	assert_true(blocks_bytes(folder->file) < N_BYTES);
}

static void target_that_was_only_looked_at_is_not_written(void **state)
{
	const struct folder *folder = *state;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	struct err e = {0};

	fill_file(folder->file, 'x', PAGE_BYTES);
	CLEANUP(sink_freep) struct sink *s = open_file(folder->file, SINK_LOOK, 0);
	assert_int_equal(sink_write(s, c, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

/* ---- A descriptor that fails, and one that nothing comes of ---------------------------------- */

static const struct sink_ops fd_ops = {
	.name = "test",
	.write = fd_sink_write,
	.flush = fd_sink_flush,
	.read_ask = fd_sink_read_ask,
	.read_take = fd_sink_read_take,
	.free = fd_sink_free,
};

/* On a descriptor, which it owns. */
static struct sink *sink_on(int fd, const struct cancel *cancel)
{
	const struct sink_options options = {.stall_timeout_ms = 100, .cancel = cancel};
	struct fd_sink *f = NULL;
	struct err e = {0};

	assert_true(fd >= 0);
	assert_int_equal(fd_sink_new(&fd_ops, &options, &f, &e), 0);
	f->fd = fd;
	f->read_unit_bytes = 1;
	f->full_hint = "buy a larger one";
	f->base.size_bytes = 3 * PAGE_BYTES;
	assert_int_equal(fd_sink_start(f, &e), 0);
	return (struct sink *)f;
}

/* A pipe that takes no more; *out_from is its other end. */
static int full_pipe(int *out_from)
{
	static const char bytes[PAGE_BYTES];
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(ends[1], bytes, sizeof bytes) > 0)
		;
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	*out_from = ends[0];
	return ends[1];
}

static void write_that_fails_later_is_told_by_the_flush(void **state)
{
	CLEANUP(sink_freep) struct sink *s = sink_on(open("/dev/full", O_RDWR | O_CLOEXEC), NULL);
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(PAGE_BYTES, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_flush(s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text,
			    "writing at byte 4096: No space left on device; buy a larger one");
	assert_int_equal(sink_write(s, c, &e), -1);
	assert_non_null(strstr(e.text, "the target failed before: writing at byte 4096"));
}

static void read_that_finds_a_failed_write_is_a_failure_of_the_target(void **state)
{
	CLEANUP(sink_freep) struct sink *s = sink_on(open("/dev/full", O_RDWR | O_CLOEXEC), NULL);
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_read_ask(s, 0, 5, &e), -1);
	assert_int_equal(sink_flush(s, &e), -1);
	assert_non_null(strstr(e.text, "the target failed before: writing at byte 0"));
}

static void target_that_does_not_answer_is_given_up(void **state)
{
	int from = -1;
	struct sink *s = sink_on(full_pipe(&from), NULL);
	CLEANUP(closep) int end = from;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_flush(s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "writing at byte 0: nothing happened for 0.1 s; "));
	assert_int_equal(sink_write(s, c, &e), -1);
	assert_int_equal(sink_read_ask(s, 0, 5, &e), -1);
	sink_free(s); /* does not wait either */
	assert_true(end >= 0);
}

static void fail_to_ask(struct sink *s, size_t n)
{
	struct err e = {0};

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sink_read_ask(s, 0, 5, &e), -1);
		assert_int_equal(e.code, ERR_IO);
	}
}

static void reads_after_one_that_stalled_fail_and_take_no_buffers(void **state)
{
	int ends[2];
	uint8_t *got = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	CLEANUP(closep) int end = ends[1];
	CLEANUP(sink_freep) struct sink *s = sink_on(ends[0], NULL);
	assert_true(end >= 0);
	assert_int_equal(sink_read_ask(s, 0, 5, &e), 0);
	assert_int_equal(sink_read_take(s, &got, &e), -1);
	assert_non_null(strstr(e.text, "reading at byte 0: nothing happened for 0.1 s; "));
	fail_to_ask(s, 2 * (size_t)LINE_PIECES_MAX);
	assert_int_equal(pool_peak_bytes(sink_pool(s)), pool_buffer_bytes(sink_pool(s)));
}

static void being_stopped_is_no_failure_of_the_target(void **state)
{
	int stop[2];
	int from = -1;
	struct cancel cancel = {.fd = -1};
	struct sink *s = sink_on(full_pipe(&from), &cancel);
	CLEANUP(closep) int end = from;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	char bytes[PAGE_BYTES];
	struct err e = {0};

	(void)state;
	assert_int_equal(pipe(stop), 0);
	assert_int_equal(write(stop[1], "x", 1), 1);
	cancel.fd = stop[0];
	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_flush(s, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_int_equal(s->failure.code, ERR_NONE);
	while (read(end, bytes, sizeof bytes) > 0)
		;
	sink_free(s);
	closep(&stop[0]);
	closep(&stop[1]);
}

/* ---- Reads that are asked for ---------------------------------------------------------------- */

static void reads_are_taken_in_the_order_they_were_asked_for(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 3 * PAGE_BYTES);
	CLEANUP(chunk_freep) struct chunk *a = data_chunk(0, "first");
	CLEANUP(chunk_freep) struct chunk *b = data_chunk(2 * PAGE_BYTES, "second");
	struct chunk *const chunks[] = {a, b};
	uint8_t *got = NULL;
	struct err e = {0};

	write_all(s, chunks, 2);
	assert_int_equal(sink_read_ask(s, 2 * PAGE_BYTES, 6, &e), 0);
	assert_int_equal(sink_read_ask(s, 0, 5, &e), 0);
	assert_int_equal(sink_read_take(s, &got, &e), 0);
	assert_memory_equal(got, "second", 6);
	pool_give(sink_pool(s), got);
	assert_int_equal(sink_read_take(s, &got, &e), 0);
	assert_memory_equal(got, "first", 5);
	pool_give(sink_pool(s), got);
}

static void read_shows_what_was_written_and_not_flushed(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, PAGE_BYTES);
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	char got[5];
	struct err e = {0};

	assert_int_equal(sink_write(s, c, &e), 0);
	assert_int_equal(sink_read_back(s, 0, got, 5, &e), 0);
	assert_memory_equal(got, "hello", 5);
}

static void read_of_more_than_a_buffer_is_a_usage_error(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(GIB, &s, &e), 0);
	assert_int_equal(sink_read_ask(s, 0, pool_buffer_bytes(sink_pool(s)) + 1, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static size_t ask_while_there_is_room(struct sink *s)
{
	size_t n = 0;
	struct err e = {0};

	for (; sink_has_read_room(s); n++)
		assert_int_equal(sink_read_ask(s, 0, 1, &e), 0);
	return n;
}

static void reads_without_room_are_a_usage_error(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(GIB, &s, &e), 0);
	assert_int_equal(ask_while_there_is_room(s),
			 SINK_DEPTH_BYTES / pool_buffer_bytes(sink_pool(s)));
	assert_int_equal(sink_read_ask(s, 0, 1, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	sink_read_drop(s);
	assert_int_equal(sink_read_ask(s, 0, 1, &e), 0);
	sink_read_drop(s);
}

static void change_while_reads_are_under_way_is_a_usage_error(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(chunk_freep) struct chunk *c = data_chunk(0, "hello");
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(GIB, &s, &e), 0);
	assert_int_equal(sink_read_ask(s, 0, 1, &e), 0);
	assert_int_equal(sink_write(s, c, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(sink_read_back(s, 0, &(char){0}, 1, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	sink_read_drop(s);
	assert_int_equal(sink_write(s, c, &e), 0);
}

static void take_without_a_read_is_a_usage_error(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	uint8_t *got = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_null_new(GIB, &s, &e), 0);
	assert_int_equal(sink_read_take(s, &got, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void read_that_fails_is_done_with(void **state)
{
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 2 * PAGE_BYTES);
	uint8_t *got = NULL;
	struct err e = {0};

	assert_int_equal(truncate(f->file, PAGE_BYTES), 0);
	assert_int_equal(sink_read_ask(s, PAGE_BYTES, 5, &e), 0);
	assert_int_equal(sink_read_ask(s, 0, 5, &e), 0);
	assert_int_equal(sink_read_take(s, &got, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "reading at byte 4096: the medium ends there");
	assert_int_equal(sink_read_take(s, &got, &e), 0);
	assert_true(bytes_are_zero(got, 5));
	pool_give(sink_pool(s), got);
}

/* Every eight bytes of it are others. */
static uint8_t *write_large(const struct folder *f, size_t n_bytes)
{
	CLEANUP(fclosep) FILE *file = fopen(f->file, "w");
	uint8_t *bytes = malloc(n_bytes);

	assert_non_null(file);
	assert_non_null(bytes);
	for (size_t i = 0; i < n_bytes; i += sizeof i) {
		size_t value = (i + 1) * (size_t)0x9e3779b97f4a7c15;
		memcpy(bytes + i, &value, sizeof value);
	}
	assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
	return bytes;
}

static void read_back_of_many_buffers_is_whole(void **state)
{
	enum { N_BYTES = 11 << 20 };
	CLEANUP(freep) uint8_t *wanted = write_large(*state, N_BYTES);
	CLEANUP(freep) uint8_t *got = malloc(N_BYTES);
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 0);
	struct err e = {0};

	assert_int_equal(sink_read_back(s, 0, got, N_BYTES, &e), 0);
	assert_int_equal(memcmp(got, wanted, N_BYTES), 0);
}

static void read_back_that_starts_in_a_block_is_whole(void **state)
{
	enum { N_BYTES = 5 << 20, FROM = 8192 - 7 };
	CLEANUP(freep) uint8_t *wanted = write_large(*state, N_BYTES);
	CLEANUP(freep) uint8_t *got = malloc(N_BYTES);
	const struct folder *f = *state;
	CLEANUP(sink_freep) struct sink *s = open_file(f->file, SINK_WRITE, 0);
	struct err e = {0};

	assert_int_equal(sink_read_back(s, FROM, got, N_BYTES - FROM, &e), 0);
	assert_int_equal(memcmp(got, wanted + FROM, N_BYTES - FROM), 0);
}

static bool is_ring_there(void)
{
	CLEANUP(ioq_freep) struct ioq *q = NULL;
	struct err e = {0};

	return ioq_new(0, false, &q, &e) == 0 && !ioq_is_one_by_one(q);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)

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
		WITH_FOLDER(file_is_flushed_in_pieces),
		WITH_FOLDER(neighbouring_zero_chunks_become_one_range),
		WITH_FOLDER(zero_chunks_apart_leave_what_is_between),
		WITH_FOLDER(what_is_written_last_is_what_stays),
		WITH_FOLDER(device_that_cannot_zero_is_given_zeros),
		WITH_FOLDER(device_that_zeroes_slowly_is_given_zeros),
		WITH_FOLDER(target_that_was_only_looked_at_is_not_written),
		cmocka_unit_test(write_that_fails_later_is_told_by_the_flush),
		cmocka_unit_test(read_that_finds_a_failed_write_is_a_failure_of_the_target),
		WITH_FOLDER(reads_are_taken_in_the_order_they_were_asked_for),
		WITH_FOLDER(read_shows_what_was_written_and_not_flushed),
		cmocka_unit_test(read_of_more_than_a_buffer_is_a_usage_error),
		cmocka_unit_test(reads_without_room_are_a_usage_error),
		cmocka_unit_test(change_while_reads_are_under_way_is_a_usage_error),
		cmocka_unit_test(take_without_a_read_is_a_usage_error),
		WITH_FOLDER(read_that_fails_is_done_with),
		WITH_FOLDER(read_back_of_many_buffers_is_whole),
		WITH_FOLDER(read_back_that_starts_in_a_block_is_whole),
		/* Only where there is io_uring. */
		cmocka_unit_test(target_that_does_not_answer_is_given_up),
		cmocka_unit_test(reads_after_one_that_stalled_fail_and_take_no_buffers),
		cmocka_unit_test(being_stopped_is_no_failure_of_the_target),
	};
	size_t n_tests = sizeof tests / sizeof *tests;

	return _cmocka_run_group_tests(
		"sink", tests, is_ring_there() ? n_tests : n_tests - N_RING_TESTS, NULL, NULL);
}
