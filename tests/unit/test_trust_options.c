/* Whom the command line trusts by default. */
#include "provision/cli/trust_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"

static void touch(const char *folder, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
}

static void erase(const char *folder, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(remove(path), 0);
}

static void trust_folder_gives_its_pem_files_sorted(void **state)
{
	char folder[] = "/tmp/lkflash-test-XXXXXX";
	CLEANUP(trust_free_pathsp) char **paths = NULL;
	size_t n_paths = 0;
	struct err e = {0};
	char wanted[256];

	(void)state;
	assert_non_null(mkdtemp(folder));
	touch(folder, "b.pem");
	touch(folder, "a.pem");
	touch(folder, "a.pem.old");
	int result = trust_list_folder(folder, &paths, &n_paths, &e);
	erase(folder, "b.pem");
	erase(folder, "a.pem");
	erase(folder, "a.pem.old");
	assert_int_equal(remove(folder), 0);
	assert_int_equal(result, 0);
	assert_int_equal(n_paths, 2);
	(void)snprintf(wanted, sizeof wanted, "%s/a.pem", folder);
	assert_string_equal(paths[0], wanted);
	assert_null(paths[2]);
}

static void trust_folder_that_is_missing_gives_nothing(void **state)
{
	CLEANUP(trust_free_pathsp) char **paths = NULL;
	size_t n_paths = 1;
	struct err e = {0};

	(void)state;
	assert_int_equal(trust_list_folder("/nonexistent/trust.d", &paths, &n_paths, &e), 0);
	assert_int_equal(n_paths, 0);
}

static void trust_folder_that_cannot_be_listed_is_an_error(void **state)
{
	char **paths = NULL;
	size_t n_paths = 1;
	struct err e = {0};

	(void)state;
	assert_int_equal(trust_list_folder("/dev/null", &paths, &n_paths, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(n_paths, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trust_folder_gives_its_pem_files_sorted),
		cmocka_unit_test(trust_folder_that_is_missing_gives_nothing),
		cmocka_unit_test(trust_folder_that_cannot_be_listed_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
