/* What a signature may look like: openssl's and ours are read, and everything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash/trust/trust.h"
#include "tests/lib/der_edit.h"
#include "tests/lib/pki.h"

#define TEST(name) static void name(void **state)
#define ACCEPTED(...)                                                                              \
	assert_int_equal(pki_accepted(*state, (struct attempt){.signature = __VA_ARGS__}), 1)
#define REFUSED(words, ...) pki_refused(*state, (struct attempt){.signature = __VA_ARGS__}, words)

/* ---- help -------------------------------------------------------------------------------------
 */

static struct buf signature(const struct pki *p, const char *name)
{
	struct buf b = {0};
	uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	pki_load(p, name, ".p7s", &bytes, &n_bytes);
	buf_append(&b, bytes, n_bytes);
	free(bytes);
	return b;
}

static struct der span(const struct buf *b)
{
	return (struct der){b->bytes, b->n_bytes};
}

static int verify(const struct pki *p, const struct buf *b, struct err *e)
{
	struct attempt a = {.signature = "(changed)"};
	struct trust_verdict v = {0};

	return pki_verify_bytes(p, &a, b->bytes, b->n_bytes, &v, e);
}

static void assert_refused(const struct pki *p, const struct buf *b, const char *words)
{
	struct err e = {0};

	assert_int_equal(verify(p, b, &e), -1);
	pki_assert_says(&e, words);
}

/* The signature good.p7s with the element at path replaced by others is refused in these words. */
static void refused_with(const struct pki *p, const char *path, struct der by, const char *words)
{
	CLEANUP(buf_release) struct buf good = signature(p, "good");
	CLEANUP(buf_release) struct buf changed = {0};

	der_replace(&changed, span(&good), path, by);
	assert_refused(p, &changed, words);
}

static void refused_with_hex(const struct pki *p, const char *path, const char *hex,
			     const char *words)
{
	CLEANUP(buf_release) struct buf by = der_of_hex(hex);

	refused_with(p, path, span(&by), words);
}

/* The same, the element replaced by itself and then others. */
static void refused_with_more(const struct pki *p, const char *path, struct der more,
			      const char *words)
{
	CLEANUP(buf_release) struct buf good = signature(p, "good");
	CLEANUP(buf_release) struct buf by = {0};
	struct der here = der_find(span(&good), path);

	buf_append(&by, here.bytes, here.n_bytes);
	buf_append(&by, more.bytes, more.n_bytes);
	refused_with(p, path, span(&by), words);
}

static void refused_with_more_hex(const struct pki *p, const char *path, const char *hex,
				  const char *words)
{
	CLEANUP(buf_release) struct buf more = der_of_hex(hex);

	refused_with_more(p, path, span(&more), words);
}

/* Twice the element at path. */
static void refused_with_double(const struct pki *p, const char *path, const char *words)
{
	CLEANUP(buf_release) struct buf good = signature(p, "good");

	refused_with_more(p, path, der_find(span(&good), path), words);
}

#define SHA256_ALGORITHM "300b0609608648016503040201"
#define SHA384_ALGORITHM "300b0609608648016503040202"

/* ---- what openssl makes -----------------------------------------------------------------------
 */

TEST(signature_by_openssl_is_accepted)
{
	ACCEPTED("good");
}

TEST(signer_named_by_its_key_is_accepted)
{
	ACCEPTED("key-id");
}

TEST(two_signers_are_accepted)
{
	assert_int_equal(pki_accepted(*state, (struct attempt){.signature = "two"}), 2);
}

TEST(signature_without_signed_attributes_is_refused)
{
	REFUSED("has no signed attributes", "no-attributes");
}

TEST(signature_with_its_content_is_refused)
{
	REFUSED("has its content attached", "attached");
}

TEST(signature_over_plain_data_is_refused)
{
	REFUSED("is not over a manifest", "id-data");
}

TEST(signature_over_another_type_is_refused)
{
	REFUSED("is not over a manifest", "other-type");
}

TEST(signature_with_mail_capabilities_is_refused)
{
	REFUSED("has a signed attribute besides", "capabilities");
}

TEST(signature_in_ber_is_refused)
{
	REFUSED("is not DER", "ber-attached");
	REFUSED("is not DER", "ber");
}

TEST(signature_in_pem_is_refused)
{
	REFUSED("is not DER", "good-pem");
}

TEST(signature_without_certificates_is_refused)
{
	REFUSED("carries no certificates", "no-certs");
}

TEST(five_signers_are_refused)
{
	REFUSED("has more than 4 signers", "five");
}

