/* The same thing under two names. */
#include "provision/overlap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/sys_tree.h"
#include "tests/unit/fixture.h"

/* ---- Fixtures ------------------------------------------------------------------------------- */

/* A folder with the files "one" and "two", and a symbolic link "soft" to one. */
static int setup_folder(void **state)
{
	char *folder = strdup("/tmp/lkflash-overlap.XXXXXX");
	char path[96];

	assert_non_null(folder);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/one", folder);
	fixture_put(path, "1", 1);
	(void)snprintf(path, sizeof path, "%s/two", folder);
	fixture_put(path, "2", 1);
	(void)snprintf(path, sizeof path, "%s/soft", folder);
	assert_int_equal(symlink("one", path), 0);
	*state = folder;
	return 0;
}

static struct facts *facts_of(const char *folder, const char *name)
{
	struct facts *f = NULL;
	struct err e = {0};
	char path[96];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(facts_gather(path, "", &f, &e), 0);
	return f;
}

static int check(const char *folder, const char *first, const char *second, struct err *e)
{
	struct facts *a = facts_of(folder, first);
	struct facts *b = facts_of(folder, second);
	int result = overlap_check_targets(a, b, e);

	facts_free(a);
	facts_free(b);
	return result;
}

/* As if name were a loop device on the file of the folder called backing. */
static struct facts *loop_of(const char *folder, const char *name, const char *backing)
{
	struct facts *f = facts_of(folder, name);

	f->is_loop = true;
	free(f->model);
	assert_true(asprintf(&f->model, "%s/%s", folder, backing) > 0);
	return f;
}

static void assert_same(const char *folder, const char *first, const char *second, const char *text)
{
	struct err e = {0};

	assert_int_equal(check(folder, first, second, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	if (!strstr(e.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, e.text);
}

/* ---- Targets -------------------------------------------------------------------------------- */

static void two_files_are_two_targets(void **state)
{
	struct err e = {0};

	assert_int_equal(check(*state, "one", "two", &e), 0);
}

static void two_files_that_are_missing_are_two_targets(void **state)
{
	struct err e = {0};

	assert_int_equal(check(*state, "new", "newer", &e), 0);
}

static void target_named_twice_is_a_usage_error(void **state)
{
	assert_same(*state, "one", "one", "named twice");
}

static void file_and_a_link_to_it_are_one(void **state)
{
	assert_same(*state, "one", "soft", "are the same file");
}

static void missing_file_by_another_path_is_one(void **state)
{
	assert_same(*state, "new", "./new", "are the same file");
}

static void loop_device_and_its_file_are_one(void **state)
{
	struct facts *loop = loop_of(*state, "two", "soft");
	struct facts *file = facts_of(*state, "one");
	struct err e = {0};

	assert_int_equal(overlap_check_targets(loop, file, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "a loop device and its file"));
	facts_free(loop);
	facts_free(file);
}

static void file_and_the_loop_device_on_it_are_one(void **state)
{
	struct facts *loop = loop_of(*state, "two", "one");
	struct facts *file = facts_of(*state, "one");
	struct err e = {0};

	assert_int_equal(overlap_check_targets(file, loop, &e), -1);
	facts_free(loop);
	facts_free(file);
}

static void target_without_facts_is_like_no_other(void **state)
{
	struct facts *file = facts_of(*state, "one");
	struct err e = {0};

	assert_int_equal(overlap_check_targets(file, NULL, &e), 0);
	assert_int_equal(overlap_check_targets(NULL, file, &e), 0);
	facts_free(file);
}

/* ---- Inputs --------------------------------------------------------------------------------- */

static void image_as_its_own_target_is_refused(void **state)
{
	struct facts *file = facts_of(*state, "soft");
	char where[96];
	struct err e = {0};

	(void)snprintf(where, sizeof where, "%s/one", (char *)*state);
	const struct image_request r = {.where = where};
	assert_int_equal(overlap_check(file, &r, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	facts_free(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_files_are_two_targets),
		TEST(two_files_that_are_missing_are_two_targets),
		TEST(target_named_twice_is_a_usage_error),
		TEST(file_and_a_link_to_it_are_one),
		TEST(missing_file_by_another_path_is_one),
		TEST(loop_device_and_its_file_are_one),
		TEST(file_and_the_loop_device_on_it_are_one),
		TEST(target_without_facts_is_like_no_other),
		TEST(image_as_its_own_target_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
