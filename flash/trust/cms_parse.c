/* Taking a CMS SignedData apart, strictly. Section numbers are RFC 5652's. */
#include "flash/trust/cms.h"

#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/trust/oid.h"

enum { SKI_TAG = DER_IMPLICIT_0 }; /* 5.3, SignerIdentifier */

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_UNTRUSTED, "the signature %s", why);
}

/* An AlgorithmIdentifier of SHA-256 or SHA-384, whose parameters are absent or NULL (RFC 5754,
 * section 2). */
static bool digest_by_algorithm(struct der whole, enum digest_kind *out)
{
	struct der algorithm = {0};
	struct der id = {0};
	struct der null = {0};

	if (!der_take(&whole, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &id))
		return false;
	(void)der_take(&algorithm, DER_NULL, &null);
	if (algorithm.n_bytes > 0)
		return false;
	if (!der_equals(id, oid_sha256) && !der_equals(id, oid_sha384))
		return false;
	*out = der_equals(id, oid_sha256) ? DIGEST_SHA256 : DIGEST_SHA384;
	return true;
}

/* The signature algorithm binds the kind of key and, for ECDSA, the digest. RSA has one spelling
 * only, with NULL parameters as openssl writes it: a second one would let a byte change unnoticed.
 */
static bool key_by_algorithm(struct der algorithm, enum digest_kind digest, enum key_kind *out)
{
	struct der id = {0};
	struct der null = {0};

	if (!der_take(&algorithm, DER_OID, &id))
		return false;
	if (der_equals(id, oid_rsa)) {
		*out = KEY_RSA3072;
		return der_take(&algorithm, DER_NULL, &null) && algorithm.n_bytes == 0;
	}
	*out = der_equals(id, oid_ecdsa_sha256) ? KEY_P256 : KEY_P384;
	return algorithm.n_bytes == 0 &&
	       der_equals(id, digest == DIGEST_SHA256 ? oid_ecdsa_sha256 : oid_ecdsa_sha384);
}

/* UTCTime or GeneralizedTime to the second, in UTC (11.3). Its value never matters. */
static bool is_time(struct der value)
{
	struct der text = {0};

	if (der_take(&value, DER_UTC_TIME, &text))
		return text.n_bytes == 13 && text.bytes[12] == 'Z' && value.n_bytes == 0;
	return der_take(&value, DER_GENERALIZED_TIME, &text) && text.n_bytes == 15 &&
	       text.bytes[14] == 'Z' && value.n_bytes == 0;
}

static bool is_manifest_oid(struct der value)
{
	struct der id = {0};

	return der_take(&value, DER_OID, &id) && der_equals(id, oid_manifest) && value.n_bytes == 0;
}

/* One attribute, which must have exactly one value. */
static int take_attribute(struct der *in, struct der *out_id, struct der *out_value, struct err *e)
{
	struct der attribute = {0};
	struct der values = {0};
	struct der rest = {0};
	struct der value = {0};

	if (!der_take(in, DER_SEQUENCE, &attribute) || !der_take(&attribute, DER_OID, out_id) ||
	    !der_take(&attribute, DER_SET, &values) || attribute.n_bytes > 0)
		return refuse(e, "has a malformed signed attribute");
	rest = values;
	if (!der_take_whole(&rest, &value) || rest.n_bytes > 0)
		return refuse(e, "has a signed attribute that does not have exactly one value");
	*out_value = value;
	return 0;
}

struct attributes {
	struct der content_type; /* whole values; empty when there is none */
	struct der message_digest;
	struct der signing_time;
};

static int sort_attribute(struct attributes *a, struct der id, struct der value, struct err *e)
{
	struct der *place = der_equals(id, oid_content_type)     ? &a->content_type
			    : der_equals(id, oid_message_digest) ? &a->message_digest
			    : der_equals(id, oid_signing_time)   ? &a->signing_time
								 : NULL;

	if (!place)
		return refuse(e, "has a signed attribute besides content type, message digest and "
				 "signing time; sign with openssl's -nosmimecap");
	if (place->n_bytes > 0)
		return refuse(e, "has the same signed attribute twice");
	*place = value;
	return 0;
}

