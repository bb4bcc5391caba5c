/* SHA-256 around a kernel's compression function. See digest_sha256.h. */
#include "flash/trust/digest_sha256.h"

#include <stdalign.h>
#include <string.h>

#include "flash/base/bytes.h"

enum {
	LENGTH_BYTES = 8,   /* the message's length in bits, at the end of its last block */
	END_OF_TEXT = 0x80, /* a bit 1 behind the message's last one */
};

/* FIPS 180-4, section 5.3.3. */
static const uint32_t initial[SHA256_STATE_WORDS] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

alignas(16) const uint32_t sha256_k[SHA256_ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

void sha256_init(struct sha256 *s, const struct digest_kernel *kernel)
{
	s->kernel = kernel;
	s->n_bytes = 0;
	memcpy(s->state, initial, sizeof s->state);
}

static size_t pending_bytes(const struct sha256 *s)
{
	return (size_t)(s->n_bytes % SHA256_BLOCK_BYTES);
}

/* Fill the block that was begun; returns how many of the bytes went there. */
static size_t fill_block(struct sha256 *s, const uint8_t *bytes, size_t n_bytes)
{
	size_t begun = pending_bytes(s);
	size_t taken = SHA256_BLOCK_BYTES - begun < n_bytes ? SHA256_BLOCK_BYTES - begun : n_bytes;

	memcpy(s->block + begun, bytes, taken);
	s->n_bytes += taken;
	if (begun + taken == SHA256_BLOCK_BYTES)
		s->kernel->compress(s->state, s->block, 1);
	return taken;
}

void sha256_update(struct sha256 *s, const void *bytes, size_t n_bytes)
{
	const uint8_t *rest = bytes;
	const uint8_t *end = n_bytes == 0 ? rest : rest + n_bytes;

	if (pending_bytes(s) > 0 && rest < end)
		rest += fill_block(s, rest, n_bytes);
	size_t n_blocks = (size_t)(end - rest) / SHA256_BLOCK_BYTES;
	if (n_blocks > 0) {
		s->kernel->compress(s->state, rest, n_blocks);
		s->n_bytes += n_blocks * SHA256_BLOCK_BYTES;
		rest += n_blocks * SHA256_BLOCK_BYTES;
	}
	if (rest < end)
		(void)fill_block(s, rest, (size_t)(end - rest));
}

static void put_be32(uint8_t *p, uint32_t value)
{
	put_le32(p, __builtin_bswap32(value));
}

void sha256_finish(struct sha256 *s, uint8_t out[SHA256_BYTES])
{
	uint8_t tail[2 * SHA256_BLOCK_BYTES] = {0};
	size_t n_text = pending_bytes(s);
	size_t n_blocks = n_text < SHA256_BLOCK_BYTES - LENGTH_BYTES ? 1 : 2;
	uint8_t *length = tail + n_blocks * SHA256_BLOCK_BYTES - LENGTH_BYTES;
	uint64_t n_bits = s->n_bytes * 8;

	memcpy(tail, s->block, n_text);
	tail[n_text] = END_OF_TEXT;
	put_be32(length, (uint32_t)(n_bits >> 32));
	put_be32(length + 4, (uint32_t)n_bits);
	s->kernel->compress(s->state, tail, n_blocks);
	for (size_t i = 0; i < SHA256_STATE_WORDS; i++)
		put_be32(out + 4 * i, s->state[i]);
}

static void finish_piece(struct sha256 *s, const struct digest_piece *p, uint8_t *out)
{
	const uint8_t *bytes = p->bytes;
	size_t done = (size_t)s->n_bytes;

	if (done < p->n_bytes)
		sha256_update(s, bytes + done, p->n_bytes - done);
	sha256_finish(s, out);
}

static void two_pieces(const struct digest_kernel *kernel, const struct digest_piece pieces[2],
		       uint8_t (*out)[SHA256_BYTES])
{
	struct sha256 a;
	struct sha256 b;
	size_t shorter =
		pieces[0].n_bytes < pieces[1].n_bytes ? pieces[0].n_bytes : pieces[1].n_bytes;
	size_t n_blocks = shorter / SHA256_BLOCK_BYTES;

	sha256_init(&a, kernel);
	sha256_init(&b, kernel);
	if (n_blocks > 0)
		kernel->compress_two(a.state, pieces[0].bytes, b.state, pieces[1].bytes, n_blocks);
	a.n_bytes = b.n_bytes = n_blocks * SHA256_BLOCK_BYTES;
	finish_piece(&a, &pieces[0], out[0]);
	finish_piece(&b, &pieces[1], out[1]);
}

void sha256_many(const struct digest_kernel *kernel, const struct digest_piece *pieces,
		 size_t n_pieces, uint8_t (*out)[SHA256_BYTES])
{
	struct sha256 last;
	size_t n_paired = n_pieces / 2 * 2;

	for (size_t i = 0; i < n_paired; i += 2)
		two_pieces(kernel, pieces + i, out + i);
	if (n_paired < n_pieces) {
		sha256_init(&last, kernel);
		finish_piece(&last, pieces + n_paired, out[n_paired]);
	}
}
