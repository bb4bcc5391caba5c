/* Sources of which there are two, and sources that are to end early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"
#include "flash/image/source.h"

/* "an image" by gzip -n. */
static const uint8_t gzipped[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
				  0x4b, 0xcc, 0x53, 0xc8, 0xcc, 0x4d, 0x4c, 0x4f, 0x05, 0x00,
				  0x80, 0xbe, 0x59, 0xa6, 0x08, 0x00, 0x00, 0x00};

static struct source *mem(const char *text)
{
	struct source *s = NULL;
	struct err e;

	assert_int_equal(source_mem_new(text, strlen(text), &s, &e), 0);
	return s;
}

static struct source *decoder_over(struct source *in)
{
	struct source *s = NULL;
	struct err e;

	assert_int_equal(codec_open_fitting(in, 1, &s, &e), 0);
	return s;
}

static struct source *gzip_in_memory(void)
{
	struct source *s = NULL;
	struct err e;

	assert_int_equal(source_mem_new(gzipped, sizeof gzipped, &s, &e), 0);
	return decoder_over(s);
}

static struct source *pipe_with(const void *bytes, size_t n_bytes)
{
	struct source *s = NULL;
	struct err e;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], bytes, n_bytes), n_bytes);
	(void)close(ends[1]);
	assert_int_equal(source_pipe_new(ends[0], NULL, &s, &e), 0);
	return s;
}

/* An open file with this text, whose name is gone. */
static struct source *file(const char *text)
{
	char path[] = "/tmp/lkflash-test.XXXXXX";
	CLEANUP(closep) int fd = mkstemp(path);
	struct source *s = NULL;
	struct err e;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(source_open(path, NULL, &s, &e), 0);
	(void)unlink(path);
	return s;
}

static struct source *clone_of(const struct source *s)
{
	struct source *clone = NULL;
	struct err e = {0};

	assert_true(source_can_clone(s));
	if (source_clone(s, &clone, &e) < 0)
		fail_msg("%s", e.text);
	return clone;
}

/* The next n_bytes at most, as text. */
static const char *next(struct source *s, size_t n_bytes, char text[64])
{
	struct err e = {0};
	size_t n = 0;

	assert_true(n_bytes < 64);
	if (source_read_full(s, text, n_bytes, &n, &e) < 0)
		return strcpy(text, e.text);
	text[n] = '\0';
	return text;
}

static void clone_of_memory_begins_at_the_beginning(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("an image");
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	assert_string_equal(next(s, 3, text), "an ");
	clone = clone_of(s);
	assert_string_equal(next(clone, 63, text), "an image");
}

static void memory_goes_on_where_it_was_after_its_clone_was_read(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("an image");
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	assert_string_equal(next(s, 3, text), "an ");
	clone = clone_of(s);
	assert_string_equal(next(clone, 63, text), "an image");
	assert_string_equal(next(s, 63, text), "image");
}

static void clone_outlives_memory(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("an image");
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	clone = clone_of(s);
	source_free(TAKE(s));
	assert_string_equal(next(clone, 63, text), "an image");
}

static void clone_of_file_begins_at_the_beginning(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	assert_string_equal(next(s, 3, text), "an ");
	clone = clone_of(s);
	assert_string_equal(next(clone, 63, text), "an image");
}

static void file_goes_on_where_it_was_after_its_clone_was_read(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	assert_string_equal(next(s, 3, text), "an ");
	clone = clone_of(s);
	assert_string_equal(next(clone, 63, text), "an image");
	assert_string_equal(next(s, 63, text), "image");
}

static void clone_outlives_file(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	clone = clone_of(s);
	source_free(TAKE(s));
	assert_string_equal(next(clone, 63, text), "an image");
}

static void clone_of_decoder_begins_at_the_beginning(void **state)
{
	CLEANUP(source_freep) struct source *s = gzip_in_memory();
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	assert_string_equal(next(s, 3, text), "an ");
	clone = clone_of(s);
	assert_string_equal(next(clone, 63, text), "an image");
}

static void decoder_goes_on_where_it_was_after_its_clone_was_read(void **state)
{
	CLEANUP(source_freep) struct source *s = gzip_in_memory();
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	assert_string_equal(next(s, 3, text), "an ");
	clone = clone_of(s);
	assert_string_equal(next(clone, 63, text), "an image");
	assert_string_equal(next(s, 63, text), "image");
}

static void clone_outlives_decoder(void **state)
{
	CLEANUP(source_freep) struct source *s = gzip_in_memory();
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];

	(void)state;
	clone = clone_of(s);
	source_free(TAKE(s));
	assert_string_equal(next(clone, 63, text), "an image");
}

static void clone_knows_the_size(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	CLEANUP(source_freep) struct source *clone = clone_of(s);

	(void)state;
	assert_int_equal(clone->size_bytes, 8);
	assert_true(source_can_seek(clone));
}

static void clone_of_what_is_to_end_early_does_not(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 1, 2, &e), 0);
	clone = clone_of(s);
	assert_string_equal(next(clone, 63, text), "an image");
}

static void clone_may_be_cloned(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	CLEANUP(source_freep) struct source *clone = clone_of(s);
	CLEANUP(source_freep) struct source *again = clone_of(clone);
	char text[64];

	(void)state;
	assert_string_equal(next(again, 63, text), "an image");
}

