/* The kernels that make SHA-256: they agree with mbedTLS whatever the lengths, the places and the
 * pieces, and one that gives wrong answers is not used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/md.h>

#include "flash/trust/digest_kernel.h"
#include "flash/trust/digest_sha256.h"
#include "tests/lib/plain_sha256.h"

enum {
	TEXT_BYTES = 3 << 20,
	N_LENGTHS = 300,
	N_SPLIT_BYTES = 200,
	N_RANDOM = 60,
};

static uint8_t *text;

/* The next of a fixed row of numbers that look random (Knuth's MMIX). */
static size_t next(uint64_t *seed, size_t below)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (size_t)(*seed >> 33) % below;
}

static int make_text(void **state)
{
	uint64_t seed = 1;

	(void)state;
	text = malloc(TEXT_BYTES);
	for (size_t i = 0; text && i < TEXT_BYTES; i++)
		text[i] = (uint8_t)next(&seed, 256);
	return text ? 0 : -1;
}

static int free_text(void **state)
{
	(void)state;
	free(text);
	return 0;
}

static void assert_right(const uint8_t *bytes, size_t n_bytes, const uint8_t *got)
{
	const mbedtls_md_info_t *info = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
	uint8_t wanted[SHA256_BYTES];

	assert_int_equal(mbedtls_md(info, bytes, n_bytes, wanted), 0);
	assert_memory_equal(got, wanted, SHA256_BYTES);
}

/* Call check with each kernel that runs here, and the plain one of the tests. */
static void with_each(void (*check)(const struct digest_kernel *kernel))
{
	check(&plain_kernel);
	for (const struct digest_kernel *const *k = digest_kernels(); *k; k++)
		if ((*k)->is_supported())
			check(*k);
}

static void check_one(const struct digest_kernel *kernel, const uint8_t *bytes, size_t n_bytes)
{
	struct sha256 s;
	uint8_t out[SHA256_BYTES];

	sha256_init(&s, kernel);
	sha256_update(&s, bytes, n_bytes);
	sha256_finish(&s, out);
	assert_right(bytes, n_bytes, out);
}

static void check_two(const struct digest_kernel *kernel, const uint8_t *a, size_t a_bytes,
		      const uint8_t *b, size_t b_bytes)
{
	const struct digest_piece pieces[2] = {{a, a_bytes}, {b, b_bytes}};
	uint8_t out[2][SHA256_BYTES];

	sha256_many(kernel, pieces, 2, out);
	assert_right(a, a_bytes, out[0]);
	assert_right(b, b_bytes, out[1]);
}

/* Each length begins at another place, so that all alignments occur. */
static void check_lengths(const struct digest_kernel *kernel)
{
	for (size_t n = 0; n <= N_LENGTHS; n++)
		check_one(kernel, text + 7 * n, n);
}

static void check_splits(const struct digest_kernel *kernel)
{
	for (size_t first = 0; first <= N_SPLIT_BYTES; first++) {
		struct sha256 s;
		uint8_t out[SHA256_BYTES];

		sha256_init(&s, kernel);
		sha256_update(&s, text, first);
		sha256_update(&s, text + first, N_SPLIT_BYTES - first);
		sha256_finish(&s, out);
		assert_right(text, N_SPLIT_BYTES, out);
	}
}

static void check_many_pieces(const struct digest_kernel *kernel)
{
	uint64_t seed = 2;
	struct sha256 s;
	uint8_t out[SHA256_BYTES];
	size_t done = 0;

	sha256_init(&s, kernel);
	while (done < TEXT_BYTES) {
		size_t n = next(&seed, 300);
		n = n < TEXT_BYTES - done ? n : TEXT_BYTES - done;
		sha256_update(&s, text + done, n);
		done += n;
	}
	sha256_finish(&s, out);
	assert_right(text, TEXT_BYTES, out);
}

static void check_pairs_of_lengths(const struct digest_kernel *kernel)
{
	for (size_t a = 0; a <= N_LENGTHS; a += 9)
		for (size_t b = 0; b <= N_LENGTHS; b++)
			check_two(kernel, text + a, a, text + 3 * b, b);
}

static void check_large_pairs(const struct digest_kernel *kernel)
{
	uint64_t seed = 3;

	for (int i = 0; i < N_RANDOM; i++) {
		size_t a = next(&seed, TEXT_BYTES / 16);
		size_t b = next(&seed, TEXT_BYTES / 16);
		check_two(kernel, text + next(&seed, TEXT_BYTES / 2), a,
			  text + next(&seed, TEXT_BYTES / 2), b);
	}
}

static void check_is_picked(const struct digest_kernel *kernel)
{
	const struct digest_kernel *const list[] = {kernel, NULL};

	assert_ptr_equal(digest_kernel_pick(list), kernel);
}

