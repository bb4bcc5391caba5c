/* What the kernels have in common: the order of their steps, for one lane and for two. A kernel's
 * file includes this behind its own steps, which are the processor's: LANE_TARGET and LANE_STEP
 * (the attributes of a function, and of one that must be inline), struct lane, lane_load,
 * lane_store, load_block, four_rounds, schedule and add_state. It gets compress and compress_two.
 *
 * All 64 rounds stand one behind the other, and the number of a vector in w[] is a constant in each
 * step, so that the vectors are registers. In a loop of sixteen rounds gcc 12 runs out of these,
 * and two lanes are a fifth slower. */
#pragma once

#include "flash/trust/digest_kernel.h"

#ifdef LANE_STEP
LANE_STEP void rounds_of_one(struct lane *l, size_t i, const uint32_t *k)
{
	four_rounds(l, i, k);
	schedule(l, i);
}

/* Sixteen rounds, and the words for the next sixteen. */
LANE_STEP void sixteen_of_one(struct lane *l, const uint32_t *k)
{
	rounds_of_one(l, 0, k);
	rounds_of_one(l, 1, k);
	rounds_of_one(l, 2, k);
	rounds_of_one(l, 3, k);
}

LANE_STEP void last_sixteen_of_one(struct lane *l, const uint32_t *k)
{
	four_rounds(l, 0, k);
	four_rounds(l, 1, k);
	four_rounds(l, 2, k);
	four_rounds(l, 3, k);
}

LANE_STEP void rounds_of_two(struct lane *a, struct lane *b, size_t i, const uint32_t *k)
{
	four_rounds(a, i, k);
	four_rounds(b, i, k);
	schedule(a, i);
	schedule(b, i);
}

LANE_STEP void sixteen_of_two(struct lane *a, struct lane *b, const uint32_t *k)
{
	rounds_of_two(a, b, 0, k);
	rounds_of_two(a, b, 1, k);
	rounds_of_two(a, b, 2, k);
	rounds_of_two(a, b, 3, k);
}

LANE_STEP void last_rounds_of_two(struct lane *a, struct lane *b, size_t i, const uint32_t *k)
{
	four_rounds(a, i, k);
	four_rounds(b, i, k);
}

LANE_STEP void last_sixteen_of_two(struct lane *a, struct lane *b, const uint32_t *k)
{
	last_rounds_of_two(a, b, 0, k);
	last_rounds_of_two(a, b, 1, k);
	last_rounds_of_two(a, b, 2, k);
	last_rounds_of_two(a, b, 3, k);
}

LANE_TARGET static void compress(uint32_t state[SHA256_STATE_WORDS], const uint8_t *blocks,
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

LANE_TARGET static void compress_two(uint32_t state_a[SHA256_STATE_WORDS], const uint8_t *blocks_a,
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
#endif