TEST(nine_certificates_are_refused)
{
	REFUSED("has more than 8 certificates", "many");
}

TEST(other_digests_are_refused)
{
	REFUSED("uses another digest", "sha1");
	REFUSED("uses another digest", "sha512");
}

TEST(digest_that_does_not_fit_the_key_is_refused)
{
	REFUSED("the key of CN=good is not what its signature says", "good-sha384");
}

TEST(another_content_is_refused)
{
	REFUSED("the signature by CN=good is not over this content", "good", .content = "other");
}

TEST(empty_content_is_refused)
{
	REFUSED("is not over this content", "good", .content = "");
}

/* ---- the recast attack ------------------------------------------------------------------------
 */

/* An ordinary signature with signed attributes, turned into one without: its content is then the
 * SET of those attributes. A verifier that takes both forms takes content nobody has signed. */
TEST(signature_recast_as_one_over_its_attributes_is_refused)
{
	CLEANUP(buf_release) struct buf good = signature(*state, "good");
	CLEANUP(buf_release) struct buf recast = {0};
	CLEANUP(buf_release) struct buf content = {0};
	CLEANUP(trust_store_freep) struct trust_store *s = NULL;
	struct attempt a = {0};
	struct trust_policy policy = {.now_s = ((struct pki *)*state)->now_s};
	struct trust_verdict v = {0};
	struct signed_bytes b = {0};
	struct err e = {0};
	struct der attributes = der_find(span(&good), AT_ATTRIBUTES);

	buf_append(&content, attributes.bytes, attributes.n_bytes);
	content.bytes[0] = DER_SET;
	der_replace(&recast, span(&good), AT_ATTRIBUTES, (struct der){0});
	assert_int_equal(pki_load_store(*state, &a, &s, &e), 0);
	b = (struct signed_bytes){recast.bytes, recast.n_bytes, content.bytes, content.n_bytes};
	assert_int_equal(trust_verify(s, &policy, &b, &v, &e), -1);
	pki_assert_says(&e, "has no signed attributes");
}

/* ---- one element changed ----------------------------------------------------------------------
 */

TEST(other_cms_than_signed_data_is_refused)
{
	refused_with_hex(*state, AT_CONTENT_TYPE, "06092a864886f70d010703", "is no CMS SignedData");
}

TEST(other_versions_are_refused)
{
	refused_with_hex(*state, AT_VERSION, "020101", "is not SignedData version 3");
	refused_with_hex(*state, AT_VERSION, "020104", "is not SignedData version 3");
	refused_with_hex(*state, AT_SIGNER_VERSION, "020103",
			 "version does not fit its issuer and serial");
	refused_with_hex(*state, AT_SIGNER_VERSION, "020100",
			 "version does not fit its issuer and serial");
}

TEST(key_identifier_needs_its_version)
{
	refused_with_hex(*state, AT_SIGNER_ID, "800101", "version does not fit its key identifier");
}

TEST(missing_elements_are_refused)
{
	refused_with_hex(*state, AT_VERSION, "", "has no version");
	refused_with_hex(*state, AT_DIGESTS, "", "lists no digests");
	refused_with_hex(*state, AT_CONTENT, "", "has no content type");
	refused_with_hex(*state, AT_CERTIFICATES, "", "carries no certificates");
	refused_with_hex(*state, AT_SIGNERS, "", "has signers that are not in the order of DER");
	refused_with_hex(*state, AT_SIGNERS, "3100", "has no signer");
	refused_with_hex(*state, AT_SIGNER_VERSION, "", "has a signer without a version");
	refused_with_hex(*state, AT_SIGNER_ID, "", "has a signer that names no certificate");
	refused_with_hex(*state, AT_SIGNER_ISSUER, "", "has a signer that names no certificate");
	refused_with_hex(*state, AT_SIGNER_SERIAL, "", "has a signer that names no certificate");
	refused_with_hex(*state, AT_SIGNER_DIGEST, "", "uses another digest");
	refused_with_hex(*state, AT_SIGNER_ALGORITHM, "", "uses another algorithm");
	refused_with_hex(*state, AT_SIGNATURE, "", "has a signer without a signature");
	refused_with_hex(*state, AT_CERTIFICATE, "",
			 "does not carry the certificate of its signer");
}

