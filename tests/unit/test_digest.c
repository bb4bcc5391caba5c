/* Message digests: the known answers of RFC 1321 and FIPS 180-4's examples, for "abc". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash/base/parse.h"
#include "flash/trust/digest.h"

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
		cmocka_unit_test(sha384_gives_the_known_answer),
		cmocka_unit_test(sha512_gives_the_known_answer),
		cmocka_unit_test(digest_of_nothing_is_that_of_the_empty_string),
		cmocka_unit_test(digest_in_pieces_equals_digest_at_once),
		cmocka_unit_test(name_finds_its_kind),
		cmocka_unit_test(unknown_name_is_a_usage_error_and_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
