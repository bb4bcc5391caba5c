/* Whom a signature is trusted from: chains, usages, time, revocation, thresholds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/pki.h"

#define TEST(name) static void name(void **state)
#define ACCEPTED(...)                                                                              \
	assert_int_equal(pki_accepted(*state, (struct attempt){.signature = __VA_ARGS__}), 1)
#define REFUSED(words, ...) pki_refused(*state, (struct attempt){.signature = __VA_ARGS__}, words)

/* ---- chains -----------------------------------------------------------------------------------
 */

TEST(signer_of_a_trusted_ca_is_accepted)
{
	ACCEPTED("good");
}

TEST(verdict_names_the_signer_and_believes_the_clock)
{
	struct attempt a = {.signature = "good"};
	struct trust_verdict v = {0};
	struct err e;

	assert_int_equal(pki_verify(*state, &a, &v, &e), 0);
	assert_string_equal(v.signers[0], "CN=good");
	assert_true(v.is_clock_believed);
}

TEST(one_of_several_trusted_cas_suffices)
{
	ACCEPTED("good", .cas = {"other", "rogue", "ca"});
}

TEST(signer_of_another_ca_is_refused)
{
	REFUSED("no trusted CA issued the signing certificate CN=elsewhere (its issuer is CN=other "
		"CA)",
		"elsewhere");
}

TEST(signer_of_a_ca_that_only_has_the_trusted_name_is_refused)
{
	REFUSED("no trusted CA issued the signing certificate CN=stranger", "stranger");
}

TEST(intermediate_that_is_carried_along_completes_the_chain)
{
	ACCEPTED("deep");
}

TEST(root_that_is_carried_along_is_no_harm)
{
	ACCEPTED("deep-root");
}

TEST(root_that_is_carried_along_beside_a_trusted_intermediate_is_no_harm)
{
	ACCEPTED("deep-root", .cas = {"int", "ca"});
}

TEST(root_that_is_carried_along_is_not_trusted_for_that)
{
	REFUSED("no trusted CA issued", "deep-root", .cas = {"other"});
}

TEST(trusted_intermediate_needs_no_root)
{
	ACCEPTED("deep", .cas = {"int"});
}

TEST(missing_intermediate_is_refused)
{
	REFUSED("no trusted CA issued the signing certificate CN=deep (its issuer is CN=int)",
		"deep-alone");
}

TEST(intermediate_that_is_no_ca_is_refused)
{
	REFUSED("no trusted CA issued the signing certificate CN=below-no-ca", "below-no-ca");
}

TEST(intermediate_beyond_the_path_length_is_refused)
{
	REFUSED("no trusted CA issued the CA certificate CN=int-below", "below-below");
}

TEST(certificate_that_no_signer_needs_is_refused)
{
	REFUSED("carries the certificate CN=int, which no signer needs", "superfluous");
}

/* ---- algorithms -------------------------------------------------------------------------------
 */

TEST(p384_is_accepted)
{
	ACCEPTED("p384");
	ACCEPTED("p384-all", .cas = {"ca384"});
}

TEST(rsa_of_3072_bits_is_accepted)
{
	ACCEPTED("rsa");
	ACCEPTED("rsa-all", .cas = {"rsa-ca"});
}

TEST(rsa_of_2048_bits_is_refused)
{
	REFUSED("the key of CN=rsa2048 is not what its signature says, or too short", "rsa2048");
}

TEST(ca_with_rsa_of_2048_bits_is_refused)
{
	REFUSED("is too weak", "below-weak", .cas = {"weak-ca"});
}

TEST(rsa_pss_is_refused)
{
	REFUSED("uses another algorithm", "pss");
}

TEST(other_curves_are_refused)
{
	REFUSED("the key of CN=k256 is not what its signature says", "k256");
	REFUSED("the key of CN=p521 is not what its signature says", "p521");
}

/* ---- usages -----------------------------------------------------------------------------------
 */