static void kernels_agree_with_mbedtls_on_every_short_length(void **state)
{
	(void)state;
	with_each(check_lengths);
}

static void kernels_agree_with_mbedtls_wherever_a_message_is_split(void **state)
{
	(void)state;
	with_each(check_splits);
}

static void kernels_agree_with_mbedtls_on_a_message_in_many_pieces(void **state)
{
	(void)state;
	with_each(check_many_pieces);
}

static void kernels_agree_with_mbedtls_on_two_messages_of_any_lengths(void **state)
{
	(void)state;
	with_each(check_pairs_of_lengths);
}

static void kernels_agree_with_mbedtls_on_two_large_messages(void **state)
{
	(void)state;
	with_each(check_large_pairs);
}

static const struct digest_kernel *pick(const struct digest_kernel *first,
					const struct digest_kernel *second)
{
	const struct digest_kernel *const list[] = {first, second, NULL};

	return digest_kernel_pick(list);
}

static void best_kernel_that_runs_here_is_picked(void **state)
{
	struct digest_kernel second = plain_kernel;

	(void)state;
	assert_ptr_equal(pick(&plain_kernel, &second), &plain_kernel);
}

static void kernels_of_this_processor_know_their_answers(void **state)
{
	(void)state;
	with_each(check_is_picked);
}

static bool no(void)
{
	return false;
}

static void kernel_that_is_not_supported_is_never_run(void **state)
{
	const struct digest_kernel none = {.name = "none", .is_supported = no};

	(void)state;
	assert_ptr_equal(pick(&none, &plain_kernel), &plain_kernel);
}

static void flip_one_bit(uint32_t state[SHA256_STATE_WORDS], const uint8_t *blocks, size_t n_blocks)
{
	plain_compress(state, blocks, n_blocks);
	state[SHA256_STATE_WORDS - 1] ^= 1;
}

static void kernel_with_a_wrong_answer_is_refused(void **state)
{
	struct digest_kernel wrong = plain_kernel;

	(void)state;
	wrong.compress = flip_one_bit;
	assert_ptr_equal(pick(&wrong, &plain_kernel), &plain_kernel);
}

static void flip_one_bit_of_the_second(uint32_t a[SHA256_STATE_WORDS], const uint8_t *blocks_a,
				       uint32_t b[SHA256_STATE_WORDS], const uint8_t *blocks_b,
				       size_t n_blocks)
{
	plain_compress(a, blocks_a, n_blocks);
	flip_one_bit(b, blocks_b, n_blocks);
}

static void kernel_with_a_wrong_second_lane_is_refused(void **state)
{
	struct digest_kernel wrong = plain_kernel;

	(void)state;
	wrong.compress_two = flip_one_bit_of_the_second;
	assert_ptr_equal(pick(&wrong, &plain_kernel), &plain_kernel);
}

static void mix_up_the_lanes(uint32_t a[SHA256_STATE_WORDS], const uint8_t *blocks_a,
			     uint32_t b[SHA256_STATE_WORDS], const uint8_t *blocks_b,
			     size_t n_blocks)
{
	plain_compress(a, blocks_b, n_blocks);
	plain_compress(b, blocks_a, n_blocks);
}

static void kernel_that_mixes_up_its_lanes_is_refused(void **state)
{
	struct digest_kernel wrong = plain_kernel;

	(void)state;
	wrong.compress_two = mix_up_the_lanes;
	assert_ptr_equal(pick(&wrong, &plain_kernel), &plain_kernel);
}

static void none_is_picked_when_all_are_wrong(void **state)
{
	struct digest_kernel wrong = plain_kernel;

	(void)state;
	wrong.compress = flip_one_bit;
	assert_null(pick(&wrong, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_agree_with_mbedtls_on_every_short_length),
		cmocka_unit_test(kernels_agree_with_mbedtls_wherever_a_message_is_split),
		cmocka_unit_test(kernels_agree_with_mbedtls_on_a_message_in_many_pieces),
		cmocka_unit_test(kernels_agree_with_mbedtls_on_two_messages_of_any_lengths),
		cmocka_unit_test(kernels_agree_with_mbedtls_on_two_large_messages),
		cmocka_unit_test(kernels_of_this_processor_know_their_answers),
		cmocka_unit_test(best_kernel_that_runs_here_is_picked),
		cmocka_unit_test(kernel_that_is_not_supported_is_never_run),
		cmocka_unit_test(kernel_with_a_wrong_answer_is_refused),
		cmocka_unit_test(kernel_with_a_wrong_second_lane_is_refused),
		cmocka_unit_test(kernel_that_mixes_up_its_lanes_is_refused),
		cmocka_unit_test(none_is_picked_when_all_are_wrong),
	};

	return cmocka_run_group_tests(tests, make_text, free_text);
}
