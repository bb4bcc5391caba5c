/* Folders that go away with all that is in them. */
#include "flash/base/scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

static int set_up(void **state)
{
	char *parent = strdup("/tmp/lkflash-test-scratch.XXXXXX");

	*state = parent;
	return parent && mkdtemp(parent) ? 0 : -1;
}

/* Fails when the test left anything in it. */
static int tear_down(void **state)
{
	int result = rmdir(*state);

	free(*state);
	return result;
}

static char *scratch_in(const char *parent)
{
	char *path = NULL;
	struct err e = {0};

	assert_int_equal(scratch_new(parent, &path, &e), 0);
	return path;
}

static void put(const char *folder, const char *name)
{
	CLEANUP(freep) char *path = NULL;
	struct err e = {0};

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	assert_int_equal(fdio_save(path, "x", 1, 0400, &e), 0);
}

static void folder_is_for_its_owner_alone(void **state)
{
	CLEANUP(scratch_freep) char *path = scratch_in(*state);
	struct stat st = {0};

	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void everything_in_it_goes_away(void **state)
{
	char *path = scratch_in(*state);
	CLEANUP(freep) char *deep = NULL;
	struct err e = {0};

	assert_true(asprintf(&deep, "%s/a/b/c", path) > 0);
	assert_int_equal(fdio_mkdir(deep, 0700, &e), 0);
	put(deep, "file");
	put(path, "file");
	scratch_free(path);
	assert_int_equal(access(deep, F_OK), -1);
}

static void what_links_point_to_stays(void **state)
{
	char *path = scratch_in(*state);
	char *other = scratch_in(*state);
	CLEANUP(freep) char *link = NULL;
	CLEANUP(freep) char *kept = NULL;

	put(other, "file");
	assert_true(asprintf(&kept, "%s/file", other) > 0);
	assert_true(asprintf(&link, "%s/link", path) > 0);
	assert_int_equal(symlink(other, link), 0);
	scratch_free(path);
	assert_int_equal(access(kept, F_OK), 0);
	scratch_free(other);
}

static void errno_of_the_failure_is_kept(void **state)
{
	char *path = scratch_in(*state);

	assert_int_equal(rmdir(path), 0);
	errno = EXDEV;
	scratch_free(path);
	assert_int_equal(errno, EXDEV);
}

static void parent_that_is_not_there_fails(void **state)
{
	char *path = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(scratch_new("/nonexistent", &path, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "/nonexistent"));
	assert_null(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folder_is_for_its_owner_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything_in_it_goes_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_links_point_to_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errno_of_the_failure_is_kept, set_up, tear_down),
		cmocka_unit_test(parent_that_is_not_there_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
