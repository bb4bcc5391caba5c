/* Floors in the state folder: they only rise, and are never guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/trust/floor.h"

/* The state folder, which does not exist yet, inside a folder of the test's own. */
static int set_up(void **state)
{
	char own[] = "/tmp/lkflash-test-floor.XXXXXX";
	char *folder = NULL;

	assert_non_null(mkdtemp(own));
	assert_true(asprintf(&folder, "%s/state", own) > 0);
	*state = folder;
	return 0;
}

static void forget(const char *folder, const char *name)
{
	CLEANUP(freep) char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	(void)remove(path);
}

static int tear_down(void **state)
{
	char *folder = *state;

	forget(folder, "rollback/gw-os");
	forget(folder, "rollback");
	forget(folder, "clock");
	forget(folder, "lock");
	(void)rmdir(folder);
	*strrchr(folder, '/') = '\0';
	(void)rmdir(folder);
	free(folder);
	return 0;
}

static void put(const char *folder, const char *name, const void *bytes, size_t n_bytes)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *rollback = NULL;
	struct err e;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	assert_true(asprintf(&rollback, "%s/rollback", folder) > 0);
	assert_int_equal(fdio_mkdir(rollback, 0700, &e), 0);
	assert_int_equal(fdio_save(path, bytes, n_bytes, 0600, &e), 0);
}

static uint64_t version_of(const char *folder, const char *group)
{
	uint64_t version = 0;
	struct err e;

	assert_int_equal(floor_security_version(folder, group, &version, &e), 0);
	return version;
}

static void group_without_a_floor_has_0(void **state)
{
	assert_int_equal(version_of(*state, "gw-os"), 0);
}

static void raised_floor_is_kept(void **state)
{
	struct err e;

	assert_int_equal(floor_raise_security_version(*state, "gw-os", 7, &e), 0);
	assert_int_equal(version_of(*state, "gw-os"), 7);
}

static void largest_floor_is_kept(void **state)
{
	struct err e;

	assert_int_equal(floor_raise_security_version(*state, "gw-os", UINT64_MAX, &e), 0);
	assert_true(version_of(*state, "gw-os") == UINT64_MAX);
}

static void floor_is_never_lowered(void **state)
{
	struct err e;

	assert_int_equal(floor_raise_security_version(*state, "gw-os", 7, &e), 0);
	assert_int_equal(floor_raise_security_version(*state, "gw-os", 6, &e), 0);
	assert_int_equal(version_of(*state, "gw-os"), 7);
}

static void groups_have_floors_of_their_own(void **state)
{
	struct err e;

	assert_int_equal(floor_raise_security_version(*state, "gw-os", 7, &e), 0);
	assert_int_equal(version_of(*state, "gw-app"), 0);
}

static void race(const char *folder, uint64_t first, uint64_t last)
{
	struct err e;

	for (uint64_t version = first; version <= last; version++)
		if (fork() == 0)
			_exit(floor_raise_security_version(folder, "gw-os", version, &e) != 0);
	for (uint64_t version = first; version <= last; version++) {
		int status = -1;
		(void)wait(&status);
		assert_int_equal(status, 0);
	}
}

static void processes_that_race_end_at_the_highest_floor(void **state)
{
	race(*state, 1, 16);
	assert_int_equal(version_of(*state, "gw-os"), 16);
}

