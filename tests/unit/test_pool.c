/* Buffers that are used again and again, by several threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/image/chunk.h"
#include "flash/image/pool.h"

enum { BUFFER_BYTES = 2 * CHUNK_ALIGN_BYTES, N_THREADS = 4, N_ROUNDS = 2000 };

static bool is_memory_short;

void *__real_calloc(size_t n, size_t n_bytes);
void *__wrap_calloc(size_t n, size_t n_bytes);

void *__wrap_calloc(size_t n, size_t n_bytes)
{
	return is_memory_short ? NULL : __real_calloc(n, n_bytes);
}

static struct pool *pool_of(size_t buffer_bytes)
{
	struct pool *p = NULL;
	struct err e = {0};

	assert_int_equal(pool_new(buffer_bytes, &p, &e), 0);
	return p;
}

static uint8_t *taken(struct pool *p)
{
	uint8_t *buffer = NULL;
	struct err e = {0};

	assert_int_equal(pool_take(p, &buffer, &e), 0);
	return buffer;
}

static void buffers_are_aligned_and_whole(void **state)
{
	CLEANUP(pool_freep) struct pool *p = pool_of(CHUNK_ALIGN_BYTES + 1);

	(void)state;
	uint8_t *buffer = taken(p);
	assert_int_equal((uintptr_t)buffer % CHUNK_ALIGN_BYTES, 0);
	assert_int_equal(pool_buffer_bytes(p), 2 * CHUNK_ALIGN_BYTES);
	memset(buffer, 0x5a, pool_buffer_bytes(p));
	pool_give(p, buffer);
}

static void buffer_given_back_is_used_again(void **state)
{
	CLEANUP(pool_freep) struct pool *p = pool_of(BUFFER_BYTES);

	(void)state;
	uint8_t *first = taken(p);
	pool_give(p, first);
	uint8_t *second = taken(p);
	assert_ptr_equal(first, second);
	pool_give(p, second);
}

static void peak_is_the_most_that_was_in_use(void **state)
{
	CLEANUP(pool_freep) struct pool *p = pool_of(BUFFER_BYTES);

	(void)state;
	assert_int_equal(pool_peak_bytes(p), 0);
	uint8_t *a = taken(p);
	uint8_t *b = taken(p);
	pool_give(p, a);
	pool_give(p, b);
	pool_give(p, taken(p));
	assert_int_equal(pool_peak_bytes(p), 2 * BUFFER_BYTES);
}

static void giving_nothing_back_does_nothing(void **state)
{
	CLEANUP(pool_freep) struct pool *p = pool_of(BUFFER_BYTES);

	(void)state;
	pool_give(p, NULL);
	pool_give(p, taken(p));
	assert_int_equal(pool_peak_bytes(p), BUFFER_BYTES);
}

static void buffer_that_memory_has_no_room_for_is_an_io_error(void **state)
{
	CLEANUP(pool_freep) struct pool *p = pool_of((size_t)1 << 62);
	uint8_t *buffer = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(pool_take(p, &buffer, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_null(buffer);
	assert_int_equal(pool_peak_bytes(p), 0);
}

static void pool_without_memory_is_an_io_error(void **state)
{
	struct pool *p = NULL;
	struct err e = {0};

	(void)state;
	is_memory_short = true;
	int status = pool_new(BUFFER_BYTES, &p, &e);
	is_memory_short = false;
	assert_int_equal(status, -1);
	assert_int_equal(e.code, ERR_IO);
	assert_null(p);
}

/* Take, mark, look, give, again and again. Returns the pool when no mark was ever lost. */
static void *use_often(void *context)
{
	struct pool *p = context;
	struct err e = {0};
	bool is_mine = true;

	for (int i = 0; i < N_ROUNDS && is_mine; i++) {
		uint8_t *buffer = NULL;
		if (pool_take(p, &buffer, &e) < 0)
			return NULL;
		memset(buffer, i, BUFFER_BYTES);
		is_mine = buffer[0] == (uint8_t)i && buffer[BUFFER_BYTES - 1] == (uint8_t)i;
		pool_give(p, buffer);
	}
	return is_mine ? p : NULL;
}

/* How many of N_THREADS saw only buffers that were theirs. */
static int used_by_many(struct pool *p)
{
	pthread_t threads[N_THREADS];
	int n_good = 0;

	for (int i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_often, p), 0);
	for (int i = 0; i < N_THREADS; i++) {
		void *result = NULL;
		assert_int_equal(pthread_join(threads[i], &result), 0);
		n_good += result == p;
	}
	return n_good;
}

static void threads_never_share_a_buffer(void **state)
{
	CLEANUP(pool_freep) struct pool *p = pool_of(BUFFER_BYTES);

	(void)state;
	assert_int_equal(used_by_many(p), N_THREADS);
	assert_in_range(pool_peak_bytes(p), BUFFER_BYTES, N_THREADS * BUFFER_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_are_aligned_and_whole),
		cmocka_unit_test(buffer_given_back_is_used_again),
		cmocka_unit_test(peak_is_the_most_that_was_in_use),
		cmocka_unit_test(giving_nothing_back_does_nothing),
		cmocka_unit_test(buffer_that_memory_has_no_room_for_is_an_io_error),
		cmocka_unit_test(pool_without_memory_is_an_io_error),
		cmocka_unit_test(threads_never_share_a_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
