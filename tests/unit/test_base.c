/* Errors, sizes, strict parsing, buffers and JSON text. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/buf.h"
#include "flash/base/bytes.h"
#include "flash/base/cancel.h"
#include "flash/base/cleanup.h"
#include "flash/base/event.h"
#include "flash/base/json.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"

/* ---- Errors ------------------------------------------------------------------------------------
 */

static void wrapped_error_reads_from_the_outside_in(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_DIFFERS, "chunk %d", 3), -1);
	assert_int_equal(err_wrap(&e, "writing %s", "/dev/x"), -1);
	assert_string_equal(e.text, "writing /dev/x: chunk 3");
	assert_int_equal(e.code, ERR_DIFFERS);
}

static void errno_words_stand_behind_the_context(void **state)
{
	struct err e = {0};

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_errno(&e, "opening %s", "a"), -1);
	assert_string_equal(e.text, "opening a: No such file or directory");
	assert_int_equal(e.code, ERR_IO);
}

static void root_cause_survives_a_context_that_does_not_fit(void **state)
{
	char outer[2 * ERR_TEXT_BYTES];
	struct err e = {0};

	(void)state;
	memset(outer, 'x', sizeof outer - 1);
	outer[sizeof outer - 1] = '\0';
	(void)err_set(&e, ERR_IO, "the root cause");
	(void)err_wrap(&e, "%s", outer);
	assert_non_null(strstr(e.text, ": the root cause"));
	assert_int_equal(strlen(e.text), ERR_TEXT_BYTES - 1);
}

static void hint_follows_the_error(void **state)
{
	struct err e = {0};

	(void)state;
	(void)err_set(&e, ERR_REFUSED, "busy");
	(void)err_hint(&e, "unmount %s", "/mnt");
	assert_string_equal(e.text, "busy; unmount /mnt");
}

static void hint_that_does_not_fit_is_cut(void **state)
{
	struct err e = {0};

	(void)state;
	memset(e.text, 'x', sizeof e.text - 2);
	(void)err_hint(&e, "way out");
	assert_int_equal(strlen(e.text), sizeof e.text - 2);
}

/* ---- Sizes and parsing -------------------------------------------------------------------------
 */

static void sum_that_overflows_is_refused(void **state)
{
	uint64_t out = 7;

	(void)state;
	assert_false(checked_add(UINT64_MAX, 1, &out));
	assert_false(checked_mul(UINT64_MAX / 2, 3, &out));
	assert_int_equal(out, 7);
}

static void sizes_are_told_in_binary_units(void **state)
{
	char text[UNITS_TEXT_BYTES];

	(void)state;
	assert_string_equal(units_format_bytes(512, text), "512 B");
	assert_string_equal(units_format_bytes(GIB + GIB / 2, text), "1.50 GiB");
	assert_string_equal(units_format_bytes(SIZE_UNKNOWN, text), "unknown size");
}

static void size_just_below_a_unit_is_rounded_to_it(void **state)
{
	char text[UNITS_TEXT_BYTES];

	(void)state;
	assert_string_equal(units_format_bytes(MIB - 1, text), "1.00 MiB");
	assert_string_equal(units_format_bytes(10 * KIB - 1, text), "10.0 KiB");
	assert_string_equal(units_format_bytes(100 * KIB - 1, text), "100 KiB");
}

static void number_with_anything_around_it_is_refused(void **state)
{
	uint64_t out = 7;

	(void)state;
	assert_false(parse_u64("", &out));
	assert_false(parse_u64(" 1", &out));
	assert_false(parse_u64("1 ", &out));
	assert_false(parse_u64("-1", &out));
	assert_false(parse_u64("01", &out));
	assert_false(parse_u64("18446744073709551616", &out));
	assert_int_equal(out, 7);
}

static void largest_number_is_read(void **state)
{
	uint64_t out = 0;

	(void)state;
	assert_true(parse_u64("18446744073709551615", &out));
	assert_int_equal(out, UINT64_MAX);
}

