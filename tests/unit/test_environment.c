/* Folders that the environment names. */
#include "provision/cli/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"

static void assert_cache_dir(struct environment env, const char *wanted)
{
	CLEANUP(freep) char *path = NULL;
	struct err e = {0};

	assert_int_equal(environment_cache_dir(&env, &path, &e), 0);
	assert_string_equal(path, wanted);
}

static void cache_dir_of_the_environment_wins(void **state)
{
	struct environment env = {.cache_dir = "/env", .home = "/h", .is_root = true};

	(void)state;
	assert_cache_dir(env, "/env");
}

static void cache_dir_of_root_is_the_systems(void **state)
{
	struct environment env = {.xdg_cache_home = "/x", .home = "/root", .is_root = true};

	(void)state;
	assert_cache_dir(env, "/var/cache/lkflash");
}

static void cache_dir_of_a_user_follows_xdg(void **state)
{
	struct environment with = {.xdg_cache_home = "/x", .xdg_state_home = "/s", .home = "/h"};
	struct environment without = {.xdg_state_home = "/s", .home = "/h"};

	(void)state;
	assert_cache_dir(with, "/x/lkflash");
	assert_cache_dir(without, "/h/.cache/lkflash");
}

static void cache_dir_that_nothing_tells_is_refused(void **state)
{
	struct environment env = {0};
	struct err e = {0};
	char *path = NULL;

	(void)state;
	assert_int_equal(environment_cache_dir(&env, &path, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "LKFLASH_CACHE_DIR"));
	assert_null(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_dir_of_the_environment_wins),
		cmocka_unit_test(cache_dir_of_root_is_the_systems),
		cmocka_unit_test(cache_dir_of_a_user_follows_xdg),
		cmocka_unit_test(cache_dir_that_nothing_tells_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
