/* What is said of ranges that do not read back as they were written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/plan/diagnose.h"

enum {
	PIECE_BYTES = 16384,
	SEED = 42,
	AT_BYTES = 10 * PIECE_BYTES, /* where the piece is on the medium */
};

/* ---- A piece that was written, and read back the same ------------------------------------------
 */

struct scene {
	uint8_t wanted[PIECE_BYTES]; /* no byte of it is 0 or 0xff */
	uint8_t found[PIECE_BYTES];
	struct written all[4]; /* [1] is the piece */
	struct mismatch m;
	struct buf out;
};

/* What was written at offset_bytes: unlike all others. */
static void fill(uint8_t *bytes, size_t n_bytes, uint64_t offset_bytes)
{
	for (size_t i = 0; i < n_bytes; i++)
		bytes[i] = (uint8_t)(1 + (i * 7 + i / 251 + offset_bytes / PIECE_BYTES) % 254);
}

static struct written piece(uint64_t offset_bytes, size_t n_bytes)
{
	uint8_t bytes[PIECE_BYTES];

	fill(bytes, n_bytes, offset_bytes);
	return (struct written){.offset_bytes = offset_bytes,
				.size_bytes = n_bytes,
				.fingerprint = fingerprint_of(bytes, n_bytes, SEED)};
}

static int scene_new(void **state)
{
	struct scene *s = calloc(1, sizeof *s);

	assert_non_null(s);
	fill(s->wanted, PIECE_BYTES, AT_BYTES);
	memcpy(s->found, s->wanted, PIECE_BYTES);
	s->all[0] = piece(PIECE_BYTES, PIECE_BYTES);
	s->all[1] = piece(AT_BYTES, PIECE_BYTES);
	s->all[2] = piece(30 * PIECE_BYTES, PIECE_BYTES);
	s->all[3] = piece(40 * PIECE_BYTES, 1001);
	s->m = (struct mismatch){
		.wanted = &s->all[1],
		.wanted_bytes = s->wanted,
		.found_bytes = s->found,
		.all = s->all,
		.n_all = 4,
		.seed = SEED,
	};
	*state = s;
	return 0;
}

static int scene_free(void **state)
{
	struct scene *s = *state;

	buf_release(&s->out);
	free(s);
	return 0;
}

static const char *say(struct scene *s)
{
	const char *text = NULL;
	struct err e = {0};

	diagnose(&s->m, &s->out);
	assert_int_equal(buf_text(&s->out, &text, &e), 0);
	return text;
}

/* ---- Lost content ------------------------------------------------------------------------------
 */

static void lost_page_reads_as_zeros(void **state)
{
	struct scene *s = *state;

	memset(s->found + 4096, 0, 4096);
	assert_string_equal(say(s),
			    "first differs at byte 167936, 4096 bytes long; reads as zeros");
}

static void erased_page_reads_as_ff(void **state)
{
	struct scene *s = *state;

	memset(s->found + 4096, 0xff, 4096);
	assert_string_equal(say(s),
			    "first differs at byte 167936, 4096 bytes long; reads as 0xff bytes");
}

static void lost_pages_apart_read_as_zeros(void **state)
{
	struct scene *s = *state;

	memset(s->found, 0, 512);
	memset(s->found + 8192, 0, 512);
	assert_string_equal(say(s),
			    "first differs at byte 163840, 8704 bytes long; reads as zeros");
}

static void lost_bytes_within_a_sector_read_as_zeros(void **state)
{
	struct scene *s = *state;

	memset(s->found + 5, 0, 100);
	assert_string_equal(say(s), "first differs at byte 163845, 100 bytes long; reads as zeros");
}

static void erased_bytes_within_a_sector_read_as_ff(void **state)
{
	struct scene *s = *state;

	memset(s->found + 5, 0xff, 100);
	assert_string_equal(say(s),
			    "first differs at byte 163845, 100 bytes long; reads as 0xff bytes");
}

static void lost_sector_of_one_set_bit_reads_as_zeros(void **state)
{
	struct scene *s = *state;

	memset(s->wanted + 1024, 0, 512);
	memset(s->found + 1024, 0, 512);
	s->wanted[1100] = 4;
	assert_string_equal(say(s), "first differs at byte 164940, 1 byte long; reads as zeros");
}

