/* Sources: memory, files, pipes, and what all of them share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/source.h"

static struct source *mem(const char *text)
{
	struct source *s = NULL;
	struct err e;

	assert_int_equal(source_mem_new(text, strlen(text), &s, &e), 0);
	return s;
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

/* A folder of this test's own, and a path in it. */
struct place {
	char folder[32];
	char path[64];
};

static void place_remove(struct place *p)
{
	(void)unlink(p->path);
	(void)rmdir(p->folder);
}

static void place_make(struct place *p)
{
	strcpy(p->folder, "/tmp/lkflash-test.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	(void)snprintf(p->path, sizeof p->path, "%s/image", p->folder);
}

static void put_file(const char *path, const char *text)
{
	CLEANUP(fclosep) FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
}

/* The lowest free descriptor: the one that the next open gives. */
static int next_fd(void)
{
	int fd = dup(STDIN_FILENO);

	assert_int_equal(close(fd), 0);
	return fd;
}

static void memory_is_read_from_start_to_end(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");
	char text[64];

	(void)state;
	assert_string_equal(next(s, 63, text), "image");
	assert_string_equal(next(s, 63, text), "");
}

static void memory_knows_its_size(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");

	(void)state;
	assert_int_equal(s->size_bytes, 5);
}

static void memory_of_no_bytes_is_at_its_end(void **state)
{
	CLEANUP(source_freep) struct source *s = NULL;
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_mem_new(NULL, 0, &s, &e), 0);
	assert_string_equal(next(s, 63, text), "");
}

static void reading_no_bytes_takes_none(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");
	char text[64];
	struct err e;
	size_t n = 7;

	(void)state;
	assert_int_equal(source_read(s, text, 0, &n, &e), 0);
	assert_int_equal(n, 0);
	assert_string_equal(next(s, 63, text), "image");
}

