/* What we sign: openssl and we accept it, and no bit of it can change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash/trust/keys.h"
#include "flash/trust/trust.h"
#include "tests/lib/der_edit.h"
#include "tests/lib/pki.h"

#define TEST(name) static void name(void **state)

/* ---- help -------------------------------------------------------------------------------------
 */

static struct signing_key *load(const struct pki *p, const char *key, const char *certificate)
{
	char key_path[256];
	char certificate_path[256];
	struct signing_key *k = NULL;
	struct err e = {0};

	if (signing_key_load(
		    pki_path(p, key, ".key", key_path, sizeof key_path),
		    pki_path(p, certificate, ".pem", certificate_path, sizeof certificate_path), &k,
		    &e) < 0)
		fail_msg("%s", e.text);
	return k;
}

/* A signature over the content by a key. */
static struct buf sign(const struct pki *p, const char *key, const char *certificate)
{
	CLEANUP(signing_key_freep) struct signing_key *k = load(p, key, certificate);
	struct buf out = {0};
	struct err e = {0};

	if (trust_sign(&k, 1, p->content, p->content_bytes, &out, &e) < 0)
		fail_msg("%s", e.text);
	return out;
}

static void assert_accepted_by_us(const struct pki *p, const struct buf *b, const char *ca)
{
	struct attempt a = {.signature = "(ours)", .cas = {ca}};
	struct trust_verdict v = {0};
	struct err e = {0};

	if (pki_verify_bytes(p, &a, b->bytes, b->n_bytes, &v, &e) < 0)
		fail_msg("%s", e.text);
}

static void assert_accepted_by_openssl(const struct pki *p, const struct buf *b, const char *ca)
{
	char signature[256];
	char content[256];
	char ca_path[256];
	char *argv[] = {(char *)"openssl",
			(char *)"cms",
			(char *)"-verify",
			(char *)"-binary",
			(char *)"-inform",
			(char *)"DER",
			(char *)"-in",
			pki_path(p, "ours.p7s", "", signature, sizeof signature),
			(char *)"-content",
			pki_path(p, "content", "", content, sizeof content),
			(char *)"-CAfile",
			pki_path(p, ca, ".pem", ca_path, sizeof ca_path),
			(char *)"-purpose",
			(char *)"any",
			(char *)"-out",
			(char *)"/dev/null",
			NULL};
	struct err e = {0};

	assert_int_equal(fdio_save(signature, b->bytes, b->n_bytes, 0644, &e), 0);
	assert_int_equal(pki_run(argv), 0);
}

static void assert_accepted(const struct pki *p, const char *key, const char *certificate,
			    const char *ca)
{
	CLEANUP(buf_release) struct buf b = sign(p, key, certificate);

	assert_accepted_by_us(p, &b, ca);
	assert_accepted_by_openssl(p, &b, ca);
}

/* The number of values that bytes first to last may have besides their own. */
static size_t count_free_values(const struct pki *p, struct buf *b, const uint8_t *first,
				const uint8_t *last)
{
	CLEANUP(trust_store_freep) struct trust_store *s = NULL;
	struct attempt a = {0};
	struct trust_policy policy = {.now_s = p->now_s};
	const struct signed_bytes all = {b->bytes, b->n_bytes, p->content, p->content_bytes};
	struct trust_verdict v = {0};
	struct err e = {0};
	size_t n_free = 0;

	assert_int_equal(pki_load_store(p, &a, &s, &e), 0);
	for (size_t i = (size_t)(first - b->bytes); i < (size_t)(last - b->bytes); i++) {
		for (unsigned change = 1; change < 256; change++) {
			b->bytes[i] ^= (uint8_t)change;
			n_free += trust_verify(s, &policy, &all, &v, &e) == 0;
			b->bytes[i] ^= (uint8_t)change;
		}
	}
	return n_free;
}

/* The same for all of it but the bytes of the certificate and of the signature's value, which only
 * arithmetic checks. */
