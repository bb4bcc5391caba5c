/* Loading trusted CAs and revocation lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/pki.h"

#define TEST(name) static void name(void **state)

static void assert_fails(const struct pki *p, struct attempt a, enum err_code code,
			 const char *words)
{
	struct trust_store *s = NULL;
	struct err e = {0};

	assert_int_equal(pki_load_store(p, &a, &s, &e), -1);
	assert_null(s);
	if (e.code != code || !strstr(e.text, words))
		fail_msg("code %d, \"%s\" instead of \"%s\"", (int)e.code, e.text, words);
}

TEST(no_ca_is_a_usage_error)
{
	struct trust_files none = {0};
	struct trust_store *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(trust_store_load(&none, &s, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(s);
}

TEST(several_cas_in_one_file_are_all_trusted)
{
	const struct attempt a = {.signature = "elsewhere", .cas = {"two-cas"}};
	const struct attempt b = {.signature = "good", .cas = {"two-cas"}};

	assert_int_equal(pki_accepted(*state, a), 1);
	assert_int_equal(pki_accepted(*state, b), 1);
}

TEST(missing_files_are_io_errors)
{
	assert_fails(*state, (struct attempt){.cas = {"nowhere"}}, ERR_IO,
		     "loading trusted CAs: opening");
	assert_fails(*state, (struct attempt){.crls = {"nowhere"}}, ERR_IO,
		     "loading revocation lists: opening");
}

TEST(file_without_certificate_is_a_usage_error)
{
	assert_fails(*state, (struct attempt){.cas = {"odd"}}, ERR_USAGE,
		     "holds no readable certificate");
}

TEST(file_with_one_broken_certificate_is_a_usage_error)
{
	assert_fails(*state, (struct attempt){.cas = {"ca", "half"}}, ERR_USAGE,
		     "1 of its certificates cannot be read");
}

TEST(certificate_of_no_ca_is_a_usage_error)
{
	assert_fails(*state, (struct attempt){.cas = {"ca", "good"}}, ERR_USAGE,
		     "CN=good is not the certificate of a CA");
	assert_fails(*state, (struct attempt){.cas = {"no-ca"}}, ERR_USAGE,
		     "CN=no CA is not the certificate of a CA");
	assert_fails(*state, (struct attempt){.cas = {"said-no-ca"}}, ERR_USAGE,
		     "CN=said no CA is not the certificate of a CA");
}

TEST(file_without_revocation_list_is_a_usage_error)
{
	assert_fails(*state, (struct attempt){.crls = {"odd"}}, ERR_USAGE,
		     "holds no readable revocation list");
	assert_fails(*state, (struct attempt){.crls = {"none", "empty"}}, ERR_USAGE,
		     "holds no readable revocation list");
}

/* A list that leaves some certificates out says so in a critical extension. */
TEST(revocation_list_that_is_not_of_everything_is_refused)
{
	assert_fails(*state, (struct attempt){.crls = {"partial"}}, ERR_USAGE,
		     "holds no readable revocation list");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_ca_is_a_usage_error),
		cmocka_unit_test(several_cas_in_one_file_are_all_trusted),
		cmocka_unit_test(missing_files_are_io_errors),
		cmocka_unit_test(file_without_certificate_is_a_usage_error),
		cmocka_unit_test(file_with_one_broken_certificate_is_a_usage_error),
		cmocka_unit_test(certificate_of_no_ca_is_a_usage_error),
		cmocka_unit_test(file_without_revocation_list_is_a_usage_error),
		cmocka_unit_test(revocation_list_that_is_not_of_everything_is_refused),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
