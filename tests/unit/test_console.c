/* Words on a console, among what steers a terminal. */
#include "provision/build/console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"

static struct console *console_with(const char *expect, const char *said)
{
	struct console *c = NULL;
	struct err e = {0};

	assert_int_equal(console_new(expect, &c, &e), 0);
	console_take(c, said, strlen(said));
	return c;
}

static void assert_said(const char *expect, const char *said)
{
	CLEANUP(console_freep) struct console *c = console_with(expect, said);

	assert_true(console_has_said_it(c));
}

static void assert_not_said(const char *expect, const char *said)
{
	CLEANUP(console_freep) struct console *c = console_with(expect, said);

	assert_false(console_has_said_it(c));
}

static void assert_last_line(const char *said, const char *wanted)
{
	CLEANUP(console_freep) struct console *c = console_with(NULL, said);

	assert_string_equal(console_last_line(c), wanted);
}

/* One byte at a time. */
static bool is_said_in_bytes(const char *expect, const char *said)
{
	CLEANUP(console_freep) struct console *c = console_with(expect, "");

	for (const char *p = said; *p; p++)
		console_take(c, p, 1);
	return console_has_said_it(c);
}

static void word_is_found_anywhere(void **state)
{
	(void)state;
	assert_said("login:", "login:");
	assert_said("login:", "Debian\r\ngw login: ");
	assert_not_said("login:", "login");
	assert_not_said("login:", "");
}

static void word_stays_found(void **state)
{
	(void)state;
	assert_said("login:", "login: root\r\nPassword: ");
}

static void word_may_come_in_pieces(void **state)
{
	(void)state;
	assert_true(is_said_in_bytes("login:", "\x1b[1;1Hl\x1b[0mogin:"));
}

static void false_start_does_not_hide_the_word(void **state)
{
	(void)state;
	assert_said("aab", "aaab");
	assert_said("abab", "abaabab");
}

static void sequences_between_letters_do_not_matter(void **state)
{
	(void)state;
	assert_said("Boot", "\x1b[2J\x1b[01;01HB\x1b[01;02Ho\x1b[01;03Ho\x1b[01;04Ht");
	assert_said("Boot", "B\x1b(Bo\x1b=o\x1b[?25ht");
}

static void control_strings_are_no_text(void **state)
{
	(void)state;
	assert_not_said("title", "\x1b]0;title\a");
	assert_said("Boot", "Bo\x1b]0;title\aot");
	assert_said("Boot", "Bo\x1bP1$r0m\x1b\\ot");
}

static void control_characters_do_not_matter(void **state)
{
	(void)state;
	assert_said("Boot", "Bo\r\a\bot");
}

static void broken_sequence_hides_little(void **state)
{
	(void)state;
	assert_said("Boot", "\x1b[1\nBoot");
	assert_said("Boot", "\x1b]0;\nBoot");
	assert_said("Boot", "\x1b\x1b[mBoot");
	assert_said("Boot", "\x1b]0;title\x1b[mBoot");
}

static void word_may_span_lines(void **state)
{
	(void)state;
	assert_said("one\ntwo", "one\r\ntwo");
}

static void nothing_is_never_said(void **state)
{
	(void)state;
	assert_not_said(NULL, "anything");
}

static void last_line_is_the_one_under_way(void **state)
{
	(void)state;
	assert_last_line("one\r\ntwo", "two");
}

static void empty_lines_are_no_last_line(void **state)
{
	(void)state;
	assert_last_line("one\r\n  \r\n\n", "one");
	assert_last_line("", "");
}

static void last_line_has_no_sequences(void **state)
{
	(void)state;
	assert_last_line("\x1b[1mone\x1b[0m\r\n", "one");
}

static void last_line_that_is_long_is_cut(void **state)
{
	CLEANUP(console_freep) struct console *c = console_with(NULL, "");
	char line[1000];

	(void)state;
	memset(line, 'x', sizeof line);
	console_take(c, line, sizeof line);
	assert_int_equal(strlen(console_last_line(c)), 199);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(word_is_found_anywhere),
		cmocka_unit_test(word_stays_found),
		cmocka_unit_test(word_may_come_in_pieces),
		cmocka_unit_test(false_start_does_not_hide_the_word),
		cmocka_unit_test(sequences_between_letters_do_not_matter),
		cmocka_unit_test(control_strings_are_no_text),
		cmocka_unit_test(control_characters_do_not_matter),
		cmocka_unit_test(broken_sequence_hides_little),
		cmocka_unit_test(word_may_span_lines),
		cmocka_unit_test(nothing_is_never_said),
		cmocka_unit_test(last_line_is_the_one_under_way),
		cmocka_unit_test(empty_lines_are_no_last_line),
		cmocka_unit_test(last_line_has_no_sequences),
		cmocka_unit_test(last_line_that_is_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
