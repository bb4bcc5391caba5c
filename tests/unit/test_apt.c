/* What apt says, in one line. */
#include "provision/build/apt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"

static void assert_told(const char *messages, const char *wanted)
{
	CLEANUP(buf_release) struct buf out = {0};
	const char *text = NULL;
	struct err e = {0};

	apt_format_errors(messages, &out);
	assert_int_equal(buf_text(&out, &text, &e), 0);
	assert_string_equal(text, wanted);
}

static void errors_are_told_in_one_line(void **state)
{
	(void)state;
	assert_told("E: no such file\nE: given up\n", "no such file; given up");
}

static void details_of_an_error_are_left_out(void **state)
{
	(void)state;
	assert_told("E: unexpected size\n   Hashes of expected file:\n    - SHA256:00\n",
		    "unexpected size");
}

static void warnings_are_left_out(void **state)
{
	(void)state;
	assert_told("W: no such folder\nE: given up", "given up");
}

static void warning_about_a_signature_is_told(void **state)
{
	(void)state;
	assert_told("W: GPG error: file:/a: NO_PUBKEY 00\nE: it is not signed.\n",
		    "GPG error: file:/a: NO_PUBKEY 00; it is not signed.");
}

static void nothing_said_is_nothing_told(void **state)
{
	(void)state;
	assert_told("", "");
	assert_told("\n\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_told_in_one_line),
		cmocka_unit_test(details_of_an_error_are_left_out),
		cmocka_unit_test(warnings_are_left_out),
		cmocka_unit_test(warning_about_a_signature_is_told),
		cmocka_unit_test(nothing_said_is_nothing_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