TEST(signer_without_extended_key_usage_is_refused)
{
	REFUSED("the signing certificate CN=no-eku is not for code signing: it has no extended "
		"key usage",
		"no-eku");
}

TEST(signer_for_any_usage_is_refused)
{
	REFUSED("CN=any-eku is for any usage, which is refused", "any-eku");
}

TEST(signer_for_servers_is_refused)
{
	REFUSED("CN=server is not for code signing (extendedKeyUsage)", "server");
}

TEST(signer_without_key_usage_is_refused)
{
	REFUSED("CN=no-usage does not say what its key may be used for", "no-usage");
}

TEST(signer_not_for_digital_signatures_is_refused)
{
	REFUSED("CN=agreement is not for digital signatures", "agreement");
}

TEST(intermediate_for_servers_is_refused)
{
	REFUSED("the CA certificate CN=int-server may not issue certificates for code signing",
		"below-server");
}

TEST(intermediate_for_any_usage_is_refused)
{
	REFUSED("the CA certificate CN=int-any may not issue certificates for code signing",
		"below-any");
}

TEST(trusted_certificate_that_signs_itself_still_needs_code_signing)
{
	REFUSED("CN=self is not for code signing", "self", .cas = {"self"});
}

TEST(trusted_certificate_that_signs_itself_for_code_is_accepted)
{
	ACCEPTED("self-code", .cas = {"self-code"});
}

/* ---- time -------------------------------------------------------------------------------------
 */

TEST(signer_is_accepted_until_its_last_day)
{
	ACCEPTED("good", .days_later = 29);
}

TEST(expired_signer_is_refused)
{
	REFUSED("the signing certificate CN=good expired on 20", "good", .days_later = 31);
}

TEST(expired_intermediate_is_refused)
{
	REFUSED("the CA certificate CN=int-brief expired on 20", "below-brief", .days_later = 11);
}

TEST(expired_ca_is_refused)
{
	REFUSED("expired on 20", "good", .days_later = 3651);
}

TEST(signer_that_is_not_yet_valid_is_refused)
{
	REFUSED("the signing certificate CN=good is not valid before 20", "good", .days_later = -5);
}

TEST(clock_behind_the_floor_accepts_a_signer_that_is_not_yet_valid)
{
	ACCEPTED("good", .days_later = -20000, .floor_days_later = -5);
}

TEST(clock_behind_the_floor_is_told)
{
	struct attempt a = {.signature = "good", .days_later = -20000};
	struct trust_verdict v = {.is_clock_believed = true};
	struct err e;

	assert_int_equal(pki_verify(*state, &a, &v, &e), 0);
	assert_false(v.is_clock_believed);
}

TEST(clock_behind_the_floor_refuses_a_signer_that_had_expired_by_then)
{
	REFUSED("the signing certificate CN=good expired on 20", "good", .days_later = -20000,
		.floor_days_later = 31);
}

TEST(clock_at_the_floor_is_believed)
{
	REFUSED("is not valid before", "good", .days_later = -5, .floor_days_later = -5);
}

/* ---- revocation -------------------------------------------------------------------------------
 */

TEST(signer_that_is_not_on_the_list_is_accepted)
{
	ACCEPTED("good", .crls = {"none"});
	ACCEPTED("good", .crls = {"none-der"});
}

TEST(revoked_signer_is_refused)
{
	REFUSED("the signing certificate CN=good was revoked by CN=test CA", "good",
		.crls = {"good-revoked"});
}

TEST(revoked_signer_is_refused_whatever_other_lists_say)
{
	REFUSED("was revoked", "good", .crls = {"none", "good-revoked"});
	REFUSED("was revoked", "good", .crls = {"good-revoked", "none"});
}

TEST(revoked_intermediate_is_refused)
{
	REFUSED("the CA certificate CN=int was revoked by CN=test CA", "deep",
		.crls = {"int-revoked", "int-none"});
}

TEST(signer_revoked_by_an_intermediate_is_refused)
{
	REFUSED("the signing certificate CN=deep was revoked by CN=int", "deep",
		.crls = {"none", "deep-revoked"});
}