static size_t count_free_structure(const struct pki *p, struct buf *b)
{
	struct der all = {b->bytes, b->n_bytes};
	struct der certificate = der_find(all, AT_CERTIFICATE);
	struct der value = der_find(all, AT_SIGNATURE);
	const uint8_t *signers = certificate.bytes + certificate.n_bytes;

	return count_free_values(p, b, b->bytes, certificate.bytes) +
	       count_free_values(p, b, signers, value.bytes + 2) +
	       count_free_values(p, b, value.bytes + value.n_bytes, b->bytes + b->n_bytes);
}

/* ---- signing ----------------------------------------------------------------------------------
 */

TEST(signature_by_p256_is_accepted)
{
	assert_accepted(*state, "good", "good", "ca");
}

TEST(signature_by_p384_is_accepted)
{
	assert_accepted(*state, "p384", "p384", "ca");
}

TEST(signature_by_rsa_is_accepted)
{
	assert_accepted(*state, "rsa", "rsa", "ca");
}

TEST(signature_with_intermediates_is_accepted)
{
	assert_accepted(*state, "deep", "deep-chain", "ca");
}

TEST(roots_are_not_carried_along)
{
	CLEANUP(buf_release) struct buf chain = sign(*state, "deep", "deep-chain");
	CLEANUP(buf_release) struct buf with_root = sign(*state, "deep", "deep-chain-root");

	assert_int_equal(chain.n_bytes, with_root.n_bytes);
	assert_memory_equal(chain.bytes, with_root.bytes, chain.n_bytes);
}

TEST(signature_by_several_keys_is_accepted)
{
	CLEANUP(signing_key_freep) struct signing_key *good = load(*state, "good", "good");
	CLEANUP(signing_key_freep) struct signing_key *p384 = load(*state, "p384", "p384");
	CLEANUP(signing_key_freep) struct signing_key *rsa = load(*state, "rsa", "rsa");
	CLEANUP(signing_key_freep) struct signing_key *deep = load(*state, "deep", "deep-chain");
	CLEANUP(buf_release) struct buf b = {0};
	struct signing_key *keys[] = {good, p384, rsa, deep};
	const struct pki *p = *state;
	struct attempt a = {.threshold = 4};
	struct trust_verdict v = {0};
	struct err e = {0};

	assert_int_equal(trust_sign(keys, 4, p->content, p->content_bytes, &b, &e), 0);
	assert_int_equal(pki_verify_bytes(p, &a, b.bytes, b.n_bytes, &v, &e), 0);
	assert_int_equal(v.n_signers, 4);
	assert_accepted_by_openssl(p, &b, "ca");
}

TEST(same_key_and_content_give_the_same_bytes)
{
	CLEANUP(buf_release) struct buf first = sign(*state, "good", "good");
	CLEANUP(buf_release) struct buf second = sign(*state, "good", "good");

	assert_int_equal(first.n_bytes, second.n_bytes);
	assert_memory_equal(first.bytes, second.bytes, first.n_bytes);
}

TEST(signature_is_appended)
{
	CLEANUP(signing_key_freep) struct signing_key *k = load(*state, "good", "good");
	CLEANUP(buf_release) struct buf b = {0};
	const struct pki *p = *state;
	struct err e = {0};

	buf_append_text(&b, "before");
	assert_int_equal(trust_sign(&k, 1, p->content, p->content_bytes, &b, &e), 0);
	assert_memory_equal(b.bytes, "before\x30", 7);
}

TEST(empty_content_can_be_signed)
{
	CLEANUP(signing_key_freep) struct signing_key *k = load(*state, "good", "good");
	CLEANUP(buf_release) struct buf b = {0};
	struct attempt a = {.content = ""};
	struct trust_verdict v = {0};
	struct err e = {0};

	assert_int_equal(trust_sign(&k, 1, "", 0, &b, &e), 0);
	assert_int_equal(pki_verify_bytes(*state, &a, b.bytes, b.n_bytes, &v, &e), 0);
}

