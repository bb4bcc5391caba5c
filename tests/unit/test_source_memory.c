/* Sources and decoders when memory runs out: an error, and what they were given is freed. Linked
 * with --wrap, see the Makefile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/image/codec.h"

void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t n_bytes);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t n, size_t n_bytes);

/* The allocation that fails, counted from now; 0: none does. */
static int fail_at;

static bool fails(void)
{
	bool is_failing = fail_at > 0 && --fail_at == 0;

	if (is_failing)
		errno = ENOMEM;
	return is_failing;
}

void *__wrap_malloc(size_t n_bytes)
{
	return fails() ? NULL : __real_malloc(n_bytes);
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
	return fails() ? NULL : __real_calloc(n, n_bytes);
}

static bool is_freed;

static void watched_free(struct source *s)
{
	(void)s;
	is_freed = true;
}

static const struct source_ops watched_ops = {.name = "watched", .free = watched_free};

/* codec_open() whose given allocation fails. */
static void assert_decoder_fails(int allocation)
{
	struct source watched = {.ops = &watched_ops};
	const struct codec *c = codec_by_magic((const uint8_t *)"\x1f\x8b\x08", 3);
	struct source *s = NULL;
	struct err e = {0};

	is_freed = false;
	fail_at = allocation;
	assert_int_equal(codec_open(c, &watched, 1, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "decoding gzip: Cannot allocate memory");
	assert_true(is_freed);
	assert_null(s);
}

static void decoder_without_memory_for_itself_frees_its_input(void **state)
{
	(void)state;
	assert_decoder_fails(1);
}

static void decoder_without_memory_for_the_codec_frees_its_input(void **state)
{
	(void)state;
	assert_decoder_fails(2);
}

static void decoder_without_memory_for_its_buffer_frees_its_input(void **state)
{
	(void)state;
	assert_decoder_fails(3);
}

static void memory_source_without_memory_is_an_error(void **state)
{
	struct source *s = NULL;
	struct err e = {0};

	(void)state;
	fail_at = 1;
	assert_int_equal(source_mem_new("image", 5, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "opening 5 bytes of memory: Cannot allocate memory");
}

static void pipe_source_without_memory_closes_what_it_was_given(void **state)
{
	struct source *s = NULL;
	struct err e = {0};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	fail_at = 1;
	assert_int_equal(source_pipe_new(fd, NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void file_source_without_memory_is_an_error_with_its_name(void **state)
{
	struct source *s = NULL;
	struct err e = {0};

	(void)state;
	fail_at = 1;
	assert_int_equal(source_file_open("/proc/self/exe", NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "opening /proc/self/exe: Cannot allocate memory");
}

static void http_source_without_memory_is_an_error_with_its_name(void **state)
{
	struct source *s = NULL;
	struct err e = {0};

	(void)state;
	fail_at = 1;
	assert_int_equal(source_http_open("http://[::1]/", NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "opening http://[::1]/: out of memory");
}

static void http_source_without_memory_for_its_buffer_is_an_error(void **state)
{
	struct source *s = NULL;
	struct err e = {0};

	(void)state;
	fail_at = 2;
	assert_int_equal(source_http_open("http://[::1]/", NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "opening http://[::1]/: out of memory");
}

static void clone_of_a_file_without_memory_is_an_error_with_its_name(void **state)
{
	CLEANUP(source_freep) struct source *s = NULL;
	struct source *clone = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(source_file_open("/proc/self/exe", NULL, &s, &e), 0);
	fail_at = 1;
	assert_int_equal(source_clone(s, &clone, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "opening /proc/self/exe: Cannot allocate memory");
	assert_null(clone);
}

static void clone_of_memory_without_memory_is_an_error(void **state)
{
	CLEANUP(source_freep) struct source *s = NULL;
	struct source *clone = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(source_mem_new("image", 5, &s, &e), 0);
	fail_at = 1;
	assert_int_equal(source_clone(s, &clone, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "opening 5 bytes of memory: Cannot allocate memory");
	assert_null(clone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoder_without_memory_for_itself_frees_its_input),
		cmocka_unit_test(decoder_without_memory_for_the_codec_frees_its_input),
		cmocka_unit_test(decoder_without_memory_for_its_buffer_frees_its_input),
		cmocka_unit_test(memory_source_without_memory_is_an_error),
		cmocka_unit_test(pipe_source_without_memory_closes_what_it_was_given),
		cmocka_unit_test(file_source_without_memory_is_an_error_with_its_name),
		cmocka_unit_test(http_source_without_memory_is_an_error_with_its_name),
		cmocka_unit_test(http_source_without_memory_for_its_buffer_is_an_error),
		cmocka_unit_test(clone_of_a_file_without_memory_is_an_error_with_its_name),
		cmocka_unit_test(clone_of_memory_without_memory_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
