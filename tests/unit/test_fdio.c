/* Whole small files: limits, atomic replacement. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

struct place {
	char folder[64];
	char path[96];
};

static struct place place_new(void)
{
	struct place p = {.folder = "/tmp/test-fdio.XXXXXX"};

	assert_non_null(mkdtemp(p.folder));
	(void)snprintf(p.path, sizeof p.path, "%s/file", p.folder);
	return p;
}

static void place_release(struct place *p)
{
	(void)unlink(p->path);
	assert_int_equal(rmdir(p->folder), 0); /* fails when a temporary file was left */
}

static void saved_file_has_bytes_and_mode(void **state)
{
	struct place p = place_new();
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct stat st;
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_save(p.path, "abc", 3, 0600, &e), 0);
	assert_int_equal(fdio_load(p.path, 3, &bytes, &n_bytes, &e), 0);
	assert_int_equal(n_bytes, 3);
	assert_string_equal((char *)bytes, "abc");
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	place_release(&p);
}

static void file_above_the_limit_is_refused(void **state)
{
	struct place p = place_new();
	uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_save(p.path, "abcd", 4, 0600, &e), 0);
	assert_int_equal(fdio_load(p.path, 3, &bytes, &n_bytes, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(bytes);
	place_release(&p);
}

static void missing_file_is_named(void **state)
{
	uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_load("/nonexistent/x", 3, &bytes, &n_bytes, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "/nonexistent/x"));
}

static void file_that_reports_no_size_is_read_to_its_end(void **state)
{
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_load("/proc/self/status", 65536, &bytes, &n_bytes, &e), 0);
	assert_true(n_bytes > 100);
}

static void replacement_that_is_not_committed_leaves_the_old_file(void **state)
{
	struct place p = place_new();
	struct fdio_temp *t = NULL;
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_save(p.path, "old", 3, 0600, &e), 0);
	assert_int_equal(fdio_temp_new(p.path, 0600, &t, &e), 0);
	assert_int_equal(fdio_write(t->fd, "new", 3, &e), 0);
	fdio_temp_free(t);
	assert_int_equal(fdio_load(p.path, 3, &bytes, &n_bytes, &e), 0);
	assert_string_equal((char *)bytes, "old");
	place_release(&p);
}

static void save_into_a_missing_folder_fails(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_save("/nonexistent/x", "a", 1, 0600, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void folders_are_made_with_those_above(void **state)
{
	struct place p = place_new();
	char deep[128];
	struct err e = {0};

	(void)state;
	(void)snprintf(deep, sizeof deep, "%s/inner", p.path);
	assert_int_equal(fdio_mkdir(deep, 0700, &e), 0);
	assert_int_equal(fdio_mkdir(deep, 0700, &e), 0);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(p.path), 0);
	place_release(&p);
}

static void file_where_a_folder_should_be_is_told(void **state)
{
	struct place p = place_new();
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_save(p.path, "a", 1, 0600, &e), 0);
	assert_int_equal(fdio_mkdir(p.path, 0700, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	place_release(&p);
}

static void read_past_the_end_tells_how_much_came(void **state)
{
	struct place p = place_new();
	char bytes[8] = "";
	size_t n_bytes = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_save(p.path, "abc", 3, 0600, &e), 0);
	CLEANUP(closep) int fd = open(p.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fdio_pread(fd, bytes, sizeof bytes, 1, &n_bytes, &e), 0);
	assert_int_equal(n_bytes, 2);
	place_release(&p);
}

static void write_to_a_read_only_descriptor_fails(void **state)
{
	CLEANUP(closep) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err e = {0};

	(void)state;
	assert_int_equal(fdio_pwrite(fd, "a", 1, 0, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved_file_has_bytes_and_mode),
		cmocka_unit_test(file_above_the_limit_is_refused),
		cmocka_unit_test(missing_file_is_named),
		cmocka_unit_test(file_that_reports_no_size_is_read_to_its_end),
		cmocka_unit_test(replacement_that_is_not_committed_leaves_the_old_file),
		cmocka_unit_test(save_into_a_missing_folder_fails),
		cmocka_unit_test(folders_are_made_with_those_above),
		cmocka_unit_test(file_where_a_folder_should_be_is_told),
		cmocka_unit_test(read_past_the_end_tells_how_much_came),
		cmocka_unit_test(write_to_a_read_only_descriptor_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