TEST(elements_that_nobody_asked_for_are_refused)
{
	refused_with_more_hex(*state, AT_SIGNERS, "0500", "has more behind its signers");
	refused_with_more_hex(*state, AT_SIGNATURE, "0500", "has more behind a signer");
	refused_with_more_hex(*state, AT_CONTENT_TYPE, "0500", "is no CMS SignedData");
	refused_with_more_hex(*state, AT_SIGNER_SERIAL, "0500", "names no certificate");
	refused_with_more_hex(*state, AT_CERTIFICATES, "a100", "carries revocation lists");
	refused_with_more_hex(*state, AT_CERTIFICATE, "a000",
			      "carries something that is no X.509 certificate");
	refused_with_more_hex(*state, AT_CERTIFICATE, "3100", "is no X.509 certificate");
}

TEST(doubled_elements_are_refused)
{
	refused_with_double(*state, AT_CERTIFICATE, "not in the order of DER");
	refused_with_double(*state, AT_SIGNER, "not in the order of DER");
}

TEST(wrong_algorithms_are_refused)
{
	refused_with_hex(*state, AT_SIGNER_ALGORITHM, "300d06092a864886f70d01010b0500",
			 "uses another algorithm");
	refused_with_hex(*state, AT_SIGNER_ALGORITHM, "300a06082a8648ce3d040303",
			 "uses another algorithm");
	refused_with_hex(*state, AT_SIGNER_ALGORITHM, "300c06082a8648ce3d0403020500",
			 "uses another algorithm");
	refused_with_hex(*state, AT_SIGNER_ALGORITHM, "300d06092a864886f70d0101010500",
			 "is not what its signature says");
	refused_with_hex(*state, AT_SIGNER_DIGEST, "300d06096086480165030402010201", "is not DER");
	refused_with_hex(*state, AT_SIGNER_DIGEST, "300e0609608648016503040201020100",
			 "uses another digest");
}

TEST(digest_algorithms_must_be_those_of_the_signers)
{
	refused_with_hex(*state, AT_DIGESTS, "3100", "does not list the digest of a signer");
	refused_with_hex(*state, AT_DIGESTS, "310d" SHA384_ALGORITHM,
			 "does not list the digest of a signer");
	refused_with_hex(*state, AT_DIGESTS, "311a" SHA256_ALGORITHM SHA384_ALGORITHM,
			 "lists other digests than its signers use");
	refused_with_hex(*state, AT_DIGESTS, "311a" SHA256_ALGORITHM SHA256_ALGORITHM,
			 "lists other digests than its signers use");
	refused_with_hex(*state, AT_DIGESTS, "310f" SHA256_ALGORITHM "0500",
			 "lists other digests than its signers use");
}

TEST(certificate_of_another_name_is_not_the_signers)
{
	refused_with_hex(*state, AT_SIGNER_SERIAL, "020101", "does not carry the certificate");
	refused_with_hex(*state, AT_SIGNER_ISSUER, "3000", "does not carry the certificate");
}

/* ---- signed attributes ------------------------------------------------------------------------
 */

#define PKCS9 "06092a864886f70d0109"
#define NO_VALUE                                                                                   \
	"3102"                                                                                     \
	"0500"
#define CONTENT_TYPE                                                                               \
	"3023" PKCS9 "03"                                                                          \
	"3116"                                                                                     \
	"06146983efadecb59ab78ad5859fcffbb69bd996ae66"
#define DATA_TYPE                                                                                  \
	"3018" PKCS9 "03"                                                                          \
	"310b"                                                                                     \
	"06092a864886f70d010701"
#define SIGNING_TIME                                                                               \
	"301c" PKCS9 "05"                                                                          \
	"310f"                                                                                     \
	"170d3236313132333138353530355a"
#define LATE_TIME                                                                                  \
	"301e" PKCS9 "05"                                                                          \
	"3111"                                                                                     \
	"180f32303530303130313030303030305a"
#define ZEROS "0000000000000000"
#define MESSAGE_DIGEST                                                                             \
	"302f" PKCS9 "04"                                                                          \
	"3122"                                                                                     \
	"0420" ZEROS ZEROS ZEROS ZEROS

/* good.p7s with these attributes, in hex, is refused in these words. */
static void refused_with_attributes(const struct pki *p, const char *hex, const char *words)
{
	CLEANUP(buf_release) struct buf list = der_of_hex(hex);
	CLEANUP(buf_release) struct buf whole = {0};

	der_append(&whole, DER_CONTEXT_0, list.bytes, list.n_bytes);
	refused_with(p, AT_ATTRIBUTES, span(&whole), words);
}

TEST(content_type_and_message_digest_are_mandatory)
{
	refused_with_attributes(*state, "", "lacks the signed attribute");
	refused_with_attributes(*state, CONTENT_TYPE, "lacks the signed attribute");
	refused_with_attributes(*state, MESSAGE_DIGEST, "lacks the signed attribute");
}

