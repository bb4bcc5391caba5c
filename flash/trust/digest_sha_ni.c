/* SHA-256 by the SHA extensions of x86 (Intel SDM volume 2: SHA256RNDS2, SHA256MSG1, SHA256MSG2).
 * Variables have the names of FIPS 180-4, section 6.2.2; those of a vector, its words from the
 * highest to the lowest, as the manual has them. */
#if defined(__x86_64__)
#include "flash/trust/digest_kernel.h"

#include <immintrin.h>
#include <sys/platform/x86.h>

#define USES_SHA __attribute__((target("sha,sse4.1,ssse3")))
/* With the number of a vector constant, w[] lives in registers. */
#define ROUNDS USES_SHA __attribute__((always_inline)) static inline

/* One message: its working variables and the last 16 words of its schedule W. */
struct lane {
	__m128i abef;
	__m128i cdgh;
	__m128i w[4];
};

/* The processor has them, and the system saves their registers. */
static bool is_supported(void)
{
	return CPU_FEATURE_ACTIVE(SHA) && CPU_FEATURE_ACTIVE(SSE4_1) && CPU_FEATURE_ACTIVE(SSSE3);
}

ROUNDS struct lane lane_load(const uint32_t *state)
{
	__m128i dcba = _mm_loadu_si128((const __m128i *)state);
	__m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
	__m128i bafe = _mm_unpacklo_epi64(hgfe, dcba);
	__m128i dchg = _mm_unpackhi_epi64(hgfe, dcba);

	return (struct lane){
		.abef = _mm_shuffle_epi32(bafe, _MM_SHUFFLE(2, 3, 0, 1)),
		.cdgh = _mm_shuffle_epi32(dchg, _MM_SHUFFLE(2, 3, 0, 1)),
	};
}

ROUNDS void lane_store(const struct lane *l, uint32_t *state)
{
	__m128i bafe = _mm_shuffle_epi32(l->abef, _MM_SHUFFLE(2, 3, 0, 1));
	__m128i dchg = _mm_shuffle_epi32(l->cdgh, _MM_SHUFFLE(2, 3, 0, 1));

	_mm_storeu_si128((__m128i *)state, _mm_unpackhi_epi64(bafe, dchg));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_unpacklo_epi64(bafe, dchg));
}

ROUNDS __m128i four_words(const uint8_t *bytes)
{
	const __m128i big_endian =
		_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes), big_endian);
}

/* W0 to W15 are the block. */
ROUNDS void load_block(struct lane *l, const uint8_t *block)
{
	l->w[0] = four_words(block);
	l->w[1] = four_words(block + 16);
	l->w[2] = four_words(block + 32);
	l->w[3] = four_words(block + 48);
}

/* Four of the sixteen rounds whose constants begin at k: those with w[i]. */
ROUNDS void four_rounds(struct lane *l, size_t i, const uint32_t *k)
{
	__m128i wk = _mm_add_epi32(l->w[i], _mm_load_si128((const __m128i *)k + i));

	l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, wk);
	l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

/* Replace w[i], the oldest four words, by the next four. */
ROUNDS void schedule(struct lane *l, size_t i)
{
	__m128i last = l->w[(i + 3) % 4];
	__m128i seven_before = _mm_alignr_epi8(last, l->w[(i + 2) % 4], 4);
	__m128i part = _mm_sha256msg1_epu32(l->w[i], l->w[(i + 1) % 4]);

	l->w[i] = _mm_sha256msg2_epu32(_mm_add_epi32(part, seven_before), last);
}

ROUNDS void rounds_of_one(struct lane *l, size_t i, const uint32_t *k)
{
	four_rounds(l, i, k);
	schedule(l, i);
}

/* Sixteen rounds, and the words for the next sixteen. */
ROUNDS void sixteen_of_one(struct lane *l, const uint32_t *k)
{
	rounds_of_one(l, 0, k);
	rounds_of_one(l, 1, k);
	rounds_of_one(l, 2, k);
	rounds_of_one(l, 3, k);
}

ROUNDS void last_sixteen_of_one(struct lane *l, const uint32_t *k)
{
	four_rounds(l, 0, k);
	four_rounds(l, 1, k);
	four_rounds(l, 2, k);
	four_rounds(l, 3, k);
}

ROUNDS void rounds_of_two(struct lane *a, struct lane *b, size_t i, const uint32_t *k)
{
	four_rounds(a, i, k);
	four_rounds(b, i, k);
	schedule(a, i);
	schedule(b, i);
}

ROUNDS void sixteen_of_two(struct lane *a, struct lane *b, const uint32_t *k)
{
	rounds_of_two(a, b, 0, k);
	rounds_of_two(a, b, 1, k);
	rounds_of_two(a, b, 2, k);
	rounds_of_two(a, b, 3, k);
}

ROUNDS void last_rounds_of_two(struct lane *a, struct lane *b, size_t i, const uint32_t *k)
{
	four_rounds(a, i, k);
	four_rounds(b, i, k);
}

ROUNDS void last_sixteen_of_two(struct lane *a, struct lane *b, const uint32_t *k)
{
	last_rounds_of_two(a, b, 0, k);
	last_rounds_of_two(a, b, 1, k);
	last_rounds_of_two(a, b, 2, k);
	last_rounds_of_two(a, b, 3, k);
}

ROUNDS void add_state(struct lane *l, const struct lane *before)
{
	l->abef = _mm_add_epi32(l->abef, before->abef);
	l->cdgh = _mm_add_epi32(l->cdgh, before->cdgh);
}

/* The 64 rounds stand one behind the other, not in a loop of sixteen: with a loop gcc 12 runs out
 * of registers, and two lanes are a fifth slower. */
USES_SHA static void compress(uint32_t state[SHA256_STATE_WORDS], const uint8_t *blocks,
			      size_t n_blocks)
{
	struct lane l = lane_load(state);

	for (; n_blocks > 0; n_blocks--, blocks += SHA256_BLOCK_BYTES) {
		const struct lane before = l;

		load_block(&l, blocks);
		sixteen_of_one(&l, sha256_k);
		sixteen_of_one(&l, sha256_k + 16);
		sixteen_of_one(&l, sha256_k + 32);
		last_sixteen_of_one(&l, sha256_k + 48);
		add_state(&l, &before);
	}
	lane_store(&l, state);
}

USES_SHA static void compress_two(uint32_t state_a[SHA256_STATE_WORDS], const uint8_t *blocks_a,
				  uint32_t state_b[SHA256_STATE_WORDS], const uint8_t *blocks_b,
				  size_t n_blocks)
{
	struct lane a = lane_load(state_a);
	struct lane b = lane_load(state_b);

	for (size_t at = 0; at < n_blocks * SHA256_BLOCK_BYTES; at += SHA256_BLOCK_BYTES) {
		const struct lane before_a = a;
		const struct lane before_b = b;

		load_block(&a, blocks_a + at);
		load_block(&b, blocks_b + at);
		sixteen_of_two(&a, &b, sha256_k);
		sixteen_of_two(&a, &b, sha256_k + 16);
		sixteen_of_two(&a, &b, sha256_k + 32);
		last_sixteen_of_two(&a, &b, sha256_k + 48);
		add_state(&a, &before_a);
		add_state(&b, &before_b);
	}
	lane_store(&a, state_a);
	lane_store(&b, state_b);
}

const struct digest_kernel digest_sha_ni = {
	.name = "sha-ni",
	.is_supported = is_supported,
	.compress = compress,
	.compress_two = compress_two,
};
#endif