/* 5.3, 11: contentType, messageDigest and perhaps signingTime, in DER's order. */
static int parse_attributes(struct der list, struct cms_signer *s, struct err *e)
{
	struct attributes a = {0};
	struct der id = {0};
	struct der value = {0};

	if (!der_is_ordered_set(list))
		return refuse(e, "has signed attributes that are not in the order of DER");
	while (list.n_bytes > 0) {
		if (take_attribute(&list, &id, &value, e) < 0 ||
		    sort_attribute(&a, id, value, e) < 0)
			return -1;
	}
	if (a.content_type.n_bytes == 0 || a.message_digest.n_bytes == 0)
		return refuse(e, "lacks the signed attribute content type or message digest");
	if (!is_manifest_oid(a.content_type))
		return refuse(e, "is over another type of content than a manifest; sign with "
				 "openssl's -econtent_type " TRUST_OID_TEXT);
	if (!der_take(&a.message_digest, DER_OCTET_STRING, &s->message_digest))
		return refuse(e, "has a malformed message digest");
	if (a.signing_time.n_bytes > 0 && !is_time(a.signing_time))
		return refuse(e, "has a malformed signing time");
	return 0;
}

/* 5.3, SignerIdentifier; the version follows from it. */
static int parse_signer_id(struct der *in, struct der version, struct cms_signer *s, struct err *e)
{
	struct der id = {0};

	if (der_take(in, SKI_TAG, &s->key_id)) {
		if (s->key_id.n_bytes > 0 && der_is_small_integer(version, CMS_SIGNER_BY_KEY_ID))
			return 0;
		return refuse(e, "has a signer whose version does not fit its key identifier");
	}
	if (!der_take(in, DER_SEQUENCE, &id) || der_next_tag(&id) != DER_SEQUENCE ||
	    !der_take_whole(&id, &s->issuer) || !der_take(&id, DER_INTEGER, &s->serial) ||
	    id.n_bytes > 0)
		return refuse(e, "has a signer that names no certificate");
	if (!der_is_small_integer(version, CMS_SIGNER_BY_ISSUER))
		return refuse(e, "has a signer whose version does not fit its issuer and serial");
	return 0;
}

static int parse_digest_algorithm(struct der *in, struct cms_signer *s, struct err *e)
{
	if (!der_take_whole(in, &s->digest_algorithm) ||
	    !digest_by_algorithm(s->digest_algorithm, &s->digest))
		return refuse(e, "uses another digest than SHA-256 or SHA-384");
	return 0;
}

/* 5.3: nothing but signed attributes is ever signed. Were they optional, a signature over
 * attributes could be passed off as one over content that looks like them. */
static int parse_signed_attributes(struct der *in, struct cms_signer *s, struct err *e)
{
	struct der whole = {0};
	struct der list = {0};

	if (der_next_tag(in) != DER_CONTEXT_0)
		return refuse(e, "has no signed attributes; sign without openssl's -noattr");
	if (!der_take_whole(in, &whole))
		return refuse(e, "has malformed signed attributes");
	s->signed_attributes = whole;
	(void)der_take(&whole, DER_CONTEXT_0, &list);
	return parse_attributes(list, s, e);
}

static int parse_signature(struct der *in, struct cms_signer *s, struct err *e)
{
	struct der algorithm = {0};
	struct der unsigned_attributes = {0};

	if (!der_take(in, DER_SEQUENCE, &algorithm) ||
	    !key_by_algorithm(algorithm, s->digest, &s->key))
		return refuse(e, "uses another algorithm than ECDSA P-256 with SHA-256, ECDSA "
				 "P-384 with SHA-384, or RSA PKCS#1 v1.5 with one of these");
	if (!der_take(in, DER_OCTET_STRING, &s->signature))
		return refuse(e, "has a signer without a signature");
	(void)der_take(in, DER_CONTEXT_1, &unsigned_attributes);
	if (in->n_bytes > 0)
		return refuse(e, "has more behind a signer than CMS knows");
	return 0;
}

static int parse_signer(struct der in, struct cms_signer *s, struct err *e)
{
	struct der version = {0};

	if (!der_take(&in, DER_INTEGER, &version))
		return refuse(e, "has a signer without a version");
	if (parse_signer_id(&in, version, s, e) < 0 || parse_digest_algorithm(&in, s, e) < 0 ||
	    parse_signed_attributes(&in, s, e) < 0)
		return -1;
	return parse_signature(&in, s, e);
}

static int parse_signers(struct der *in, struct cms *c, struct err *e)
{
	struct der list = {0};
	struct der item = {0};

	if (!der_take(in, DER_SET, &list) || !der_is_ordered_set(list))
		return refuse(e, "has signers that are not in the order of DER");
	while (list.n_bytes > 0) {
		if (c->n_signers == SIGNERS_MAX)
			return refuse(e, "has more than 4 signers");
		if (!der_take(&list, DER_SEQUENCE, &item))
			return refuse(e, "has a malformed signer");
		if (parse_signer(item, &c->signers[c->n_signers], e) < 0)
			return -1;
		c->n_signers++;
	}
	return c->n_signers > 0 ? 0 : refuse(e, "has no signer");
}

