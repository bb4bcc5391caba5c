/* SHA256SUMS files, as sha256sum writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flash/image/sums.h"

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void assert_first_byte(const char *text, const char *name, uint8_t first_byte)
{
	uint8_t digest[SHA256_BYTES] = {0};
	struct err e;

	assert_int_equal(sums_find(text, strlen(text), name, digest, &e), 0);
	assert_int_equal(digest[0], first_byte);
	assert_int_equal(digest[SHA256_BYTES - 1], first_byte);
}

static void assert_refused(const char *text, size_t n_bytes, const char *name)
{
	uint8_t digest[SHA256_BYTES] = {0};
	struct err e;

	assert_int_equal(sums_find(text, n_bytes, name, digest, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(digest[0], 0);
}

static void file_is_found_among_others(void **state)
{
	(void)state;
	assert_first_byte(DIGEST_A "  a.raw\n" DIGEST_B "  b.raw\n", "b.raw", 0xbb);
}

static void binary_mode_is_read(void **state)
{
	(void)state;
	assert_first_byte(DIGEST_A " *a.raw\n", "a.raw", 0xaa);
}

static void last_line_needs_no_newline(void **state)
{
	(void)state;
	assert_first_byte(DIGEST_A "  a.raw", "a.raw", 0xaa);
}

static void folder_of_the_listed_name_does_not_matter(void **state)
{
	(void)state;
	assert_first_byte(DIGEST_A "  ./out/a.raw\n", "a.raw", 0xaa);
}

static void folder_of_the_wanted_name_does_not_matter(void **state)
{
	(void)state;
	assert_first_byte(DIGEST_A "  a.raw\n", "/srv/images/a.raw", 0xaa);
}

static void upper_case_digits_are_read(void **state)
{
	(void)state;
	assert_first_byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA  a.raw\n",
			  "a.raw", 0xaa);
}

static void escaped_name_is_read(void **state)
{
	(void)state;
	assert_first_byte("\\" DIGEST_A "  a\\\\b\\nc\n", "a\\b\nc", 0xaa);
}

static void name_with_a_blank_in_front_is_read(void **state)
{
	(void)state;
	assert_first_byte(DIGEST_A "   a.raw\n", " a.raw", 0xaa);
}

static void comments_and_empty_lines_are_skipped(void **state)
{
	(void)state;
	assert_first_byte("# images\n\n" DIGEST_A "  a.raw\n", "a.raw", 0xaa);
}

static void same_line_twice_is_no_contradiction(void **state)
{
	(void)state;
	assert_first_byte(DIGEST_A "  a.raw\n" DIGEST_A "  a.raw\n", "a.raw", 0xaa);
}

#define REFUSED(text, name) assert_refused(text, sizeof(text) - 1, name)

static void file_that_is_not_listed_is_refused(void **state)
{
	(void)state;
	REFUSED(DIGEST_A "  a.raw\n", "b.raw");
}

static void part_of_a_listed_name_is_refused(void **state)
{
	(void)state;
	REFUSED(DIGEST_A "  aa.raw\n", "a.raw");
}

static void empty_list_is_refused(void **state)
{
	(void)state;
	REFUSED("", "a.raw");
}

static void file_listed_with_two_digests_is_refused(void **state)
{
	(void)state;
	REFUSED(DIGEST_A "  a.raw\n" DIGEST_B "  x/a.raw\n", "a.raw");
}

static void line_without_a_name_is_refused(void **state)
{
	(void)state;
	REFUSED(DIGEST_A "  a.raw\n" DIGEST_B "  \n", "a.raw");
}

static void short_digest_is_refused(void **state)
{
	(void)state;
	REFUSED("aaaa  a.raw\n", "a.raw");
}

static void digest_of_other_digits_is_refused(void **state)
{
	(void)state;
	REFUSED("gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  a.raw\n",
		"a.raw");
}

static void one_blank_is_refused(void **state)
{
	(void)state;
	REFUSED(DIGEST_A " a.raw\n", "a.raw");
}

static void unknown_escape_is_refused(void **state)
{
	(void)state;
	REFUSED("\\" DIGEST_A "  a\\t\n", "a\t");
}

static void escape_at_the_end_is_refused(void **state)
{
	(void)state;
	REFUSED("\\" DIGEST_A "  a\\", "a\\");
}

static void nul_is_refused(void **state)
{
	(void)state;
	REFUSED(DIGEST_A "  a.raw\0b\n", "a.raw");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_is_found_among_others),
		cmocka_unit_test(binary_mode_is_read),
		cmocka_unit_test(last_line_needs_no_newline),
		cmocka_unit_test(folder_of_the_listed_name_does_not_matter),
		cmocka_unit_test(folder_of_the_wanted_name_does_not_matter),
		cmocka_unit_test(upper_case_digits_are_read),
		cmocka_unit_test(escaped_name_is_read),
		cmocka_unit_test(name_with_a_blank_in_front_is_read),
		cmocka_unit_test(comments_and_empty_lines_are_skipped),
		cmocka_unit_test(same_line_twice_is_no_contradiction),
		cmocka_unit_test(file_that_is_not_listed_is_refused),
		cmocka_unit_test(part_of_a_listed_name_is_refused),
		cmocka_unit_test(empty_list_is_refused),
		cmocka_unit_test(file_listed_with_two_digests_is_refused),
		cmocka_unit_test(line_without_a_name_is_refused),
		cmocka_unit_test(short_digest_is_refused),
		cmocka_unit_test(digest_of_other_digits_is_refused),
		cmocka_unit_test(one_blank_is_refused),
		cmocka_unit_test(unknown_escape_is_refused),
		cmocka_unit_test(escape_at_the_end_is_refused),
		cmocka_unit_test(nul_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
