/* Fetching and verifying by hand: what is wanted, what is sought, several passes, several threads.
 * Linked with --wrap=source_seek, which notes what is sought. */
#include <fcntl.h>
#include <pthread.h>
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
#include "tests/unit/walk.h"

enum { N_THREADS = 4 };

/* What this thread sought since the last look, as "start-end start-end ". */
static _Thread_local char sought[256];

int __real_source_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e);
int __wrap_source_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e);

int __wrap_source_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e)
{
	size_t n = strlen(sought);

	(void)snprintf(sought + n, sizeof sought - n, "%llu-%lld ",
		       (unsigned long long)offset_bytes, (long long)end_bytes);
	return __real_source_seek(s, offset_bytes, end_bytes, e);
}

static int setup(void **state)
{
	sought[0] = '\0';
	return fixture_setup(state);
}

/* The image at path through a pipe; its name in where. *fd stays open until it was walk_open. */
static void fill_pipe(const uint8_t *bytes, size_t n_bytes, int *fd, char where[32])
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) >= (int)n_bytes);
	assert_int_equal(write(ends[1], bytes, n_bytes), n_bytes);
	(void)close(ends[1]);
	*fd = ends[0];
	(void)snprintf(where, 32, "/dev/fd/%d", ends[0]);
}

/* ---- What is given -----------------------------------------------------------------------------
 */

static void chunks_of_a_plain_image_come_in_order(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);

	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
	assert_null(walk_fetch(k));
}

static void chunks_of_a_packed_image_come_in_order(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);

	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
}

static void only_wanted_chunks_of_a_plain_image_come(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 1, 0, 1};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);

	assert_string_equal(walk_all(im, k, f->image), "1z 3d ");
}

static void only_wanted_chunks_of_a_packed_image_come(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {1, 0, 1, 0};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);

	assert_string_equal(walk_all(im, k, f->image), "0d 2d ");
}

static void only_wanted_chunks_of_a_stream_come(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 1, 0, 1};
	const struct fixture *f = *state;

	walk_compress_image(f);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, f->image), "1z 3d ");
	assert_string_equal(sought, "");
}

static void what_is_not_wanted_of_a_stream_is_not_verified(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 1, 1, 1};
	const struct fixture *f = *state;

	f->image[9] ^= 1;
	walk_compress_image(f);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, f->image), "1z 2d 3d ");
}

static void nothing_wanted_is_nothing_given(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);

	assert_null(walk_fetch(k));
	assert_int_equal(pool_peak_bytes(image_pool(im)), 0);
}

static void cursor_can_begin_in_the_middle(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 2, NULL);

	assert_string_equal(walk_all(im, k, f->image), "2d 3d ");
}

static void cursor_can_begin_in_the_middle_of_a_stream(void **state)
{
	const struct fixture *f = *state;

	walk_compress_image(f);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 2, NULL);
	assert_string_equal(walk_all(im, k, f->image), "2d 3d ");
}

static void signed_image_comes_through_a_pipe(void **state)
{
	const struct fixture *f = *state;
	char where[32];
	CLEANUP(closep) int fd = -1;

	fill_pipe(f->packed, f->packed_bytes, &fd, where);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, where);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
}

/* ---- What is sought ----------------------------------------------------------------------------
 */

static void whole_image_is_read_without_seeking(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	memset(bytes, 'x', UNSIGNED_BYTES);
	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, k, bytes), "0d 1d 2d ");
	assert_string_equal(sought, "");
}

static void short_way_is_left_out_inside_one_range(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	char expected[64];

	/* Over the frame of zeros; the range goes on to the end, which is -1. */
	(void)snprintf(expected, sizeof expected, "%llu--1 ",
		       (unsigned long long)(f->payload_offset_bytes + f->stored_offsets_bytes[2]));
	(void)walk_all(im, k, f->image);
	assert_string_equal(sought, expected);
}

