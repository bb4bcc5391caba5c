/* Files that are held in memory until an image is made. */
#include "provision/build/maps.h"

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
#include "flash/base/units.h"

struct fixture {
	char folder[32];
	char path[64]; /* of a file of this folder that is not there yet */
	struct payload_maps *maps;
	struct span content;
	struct err e;
};

static void set_up(struct fixture *f)
{
	*f = (struct fixture){.folder = "/tmp/lkflash-maps.XXXXXX"};
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof f->path, "%s/file", f->folder);
	assert_int_equal(maps_new(&f->maps, &f->e), 0);
}

static void tear_down(struct fixture *f)
{
	(void)unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);
	maps_free(f->maps);
}

static void save(struct fixture *f, const char *text)
{
	assert_int_equal(fdio_save(f->path, text, strlen(text), 0600, &f->e), 0);
}

static void assert_fails(struct fixture *f, enum err_code code, const char *words)
{
	assert_int_equal(maps_file(f->maps, f->path, &f->content, &f->e), -1);
	assert_int_equal(f->e.code, code);
	assert_non_null(strstr(f->e.text, words));
	assert_null(f->content.bytes);
}

static void what_happens_to_a_file_later_does_not_matter(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	save(&f, "kernel");
	assert_int_equal(maps_file(f.maps, f.path, &f.content, &f.e), 0);
	assert_int_equal(truncate(f.path, 0), 0);
	assert_int_equal(f.content.n_bytes, 6);
	assert_memory_equal(f.content.bytes, "kernel", 6);
}

static void bytes_that_are_given_away_stay(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	uint8_t *bytes = NULL;

	(void)state;
	set_up(&f);
	bytes = malloc(1);
	assert_non_null(bytes);
	*bytes = 7;
	assert_int_equal(maps_take(f.maps, bytes, &f.e), 0);
	assert_int_equal(*bytes, 7);
}

static void empty_file_is_refused(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	save(&f, "");
	assert_fails(&f, ERR_USAGE, "file is empty");
}

static void pipe_is_refused_and_not_waited_for(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(mkfifo(f.path, 0600), 0);
	assert_fails(&f, ERR_USAGE, "file is no regular file");
}

static void file_that_no_boot_partition_takes_is_refused(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	save(&f, "x");
	assert_int_equal(truncate(f.path, 4 * (off_t)GIB), 0);
	assert_fails(&f, ERR_USAGE, "file has 4294967296 bytes");
}

static void missing_file_is_an_io_error(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	assert_fails(&f, ERR_IO, "No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_happens_to_a_file_later_does_not_matter),
		cmocka_unit_test(bytes_that_are_given_away_stay),
		cmocka_unit_test(empty_file_is_refused),
		cmocka_unit_test(pipe_is_refused_and_not_waited_for),
		cmocka_unit_test(file_that_no_boot_partition_takes_is_refused),
		cmocka_unit_test(missing_file_is_an_io_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