static void clone_does_not_see_what_was_appended(void **state)
{
	char path[] = "/tmp/lkflash-test.XXXXXX";
	CLEANUP(closep) int fd = mkstemp(path);
	CLEANUP(source_freep) struct source *s = NULL;
	CLEANUP(source_freep) struct source *clone = NULL;
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(write(fd, "image", 5), 5);
	assert_int_equal(source_open(path, NULL, &s, &e), 0);
	(void)unlink(path);
	assert_int_equal(write(fd, " and more", 9), 9);
	clone = clone_of(s);
	assert_string_equal(next(clone, 63, text), "image");
}

static void pipe_refuses_to_be_cloned(void **state)
{
	CLEANUP(source_freep) struct source *s = pipe_with("image", 5);
	CLEANUP(source_freep) struct source *clone = NULL;
	struct err e = {0};

	(void)state;
	assert_false(source_can_clone(s));
	assert_int_equal(source_clone(s, &clone, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "the bytes of a pipe source come only once; use a file");
	assert_null(clone);
}

static void decoder_over_a_pipe_refuses_to_be_cloned(void **state)
{
	CLEANUP(source_freep) struct source *s = decoder_over(pipe_with(gzipped, sizeof gzipped));
	CLEANUP(source_freep) struct source *clone = NULL;
	struct err e = {0};

	(void)state;
	assert_false(source_can_clone(s));
	assert_int_equal(source_clone(s, &clone, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "the bytes of a compressed source come only once; use a file");
	assert_null(clone);
}

static void memory_ends_where_it_is_told_to(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("an image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 1, 5, &e), 0);
	assert_string_equal(next(s, 63, text), "n im");
	assert_string_equal(next(s, 63, text), "");
}

static void memory_has_its_own_end_again_after_another_seek(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("an image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 1, 5, &e), 0);
	assert_int_equal(source_seek(s, 3, SIZE_UNKNOWN, &e), 0);
	assert_string_equal(next(s, 63, text), "image");
}

static void memory_ends_at_its_own_end_if_that_comes_first(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("an image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 3, 1000, &e), 0);
	assert_string_equal(next(s, 63, text), "image");
}

static void memory_is_empty_when_it_ends_before_it_begins(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("an image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 5, 1, &e), 0);
	assert_string_equal(next(s, 63, text), "");
}

static void file_ends_where_it_is_told_to(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 1, 5, &e), 0);
	assert_string_equal(next(s, 63, text), "n im");
	assert_string_equal(next(s, 63, text), "");
}

static void file_has_its_own_end_again_after_another_seek(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 1, 5, &e), 0);
	assert_int_equal(source_seek(s, 3, SIZE_UNKNOWN, &e), 0);
	assert_string_equal(next(s, 63, text), "image");
}

static void file_ends_at_its_own_end_if_that_comes_first(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 3, 1000, &e), 0);
	assert_string_equal(next(s, 63, text), "image");
}

static void file_is_empty_when_it_ends_before_it_begins(void **state)
{
	CLEANUP(source_freep) struct source *s = file("an image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, 5, 1, &e), 0);
	assert_string_equal(next(s, 63, text), "");
}

static void peeking_sees_nothing_behind_the_end_either(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("an image");
	const uint8_t *peeked = NULL;
	struct err e;
	size_t n = 0;

	(void)state;
	assert_int_equal(source_seek(s, 1, 5, &e), 0);
	assert_int_equal(source_peek(s, SOURCE_PEEK_BYTES, &peeked, &n, &e), 0);
	assert_int_equal(n, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clone_of_memory_begins_at_the_beginning),
		cmocka_unit_test(memory_goes_on_where_it_was_after_its_clone_was_read),
		cmocka_unit_test(clone_outlives_memory),
		cmocka_unit_test(clone_of_file_begins_at_the_beginning),
		cmocka_unit_test(file_goes_on_where_it_was_after_its_clone_was_read),
		cmocka_unit_test(clone_outlives_file),
		cmocka_unit_test(clone_of_decoder_begins_at_the_beginning),
		cmocka_unit_test(decoder_goes_on_where_it_was_after_its_clone_was_read),
		cmocka_unit_test(clone_outlives_decoder),
		cmocka_unit_test(clone_knows_the_size),
		cmocka_unit_test(clone_of_what_is_to_end_early_does_not),
		cmocka_unit_test(clone_may_be_cloned),
		cmocka_unit_test(clone_does_not_see_what_was_appended),
		cmocka_unit_test(pipe_refuses_to_be_cloned),
		cmocka_unit_test(decoder_over_a_pipe_refuses_to_be_cloned),
		cmocka_unit_test(memory_ends_where_it_is_told_to),
		cmocka_unit_test(memory_has_its_own_end_again_after_another_seek),
		cmocka_unit_test(memory_ends_at_its_own_end_if_that_comes_first),
		cmocka_unit_test(memory_is_empty_when_it_ends_before_it_begins),
		cmocka_unit_test(file_ends_where_it_is_told_to),
		cmocka_unit_test(file_has_its_own_end_again_after_another_seek),
		cmocka_unit_test(file_ends_at_its_own_end_if_that_comes_first),
		cmocka_unit_test(file_is_empty_when_it_ends_before_it_begins),
		cmocka_unit_test(peeking_sees_nothing_behind_the_end_either),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
