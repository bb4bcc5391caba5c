/* Making keys and loading them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash/trust/keys.h"
#include "tests/lib/pki.h"

#define TEST(name) static void name(void **state)

/* ---- help -------------------------------------------------------------------------------------
 */

static struct keygen_request usual(const char *folder)
{
	return (struct keygen_request){.folder = folder, .ca_days = 3650, .signer_days = 365};
}

static unsigned mode_of(const char *folder, const char *name)
{
	char path[300];
	struct stat st = {0};

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static bool exists(const char *folder, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

/* Load NAME.key with CERTIFICATE.pem of the world of certificates. */
static int load(const struct pki *p, const char *key, const char *certificate, struct err *e)
{
	char key_path[256];
	char certificate_path[256];
	struct signing_key *k = NULL;
	int status = signing_key_load(
		pki_path(p, key, ".key", key_path, sizeof key_path),
		pki_path(p, certificate, ".pem", certificate_path, sizeof certificate_path), &k, e);

	assert_true((status == 0) == (k != NULL));
	signing_key_free(k);
	return status;
}

static void assert_loads(const struct pki *p, const char *key, const char *certificate)
{
	struct err e = {0};

	if (load(p, key, certificate, &e) < 0)
		fail_msg("%s", e.text);
}

static void assert_fails(const struct pki *p, const char *key, const char *certificate,
			 enum err_code code, const char *words)
{
	struct err e = {0};

	assert_int_equal(load(p, key, certificate, &e), -1);
	if (e.code != code || !strstr(e.text, words))
		fail_msg("code %d, \"%s\" instead of \"%s\"", (int)e.code, e.text, words);
}

static void assert_refuses_request(const struct pki *p, struct keygen_request r, const char *words)
{
	char folder[256];
	struct err e = {0};

	r.folder = pki_path(p, "refused", "", folder, sizeof folder);
	assert_int_equal(keygen(&r, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, words));
	assert_false(exists(folder, ""));
}

/* ---- kinds ------------------------------------------------------------------------------------
 */

TEST(kinds_have_names)
{
	enum key_kind kind = KEY_P256;
	struct err e = {0};

	(void)state;
	assert_int_equal(key_kind_by_name("rsa3072", &kind, &e), 0);
	assert_int_equal(kind, KEY_RSA3072);
	assert_int_equal(key_kind_by_name("p384", &kind, &e), 0);
	assert_int_equal(kind, KEY_P384);
	assert_int_equal(key_kind_by_name("p256", &kind, &e), 0);
	assert_int_equal(kind, KEY_P256);
}

TEST(unknown_kind_is_a_usage_error)
{
	enum key_kind kind = KEY_P384;
	struct err e = {0};

	(void)state;
	assert_int_equal(key_kind_by_name("ed25519", &kind, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(kind, KEY_P384);
}

/* ---- making -----------------------------------------------------------------------------------
 */

TEST(keygen_protects_keys_and_folder)
{
	char folder[256];
	struct keygen_request r = usual(pki_path(*state, "made/here", "", folder, sizeof folder));
	struct err e = {0};
	mode_t mask = umask(0);

	assert_int_equal(keygen(&r, &e), 0);
	(void)umask(mask);
	assert_int_equal(mode_of(folder, ""), 0700);
	assert_int_equal(mode_of(folder, "ca.key"), 0600);
	assert_int_equal(mode_of(folder, "sign.key"), 0600);
	assert_int_equal(mode_of(folder, "ca.pem"), 0644);
	assert_int_equal(mode_of(folder, "sign.pem"), 0644);
}

TEST(keygen_overwrites_none_of_its_files)
{
	char folder[256];
	char path[300];
	struct keygen_request r = usual(pki_path(*state, "taken", "", folder, sizeof folder));
	struct err e = {0};

	assert_int_equal(mkdir(folder, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/sign.pem", folder);
	assert_int_equal(fdio_save(path, "mine", 4, 0644, &e), 0);
	assert_int_equal(keygen(&r, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "sign.pem exists and is not overwritten"));
	assert_false(exists(folder, "ca.key"));
	assert_false(exists(folder, "ca.pem"));
	assert_false(exists(folder, "sign.key"));
}

TEST(keygen_that_cannot_write_leaves_nothing)
{
	char folder[256];
	struct keygen_request r =
		usual(pki_path(*state, "content", "/keys", folder, sizeof folder));
	struct err e = {0};

	assert_int_equal(keygen(&r, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

TEST(keygen_refuses_names_with_a_meaning)
{
	struct keygen_request r = usual(NULL);

	r.name = "me,O=Bank";
	assert_refuses_request(*state, r, "cannot name keys");
	r.name = "";
	assert_refuses_request(*state, r, "cannot name keys");
	r.name = "0123456789012345678901234567890123456789012345678";
	assert_refuses_request(*state, r, "cannot name keys");
}

TEST(keygen_refuses_odd_validity)
{
	struct keygen_request r = usual(NULL);

	r.ca_days = 0;
	assert_refuses_request(*state, r, "the CA's validity of 0 days is not 1 to 36500");
	r.ca_days = 36501;
	assert_refuses_request(*state, r, "is not 1 to 36500");
	r.ca_days = 10;
	r.signer_days = 11;
	assert_refuses_request(*state, r, "the signer's validity of 11 days is not 1 to the CA's");
	r.signer_days = 0;
	assert_refuses_request(*state, r, "the signer's validity of 0 days");
}

/* openssl, too, takes the signer for one that the CA issued for code signing. */
TEST(openssl_accepts_what_keygen_makes)
{
	char folder[256];
	char ca[300];
	char signer[300];
	char *argv[] = {(char *)"openssl",
			(char *)"verify",
			(char *)"-x509_strict",
			(char *)"-CAfile",
			ca,
			(char *)"-purpose",
			(char *)"any",
			(char *)"-verify_depth",
			(char *)"0",
			signer,
			NULL};
	struct keygen_request r = usual(pki_path(*state, "strict", "", folder, sizeof folder));
	struct err e = {0};

	r.kind = KEY_P384;
	r.name = "Acme 1.0_x-y";
	assert_int_equal(keygen(&r, &e), 0);
	(void)snprintf(ca, sizeof ca, "%s/ca.pem", folder);
	(void)snprintf(signer, sizeof signer, "%s/sign.pem", folder);
	assert_int_equal(pki_run(argv), 0);
}

/* ---- loading ----------------------------------------------------------------------------------
 */

TEST(keys_of_every_kind_load)
{
	assert_loads(*state, "good", "good");
	assert_loads(*state, "p384", "p384");
	assert_loads(*state, "rsa", "rsa");
}

TEST(der_loads_as_well)
{
	assert_loads(*state, "good-der", "good-der");
}

TEST(intermediates_load)
{
	assert_loads(*state, "deep", "deep-chain");
}

TEST(certificate_that_issued_none_of_the_others_is_refused)
{
	assert_fails(*state, "good", "deep-and-other", ERR_USAGE,
		     "CN=other CA issued none of the other certificates");
}

TEST(key_of_another_certificate_is_refused)
{
	assert_fails(*state, "good", "second", ERR_USAGE, "does not belong to");
	assert_fails(*state, "good", "p384", ERR_USAGE, "does not belong to");
	assert_fails(*state, "good", "rsa", ERR_USAGE, "does not belong to");
}

TEST(other_kinds_of_keys_are_refused)
{
	assert_fails(*state, "p521", "p521", ERR_USAGE, "its key must be ECDSA P-256");
	assert_fails(*state, "k256", "k256", ERR_USAGE, "its key must be ECDSA P-256");
	assert_fails(*state, "rsa2048", "rsa2048", ERR_USAGE, "of at least 3072 bits");
}

TEST(certificate_not_for_code_signing_is_refused)
{
	assert_fails(*state, "no-eku", "no-eku", ERR_USAGE, "CN=no-eku is not for code signing");
	assert_fails(*state, "agreement", "agreement", ERR_USAGE, "is not for digital signatures");
}

TEST(encrypted_key_is_refused_with_a_way_out)
{
	assert_fails(*state, "locked", "good", ERR_USAGE, "is encrypted; decrypt it with");
}

TEST(file_without_key_or_certificate_is_refused)
{
	assert_fails(*state, "odd", "good", ERR_USAGE, "holds no readable private key");
	assert_fails(*state, "good", "odd", ERR_USAGE, "holds no readable certificate");
	assert_fails(*state, "good", "half", ERR_USAGE, "1 of its certificates cannot be read");
}

TEST(missing_file_is_an_io_error)
{
	assert_fails(*state, "nowhere", "good", ERR_IO, "nowhere.key");
	assert_fails(*state, "good", "nowhere", ERR_IO, "nowhere.pem");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_names),
		cmocka_unit_test(unknown_kind_is_a_usage_error),
		cmocka_unit_test(keygen_protects_keys_and_folder),
		cmocka_unit_test(keygen_overwrites_none_of_its_files),
		cmocka_unit_test(keygen_that_cannot_write_leaves_nothing),
		cmocka_unit_test(keygen_refuses_names_with_a_meaning),
		cmocka_unit_test(keygen_refuses_odd_validity),
		cmocka_unit_test(openssl_accepts_what_keygen_makes),
		cmocka_unit_test(keys_of_every_kind_load),
		cmocka_unit_test(der_loads_as_well),
		cmocka_unit_test(intermediates_load),
		cmocka_unit_test(certificate_that_issued_none_of_the_others_is_refused),
		cmocka_unit_test(key_of_another_certificate_is_refused),
		cmocka_unit_test(other_kinds_of_keys_are_refused),
		cmocka_unit_test(certificate_not_for_code_signing_is_refused),
		cmocka_unit_test(encrypted_key_is_refused_with_a_way_out),
		cmocka_unit_test(file_without_key_or_certificate_is_refused),
		cmocka_unit_test(missing_file_is_an_io_error),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
