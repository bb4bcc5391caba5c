/* A kernel of plain C for tests, as FIPS 180-4 writes SHA-256 in section 6.2.2: slow, and good on
 * every machine. The other kernels are held against it, or break it. */
#pragma once

#include <string.h>

#include "flash/base/bytes.h"
#include "flash/trust/digest_kernel.h"

static inline uint32_t plain_rotr(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static inline void plain_schedule(const uint8_t *block, uint32_t w[SHA256_ROUNDS])
{
	for (size_t t = 0; t < 16; t++)
		w[t] = be32(block + 4 * t);
	for (size_t t = 16; t < SHA256_ROUNDS; t++) {
		uint32_t x = w[t - 15];
		uint32_t y = w[t - 2];
		uint32_t sigma0 = plain_rotr(x, 7) ^ plain_rotr(x, 18) ^ x >> 3;
		uint32_t sigma1 = plain_rotr(y, 17) ^ plain_rotr(y, 19) ^ y >> 10;
		w[t] = sigma1 + w[t - 7] + sigma0 + w[t - 16];
	}
}

/* v holds the working variables a to h. */
static inline void plain_round(uint32_t v[SHA256_STATE_WORDS], uint32_t k, uint32_t w)
{
	uint32_t a = v[0];
	uint32_t e = v[4];
	uint32_t sum0 = plain_rotr(a, 2) ^ plain_rotr(a, 13) ^ plain_rotr(a, 22);
	uint32_t sum1 = plain_rotr(e, 6) ^ plain_rotr(e, 11) ^ plain_rotr(e, 25);
	uint32_t ch = (e & v[5]) ^ (~e & v[6]);
	uint32_t maj = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
	uint32_t t1 = v[7] + sum1 + ch + k + w;

	memmove(v + 1, v, (SHA256_STATE_WORDS - 1) * sizeof *v);
	v[4] += t1;
	v[0] = t1 + sum0 + maj;
}

static inline void plain_compress(uint32_t state[SHA256_STATE_WORDS], const uint8_t *blocks,
				  size_t n_blocks)
{
	for (size_t block = 0; block < n_blocks; block++) {
		uint32_t w[SHA256_ROUNDS];
		uint32_t v[SHA256_STATE_WORDS];

		memcpy(v, state, sizeof v);
		plain_schedule(blocks + block * SHA256_BLOCK_BYTES, w);
		for (size_t t = 0; t < SHA256_ROUNDS; t++)
			plain_round(v, sha256_k[t], w[t]);
		for (size_t i = 0; i < SHA256_STATE_WORDS; i++)
			state[i] += v[i];
	}
}

static inline void plain_compress_two(uint32_t a[SHA256_STATE_WORDS], const uint8_t *blocks_a,
				      uint32_t b[SHA256_STATE_WORDS], const uint8_t *blocks_b,
				      size_t n_blocks)
{
	plain_compress(a, blocks_a, n_blocks);
	plain_compress(b, blocks_b, n_blocks);
}

static inline bool plain_is_supported(void)
{
	return true;
}

static const struct digest_kernel plain_kernel = {
	.name = "plain",
	.is_supported = plain_is_supported,
	.compress = plain_compress,
	.compress_two = plain_compress_two,
};
