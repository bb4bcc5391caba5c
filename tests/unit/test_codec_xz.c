/* xz streams of several blocks, decoded by one thread and by several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <limits.h>
#include <lzma.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"

enum { BLOCK_BYTES = 64 << 10, N_BLOCKS = 8, PLAIN_BYTES = N_BLOCKS * BLOCK_BYTES };

/* Bytes that xz cannot make smaller, the same in every run (xorshift). */
static void make_plain(uint8_t *plain)
{
	uint32_t x = 1;

	for (size_t i = 0; i < PLAIN_BYTES; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		plain[i] = (uint8_t)x;
	}
}

static void encode(lzma_stream *x, const uint8_t *plain, size_t n_bytes, lzma_action action,
		   struct buf *out)
{
	static uint8_t room[1 << 20];
	lzma_ret status = LZMA_OK;

	x->next_in = plain;
	x->avail_in = n_bytes;
	while (status == LZMA_OK) {
		x->next_out = room;
		x->avail_out = sizeof room;
		status = lzma_code(x, action);
		buf_append(out, room, sizeof room - x->avail_out);
	}
	assert_int_equal(status, LZMA_STREAM_END);
}

/* As xz -T0 does: the sizes of each block stand before it. */
static void make_sized_blocks(const uint8_t *plain, struct buf *out)
{
	lzma_stream x = LZMA_STREAM_INIT;
	const lzma_mt options = {
		.threads = 1, .block_size = BLOCK_BYTES, .preset = 0, .check = LZMA_CHECK_CRC64};

	assert_int_equal(lzma_stream_encoder_mt(&x, &options), LZMA_OK);
	encode(&x, plain, PLAIN_BYTES, LZMA_FINISH, out);
	lzma_end(&x);
}

/* As xz -T1 --block-size does. */
static void make_blocks_without_sizes(const uint8_t *plain, struct buf *out)
{
	lzma_stream x = LZMA_STREAM_INIT;

	assert_int_equal(lzma_easy_encoder(&x, 0, LZMA_CHECK_CRC64), LZMA_OK);
	for (size_t i = 0; i < N_BLOCKS; i++)
		encode(&x, plain + i * BLOCK_BYTES, BLOCK_BYTES, LZMA_FULL_FLUSH, out);
	encode(&x, NULL, 0, LZMA_FINISH, out);
	lzma_end(&x);
}

/* What a test stands on: plain bytes, and a stream of them in blocks. */
struct blocks {
	uint8_t plain[PLAIN_BYTES];
	struct buf stream;
};

static int setup(void **state)
{
	struct blocks *b = calloc(1, sizeof *b);

	assert_non_null(b);
	make_plain(b->plain);
	make_sized_blocks(b->plain, &b->stream);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct blocks *b = *state;

	buf_release(&b->stream);
	free(b);
	return 0;
}

static struct source *decoder(const struct buf *stream, size_t n_bytes, unsigned n_threads)
{
	struct source *in = NULL;
	struct source *s = NULL;
	struct err e;

	assert_int_equal(source_mem_new(stream->bytes, n_bytes, &in, &e), 0);
	assert_int_equal(codec_open_fitting(in, n_threads, &s, &e), 0);
	return s;
}

/* All that s gives up to its end or failure, by reads of step_bytes, is how plain begins. */
static int drain(struct source *s, const uint8_t *plain, size_t step_bytes, size_t *out_n_bytes,
		 struct err *e)
{
	CLEANUP(freep) uint8_t *piece = malloc(step_bytes);
	size_t n_done = 0;
	size_t n = 1;
	int status = 0;

	assert_non_null(piece);
	while (status == 0 && n > 0) {
		status = source_read(s, piece, step_bytes, &n, e);
		if (status < 0)
			n = 0;
		assert_true(n_done + n <= PLAIN_BYTES);
		assert_memory_equal(piece, plain + n_done, n);
		n_done += n;
	}
	*out_n_bytes = n_done;
	return status;
}

static void assert_decodes(const struct buf *stream, const uint8_t *plain, unsigned n_threads,
			   size_t step_bytes)
{
	CLEANUP(source_freep) struct source *s = decoder(stream, stream->n_bytes, n_threads);
	struct err e = {0};
	size_t n_bytes = 0;

	if (drain(s, plain, step_bytes, &n_bytes, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(n_bytes, PLAIN_BYTES);
}

/* The failure of a stream that is cut after n_bytes; all before the cut comes first. */
static void assert_cut_is_refused(const struct blocks *b, size_t n_bytes, unsigned n_threads)
{
	CLEANUP(source_freep) struct source *s = decoder(&b->stream, n_bytes, n_threads);
	struct err e = {0};
	size_t n_plain = 0;

	assert_int_equal(drain(s, b->plain, BLOCK_BYTES / 3, &n_plain, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "the input ends inside a xz stream"));
	/* Less than a block is lost in the decoder; a block takes little more than its bytes. */
	assert_true(n_plain + 3 * (size_t)BLOCK_BYTES / 2 >= n_bytes);
}

/* Has a thread of this process SIGTERM blocked? proc(5), "SigBlk": bit 0 is signal 1. */
static bool is_deaf(const char *thread)
{
	CLEANUP(fclosep) FILE *file = NULL;
	char path[300];
	char line[64];
	uint64_t blocked = 0;

	(void)snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file)) {
		if (strncmp(line, "SigBlk:\t", 8) == 0)
			blocked = strtoull(line + 8, NULL, 16);
	}
	return !file || (blocked >> (SIGTERM - 1) & 1);
}