TEST(every_certificate_but_the_root_needs_a_list)
{
	REFUSED("no revocation list is by CN=int, which issued the signing certificate CN=deep",
		"deep", .crls = {"none"});
	REFUSED("no revocation list is by CN=test CA, which issued the CA certificate CN=int",
		"deep", .crls = {"int-none"});
	ACCEPTED("deep", .crls = {"none", "int-none"});
}

TEST(lists_in_one_file_are_all_read)
{
	ACCEPTED("deep", .crls = {"both"});
}

TEST(list_of_another_ca_does_not_do)
{
	REFUSED("no revocation list is by CN=test CA", "good", .crls = {"other"});
}

TEST(list_signed_by_another_key_of_that_name_is_refused)
{
	REFUSED("the revocation list for the signing certificate CN=good is not by its issuer",
		"good", .crls = {"rogue"});
}

TEST(list_of_a_ca_that_may_not_make_lists_is_refused)
{
	REFUSED("is not by its issuer", "below-no-crl", .cas = {"no-crl-ca"},
		.crls = {"no-crl-ca"});
}

TEST(expired_list_is_refused)
{
	REFUSED("the revocation list by CN=test CA is not of now: a new one was due on 20", "good",
		.crls = {"none"}, .days_later = 8);
}

TEST(clock_behind_the_floor_accepts_a_list_that_is_not_yet_valid)
{
	ACCEPTED("good", .crls = {"none"}, .days_later = -20000, .floor_days_later = -5);
}

TEST(clock_behind_the_floor_refuses_a_list_that_had_expired_by_then)
{
	REFUSED("is not of now", "good", .crls = {"none"}, .days_later = -20000,
		.floor_days_later = 8);
}

/* ---- several signers --------------------------------------------------------------------------
 */

TEST(each_distinct_key_counts)
{
	assert_int_equal(pki_accepted(*state, (struct attempt){.signature = "three"}), 3);
}

TEST(two_certificates_of_one_key_count_once)
{
	assert_int_equal(pki_accepted(*state, (struct attempt){.signature = "twice"}), 1);
	REFUSED("1 of the 2 trusted keys asked for have signed; sign with more", "twice",
		.threshold = 2);
}

TEST(threshold_of_two_is_met_by_two_trusted_keys_of_three)
{
	assert_int_equal(
		pki_accepted(*state, (struct attempt){.signature = "two-of-three", .threshold = 2}),
		2);
}

TEST(threshold_of_three_is_not_met_by_two_trusted_keys_of_three)
{
	REFUSED("2 of the 3 trusted keys asked for have signed: no trusted CA issued",
		"two-of-three", .threshold = 3);
}

TEST(threshold_is_not_met_by_one_key)
{
	REFUSED("1 of the 2 trusted keys asked for have signed", "good", .threshold = 2);
}

TEST(signer_that_is_not_trusted_does_not_count)
{
	REFUSED("1 of the 2 trusted keys asked for have signed: no trusted CA issued the signing "
		"certificate CN=elsewhere",
		"mixed", .threshold = 2);
	assert_int_equal(pki_accepted(*state, (struct attempt){.signature = "mixed",
							       .cas = {"ca", "other"},
							       .threshold = 2}),
			 2);
}

