/* Strict DER: what is read, what is refused, and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/trust/der.h"

#define TEST(name) static void name(void **state)
#define DER(...)                                                                                   \
	((struct der){(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})})
#define WELL_FORMED(...) assert_true(der_is_well_formed(DER(__VA_ARGS__)))
#define MALFORMED(...)   assert_false(der_is_well_formed(DER(__VA_ARGS__)))

/* ---- reading ----------------------------------------------------------------------------------
 */

TEST(elements_are_taken_one_by_one)
{
	struct der in = DER(0x02, 1, 7, 0x05, 0);
	struct der content = {0};

	(void)state;
	assert_true(der_take(&in, DER_INTEGER, &content));
	assert_true(der_is_small_integer(content, 7));
	assert_int_equal(der_next_tag(&in), DER_NULL);
	assert_true(der_take(&in, DER_NULL, &content));
	assert_int_equal(content.n_bytes, 0);
	assert_int_equal(der_next_tag(&in), DER_NOTHING);
}

TEST(taking_whole_keeps_tag_and_length)
{
	struct der in = DER(0x30, 2, 0x05, 0, 0x05, 0);
	struct der whole = {0};

	(void)state;
	assert_true(der_take_whole(&in, &whole));
	assert_int_equal(whole.n_bytes, 4);
	assert_int_equal(in.n_bytes, 2);
}

TEST(failed_taking_changes_nothing)
{
	struct der in = DER(0x02, 2, 7);
	struct der before = in;
	struct der content = {0};

	(void)state;
	assert_false(der_take(&in, DER_INTEGER, &content));
	assert_false(der_take(&in, DER_NULL, &content));
	assert_ptr_equal(in.bytes, before.bytes);
	assert_int_equal(in.n_bytes, before.n_bytes);
	assert_null(content.bytes);
}

TEST(nothing_can_be_taken_from_nothing)
{
	struct der in = {0};
	struct der content = {0};

	(void)state;
	assert_false(der_take_whole(&in, &content));
	assert_false(der_take(&in, DER_NULL, &content));
}

TEST(long_lengths_are_read)
{
	uint8_t bytes[3 + 200] = {0x04, 0x81, 200};
	struct der in = {bytes, sizeof bytes};
	struct der content = {0};

	(void)state;
	assert_true(der_take(&in, DER_OCTET_STRING, &content));
	assert_int_equal(content.n_bytes, 200);
}

TEST(length_that_is_not_the_shortest_is_refused)
{
	uint8_t bytes[4 + 200] = {0x04, 0x82, 0, 200};

	(void)state;
	MALFORMED(0x04, 0x81, 1, 0);
	MALFORMED(0x04, 0x80, 0, 0);
	assert_false(der_is_well_formed((struct der){bytes, sizeof bytes}));
}

