/* The key of what a boot loader starts. */
#include "flash/trust/boot_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/pki.h"

static int load(const struct pki *p, const char *name, const char *suffix, struct boot_key **out,
		struct err *e)
{
	char path[256];

	return boot_key_load(pki_path(p, name, suffix, path, sizeof path), out, e);
}

static void assert_refuses(const struct pki *p, const char *name, const char *suffix,
			   enum err_code code, const char *words)
{
	struct boot_key *k = NULL;
	struct err e = {0};

	assert_int_equal(load(p, name, suffix, &k, &e), -1);
	assert_null(k);
	if (e.code != code || !strstr(e.text, words))
		fail_msg("code %d, \"%s\" instead of \"%s\"", (int)e.code, e.text, words);
}

/* Sign the content of the world of certificates. */
static void sign(const struct pki *p, uint8_t signature[BOOT_KEY_SIGNATURE_BYTES])
{
	CLEANUP(boot_key_freep) struct boot_key *k = NULL;
	uint8_t sha256[SHA256_BYTES];
	struct err e;

	if (load(p, "rsa2048", ".key", &k, &e) < 0 ||
	    digest_sha256(p->content, p->content_bytes, sha256, &e) < 0 ||
	    boot_key_sign(k, sha256, signature, &e) < 0)
		fail_msg("%s", e.text);
}

static int openssl_verifies(const struct pki *p, const uint8_t *signature)
{
	char key[256];
	char content[256];
	char path[256];
	struct err e;
	char *argv[] = {(char *)"openssl",
			(char *)"dgst",
			(char *)"-sha256",
			(char *)"-prverify",
			pki_path(p, "rsa2048", ".key", key, sizeof key),
			(char *)"-signature",
			pki_path(p, "boot", ".sig", path, sizeof path),
			pki_path(p, "content", "", content, sizeof content),
			NULL};

	assert_int_equal(fdio_save(path, signature, BOOT_KEY_SIGNATURE_BYTES, 0600, &e), 0);
	return pki_run(argv);
}

static void signature_is_what_openssl_verifies(void **state)
{
	uint8_t signature[BOOT_KEY_SIGNATURE_BYTES] = {0};

	sign(*state, signature);
	assert_int_equal(openssl_verifies(*state, signature), 0);
}

static void signature_of_something_else_is_not(void **state)
{
	uint8_t signature[BOOT_KEY_SIGNATURE_BYTES] = {0};

	sign(*state, signature);
	signature[100] ^= 1;
	assert_int_equal(openssl_verifies(*state, signature), -1);
}

static void signature_is_the_same_each_time(void **state)
{
	uint8_t one[BOOT_KEY_SIGNATURE_BYTES];
	uint8_t other[BOOT_KEY_SIGNATURE_BYTES];

	sign(*state, one);
	sign(*state, other);
	assert_memory_equal(one, other, sizeof one);
}

static void longer_key_is_refused(void **state)
{
	assert_refuses(*state, "rsa", ".key", ERR_USAGE, "is no RSA key of 2048 bits");
}

static void key_of_another_kind_is_refused(void **state)
{
	assert_refuses(*state, "ca", ".key", ERR_USAGE, "is no RSA key of 2048 bits");
}

static void certificate_is_refused(void **state)
{
	assert_refuses(*state, "rsa2048", ".pem", ERR_USAGE, "holds no readable private key");
}

static void encrypted_key_is_refused(void **state)
{
	assert_refuses(*state, "locked", ".key", ERR_USAGE,
		       "is encrypted; decrypt it with openssl pkey");
}

static void missing_key_is_named(void **state)
{
	assert_refuses(*state, "nobody", ".key", ERR_IO, "nobody.key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_is_what_openssl_verifies),
		cmocka_unit_test(signature_of_something_else_is_not),
		cmocka_unit_test(signature_is_the_same_each_time),
		cmocka_unit_test(longer_key_is_refused),
		cmocka_unit_test(key_of_another_kind_is_refused),
		cmocka_unit_test(certificate_is_refused),
		cmocka_unit_test(encrypted_key_is_refused),
		cmocka_unit_test(missing_key_is_named),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