TEST(key_given_twice_is_refused)
{
	CLEANUP(signing_key_freep) struct signing_key *good = load(*state, "good", "good");
	CLEANUP(signing_key_freep) struct signing_key *again = load(*state, "good", "good-again");
	CLEANUP(buf_release) struct buf b = {0};
	struct signing_key *keys[] = {good, again};
	struct err e = {0};

	assert_int_equal(trust_sign(keys, 2, "", 0, &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "signing keys 1 and 2 are the same"));
	assert_int_equal(b.n_bytes, 0);
}

TEST(no_key_and_five_keys_are_refused)
{
	CLEANUP(signing_key_freep) struct signing_key *k = load(*state, "good", "good");
	CLEANUP(buf_release) struct buf b = {0};
	struct signing_key *keys[] = {k, k, k, k, k};
	struct err e = {0};

	assert_int_equal(trust_sign(keys, 0, "", 0, &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(trust_sign(keys, 5, "", 0, &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

TEST(certificates_that_keys_share_count_once)
{
	CLEANUP(signing_key_freep) struct signing_key *deep = load(*state, "deep", "deep-shared");
	CLEANUP(signing_key_freep)
	struct signing_key *too = load(*state, "deep-too", "deep-too-shared");
	CLEANUP(buf_release) struct buf b = {0};
	struct signing_key *keys[] = {deep, too};
	struct err e = {0};

	assert_int_equal(trust_sign(keys, 2, "", 0, &b, &e), 0);
}

TEST(more_than_eight_certificates_are_refused)
{
	CLEANUP(signing_key_freep) struct signing_key *k = load(*state, "deep", "deep-crowd");
	CLEANUP(buf_release) struct buf b = {0};
	struct err e = {0};

	assert_int_equal(trust_sign(&k, 1, "", 0, &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "more than 8 certificates"));
}

/* ---- every change -----------------------------------------------------------------------------
 */

TEST(every_changed_bit_is_refused)
{
	CLEANUP(buf_release) struct buf b = sign(*state, "good", "good");

	assert_int_equal(pki_count_free_bits(*state, &b, 0x80), 0);
}

TEST(every_changed_byte_of_the_structure_is_refused)
{
	CLEANUP(buf_release) struct buf b = sign(*state, "good", "good");

	assert_int_equal(count_free_structure(*state, &b), 0);
}

TEST(every_changed_byte_of_a_chain_is_refused)
{
	CLEANUP(buf_release) struct buf b = sign(*state, "deep", "deep-chain");

	assert_int_equal(pki_count_free_bits(*state, &b, 0x01), 0);
}

TEST(every_changed_byte_of_an_rsa_signature_is_refused)
{
	CLEANUP(buf_release) struct buf b = sign(*state, "rsa", "rsa");

	assert_int_equal(pki_count_free_bits(*state, &b, 0x01), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_by_p256_is_accepted),
		cmocka_unit_test(signature_by_p384_is_accepted),
		cmocka_unit_test(signature_by_rsa_is_accepted),
		cmocka_unit_test(signature_with_intermediates_is_accepted),
		cmocka_unit_test(roots_are_not_carried_along),
		cmocka_unit_test(signature_by_several_keys_is_accepted),
		cmocka_unit_test(same_key_and_content_give_the_same_bytes),
		cmocka_unit_test(signature_is_appended),
		cmocka_unit_test(empty_content_can_be_signed),
		cmocka_unit_test(key_given_twice_is_refused),
		cmocka_unit_test(no_key_and_five_keys_are_refused),
		cmocka_unit_test(certificates_that_keys_share_count_once),
		cmocka_unit_test(more_than_eight_certificates_are_refused),
		cmocka_unit_test(every_changed_bit_is_refused),
		cmocka_unit_test(every_changed_byte_of_the_structure_is_refused),
		cmocka_unit_test(every_changed_byte_of_a_chain_is_refused),
		cmocka_unit_test(every_changed_byte_of_an_rsa_signature_is_refused),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
