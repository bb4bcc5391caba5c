/* SHA-256 by the SHA extensions of x86 (Intel SDM volume 2: SHA256RNDS2, SHA256MSG1, SHA256MSG2).
 * Variables have the names of FIPS 180-4, section 6.2.2; those of a vector, its words from the
 * highest to the lowest, as the manual has them. */
#include "flash/trust/digest_kernel.h"

#ifdef DIGEST_HAS_SHA_NI
#include <immintrin.h>
#include <sys/platform/x86.h>

#define LANE_TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define LANE_STEP   LANE_TARGET __attribute__((always_inline)) static inline

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

LANE_STEP struct lane lane_load(const uint32_t *state)
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

LANE_STEP void lane_store(const struct lane *l, uint32_t *state)
{
	__m128i bafe = _mm_shuffle_epi32(l->abef, _MM_SHUFFLE(2, 3, 0, 1));
	__m128i dchg = _mm_shuffle_epi32(l->cdgh, _MM_SHUFFLE(2, 3, 0, 1));

	_mm_storeu_si128((__m128i *)state, _mm_unpackhi_epi64(bafe, dchg));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_unpacklo_epi64(bafe, dchg));
}

LANE_STEP __m128i four_words(const uint8_t *bytes)
{
	const __m128i big_endian =
		_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes), big_endian);
}

/* W0 to W15 are the block. */
LANE_STEP void load_block(struct lane *l, const uint8_t *block)
{
	l->w[0] = four_words(block);
	l->w[1] = four_words(block + 16);
	l->w[2] = four_words(block + 32);
	l->w[3] = four_words(block + 48);
}

/* Four of the sixteen rounds whose constants begin at k: those with w[i]. */
LANE_STEP void four_rounds(struct lane *l, size_t i, const uint32_t *k)
{
	__m128i wk = _mm_add_epi32(l->w[i], _mm_load_si128((const __m128i *)k + i));

	l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, wk);
	l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

/* Replace w[i], the oldest four words, by the next four. */
LANE_STEP void schedule(struct lane *l, size_t i)
{
	__m128i last = l->w[(i + 3) % 4];
	__m128i seven_before = _mm_alignr_epi8(last, l->w[(i + 2) % 4], 4);
	__m128i part = _mm_sha256msg1_epu32(l->w[i], l->w[(i + 1) % 4]);

	l->w[i] = _mm_sha256msg2_epu32(_mm_add_epi32(part, seven_before), last);
}

LANE_STEP void add_state(struct lane *l, const struct lane *before)
{
	l->abef = _mm_add_epi32(l->abef, before->abef);
	l->cdgh = _mm_add_epi32(l->cdgh, before->cdgh);
}

#include "flash/trust/digest_rounds.h"

__attribute__((target("avx"))) static void clear_upper_halves(void)
{
	_mm256_zeroupper();
}

/* Who used AVX before us, in this thread or the one that made it, may have left the upper halves of
 * the registers in use. Each of our instructions, which are SSE's, must then keep them: on Zen 4
 * that takes 2.4 times as long. */
static void leave_avx(void)
{
	if (CPU_FEATURE_ACTIVE(AVX))
		clear_upper_halves();
}

static void compress_lane(uint32_t *state, const uint8_t *blocks, size_t n_blocks)
{
	leave_avx();
	compress(state, blocks, n_blocks);
}

static void compress_lanes(uint32_t *a, const uint8_t *blocks_a, uint32_t *b,
			   const uint8_t *blocks_b, size_t n_blocks)
{
	leave_avx();
	compress_two(a, blocks_a, b, blocks_b, n_blocks);
}

const struct digest_kernel digest_sha_ni = {
	.name = "sha-ni",
	.is_supported = is_supported,
	.compress = compress_lane,
	.compress_two = compress_lanes,
};
#endif