static void size_takes_one_unit_letter(void **state)
{
	uint64_t out = 0;

	(void)state;
	assert_true(parse_size("64M", &out));
	assert_int_equal(out, 64 * MIB);
	assert_false(parse_size("64MB", &out));
	assert_false(parse_size("M", &out));
	assert_false(parse_size("99999999999T", &out));
}

static void hex_of_another_length_is_refused(void **state)
{
	uint8_t out[2] = {0};

	(void)state;
	assert_true(parse_hex("00fF", out, 2));
	assert_int_equal(out[1], 0xff);
	assert_false(parse_hex("00f", out, 2));
	assert_false(parse_hex("00fff", out, 2));
	assert_false(parse_hex("00fg", out, 2));
}

static void text_shorter_than_prefix_and_suffix_has_neither(void **state)
{
	(void)state;
	assert_false(parse_has_prefix("lo", "loop"));
	assert_false(parse_has_suffix("t0", "boot0"));
	assert_true(parse_has_prefix("loop", "loop"));
	assert_true(parse_has_suffix("boot0", "boot0"));
}

static void name_that_could_leave_its_folder_is_refused(void **state)
{
	(void)state;
	assert_true(parse_is_name("acme-gw_1.2"));
	assert_false(parse_is_name(".."));
	assert_false(parse_is_name("a/b"));
	assert_false(parse_is_name(""));
	assert_false(parse_is_name("a b"));
}