static void state_folder_is_private(void **state)
{
	struct stat st = {0};
	struct err e;

	assert_int_equal(floor_raise_clock(*state, 1, &e), 0);
	assert_int_equal(stat(*state, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void floor_is_kept_as_plain_text(void **state)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e;

	assert_int_equal(floor_raise_security_version(*state, "gw-os", 42, &e), 0);
	assert_true(asprintf(&path, "%s/rollback/gw-os", (char *)*state) > 0);
	assert_int_equal(fdio_load(path, 100, &bytes, &n_bytes, &e), 0);
	assert_string_equal((char *)bytes, "42\n");
}

static void assert_version_refused(const char *folder, const char *content, size_t n_bytes)
{
	uint64_t version = 99;
	struct err e;

	put(folder, "rollback/gw-os", content, n_bytes);
	assert_int_equal(floor_security_version(folder, "gw-os", &version, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(version, 99);
}

static void empty_file_is_refused(void **state)
{
	assert_version_refused(*state, "", 0);
}

static void text_that_is_no_number_is_refused(void **state)
{
	assert_version_refused(*state, "7x\n", 3);
}

static void nul_behind_the_number_is_refused(void **state)
{
	assert_version_refused(*state, "7\0\n", 3);
}

static void number_past_64_bits_is_refused(void **state)
{
	assert_version_refused(*state, "18446744073709551616\n", 21);
}

static void file_too_long_for_a_number_is_refused(void **state)
{
	assert_version_refused(*state, "0000000000000000000000000000000000000000", 40);
}

static void floor_that_is_no_number_is_not_replaced(void **state)
{
	struct err e;

	put(*state, "rollback/gw-os", "junk", 4);
	assert_int_equal(floor_raise_security_version(*state, "gw-os", 7, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void group_that_is_a_path_is_refused(void **state)
{
	uint64_t version = 0;
	struct err e;

	assert_int_equal(floor_security_version(*state, "../clock", &version, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void raising_a_group_that_is_a_path_is_refused(void **state)
{
	struct err e;

	assert_int_equal(floor_raise_security_version(*state, "../clock", 1, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void folder_that_cannot_be_made_is_an_error(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(floor_raise_clock("/dev/null/state", 1, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void lock_that_cannot_be_taken_is_an_error(void **state)
{
	CLEANUP(freep) char *lock = NULL;
	struct err e;

	assert_true(asprintf(&lock, "%s/lock", (char *)*state) > 0);
	assert_int_equal(fdio_mkdir(lock, 0700, &e), 0);
	assert_int_equal(floor_raise_clock(*state, 1, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void file_that_cannot_be_read_is_an_error(void **state)
{
	uint64_t time_s = 0;
	struct err e;

	(void)state;
	assert_int_equal(floor_clock("/dev/null", &time_s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void clock_without_a_floor_has_0(void **state)
{
	uint64_t time_s = 1;
	struct err e;

	assert_int_equal(floor_clock(*state, &time_s, &e), 0);
	assert_int_equal(time_s, 0);
}

static void clock_is_never_put_back(void **state)
{
	uint64_t time_s = 0;
	struct err e;

	assert_int_equal(floor_raise_clock(*state, 1795400000, &e), 0);
	assert_int_equal(floor_raise_clock(*state, 1, &e), 0);
	assert_int_equal(floor_clock(*state, &time_s, &e), 0);
	assert_int_equal(time_s, 1795400000);
}

static void clock_that_is_no_number_is_refused(void **state)
{
	uint64_t time_s = 0;
	struct err e;

	put(*state, "clock", "-1\n", 3);
	assert_int_equal(floor_clock(*state, &time_s, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(group_without_a_floor_has_0),
		WITH_FOLDER(raised_floor_is_kept),
		WITH_FOLDER(largest_floor_is_kept),
		WITH_FOLDER(floor_is_never_lowered),
		WITH_FOLDER(groups_have_floors_of_their_own),
		WITH_FOLDER(processes_that_race_end_at_the_highest_floor),
		WITH_FOLDER(state_folder_is_private),
		WITH_FOLDER(floor_is_kept_as_plain_text),
		WITH_FOLDER(empty_file_is_refused),
		WITH_FOLDER(text_that_is_no_number_is_refused),
		WITH_FOLDER(nul_behind_the_number_is_refused),
		WITH_FOLDER(number_past_64_bits_is_refused),
		WITH_FOLDER(file_too_long_for_a_number_is_refused),
		WITH_FOLDER(floor_that_is_no_number_is_not_replaced),
		WITH_FOLDER(group_that_is_a_path_is_refused),
		WITH_FOLDER(raising_a_group_that_is_a_path_is_refused),
		WITH_FOLDER(folder_that_cannot_be_made_is_an_error),
		WITH_FOLDER(lock_that_cannot_be_taken_is_an_error),
		WITH_FOLDER(file_that_cannot_be_read_is_an_error),
		WITH_FOLDER(clock_without_a_floor_has_0),
		WITH_FOLDER(clock_is_never_put_back),
		WITH_FOLDER(clock_that_is_no_number_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