static void peeked_bytes_are_read_again(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");
	const uint8_t *peeked = NULL;
	char text[64];
	struct err e;
	size_t n = 0;

	(void)state;
	assert_int_equal(source_peek(s, 3, &peeked, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(peeked, "ima", 3);
	assert_string_equal(next(s, 63, text), "image");
}

static void peeking_after_a_part_of_the_peeked_was_read_goes_on_from_there(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");
	const uint8_t *peeked = NULL;
	char text[64];
	struct err e;
	size_t n = 0;

	(void)state;
	assert_int_equal(source_peek(s, 3, &peeked, &n, &e), 0);
	assert_string_equal(next(s, 2, text), "im");
	assert_int_equal(source_peek(s, 3, &peeked, &n, &e), 0);
	assert_memory_equal(peeked, "age", 3);
	assert_string_equal(next(s, 63, text), "age");
}

static void peeking_less_than_was_peeked_gives_no_more_than_asked(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");
	const uint8_t *peeked = NULL;
	struct err e;
	size_t n = 0;

	(void)state;
	assert_int_equal(source_peek(s, 4, &peeked, &n, &e), 0);
	assert_int_equal(source_peek(s, 2, &peeked, &n, &e), 0);
	assert_int_equal(n, 2);
}

static void peeking_past_the_end_gives_what_is_there(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");
	const uint8_t *peeked = NULL;
	struct err e;
	size_t n = 0;

	(void)state;
	assert_int_equal(source_peek(s, SOURCE_PEEK_BYTES, &peeked, &n, &e), 0);
	assert_int_equal(n, 5);
	assert_memory_equal(peeked, "image", 5);
}

static void seeking_forgets_what_was_peeked(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");
	const uint8_t *peeked = NULL;
	char text[64];
	struct err e;
	size_t n = 0;

	(void)state;
	assert_int_equal(source_peek(s, 4, &peeked, &n, &e), 0);
	assert_int_equal(source_seek(s, 1, SIZE_UNKNOWN, &e), 0);
	assert_string_equal(next(s, 63, text), "mage");
}

static void past_the_end_of_memory_is_nothing(void **state)
{
	CLEANUP(source_freep) struct source *s = mem("image");
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_seek(s, UINT64_MAX, SIZE_UNKNOWN, &e), 0);
	assert_string_equal(next(s, 63, text), "");
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	source_free(NULL);
}

static void file_is_read_from_any_place(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(source_freep) struct source *s = NULL;
	char text[64];
	struct err e;

	(void)state;
	place_make(&p);
	put_file(p.path, "an image");
	assert_int_equal(source_open(p.path, NULL, &s, &e), 0);
	assert_int_equal(s->size_bytes, 8);
	assert_true(source_can_seek(s));
	assert_string_equal(next(s, 2, text), "an");
	assert_int_equal(source_seek(s, 3, SIZE_UNKNOWN, &e), 0);
	assert_string_equal(next(s, 63, text), "image");
}

static void past_the_end_of_a_file_is_nothing(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(source_freep) struct source *s = NULL;
	char text[64];
	struct err e;

	(void)state;
	place_make(&p);
	put_file(p.path, "image");
	assert_int_equal(source_file_open(p.path, NULL, &s, &e), 0);
	assert_int_equal(source_seek(s, UINT64_MAX - 1, SIZE_UNKNOWN, &e), 0);
	assert_string_equal(next(s, 63, text), "");
}

static void what_is_appended_to_an_open_file_is_not_read(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(source_freep) struct source *s = NULL;
	char text[64];
	struct err e;

	(void)state;
	place_make(&p);
	put_file(p.path, "image");
	assert_int_equal(source_file_open(p.path, NULL, &s, &e), 0);
	put_file(p.path, "image and more");
	assert_string_equal(next(s, 63, text), "image");
}

static void file_is_not_inherited_by_programs_that_we_start(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(source_freep) struct source *s = NULL;
	struct err e;

	(void)state;
	place_make(&p);
	put_file(p.path, "image");
	int fd = next_fd();
	assert_int_equal(source_file_open(p.path, NULL, &s, &e), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void file_that_is_missing_is_an_io_error_with_its_name(void **state)
{
	struct source *s = NULL;
	struct err e;

	(void)state;
	assert_int_equal(source_open("/nowhere/image.raw", NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "opening /nowhere/image.raw: No such file or directory");
	assert_null(s);
}

static void file_that_cannot_be_read_is_an_io_error_with_its_name(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(source_freep) struct source *s = NULL;
	struct err e = {0};
	char byte = 0;
	size_t n = 0;

	(void)state;
	place_make(&p);
	put_file(p.path, "image");
	int fd = next_fd();
	assert_int_equal(source_file_open(p.path, NULL, &s, &e), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(source_read(s, &byte, 1, &n, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "/image: reading at byte 0: Bad file descriptor"));
}

static void folder_is_refused_with_the_way_out(void **state)
{
	struct source *s = NULL;
	struct err e;

	(void)state;
	assert_int_equal(source_open("/tmp", NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "/tmp is a folder; name a file in it");
}

static void character_device_is_read_as_a_pipe(void **state)
{
	CLEANUP(source_freep) struct source *s = NULL;
	char text[64];
	struct err e;

	(void)state;
	assert_int_equal(source_open("/dev/null", NULL, &s, &e), 0);
	assert_string_equal(s->ops->name, "pipe");
	assert_string_equal(next(s, 63, text), "");
}

static void fifo_is_opened_before_it_has_a_writer_and_read_to_its_end(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(source_freep) struct source *s = NULL;
	char text[64];
	struct err e;

	(void)state;
	place_make(&p);
	assert_int_equal(mkfifo(p.path, 0600), 0);
	assert_int_equal(source_open(p.path, NULL, &s, &e), 0);
	put_file(p.path, "image");
	assert_string_equal(next(s, 63, text), "image");
}

/* A pipe with text in it, its writing end closed. */
static struct source *piped(const char *text)
{
	struct source *s = NULL;
	struct err e;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
	assert_int_equal(close(fds[1]), 0);
	assert_int_equal(source_pipe_new(fds[0], NULL, &s, &e), 0);
	return s;
}

static void pipe_is_read_to_its_end(void **state)
{
	CLEANUP(source_freep) struct source *s = piped("image");
	char text[64];

	(void)state;
	assert_string_equal(next(s, 2, text), "im");
	assert_string_equal(next(s, 63, text), "age");
	assert_string_equal(next(s, 63, text), "");
}

static void pipe_has_an_unknown_size(void **state)
{
	CLEANUP(source_freep) struct source *s = piped("image");

	(void)state;
	assert_true(s->size_bytes == SIZE_UNKNOWN);
}

static void pipe_refuses_to_seek(void **state)
{
	CLEANUP(source_freep) struct source *s = piped("image");
	struct err e = {0};

	(void)state;
	assert_false(source_can_seek(s));
	assert_int_equal(source_seek(s, 0, SIZE_UNKNOWN, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "a pipe source can only be read from start to end; use a file");
}

static void pipe_that_ended_stays_ended_when_another_writer_comes(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(source_freep) struct source *s = NULL;
	char text[64];
	struct err e;

	(void)state;
	place_make(&p);
	assert_int_equal(mkfifo(p.path, 0600), 0);
	assert_int_equal(source_open(p.path, NULL, &s, &e), 0);
	put_file(p.path, "image");
	assert_string_equal(next(s, 63, text), "image");
	put_file(p.path, "other");
	assert_string_equal(next(s, 63, text), "");
}

static void waiting_for_a_pipe_ends_when_asked_to_stop(void **state)
{
	CLEANUP(source_freep) struct source *s = NULL;
	CLEANUP(closep) int silent = -1;
	CLEANUP(closep) int asked = open("/dev/null", O_RDONLY);
	struct cancel cancel = {.fd = asked};
	struct err e = {0};
	char byte = 0;
	size_t n = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	silent = fds[1];
	assert_int_equal(source_pipe_new(fds[0], &cancel, &s, &e), 0);
	assert_int_equal(source_read(s, &byte, 1, &n, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
}

static void pipe_that_cannot_be_read_is_an_io_error(void **state)
{
	CLEANUP(source_freep) struct source *s = NULL;
	struct err e = {0};
	char byte = 0;
	size_t n = 0;

	(void)state;
	assert_int_equal(source_pipe_new(open("/tmp", O_RDONLY | O_CLOEXEC), NULL, &s, &e), 0);
	assert_int_equal(source_read(s, &byte, 1, &n, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "reading the pipe: Is a directory");
}

static void dash_is_standard_input(void **state)
{
	CLEANUP(closep) int was = dup(STDIN_FILENO);
	CLEANUP(source_freep) struct source *s = NULL;
	char text[64];
	struct err e;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "image", 5), 5);
	assert_int_equal(close(fds[1]), 0);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(fds[0]), 0);
	int status = source_open("-", NULL, &s, &e);
	assert_int_equal(dup2(was, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(status, 0);
	assert_string_equal(next(s, 63, text), "image");
}

static void url_of_another_scheme_is_refused_with_the_way_out(void **state)
{
	struct source *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(source_open("ftp://example.org/image", NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text,
			    "ftp:// is no way to an image; use http://, https:// or a file");
}

static void path_with_a_scheme_in_it_is_a_path(void **state)
{
	struct source *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(source_open("./ftp://nowhere", NULL, &s, &e), -1);
	assert_string_equal(e.text, "opening ./ftp://nowhere: No such file or directory");
}

static void url_that_is_none_is_refused(void **state)
{
	struct source *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(source_open("http://", NULL, &s, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "http:// is no http:// or https:// URL");
}

static void file_is_loaded_whole(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	(void)state;
	place_make(&p);
	put_file(p.path, "12345");
	assert_int_equal(source_load(p.path, NULL, 5, &bytes, &n_bytes, &e), 0);
	assert_int_equal(n_bytes, 5);
	assert_memory_equal(bytes, "12345", 5);
}

static void file_of_one_byte_too_many_is_not_loaded(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	(void)state;
	place_make(&p);
	put_file(p.path, "123456");
	assert_int_equal(source_load(p.path, NULL, 5, &bytes, &n_bytes, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(bytes);
}

static void missing_file_is_not_loaded(void **state)
{
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(source_load("/nowhere/SHA256SUMS", NULL, 5, &bytes, &n_bytes, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_read_from_start_to_end),
		cmocka_unit_test(memory_knows_its_size),
		cmocka_unit_test(memory_of_no_bytes_is_at_its_end),
		cmocka_unit_test(reading_no_bytes_takes_none),
		cmocka_unit_test(peeked_bytes_are_read_again),
		cmocka_unit_test(peeking_after_a_part_of_the_peeked_was_read_goes_on_from_there),
		cmocka_unit_test(peeking_less_than_was_peeked_gives_no_more_than_asked),
		cmocka_unit_test(peeking_past_the_end_gives_what_is_there),
		cmocka_unit_test(seeking_forgets_what_was_peeked),
		cmocka_unit_test(past_the_end_of_memory_is_nothing),
		cmocka_unit_test(freeing_nothing_is_fine),
		cmocka_unit_test(file_is_read_from_any_place),
		cmocka_unit_test(past_the_end_of_a_file_is_nothing),
		cmocka_unit_test(what_is_appended_to_an_open_file_is_not_read),
		cmocka_unit_test(file_is_not_inherited_by_programs_that_we_start),
		cmocka_unit_test(file_that_is_missing_is_an_io_error_with_its_name),
		cmocka_unit_test(file_that_cannot_be_read_is_an_io_error_with_its_name),
		cmocka_unit_test(folder_is_refused_with_the_way_out),
		cmocka_unit_test(character_device_is_read_as_a_pipe),
		cmocka_unit_test(fifo_is_opened_before_it_has_a_writer_and_read_to_its_end),
		cmocka_unit_test(pipe_is_read_to_its_end),
		cmocka_unit_test(pipe_has_an_unknown_size),
		cmocka_unit_test(pipe_refuses_to_seek),
		cmocka_unit_test(pipe_that_ended_stays_ended_when_another_writer_comes),
		cmocka_unit_test(waiting_for_a_pipe_ends_when_asked_to_stop),
		cmocka_unit_test(pipe_that_cannot_be_read_is_an_io_error),
		cmocka_unit_test(dash_is_standard_input),
		cmocka_unit_test(url_of_another_scheme_is_refused_with_the_way_out),
		cmocka_unit_test(path_with_a_scheme_in_it_is_a_path),
		cmocka_unit_test(url_that_is_none_is_refused),
		cmocka_unit_test(file_is_loaded_whole),
		cmocka_unit_test(file_of_one_byte_too_many_is_not_loaded),
		cmocka_unit_test(missing_file_is_not_loaded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