TEST(signing_time_is_optional)
{
	refused_with_attributes(*state, CONTENT_TYPE MESSAGE_DIGEST, "is not over this content");
	refused_with_attributes(*state, SIGNING_TIME CONTENT_TYPE MESSAGE_DIGEST,
				"is not over this content");
	refused_with_attributes(*state, LATE_TIME CONTENT_TYPE MESSAGE_DIGEST,
				"is not over this content");
}

TEST(attributes_that_were_changed_are_refused)
{
	CLEANUP(buf_release) struct buf good = signature(*state, "good");
	CLEANUP(buf_release) struct buf changed = {0};

	der_replace(&changed, span(&good), AT_FIRST_ATTRIBUTE, (struct der){0});
	assert_refused(*state, &changed, "the signature by CN=good is wrong");
}

TEST(attributes_in_another_order_are_refused)
{
	refused_with_attributes(*state, MESSAGE_DIGEST CONTENT_TYPE,
				"signed attributes that are not in the order of DER");
}

TEST(same_attribute_twice_is_refused)
{
	refused_with_attributes(*state, CONTENT_TYPE CONTENT_TYPE MESSAGE_DIGEST,
				"not in the order of DER");
	refused_with_attributes(*state, DATA_TYPE CONTENT_TYPE MESSAGE_DIGEST,
				"has the same signed attribute twice");
}

TEST(attribute_with_another_number_of_values_is_refused)
{
	refused_with_attributes(*state,
				"300d" PKCS9 "03"
				"3100" MESSAGE_DIGEST,
				"does not have exactly one value");
	refused_with_attributes(*state,
				"3011" PKCS9 "05"
				"3104"
				"05000500" MESSAGE_DIGEST,
				"does not have exactly one value");
}

TEST(content_type_attribute_must_be_ours_as_well)
{
	refused_with_attributes(*state, DATA_TYPE MESSAGE_DIGEST,
				"is over another type of content than a manifest");
	refused_with_attributes(*state, "300f" PKCS9 "03" NO_VALUE MESSAGE_DIGEST,
				"is over another type of content than a manifest");
}

TEST(malformed_attributes_are_refused)
{
	refused_with_attributes(*state, "300f" PKCS9 "04" NO_VALUE CONTENT_TYPE,
				"has a malformed message digest");
	refused_with_attributes(*state, "300f" PKCS9 "05" NO_VALUE CONTENT_TYPE MESSAGE_DIGEST,
				"has a malformed signing time");
	refused_with_attributes(*state, "3000", "has a malformed signed attribute");
	refused_with_attributes(*state, "0500", "has a malformed signed attribute");
	refused_with_attributes(*state, "300b" PKCS9 "03", "has a malformed signed attribute");
	refused_with_attributes(*state, "3011" PKCS9 "03" NO_VALUE "0500",
				"has a malformed signed attribute");
}

TEST(digest_of_another_length_is_refused)
{
	refused_with_attributes(*state,
				CONTENT_TYPE "3027" PKCS9 "04"
					     "311a"
					     "0418" ZEROS ZEROS ZEROS,
				"is not over this content");
}

/* ---- encoding ---------------------------------------------------------------------------------
 */

TEST(trailing_bytes_are_refused)
{
	CLEANUP(buf_release) struct buf b = signature(*state, "good");

	buf_append(&b, "", 1);
	assert_refused(*state, &b, "is not DER");
	b.n_bytes--;
	buf_append(&b, "\x05\x00", 2);
	assert_refused(*state, &b, "is no CMS SignedData");
}

TEST(empty_signature_is_refused)
{
	struct buf nothing = {0};

	assert_refused(*state, &nothing, "is no CMS SignedData");
}

TEST(signature_beyond_the_limit_is_refused)
{
	CLEANUP(buf_release) struct buf b = {0};
	CLEANUP(freep) uint8_t *zeros = calloc(1, SIGNATURE_MAX_BYTES);

	der_append(&b, DER_OCTET_STRING, zeros, SIGNATURE_MAX_BYTES);
	assert_refused(*state, &b, "is larger than 64 KiB");
}

TEST(longer_length_than_needed_is_refused)
{
	CLEANUP(buf_release) struct buf good = signature(*state, "good");
	CLEANUP(buf_release) struct buf changed = {0};
	struct der element = der_find(span(&good), AT_SIGNATURE);

	CLEANUP(buf_release) struct buf by = {0};

	buf_append(&by, "\x04\x81", 2);
	buf_append(&by, element.bytes + 1, element.n_bytes - 1);
	der_replace(&changed, span(&good), AT_SIGNATURE, span(&by));
	assert_refused(*state, &changed, "is not DER");
}

