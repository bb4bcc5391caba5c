/* What goes on in a sink on a descriptor while its caller does something else: writes, zeros, reads
 * that are asked for; a descriptor that fails, and one that nothing comes of. */
#include "flash/sink/fd_sink.h"

#include <errno.h>
#include <fcntl.h>

#include "flash/base/bytes.h"
#include "flash/base/units.h"
#include "tests/unit/sink_fixture.h"

enum { N_RING_TESTS = 3 };

/* ---- Writes and zeros ------------------------------------------------------------------------ */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		"fd_sink", tests, is_ring_there() ? n_tests : n_tests - N_RING_TESTS, NULL, NULL);
}