static void sectors_are_those_of_the_medium(void **state)
{
	struct scene *s = *state;

	s->all[1].offset_bytes = AT_BYTES + 100; /* sectors begin at 412 of the piece */
	memset(s->wanted, 0, 924);
	memset(s->found, 0, 924);
	s->wanted[923] = 4;
	assert_string_equal(say(s), "first differs at byte 164863, 1 byte long; reads as zeros");
}

static void short_last_piece_reads_as_zeros(void **state)
{
	struct scene *s = *state;

	s->all[1].size_bytes = 5;
	memset(s->found, 0, 5);
	assert_string_equal(say(s), "first differs at byte 163840, 5 bytes long; reads as zeros");
}

/* ---- Flipped bits ------------------------------------------------------------------------------
 */

static void flipped_bit_is_named(void **state)
{
	struct scene *s = *state;

	s->found[777] ^= 1 << 3;
	assert_string_equal(say(s), "first differs at byte 164617, 1 byte long; one flipped bit: "
				    "bit 3 of byte 164617");
}

static void flipped_bit_of_the_last_odd_byte_is_named(void **state)
{
	struct scene *s = *state;

	s->all[1].size_bytes = 1001;
	s->found[1000] ^= 1 << 7;
	assert_string_equal(say(s), "first differs at byte 164840, 1 byte long; one flipped bit: "
				    "bit 7 of byte 164840");
}

static void several_flipped_bits_are_named(void **state)
{
	struct scene *s = *state;

	s->found[0] ^= 0x81;
	s->found[PIECE_BYTES - 1] ^= 2;
	assert_string_equal(say(s),
			    "first differs at byte 163840, 16384 bytes long; 3 flipped bits: "
			    "bit 0 of byte 163840, bit 7 of byte 163840, bit 1 of byte 180223");
}

static void eight_flipped_bits_are_named_still(void **state)
{
	struct scene *s = *state;

	s->found[9] ^= 0xff;
	assert_non_null(strstr(say(s), "; 8 flipped bits: bit 0 of byte 163849, "));
}

static void nine_flipped_bits_are_other_bytes(void **state)
{
	struct scene *s = *state;

	s->found[9] ^= 0xff;
	s->found[10] ^= 1;
	assert_string_equal(say(s),
			    "first differs at byte 163849, 2 bytes long; reads as other bytes");
}

static void bit_lost_behind_others_of_its_sector_is_a_flipped_bit(void **state)
{
	struct scene *s = *state;

	memset(s->wanted + 1025, 0, 511);
	memset(s->found + 1025, 0, 511);
	s->wanted[1100] = 4;
	assert_non_null(strstr(say(s), "; one flipped bit: bit 2 of byte 164940"));
}

static void bit_lost_before_others_of_its_sector_is_a_flipped_bit(void **state)
{
	struct scene *s = *state;

	memset(s->wanted + 1024, 0, 511);
	memset(s->found + 1024, 0, 511);
	s->wanted[1100] = 4;
	assert_non_null(strstr(say(s), "; one flipped bit: bit 2 of byte 164940"));
}

static void bit_set_in_zeros_is_a_flipped_bit(void **state)
{
	struct scene *s = *state;

	s->all[1].is_zero = true;
	s->m.wanted_bytes = NULL;
	memset(s->found, 0, PIECE_BYTES);
	s->found[16] = 1;
	assert_string_equal(say(s), "first differs at byte 163856, 1 byte long; one flipped bit: "
				    "bit 0 of byte 163856");
}

/* ---- The content of another place --------------------------------------------------------------
 */

static void content_of_another_place_is_named(void **state)
{
	struct scene *s = *state;

	fill(s->found, PIECE_BYTES, 30 * PIECE_BYTES);
	assert_string_equal(say(s), "first differs at byte 163840, 16384 bytes long; reads as the "
				    "content of byte 491520: the medium wraps, as counterfeit ones "
				    "do");
}

static void content_of_another_place_of_odd_size_is_named(void **state)
{
	struct scene *s = *state;

	s->all[1] = piece(AT_BYTES, 1001);
	fill(s->found, 1001, 40 * PIECE_BYTES);
	assert_non_null(strstr(say(s), "1001 bytes long; reads as the content of byte 655360: "));
}

