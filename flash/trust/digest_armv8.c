/* SHA-256 by the SHA-2 instructions of ARMv8 (Arm ARM, part C: SHA256H, SHA256H2, SHA256SU0 and
 * SHA256SU1). Variables have the names of FIPS 180-4, section 6.2.2; those of a vector, its words
 * from the lowest to the highest. */
#include "flash/trust/digest_kernel.h"

#ifdef DIGEST_HAS_ARMV8
#include <arm_neon.h>
#include <sys/auxv.h>

/* gcc 12 has SHA-2 under this name, together with AES, which nothing here uses. */
#define LANE_TARGET __attribute__((target("+crypto")))
#define LANE_STEP   LANE_TARGET __attribute__((always_inline)) static inline

/* One message: its working variables and the last 16 words of its schedule W. */
struct lane {
	uint32x4_t abcd;
	uint32x4_t efgh;
	uint32x4_t w[4];
};

static bool is_supported(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
}

LANE_STEP struct lane lane_load(const uint32_t *state)
{
	return (struct lane){.abcd = vld1q_u32(state), .efgh = vld1q_u32(state + 4)};
}

LANE_STEP void lane_store(const struct lane *l, uint32_t *state)
{
	vst1q_u32(state, l->abcd);
	vst1q_u32(state + 4, l->efgh);
}

LANE_STEP uint32x4_t four_words(const uint8_t *bytes)
{
	return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes)));
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
	uint32x4_t wk = vaddq_u32(l->w[i], vld1q_u32(k + 4 * i));
	uint32x4_t abcd = l->abcd;

	l->abcd = vsha256hq_u32(abcd, l->efgh, wk);
	l->efgh = vsha256h2q_u32(l->efgh, abcd, wk);
}

/* Replace w[i], the oldest four words, by the next four. */
LANE_STEP void schedule(struct lane *l, size_t i)
{
	uint32x4_t part = vsha256su0q_u32(l->w[i], l->w[(i + 1) % 4]);

	l->w[i] = vsha256su1q_u32(part, l->w[(i + 2) % 4], l->w[(i + 3) % 4]);
}

LANE_STEP void add_state(struct lane *l, const struct lane *before)
{
	l->abcd = vaddq_u32(l->abcd, before->abcd);
	l->efgh = vaddq_u32(l->efgh, before->efgh);
}

#include "flash/trust/digest_rounds.h"

const struct digest_kernel digest_armv8 = {
	.name = "armv8",
	.is_supported = is_supported,
	.compress = compress,
	.compress_two = compress_two,
};
#endif
