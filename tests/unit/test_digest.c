/* Message digests: the known answers of RFC 1321 and of NIST's examples for FIPS 180-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/parse.h"
#include "flash/trust/digest.h"

enum { MOST_PIECE_BYTES = 1 << 16 };

static char *hex_of(enum digest_kind kind, const void *bytes, size_t n_bytes, char *text)
{
	uint8_t out[DIGEST_MAX_BYTES];
	struct err e;

	assert_int_equal(digest_of(kind, bytes, n_bytes, out, &e), 0);
	return format_hex(out, digest_size_bytes(kind), text);
}

static void md5_gives_the_known_answer(void **state)
{
	char text[2 * DIGEST_MAX_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of(DIGEST_MD5, "abc", 3, text), "900150983cd24fb0d6963f7d28e17f72");
}

static void sha1_gives_the_known_answer(void **state)
{
	char text[2 * DIGEST_MAX_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of(DIGEST_SHA1, "abc", 3, text),
			    "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void sha256_gives_the_known_answer(void **state)
{
	char text[2 * DIGEST_MAX_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of(DIGEST_SHA256, "abc", 3, text),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void sha256_of_448_bits_gives_the_known_answer(void **state)
{
	const char *message = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char text[2 * DIGEST_MAX_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of(DIGEST_SHA256, message, strlen(message), text),
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256_of_896_bits_gives_the_known_answer(void **state)
{
	const char *message = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
			      "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
	char text[2 * DIGEST_MAX_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of(DIGEST_SHA256, message, strlen(message), text),
			    "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

/* The SHA-256 of n_times the same piece of that byte, as text. */
static char *hex_of_repeated(uint8_t byte, size_t piece_bytes, size_t n_times, char *text)
{
	uint8_t piece[MOST_PIECE_BYTES];
	struct digest *d = NULL;
	uint8_t out[SHA256_BYTES];
	struct err e;

	assert_in_range(piece_bytes, 1, MOST_PIECE_BYTES);
	memset(piece, byte, piece_bytes);
	assert_int_equal(digest_new(DIGEST_SHA256, &d, &e), 0);
	for (size_t i = 0; i < n_times; i++)
		assert_int_equal(digest_update(d, piece, piece_bytes, &e), 0);
	assert_int_equal(digest_finish(d, out, &e), 0);
	digest_free(d);
	return format_hex(out, sizeof out, text);
}

static void sha256_of_a_million_letters_gives_the_known_answer(void **state)
{
	char text[2 * SHA256_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of_repeated('a', 1000, 1000, text),
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* 513 MiB of zeros: the answer is that of coreutils' sha256sum. */
static void sha256_counts_more_than_32_bits_of_bits(void **state)
{
	char text[2 * SHA256_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of_repeated(0, MOST_PIECE_BYTES, 513 << 4, text),
			    "a3e2acbb469e4e59dde406f912e754c933c1ac0fb0092a3634d61d5073309c0c");
}

static void sha384_gives_the_known_answer(void **state)
{
	char text[2 * DIGEST_MAX_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of(DIGEST_SHA384, "abc", 3, text),
			    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			    "8086072ba1e7cc2358baeca134c825a7");
}

static void sha512_gives_the_known_answer(void **state)
{
	char text[2 * DIGEST_MAX_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of(DIGEST_SHA512, "abc", 3, text),
			    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void digest_of_nothing_is_that_of_the_empty_string(void **state)
{
	char text[2 * DIGEST_MAX_BYTES + 1];

	(void)state;
	assert_string_equal(hex_of(DIGEST_SHA256, NULL, 0, text),
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void digest_in_pieces_equals_digest_at_once(void **state)
{
	struct digest *d = NULL;
	uint8_t out[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];
	struct err e;

	(void)state;
	assert_int_equal(digest_new(DIGEST_SHA256, &d, &e), 0);
	assert_int_equal(digest_update(d, "a", 1, &e), 0);
	assert_int_equal(digest_update(d, "", 0, &e), 0);
	assert_int_equal(digest_update(d, "bc", 2, &e), 0);
	assert_int_equal(digest_finish(d, out, &e), 0);
	digest_free(d);
	assert_string_equal(format_hex(out, sizeof out, text),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* The digests of many equal those of digest_sha256() piece by piece; nothing is written behind. */
static void assert_many_equal_each(const struct digest_piece *pieces, size_t n_pieces)
{
	enum { N_MOST = 5 };
	uint8_t out[N_MOST + 1][SHA256_BYTES] = {0};
	uint8_t each[N_MOST + 1][SHA256_BYTES] = {0};
	struct err e;

	assert_in_range(n_pieces, 0, N_MOST);
	assert_int_equal(digest_sha256_many(pieces, n_pieces, out, &e), 0);
	for (size_t i = 0; i < n_pieces; i++)
		assert_int_equal(digest_sha256(pieces[i].bytes, pieces[i].n_bytes, each[i], &e), 0);
	assert_memory_equal(out, each, sizeof out);
}

static void digests_of_many_pieces_equal_those_of_each(void **state)
{
	const char *text = "The quick brown fox jumps over the lazy dog, and then over a second "
			   "lazy dog that nobody had told about the first, and over a third one.";
	const struct digest_piece pieces[] = {
		{text, strlen(text)}, {text + 1, 100}, {text, 64}, {text + 3, 128}, {text, 63},
	};

	(void)state;
	assert_many_equal_each(pieces, 5);
	assert_many_equal_each(pieces, 4);
	assert_many_equal_each(pieces, 1);
}

static void digests_of_no_pieces_are_none(void **state)
{
	(void)state;
	assert_many_equal_each(NULL, 0);
}

static void empty_pieces_have_the_digest_of_nothing(void **state)
{
	const struct digest_piece pieces[] = {{NULL, 0}, {"abc", 3}, {NULL, 0}};

	(void)state;
	assert_many_equal_each(pieces, 3);
}

static void name_finds_its_kind(void **state)
{
	enum digest_kind kind = DIGEST_MD5;
	struct err e;

	(void)state;
	assert_int_equal(digest_by_name("sha384", &kind, &e), 0);
	assert_int_equal(kind, DIGEST_SHA384);
}

static void unknown_name_is_a_usage_error_and_leaves_the_result_alone(void **state)
{
	enum digest_kind kind = DIGEST_SHA512;
	struct err e;

	(void)state;
	assert_int_equal(digest_by_name("SHA256", &kind, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(kind, DIGEST_SHA512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_gives_the_known_answer),
		cmocka_unit_test(sha1_gives_the_known_answer),
		cmocka_unit_test(sha256_gives_the_known_answer),
		cmocka_unit_test(sha256_of_448_bits_gives_the_known_answer),
		cmocka_unit_test(sha256_of_896_bits_gives_the_known_answer),
		cmocka_unit_test(sha256_of_a_million_letters_gives_the_known_answer),
		cmocka_unit_test(sha256_counts_more_than_32_bits_of_bits),
		cmocka_unit_test(sha384_gives_the_known_answer),
		cmocka_unit_test(sha512_gives_the_known_answer),
		cmocka_unit_test(digest_of_nothing_is_that_of_the_empty_string),
		cmocka_unit_test(digest_in_pieces_equals_digest_at_once),
		cmocka_unit_test(digests_of_many_pieces_equal_those_of_each),
		cmocka_unit_test(digests_of_no_pieces_are_none),
		cmocka_unit_test(empty_pieces_have_the_digest_of_nothing),
		cmocka_unit_test(name_finds_its_kind),
		cmocka_unit_test(unknown_name_is_a_usage_error_and_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