static int parse_certificates(struct der *in, struct cms *c, struct err *e)
{
	struct der list = {0};

	if (!der_take(in, DER_CONTEXT_0, &list))
		return refuse(e, "carries no certificates; sign without openssl's -nocerts");
	if (der_next_tag(in) == DER_CONTEXT_1)
		return refuse(e, "carries revocation lists; give them to lkflash with --crl");
	if (!der_is_ordered_set(list))
		return refuse(e, "has certificates that are not in the order of DER");
	while (list.n_bytes > 0) {
		if (c->n_certificates == CMS_CERTIFICATES_MAX)
			return refuse(e, "has more than 8 certificates");
		if (der_next_tag(&list) != DER_SEQUENCE)
			return refuse(e, "carries something that is no X.509 certificate");
		(void)der_take_whole(&list, &c->certificates[c->n_certificates++]);
	}
	return 0;
}

/* 5.2: the type of what is signed, and nothing of it. */
static int parse_content_type(struct der *in, struct err *e)
{
	struct der content = {0};
	struct der id = {0};

	if (!der_take(in, DER_SEQUENCE, &content) || !der_take(&content, DER_OID, &id))
		return refuse(e, "has no content type");
	if (!der_equals(id, oid_manifest))
		return refuse(e, "is not over a manifest; sign with openssl's "
				 "-econtent_type " TRUST_OID_TEXT);
	if (content.n_bytes > 0)
		return refuse(e, "has its content attached; sign without openssl's -nodetach");
	return 0;
}

static bool has_algorithm(struct der set, struct der algorithm)
{
	struct der item = {0};

	while (der_take_whole(&set, &item)) {
		if (der_equals(item, algorithm))
			return true;
	}
	return false;
}

/* 5.1, digestAlgorithms: nothing signs this set, so that it has to say what the signers say. */
static int check_digest_algorithms(struct der set, const struct cms *c, struct err *e)
{
	struct der used[SIGNERS_MAX];
	CLEANUP(buf_release) struct buf wanted = {0};
	struct der content = {0};

	for (size_t i = 0; i < c->n_signers; i++) {
		used[i] = c->signers[i].digest_algorithm;
		if (!has_algorithm(set, used[i]))
			return refuse(e, "does not list the digest of a signer");
	}
	der_append_set(&wanted, DER_SET, used, c->n_signers);
	if (buf_check(&wanted, e) < 0)
		return -1;
	struct der rest = {wanted.bytes, wanted.n_bytes};
	if (!der_take(&rest, DER_SET, &content) || !der_equals(content, set))
		return refuse(e, "lists other digests than its signers use");
	return 0;
}

/* 3 and 5.1, down to the content of SignedData. */
static int unwrap(struct der in, struct der *out, struct err *e)
{
	struct der info = {0};
	struct der id = {0};
	struct der outer = {0};

	if (in.n_bytes > SIGNATURE_MAX_BYTES)
		return refuse(e, "is larger than 64 KiB");
	if (!der_is_well_formed(in))
		return refuse(e, "is not DER; write it with openssl's -outform DER and without "
				 "-stream");
	if (!der_take(&in, DER_SEQUENCE, &info) || in.n_bytes > 0 ||
	    !der_take(&info, DER_OID, &id) || !der_equals(id, oid_signed_data) ||
	    !der_take(&info, DER_CONTEXT_0, &outer) || info.n_bytes > 0 ||
	    !der_take(&outer, DER_SEQUENCE, out) || outer.n_bytes > 0)
		return refuse(e, "is no CMS SignedData");
	return 0;
}

int cms_parse(const uint8_t *der, size_t der_bytes, struct cms *out, struct err *e)
{
	struct cms c = {0};
	struct der in = {0};
	struct der version = {0};
	struct der digests = {0};

	if (unwrap((struct der){der, der_bytes}, &in, e) < 0)
		return -1;
	if (!der_take(&in, DER_INTEGER, &version))
		return refuse(e, "has no version");
	if (!der_take(&in, DER_SET, &digests))
		return refuse(e, "lists no digests");
	if (parse_content_type(&in, e) < 0)
		return -1;
	if (!der_is_small_integer(version, CMS_VERSION))
		return refuse(e, "is not SignedData version 3");
	if (parse_certificates(&in, &c, e) < 0 || parse_signers(&in, &c, e) < 0)
		return -1;
	if (in.n_bytes > 0)
		return refuse(e, "has more behind its signers than CMS knows");
	if (check_digest_algorithms(digests, &c, e) < 0)
		return -1;
	*out = c;
	return 0;
}