static void content_of_another_place_over_zeros_is_named(void **state)
{
	struct scene *s = *state;

	s->all[1].is_zero = true;
	s->m.wanted_bytes = NULL;
	fill(s->found, PIECE_BYTES, PIECE_BYTES);
	assert_non_null(strstr(say(s), "reads as the content of byte 16384: "));
}

static void beginning_of_a_larger_piece_is_other_bytes(void **state)
{
	struct scene *s = *state;

	s->all[1] = piece(AT_BYTES, 1000);
	fill(s->found, 1000, 40 * PIECE_BYTES);
	assert_non_null(strstr(say(s), "reads as other bytes"));
}

/* ---- Without the wanted bytes ------------------------------------------------------------------
 */

static void unknown_piece_that_reads_as_zeros_is_told(void **state)
{
	struct scene *s = *state;

	s->m.wanted_bytes = NULL;
	memset(s->found, 0, PIECE_BYTES);
	assert_string_equal(say(s), "differs somewhere in the 16384 bytes at byte 163840; reads as "
				    "zeros");
}

static void zeros_of_another_place_are_zeros(void **state)
{
	struct scene *s = *state;

	s->m.wanted_bytes = NULL;
	memset(s->found, 0, PIECE_BYTES);
	s->all[2].is_zero = true;
	s->all[2].fingerprint = fingerprint_of(s->found, PIECE_BYTES, SEED);
	assert_non_null(strstr(say(s), "; reads as zeros"));
}

static void unknown_piece_that_reads_as_ff_is_told(void **state)
{
	struct scene *s = *state;

	s->m.wanted_bytes = NULL;
	memset(s->found, 0xff, PIECE_BYTES);
	assert_non_null(strstr(say(s), "; reads as 0xff bytes"));
}

static void unknown_piece_that_reads_as_another_is_told(void **state)
{
	struct scene *s = *state;

	s->m.wanted_bytes = NULL;
	fill(s->found, PIECE_BYTES, 30 * PIECE_BYTES);
	assert_non_null(strstr(say(s), "; reads as the content of byte 491520: "));
}

static void unknown_piece_with_a_lost_page_is_other_bytes(void **state)
{
	struct scene *s = *state;

	s->m.wanted_bytes = NULL;
	memset(s->found, 0, 4096);
	assert_non_null(strstr(say(s), "; reads as other bytes"));
}

static void bytes_that_are_right_after_all_are_told(void **state)
{
	struct scene *s = *state;

	assert_string_equal(say(s), "does not differ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_new, scene_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lost_page_reads_as_zeros),
		TEST(erased_page_reads_as_ff),
		TEST(lost_pages_apart_read_as_zeros),
		TEST(lost_bytes_within_a_sector_read_as_zeros),
		TEST(erased_bytes_within_a_sector_read_as_ff),
		TEST(lost_sector_of_one_set_bit_reads_as_zeros),
		TEST(sectors_are_those_of_the_medium),
		TEST(short_last_piece_reads_as_zeros),
		TEST(flipped_bit_is_named),
		TEST(flipped_bit_of_the_last_odd_byte_is_named),
		TEST(several_flipped_bits_are_named),
		TEST(eight_flipped_bits_are_named_still),
		TEST(nine_flipped_bits_are_other_bytes),
		TEST(bit_lost_behind_others_of_its_sector_is_a_flipped_bit),
		TEST(bit_lost_before_others_of_its_sector_is_a_flipped_bit),
		TEST(bit_set_in_zeros_is_a_flipped_bit),
		TEST(content_of_another_place_is_named),
		TEST(content_of_another_place_of_odd_size_is_named),
		TEST(content_of_another_place_over_zeros_is_named),
		TEST(beginning_of_a_larger_piece_is_other_bytes),
		TEST(unknown_piece_that_reads_as_zeros_is_told),
		TEST(zeros_of_another_place_are_zeros),
		TEST(unknown_piece_that_reads_as_ff_is_told),
		TEST(unknown_piece_that_reads_as_another_is_told),
		TEST(unknown_piece_with_a_lost_page_is_other_bytes),
		TEST(bytes_that_are_right_after_all_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