static void run_of_wanted_chunks_is_sought_once_with_its_end(void **state)
{
	enum { N_CHUNKS = 12 };
	static const uint8_t is_wanted[N_CHUNKS] = {0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0};
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = malloc(N_CHUNKS * (size_t)UNSIGNED_CHUNK_BYTES);

	assert_non_null(bytes);
	memset(bytes, 'x', N_CHUNKS * (size_t)UNSIGNED_CHUNK_BYTES);
	fixture_put(f->image_path, bytes, N_CHUNKS * (size_t)UNSIGNED_CHUNK_BYTES);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, bytes), "1d 2d 8d ");
	assert_string_equal(sought, "1048576-3145728 8388608-9437184 ");
}

static void look_at_head(struct image *im)
{
	const uint8_t *head = NULL;
	size_t head_bytes = 0;
	struct err e = {0};

	assert_int_equal(image_head(im, FIXTURE_CHUNK_BYTES + 1, &head, &head_bytes, &e), 0);
	assert_int_equal(head_bytes, FIXTURE_CHUNK_BYTES + 1);
}

static void run_of_wanted_chunks_has_its_end_after_a_look_at_the_head(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {1, 0, 1, 0};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);

	look_at_head(im);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, f->image), "0d 2d ");
	assert_string_equal(sought, "131072-196608 ");
}

static void last_run_is_read_to_the_end(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 0, 1, 1};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);

	(void)walk_all(im, k, f->image);
	assert_string_equal(sought, "131072--1 ");
}

/* ---- More than one pass ------------------------------------------------------------------------
 */

static void cursors_go_their_own_ways(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);

	assert_true(image_can_be_read_again(im));
	unverified_free(walk_fetch(first));
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, second, f->image), "0d 1z 2d 3d ");
	assert_string_equal(walk_all(im, first, f->image), "1z 2d 3d ");
}

static void stream_is_decoded_again(void **state)
{
	const struct fixture *f = *state;

	walk_compress_image(f);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, second, f->image), "0d 1z 2d 3d ");
	assert_string_equal(walk_all(im, first, f->image), "0d 1z 2d 3d ");
}

static void pipe_has_no_second_cursor(void **state)
{
	const struct fixture *f = *state;
	struct cursor *second = NULL;
	struct err e = {0};
	char where[32];
	CLEANUP(closep) int fd = -1;

	fill_pipe(f->packed, f->packed_bytes, &fd, where);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, where);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	assert_non_null(first);
	assert_false(image_can_be_read_again(im));
	assert_int_equal(cursor_new(im, 0, NULL, &second, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(second);
}

static void image_next_beside_a_cursor_reads_once_more(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	const struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(chunk_offset_bytes(c), 0);
	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
}

static void first_cursor_gives_what_was_looked_at_before(void **state)
{
	const struct fixture *f = *state;
	char where[32];
	CLEANUP(closep) int fd = -1;

	fill_pipe(f->packed, f->packed_bytes, &fd, where);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, where);
	look_at_head(im);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
}

static void what_was_looked_at_is_not_given_where_it_is_not_wanted(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 1, 0, 1};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);

	look_at_head(im);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, f->image), "1z 3d ");
}

static void what_nobody_verifies_is_freed(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);

	unverified_free(walk_fetch(k));
	unverified_free(walk_fetch(k));
	unverified_free(walk_fetch(k));
	assert_int_equal(pool_peak_bytes(image_pool(im)), FIXTURE_CHUNK_BYTES);
}

/* ---- Several threads ---------------------------------------------------------------------------
 */

struct worker {
	struct image *image; /* borrowed */
	const uint8_t *bytes;
	bool is_good;
};

