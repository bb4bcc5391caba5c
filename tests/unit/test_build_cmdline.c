/* Command lines of slots. */
#include "provision/build/cmdline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"

static void assert_line(const struct cmdline_request *r, const char *wanted)
{
	CLEANUP(freep) char *line = NULL;
	struct err e = {0};

	assert_int_equal(cmdline_make(r, &line, &e), 0);
	assert_string_equal(line, wanted);
}

static void assert_refused(const struct cmdline_request *r, const char *text)
{
	char *line = NULL;
	struct err e = {0};

	assert_int_equal(cmdline_make(r, &line, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, text));
	assert_null(line);
}

static void profile_is_put_in_front(void **state)
{
	const struct cmdline_request r = {.profile = "console=ttyS0", .given = "quiet", .slot = ""};

	(void)state;
	assert_line(&r, "console=ttyS0 quiet");
}

static void profile_stands_alone_where_nothing_is_given(void **state)
{
	const struct cmdline_request r = {.profile = "console=ttyS0", .given = "", .slot = ""};

	(void)state;
	assert_line(&r, "console=ttyS0");
}

static void console_that_is_given_stands_in_for_the_profile(void **state)
{
	const struct cmdline_request r = {
		.profile = "console=ttyS0", .given = "quiet console=ttyS1", .slot = ""};

	(void)state;
	assert_line(&r, "quiet console=ttyS1");
}

static void word_that_ends_like_console_is_none(void **state)
{
	const struct cmdline_request r = {
		.profile = "console=ttyS0", .given = "netconsole=@/", .slot = ""};

	(void)state;
	assert_line(&r, "console=ttyS0 netconsole=@/");
}

static void root_is_added_where_nothing_says_it(void **state)
{
	const struct cmdline_request r = {.given = "quiet", .root = "PARTUUID=01-02", .slot = ""};

	(void)state;
	assert_line(&r, "quiet root=PARTUUID=01-02 ro rootwait");
}

static void root_is_all_of_an_empty_line(void **state)
{
	const struct cmdline_request r = {.given = "", .root = "PARTUUID=01-02", .slot = ""};

	(void)state;
	assert_line(&r, "root=PARTUUID=01-02 ro rootwait");
}

static void root_that_is_given_stays(void **state)
{
	const struct cmdline_request r = {
		.given = "root=/dev/vda rw", .root = "PARTUUID=01-02", .slot = ""};

	(void)state;
	assert_line(&r, "root=/dev/vda rw");
}

static void word_that_ends_like_root_is_none(void **state)
{
	const struct cmdline_request r = {
		.given = "nfsroot=a", .root = "PARTUUID=01-02", .slot = ""};

	(void)state;
	assert_line(&r, "nfsroot=a root=PARTUUID=01-02 ro rootwait");
}

static void placeholders_are_filled_in_everywhere(void **state)
{
	const struct cmdline_request r = {
		.profile = "a={boot}",
		.given = "root={root} b={slot}{slot} {other}",
		.root = "R",
		.boot = "B",
		.slot = "a",
	};

	(void)state;
	assert_line(&r, "a=B root=R b=aa {other}");
}

static void what_is_filled_in_is_not_filled_in_again(void **state)
{
	const struct cmdline_request r = {
		.given = "root={root}", .root = "{boot}", .boot = "B", .slot = ""};

	(void)state;
	assert_line(&r, "root={boot}");
}

static void root_without_a_root_file_system_is_refused(void **state)
{
	const struct cmdline_request r = {.given = "root={root}", .slot = ""};

	(void)state;
	assert_refused(&r, "says {root}, but there is no root file system; give --rootfs");
}

static void boot_without_a_boot_partition_is_refused(void **state)
{
	const struct cmdline_request r = {.given = "x={boot}", .slot = ""};

	(void)state;
	assert_refused(&r, "says {boot}, but there is no boot partition");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_is_put_in_front),
		cmocka_unit_test(profile_stands_alone_where_nothing_is_given),
		cmocka_unit_test(console_that_is_given_stands_in_for_the_profile),
		cmocka_unit_test(word_that_ends_like_console_is_none),
		cmocka_unit_test(root_is_added_where_nothing_says_it),
		cmocka_unit_test(root_is_all_of_an_empty_line),
		cmocka_unit_test(root_that_is_given_stays),
		cmocka_unit_test(word_that_ends_like_root_is_none),
		cmocka_unit_test(placeholders_are_filled_in_everywhere),
		cmocka_unit_test(what_is_filled_in_is_not_filled_in_again),
		cmocka_unit_test(root_without_a_root_file_system_is_refused),
		cmocka_unit_test(boot_without_a_boot_partition_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