static void zeros_are_told_from_one_late_byte(void **state)
{
	uint8_t bytes[100] = {0};

	(void)state;
	assert_true(bytes_are_zero(bytes, sizeof bytes));
	bytes[99] = 1;
	assert_false(bytes_are_zero(bytes, sizeof bytes));
	assert_true(bytes_are_zero(bytes, 0));
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static void json_members_are_separated_and_escaped(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	struct err e = {0};
	const char *text = NULL;

	(void)state;
	json_open(&b, NULL, '{');
	json_text(&b, "a", "q\"\\\n\x7f");
	json_u64(&b, "n", 5);
	json_open(&b, "list", '[');
	json_bool(&b, NULL, true);
	json_text(&b, NULL, "x");
	json_close(&b, ']');
	json_close(&b, '}');
	assert_int_equal(buf_text(&b, &text, &e), 0);
	assert_string_equal(text,
			    "{\"a\":\"q\\\"\\\\\\u000a\\u007f\",\"n\":5,\"list\":[true,\"x\"]}");
}

static void json_of_bytes_that_are_not_utf8_is_valid(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	struct err e = {0};
	const char *text = NULL;

	(void)state;
	json_text(&b, NULL, "\xc3\xa4\xff\xc0\x80\xed\xa0\x80");
	assert_int_equal(buf_text(&b, &text, &e), 0);
	assert_string_equal(text, "\"\xc3\xa4\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

/* ---- Stopping ----------------------------------------------------------------------------------
 */

static void scope_is_cancelled_from_within_without_its_outer(void **state)
{
	CLEANUP(cancel_scope_release) struct cancel_scope scope = {.cancel.fd = -1, .event_fd = -1};
	int fds[2];
	struct err e = {0};

	(void)state;
	assert_int_equal(pipe(fds), 0);
	const struct cancel outer = {.fd = fds[0]};
	assert_int_equal(cancel_scope_init(&scope, &outer, &e), 0);
	assert_false(cancel_is_requested(&scope.cancel));
	cancel_scope_request(&scope);
	assert_true(cancel_is_requested(&scope.cancel));
	assert_false(cancel_is_requested(&outer));
	close(fds[0]);
	close(fds[1]);
}

static void scope_is_cancelled_with_its_outer(void **state)
{
	CLEANUP(cancel_scope_release) struct cancel_scope scope = {.cancel.fd = -1, .event_fd = -1};
	int fds[2];
	struct err e = {0};

	(void)state;
	assert_int_equal(pipe(fds), 0);
	const struct cancel outer = {.fd = fds[0]};
	assert_int_equal(cancel_scope_init(&scope, &outer, &e), 0);
	close(fds[1]); /* readable from now on: it is at its end */
	assert_true(cancel_is_requested(&scope.cancel));
	close(fds[0]);
}

static void scope_that_cannot_be_made_is_told(void **state)
{
	CLEANUP(cancel_scope_release) struct cancel_scope scope = {.cancel.fd = -1, .event_fd = -1};
	const struct cancel outer = {.fd = 12345}; /* not open */
	struct err e = {0};

	(void)state;
	assert_int_equal(cancel_scope_init(&scope, &outer, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void cancel_is_seen_as_long_as_its_descriptor_is_readable(void **state)
{
	int fds[2] = {-1, -1};
	struct err e = {0};

	(void)state;
	assert_int_equal(pipe(fds), 0);
	const struct cancel c = {.fd = fds[0]};
	assert_int_equal(cancel_check(&c, &e), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(cancel_check(&c, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_true(cancel_is_requested(&c));
	close(fds[0]);
	close(fds[1]);
}

static void wait_for_data_ends_when_asked_to_stop(void **state)
{
	int fds[2] = {-1, -1};
	struct err e = {0};

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[1]); /* readable from now on: it is at its end */
	const struct cancel c = {.fd = fds[0]};
	assert_int_equal(cancel_wait_readable(&c, -1, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	close(fds[0]);
}

static int alarm_fds[2] = {-1, -1};
static volatile sig_atomic_t n_alarms;

/* The first alarm only interrupts; the second brings data. */
static void on_alarm(int number)
{
	(void)number;
	if (++n_alarms == 2 && write(alarm_fds[1], "x", 1) != 1)
		abort();
}

static void wait_for_data_goes_on_after_a_signal(void **state)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval soon = {.it_value = {.tv_usec = 1000},
				       .it_interval = {.tv_usec = 1000}};
	const struct itimerval never = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(pipe(alarm_fds), 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(cancel_wait_readable(NULL, alarm_fds[0], &e), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(n_alarms >= 2);
	close(alarm_fds[0]);
	close(alarm_fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrapped_error_reads_from_the_outside_in),
		cmocka_unit_test(errno_words_stand_behind_the_context),
		cmocka_unit_test(root_cause_survives_a_context_that_does_not_fit),
		cmocka_unit_test(hint_follows_the_error),
		cmocka_unit_test(hint_that_does_not_fit_is_cut),
		cmocka_unit_test(sum_that_overflows_is_refused),
		cmocka_unit_test(sizes_are_told_in_binary_units),
		cmocka_unit_test(size_just_below_a_unit_is_rounded_to_it),
		cmocka_unit_test(number_with_anything_around_it_is_refused),
		cmocka_unit_test(largest_number_is_read),
		cmocka_unit_test(size_takes_one_unit_letter),
		cmocka_unit_test(hex_of_another_length_is_refused),
		cmocka_unit_test(text_shorter_than_prefix_and_suffix_has_neither),
		cmocka_unit_test(name_that_could_leave_its_folder_is_refused),
		cmocka_unit_test(zeros_are_told_from_one_late_byte),
		cmocka_unit_test(json_members_are_separated_and_escaped),
		cmocka_unit_test(json_of_bytes_that_are_not_utf8_is_valid),
		cmocka_unit_test(scope_is_cancelled_from_within_without_its_outer),
		cmocka_unit_test(scope_is_cancelled_with_its_outer),
		cmocka_unit_test(scope_that_cannot_be_made_is_told),
		cmocka_unit_test(cancel_is_seen_as_long_as_its_descriptor_is_readable),
		cmocka_unit_test(wait_for_data_ends_when_asked_to_stop),
		cmocka_unit_test(wait_for_data_goes_on_after_a_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