/* Threads of this process, and those of them that would take a SIGTERM. A thread that has just
 * ended may still be among them. */
static void count_threads(size_t *out_n, size_t *out_n_hearing)
{
	DIR *folder = opendir("/proc/self/task");

	assert_non_null(folder);
	*out_n = *out_n_hearing = 0;
	for (struct dirent *d = readdir(folder); d; d = readdir(folder)) {
		*out_n += d->d_name[0] != '.';
		*out_n_hearing += d->d_name[0] != '.' && !is_deaf(d->d_name);
	}
	(void)closedir(folder);
}

static void blocks_decode_with_one_thread(void **state)
{
	const struct blocks *b = *state;

	assert_decodes(&b->stream, b->plain, 1, PLAIN_BYTES);
}

static void blocks_decode_with_two_threads(void **state)
{
	const struct blocks *b = *state;

	assert_decodes(&b->stream, b->plain, 2, PLAIN_BYTES);
}

static void blocks_decode_with_a_thread_for_each_processor(void **state)
{
	const struct blocks *b = *state;

	assert_decodes(&b->stream, b->plain, 0, PLAIN_BYTES);
}

static void blocks_decode_with_more_threads_than_make_sense(void **state)
{
	const struct blocks *b = *state;

	assert_decodes(&b->stream, b->plain, UINT_MAX, PLAIN_BYTES);
}

static void blocks_decode_into_small_pieces(void **state)
{
	const struct blocks *b = *state;

	assert_decodes(&b->stream, b->plain, 2, 1000);
}

static void blocks_without_sizes_decode(void **state)
{
	const struct blocks *b = *state;
	CLEANUP(buf_release) struct buf stream = {0};

	make_blocks_without_sizes(b->plain, &stream);
	assert_decodes(&stream, b->plain, 2, PLAIN_BYTES);
}

static void cut_in_the_first_block_is_refused(void **state)
{
	assert_cut_is_refused(*state, 1000, 2);
}

static void cut_in_a_later_block_is_refused(void **state)
{
	assert_cut_is_refused(*state, 5 * BLOCK_BYTES + 1000, 2);
}

static void cut_is_refused_by_one_thread_alike(void **state)
{
	assert_cut_is_refused(*state, 5 * BLOCK_BYTES + 1000, 1);
}

static void cut_in_the_index_is_refused(void **state)
{
	const struct blocks *b = *state;

	assert_cut_is_refused(b, b->stream.n_bytes - 20, 2);
}

static void cut_before_the_last_byte_is_refused(void **state)
{
	const struct blocks *b = *state;

	assert_cut_is_refused(b, b->stream.n_bytes - 1, 2);
}

static void damage_is_refused_behind_the_blocks_before_it(void **state)
{
	struct blocks *b = *state;
	CLEANUP(source_freep) struct source *s = decoder(&b->stream, b->stream.n_bytes, 2);
	CLEANUP(freep) uint8_t *bytes = malloc(PLAIN_BYTES);
	struct err e = {0};
	size_t n = 0;

	assert_non_null(bytes);
	b->stream.bytes[3 * BLOCK_BYTES + BLOCK_BYTES / 2] ^= 1;
	assert_int_equal(source_read_full(s, bytes, 3 * BLOCK_BYTES, &n, &e), 0);
	assert_int_equal(n, 3 * BLOCK_BYTES);
	assert_memory_equal(bytes, b->plain, n);
	assert_int_equal(source_read_full(s, bytes, BLOCK_BYTES + 1, &n, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "damaged"));
}

static void threads_take_no_signals(void **state)
{
	const struct blocks *b = *state;
	CLEANUP(source_freep) struct source *s = decoder(&b->stream, b->stream.n_bytes, 2);
	uint8_t bytes[16];
	struct err e;
	size_t n = 0;
	size_t n_threads = 0;
	size_t n_hearing = 0;

	assert_int_equal(source_read(s, bytes, sizeof bytes, &n, &e), 0);
	count_threads(&n_threads, &n_hearing);
	assert_true(n_threads > 1);
	assert_int_equal(n_hearing, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blocks_decode_with_one_thread),
		TEST(blocks_decode_with_two_threads),
		TEST(blocks_decode_with_a_thread_for_each_processor),
		TEST(blocks_decode_with_more_threads_than_make_sense),
		TEST(blocks_decode_into_small_pieces),
		TEST(blocks_without_sizes_decode),
		TEST(cut_in_the_first_block_is_refused),
		TEST(cut_in_a_later_block_is_refused),
		TEST(cut_is_refused_by_one_thread_alike),
		TEST(cut_in_the_index_is_refused),
		TEST(cut_before_the_last_byte_is_refused),
		TEST(damage_is_refused_behind_the_blocks_before_it),
		TEST(threads_take_no_signals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