TEST(revoked_signer_does_not_count)
{
	struct attempt a = {
		.signature = "with-revoked", .crls = {"none", "deep-revoked"}, .threshold = 2};

	pki_refused(*state, a, "was revoked");
	a.threshold = 1;
	assert_int_equal(pki_accepted(*state, a), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signer_of_a_trusted_ca_is_accepted),
		cmocka_unit_test(verdict_names_the_signer_and_believes_the_clock),
		cmocka_unit_test(one_of_several_trusted_cas_suffices),
		cmocka_unit_test(signer_of_another_ca_is_refused),
		cmocka_unit_test(signer_of_a_ca_that_only_has_the_trusted_name_is_refused),
		cmocka_unit_test(intermediate_that_is_carried_along_completes_the_chain),
		cmocka_unit_test(root_that_is_carried_along_is_no_harm),
		cmocka_unit_test(
			root_that_is_carried_along_beside_a_trusted_intermediate_is_no_harm),
		cmocka_unit_test(root_that_is_carried_along_is_not_trusted_for_that),
		cmocka_unit_test(trusted_intermediate_needs_no_root),
		cmocka_unit_test(missing_intermediate_is_refused),
		cmocka_unit_test(intermediate_that_is_no_ca_is_refused),
		cmocka_unit_test(intermediate_beyond_the_path_length_is_refused),
		cmocka_unit_test(certificate_that_no_signer_needs_is_refused),
		cmocka_unit_test(p384_is_accepted),
		cmocka_unit_test(rsa_of_3072_bits_is_accepted),
		cmocka_unit_test(rsa_of_2048_bits_is_refused),
		cmocka_unit_test(ca_with_rsa_of_2048_bits_is_refused),
		cmocka_unit_test(rsa_pss_is_refused),
		cmocka_unit_test(other_curves_are_refused),
		cmocka_unit_test(signer_without_extended_key_usage_is_refused),
		cmocka_unit_test(signer_for_any_usage_is_refused),
		cmocka_unit_test(signer_for_servers_is_refused),
		cmocka_unit_test(signer_without_key_usage_is_refused),
		cmocka_unit_test(signer_not_for_digital_signatures_is_refused),
		cmocka_unit_test(intermediate_for_servers_is_refused),
		cmocka_unit_test(intermediate_for_any_usage_is_refused),
		cmocka_unit_test(trusted_certificate_that_signs_itself_still_needs_code_signing),
		cmocka_unit_test(trusted_certificate_that_signs_itself_for_code_is_accepted),
		cmocka_unit_test(signer_is_accepted_until_its_last_day),
		cmocka_unit_test(expired_signer_is_refused),
		cmocka_unit_test(expired_intermediate_is_refused),
		cmocka_unit_test(expired_ca_is_refused),
		cmocka_unit_test(signer_that_is_not_yet_valid_is_refused),
		cmocka_unit_test(clock_behind_the_floor_accepts_a_signer_that_is_not_yet_valid),
		cmocka_unit_test(clock_behind_the_floor_is_told),
		cmocka_unit_test(clock_behind_the_floor_refuses_a_signer_that_had_expired_by_then),
		cmocka_unit_test(clock_at_the_floor_is_believed),
		cmocka_unit_test(signer_that_is_not_on_the_list_is_accepted),
		cmocka_unit_test(revoked_signer_is_refused),
		cmocka_unit_test(revoked_signer_is_refused_whatever_other_lists_say),
		cmocka_unit_test(revoked_intermediate_is_refused),
		cmocka_unit_test(signer_revoked_by_an_intermediate_is_refused),
		cmocka_unit_test(every_certificate_but_the_root_needs_a_list),
		cmocka_unit_test(lists_in_one_file_are_all_read),
		cmocka_unit_test(list_of_another_ca_does_not_do),
		cmocka_unit_test(list_signed_by_another_key_of_that_name_is_refused),
		cmocka_unit_test(list_of_a_ca_that_may_not_make_lists_is_refused),
		cmocka_unit_test(expired_list_is_refused),
		cmocka_unit_test(clock_behind_the_floor_accepts_a_list_that_is_not_yet_valid),
		cmocka_unit_test(clock_behind_the_floor_refuses_a_list_that_had_expired_by_then),
		cmocka_unit_test(each_distinct_key_counts),
		cmocka_unit_test(two_certificates_of_one_key_count_once),
		cmocka_unit_test(threshold_of_two_is_met_by_two_trusted_keys_of_three),
		cmocka_unit_test(threshold_of_three_is_not_met_by_two_trusted_keys_of_three),
		cmocka_unit_test(threshold_is_not_met_by_one_key),
		cmocka_unit_test(signer_that_is_not_trusted_does_not_count),
		cmocka_unit_test(revoked_signer_does_not_count),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