TEST(unsigned_attributes_are_ignored_but_must_be_der)
{
	CLEANUP(buf_release) struct buf good = signature(*state, "good");
	CLEANUP(buf_release) struct buf changed = {0};
	CLEANUP(buf_release) struct buf by = {0};
	struct der element = der_find(span(&good), AT_SIGNATURE);
	struct err e = {0};

	buf_append(&by, element.bytes, element.n_bytes);
	buf_append(&by, "\xa1\x02\x05\x00", 4);
	der_replace(&changed, span(&good), AT_SIGNATURE, span(&by));
	assert_int_equal(verify(*state, &changed, &e), 0);
	refused_with_more_hex(*state, AT_SIGNATURE, "a1020501", "is not DER");
	refused_with_more_hex(*state, AT_SIGNATURE, "a104308005000000", "is not DER");
}

/* ---- every change -----------------------------------------------------------------------------
 */

/* The number of shorter signatures that are accepted. */
static size_t count_accepted_truncations(const struct pki *p, struct buf b)
{
	struct err e = {0};
	size_t n_accepted = 0;

	while (b.n_bytes-- > 0)
		n_accepted += verify(p, &b, &e) == 0;
	return n_accepted;
}

TEST(every_changed_byte_is_refused)
{
	CLEANUP(buf_release) struct buf b = signature(*state, "good");

	assert_int_equal(pki_count_free_bits(*state, &b, 0x01), 0);
}

TEST(every_truncation_is_refused)
{
	CLEANUP(buf_release) struct buf b = signature(*state, "deep");

	assert_int_equal(count_accepted_truncations(*state, b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_by_openssl_is_accepted),
		cmocka_unit_test(signer_named_by_its_key_is_accepted),
		cmocka_unit_test(two_signers_are_accepted),
		cmocka_unit_test(signature_without_signed_attributes_is_refused),
		cmocka_unit_test(signature_with_its_content_is_refused),
		cmocka_unit_test(signature_over_plain_data_is_refused),
		cmocka_unit_test(signature_over_another_type_is_refused),
		cmocka_unit_test(signature_with_mail_capabilities_is_refused),
		cmocka_unit_test(signature_in_ber_is_refused),
		cmocka_unit_test(signature_in_pem_is_refused),
		cmocka_unit_test(signature_without_certificates_is_refused),
		cmocka_unit_test(five_signers_are_refused),
		cmocka_unit_test(nine_certificates_are_refused),
		cmocka_unit_test(other_digests_are_refused),
		cmocka_unit_test(digest_that_does_not_fit_the_key_is_refused),
		cmocka_unit_test(another_content_is_refused),
		cmocka_unit_test(empty_content_is_refused),
		cmocka_unit_test(signature_recast_as_one_over_its_attributes_is_refused),
		cmocka_unit_test(other_cms_than_signed_data_is_refused),
		cmocka_unit_test(other_versions_are_refused),
		cmocka_unit_test(key_identifier_needs_its_version),
		cmocka_unit_test(missing_elements_are_refused),
		cmocka_unit_test(elements_that_nobody_asked_for_are_refused),
		cmocka_unit_test(doubled_elements_are_refused),
		cmocka_unit_test(wrong_algorithms_are_refused),
		cmocka_unit_test(digest_algorithms_must_be_those_of_the_signers),
		cmocka_unit_test(certificate_of_another_name_is_not_the_signers),
		cmocka_unit_test(content_type_and_message_digest_are_mandatory),
		cmocka_unit_test(signing_time_is_optional),
		cmocka_unit_test(attributes_that_were_changed_are_refused),
		cmocka_unit_test(attributes_in_another_order_are_refused),
		cmocka_unit_test(same_attribute_twice_is_refused),
		cmocka_unit_test(attribute_with_another_number_of_values_is_refused),
		cmocka_unit_test(content_type_attribute_must_be_ours_as_well),
		cmocka_unit_test(malformed_attributes_are_refused),
		cmocka_unit_test(digest_of_another_length_is_refused),
		cmocka_unit_test(trailing_bytes_are_refused),
		cmocka_unit_test(empty_signature_is_refused),
		cmocka_unit_test(signature_beyond_the_limit_is_refused),
		cmocka_unit_test(longer_length_than_needed_is_refused),
		cmocka_unit_test(unsigned_attributes_are_ignored_but_must_be_der),
		cmocka_unit_test(every_changed_byte_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