TEST(length_beyond_the_end_is_refused)
{
	(void)state;
	MALFORMED(0x04);
	MALFORMED(0x04, 2, 0);
	MALFORMED(0x04, 0x81);
	MALFORMED(0x04, 0x82, 1);
	MALFORMED(0x04, 0x84, 0xff, 0xff, 0xff, 0xff);
	MALFORMED(0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
	MALFORMED(0x04, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0);
	MALFORMED(0x04, 0xff);
}

/* ---- well-formedness --------------------------------------------------------------------------
 */

TEST(nested_elements_are_looked_into)
{
	(void)state;
	WELL_FORMED(0x30, 6, 0x31, 2, 0x05, 0, 0x05, 0);
	MALFORMED(0x30, 6, 0x31, 3, 0x05, 0, 0x05, 0);
	MALFORMED(0x30, 4, 0x31, 2, 0x05, 1);
	WELL_FORMED(0xa0, 2, 0x05, 0);
	MALFORMED(0xa0, 1, 0x05);
	WELL_FORMED(0x80, 1, 0x05);
}

TEST(end_of_contents_is_refused)
{
	(void)state;
	MALFORMED(0x00, 0);
	MALFORMED(0x30, 0x80, 0x05, 0, 0x00, 0);
}

TEST(tags_of_several_bytes_are_refused)
{
	(void)state;
	MALFORMED(0x1f, 0x81, 0x01, 0);
	MALFORMED(0xbf, 0x21, 0);
}

TEST(integers_must_be_the_shortest)
{
	(void)state;
	WELL_FORMED(0x02, 1, 0);
	WELL_FORMED(0x02, 2, 0, 0x80);
	WELL_FORMED(0x02, 2, 0xff, 0x7f);
	MALFORMED(0x02, 0);
	MALFORMED(0x02, 2, 0, 0x7f);
	MALFORMED(0x02, 2, 0xff, 0x80);
}

TEST(booleans_are_all_zeros_or_all_ones)
{
	(void)state;
	WELL_FORMED(0x01, 1, 0);
	WELL_FORMED(0x01, 1, 0xff);
	MALFORMED(0x01, 1, 1);
	MALFORMED(0x01, 0);
}

TEST(bit_strings_tell_unused_bits_they_have)
{
	(void)state;
	WELL_FORMED(0x03, 1, 0);
	WELL_FORMED(0x03, 2, 7, 0x80);
	MALFORMED(0x03, 0);
	MALFORMED(0x03, 1, 1);
	MALFORMED(0x03, 2, 8, 0);
}

TEST(null_is_empty_and_identifiers_end)
{
	(void)state;
	MALFORMED(0x05, 1, 0);
	MALFORMED(0x06, 0);
	MALFORMED(0x06, 1, 0x80);
}

TEST(only_sequences_and_sets_are_constructed)
{
	(void)state;
	MALFORMED(0x24, 3, 0x04, 1, 0);
	MALFORMED(0x10, 0);
	MALFORMED(0x11, 0);
}

TEST(depth_is_limited)
{
	uint8_t bytes[64] = {0};

	(void)state;
	bytes[0] = 0x30;
	bytes[1] = 62;
	for (size_t i = 2; i < sizeof bytes; i += 2) {
		bytes[i] = 0x30;
		bytes[i + 1] = (uint8_t)(sizeof bytes - i - 2);
	}
	assert_false(der_is_well_formed((struct der){bytes, sizeof bytes}));
	assert_true(der_is_well_formed((struct der){bytes + 4, sizeof bytes - 4}));
}

/* ---- sets -------------------------------------------------------------------------------------
 */

TEST(sets_are_in_ascending_order_without_duplicates)
{
	(void)state;
	assert_true(der_is_ordered_set((struct der){0}));
	assert_true(der_is_ordered_set(DER(0x02, 1, 1, 0x02, 1, 2)));
	assert_true(der_is_ordered_set(DER(0x02, 1, 2, 0x02, 2, 1, 1)));
	assert_false(der_is_ordered_set(DER(0x02, 1, 2, 0x02, 1, 1)));
	assert_false(der_is_ordered_set(DER(0x02, 1, 1, 0x02, 1, 1)));
	assert_false(der_is_ordered_set(DER(0x02, 1)));
}

/* ---- writing ----------------------------------------------------------------------------------
 */

TEST(lengths_are_written_in_the_shortest_form)
{
	CLEANUP(buf_release) struct buf b = {0};
	uint8_t zeros[256] = {0};

	(void)state;
	der_append(&b, DER_OCTET_STRING, zeros, 127);
	assert_memory_equal(b.bytes, "\x04\x7f", 2);
	b.n_bytes = 0;
	der_append(&b, DER_OCTET_STRING, zeros, 128);
	assert_memory_equal(b.bytes, "\x04\x81\x80", 3);
	b.n_bytes = 0;
	der_append(&b, DER_OCTET_STRING, zeros, 256);
	assert_memory_equal(b.bytes, "\x04\x82\x01\x00", 4);
	assert_true(der_is_well_formed((struct der){b.bytes, b.n_bytes}));
}

TEST(sets_are_written_in_order_and_without_duplicates)
{
	CLEANUP(buf_release) struct buf b = {0};
	struct der items[] = {DER(0x02, 1, 2), DER(0x02, 1, 1), DER(0x02, 1, 2)};

	(void)state;
	der_append_set(&b, DER_SET, items, 3);
	assert_int_equal(b.n_bytes, 8);
	assert_memory_equal(b.bytes, "\x31\x06\x02\x01\x01\x02\x01\x02", 8);
}

TEST(failed_inner_buffer_fails_the_outer_one)
{
	CLEANUP(buf_release) struct buf b = {0};
	struct buf inner = {.is_failed = true};
	struct err e = {0};

	(void)state;
	der_append_buf(&b, DER_SEQUENCE, &inner);
	assert_int_equal(buf_check(&b, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_taken_one_by_one),
		cmocka_unit_test(taking_whole_keeps_tag_and_length),
		cmocka_unit_test(failed_taking_changes_nothing),
		cmocka_unit_test(nothing_can_be_taken_from_nothing),
		cmocka_unit_test(long_lengths_are_read),
		cmocka_unit_test(length_that_is_not_the_shortest_is_refused),
		cmocka_unit_test(length_beyond_the_end_is_refused),
		cmocka_unit_test(nested_elements_are_looked_into),
		cmocka_unit_test(end_of_contents_is_refused),
		cmocka_unit_test(tags_of_several_bytes_are_refused),
		cmocka_unit_test(integers_must_be_the_shortest),
		cmocka_unit_test(booleans_are_all_zeros_or_all_ones),
		cmocka_unit_test(bit_strings_tell_unused_bits_they_have),
		cmocka_unit_test(null_is_empty_and_identifiers_end),
		cmocka_unit_test(only_sequences_and_sets_are_constructed),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(sets_are_in_ascending_order_without_duplicates),
		cmocka_unit_test(lengths_are_written_in_the_shortest_form),
		cmocka_unit_test(sets_are_written_in_order_and_without_duplicates),
		cmocka_unit_test(failed_inner_buffer_fails_the_outer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
