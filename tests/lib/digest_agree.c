/* Holds the kernel that would make SHA-256 on this processor against known answers and against
 * plain C, on messages of random lengths. It needs no mbedTLS, so that it can be built for another
 * processor and run in an emulator (tests/cli/digest_arm64.sh).
 *
 *     digest_agree     prints the kernel's name, or "none", and how many digests were right */
#include <stdio.h>
#include <string.h>

#include "flash/trust/digest_kernel.h"
#include "flash/trust/digest_sha256.h"
#include "tests/lib/plain_sha256.h"

enum {
	TEXT_BYTES = 1 << 18,
	N_LENGTHS = 300,
	N_PAIRS = 400,
};

static const struct {
	const char *text;
	const char *hex;
} known[] = {
	/* NIST's examples for SHA-256, and the digest of nothing */
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

/* The next of a fixed row of numbers that look random (Knuth's MMIX). */
static size_t next(uint64_t *seed, size_t below)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (size_t)(*seed >> 33) % below;
}

static void digest_by(const struct digest_kernel *kernel, const uint8_t *bytes, size_t n_bytes,
		      uint8_t out[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s, kernel);
	sha256_update(&s, bytes, n_bytes);
	sha256_finish(&s, out);
}

static bool is_known(const struct digest_kernel *kernel, const char *text, const char *hex)
{
	uint8_t out[SHA256_BYTES];
	char got[2 * SHA256_BYTES + 1];

	digest_by(kernel, (const uint8_t *)text, strlen(text), out);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(got + 2 * i, 3, "%02x", out[i]);
	return strcmp(got, hex) == 0;
}

static bool agrees(const struct digest_piece *piece, const uint8_t got[SHA256_BYTES])
{
	uint8_t wanted[SHA256_BYTES];

	digest_by(&plain_kernel, piece->bytes, piece->n_bytes, wanted);
	return memcmp(got, wanted, SHA256_BYTES) == 0;
}

/* Two messages anywhere in the text, at once. */
static bool agrees_on_two(const struct digest_kernel *kernel, const uint8_t *text, uint64_t *seed,
			  size_t most_bytes)
{
	const struct digest_piece pieces[2] = {
		{text + next(seed, TEXT_BYTES / 2), next(seed, most_bytes)},
		{text + next(seed, TEXT_BYTES / 2), next(seed, most_bytes)},
	};
	uint8_t out[2][SHA256_BYTES];

	sha256_many(kernel, pieces, 2, out);
	return agrees(&pieces[0], out[0]) && agrees(&pieces[1], out[1]);
}

static bool agrees_on_one(const struct digest_kernel *kernel, const uint8_t *bytes, size_t n_bytes)
{
	const struct digest_piece piece = {bytes, n_bytes};
	uint8_t out[SHA256_BYTES];

	digest_by(kernel, bytes, n_bytes, out);
	return agrees(&piece, out);
}

/* How many digests of a kernel are wrong; out_n_right counts the others. */
static int count_wrong(const struct digest_kernel *kernel, int *out_n_right)
{
	static uint8_t text[TEXT_BYTES];
	uint64_t seed = 1;
	int n_right = 0;
	int n_all = 0;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)next(&seed, 256);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++, n_all++)
		n_right += is_known(kernel, known[i].text, known[i].hex);
	for (size_t n = 0; n <= N_LENGTHS; n++, n_all++)
		n_right += agrees_on_one(kernel, text + n, n);
	for (int i = 0; i < N_PAIRS; i++, n_all += 2)
		n_right += agrees_on_two(kernel, text, &seed, N_LENGTHS) +
			   agrees_on_two(kernel, text, &seed, TEXT_BYTES / 16);
	*out_n_right = n_right;
	return n_all - n_right;
}

int main(void)
{
	const struct digest_kernel *kernel = digest_kernel_pick(digest_kernels());
	int n_right = 0;

	if (!kernel) {
		(void)puts("none");
		return 0;
	}
	int n_wrong = count_wrong(kernel, &n_right);
	(void)printf("%s: %d right, %d wrong\n", kernel->name, n_right, n_wrong);
	return n_wrong == 0 ? 0 : 1;
}