/* A pass of its own, two chunks at a time; each is right. */
static void *read_all(void *context)
{
	struct worker *w = context;
	struct cursor *k = NULL;
	struct err e = {0};
	struct err failures[VERIFY_MAX] = {0};
	size_t n = VERIFY_MAX;

	w->is_good = cursor_new(w->image, 0, NULL, &k, &e) == 0;
	while (w->is_good && n == VERIFY_MAX) {
		struct unverified *u[VERIFY_MAX] = {NULL};
		struct chunk *c[VERIFY_MAX] = {NULL};
		for (n = 0; n < VERIFY_MAX && cursor_fetch(k, &u[n], &e) == 0 && u[n]; n++)
			;
		image_verify(w->image, u, n, c, failures);
		for (size_t i = 0; i < n; i++) {
			w->is_good = w->is_good && c[i] &&
				     (!chunk_bytes(c[i]) ||
				      memcmp(chunk_bytes(c[i]), w->bytes + chunk_offset_bytes(c[i]),
					     chunk_size_bytes(c[i])) == 0);
			chunk_free(c[i]);
		}
	}
	w->is_good = w->is_good && e.code == ERR_NONE;
	cursor_free(k);
	return NULL;
}

/* How many of N_THREADS passes at once saw the true image. */
static int read_by_many(struct image *im, const uint8_t *bytes)
{
	pthread_t threads[N_THREADS];
	struct worker workers[N_THREADS];
	int n_good = 0;

	for (int i = 0; i < N_THREADS; i++) {
		workers[i] = (struct worker){.image = im, .bytes = bytes};
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &workers[i]), 0);
	}
	for (int i = 0; i < N_THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		n_good += workers[i].is_good;
	}
	return n_good;
}

static void plain_image_is_read_by_many_threads(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);

	assert_int_equal(read_by_many(im, f->image), N_THREADS);
}

static void packed_image_is_read_by_many_threads(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);

	assert_int_equal(read_by_many(im, f->image), N_THREADS);
}

static void unsigned_stream_is_read_by_many_threads(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();
	CLEANUP(buf_release) struct buf stream = {0};

	walk_append_zstd(&stream, bytes, UNSIGNED_BYTES);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	assert_int_equal(read_by_many(im, bytes), N_THREADS);
}

static void few_buffers_are_enough(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);

	/* One chunk at a time: as it is stored, and plain. */
	(void)walk_all(im, k, f->image);
	assert_int_equal(pool_peak_bytes(image_pool(im)), 2 * FIXTURE_CHUNK_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chunks_of_a_plain_image_come_in_order),
		TEST(chunks_of_a_packed_image_come_in_order),
		TEST(only_wanted_chunks_of_a_plain_image_come),
		TEST(only_wanted_chunks_of_a_packed_image_come),
		TEST(only_wanted_chunks_of_a_stream_come),
		TEST(what_is_not_wanted_of_a_stream_is_not_verified),
		TEST(nothing_wanted_is_nothing_given),
		TEST(cursor_can_begin_in_the_middle),
		TEST(cursor_can_begin_in_the_middle_of_a_stream),
		TEST(signed_image_comes_through_a_pipe),
		TEST(whole_image_is_read_without_seeking),
		TEST(short_way_is_left_out_inside_one_range),
		TEST(run_of_wanted_chunks_is_sought_once_with_its_end),
		TEST(run_of_wanted_chunks_has_its_end_after_a_look_at_the_head),
		TEST(last_run_is_read_to_the_end),
		TEST(cursors_go_their_own_ways),
		TEST(stream_is_decoded_again),
		TEST(pipe_has_no_second_cursor),
		TEST(image_next_beside_a_cursor_reads_once_more),
		TEST(first_cursor_gives_what_was_looked_at_before),
		TEST(what_was_looked_at_is_not_given_where_it_is_not_wanted),
		TEST(what_nobody_verifies_is_freed),
		TEST(plain_image_is_read_by_many_threads),
		TEST(packed_image_is_read_by_many_threads),
		TEST(unsigned_stream_is_read_by_many_threads),
		TEST(few_buffers_are_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
