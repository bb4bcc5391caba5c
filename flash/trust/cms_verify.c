/* Does a signer's key hold over its content? See cms.h. */
#include "flash/trust/cms.h"

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/trust/cert.h"

bool cms_signer_names(const struct cms_signer *s, const mbedtls_x509_crt *crt)
{
	struct der key_id = {0};

	if (s->key_id.n_bytes > 0)
		return cert_subject_key_id(crt, &key_id) && der_equals(key_id, s->key_id);
	return der_equals(s->issuer, cert_der(&crt->issuer_raw)) &&
	       der_equals(s->serial, cert_der(&crt->serial));
}

/* What is signed: the attributes as the SET that they are, not as the [0] they are sent as
 * (RFC 5652 section 5.4). */
static int digest_attributes(const struct cms_signer *s, uint8_t *out, struct err *e)
{
	CLEANUP(digest_freep) struct digest *d = NULL;
	const uint8_t tag = DER_SET;

	if (digest_new(s->digest, &d, e) < 0 || digest_update(d, &tag, 1, e) < 0 ||
	    digest_update(d, s->signed_attributes.bytes + 1, s->signed_attributes.n_bytes - 1, e) <
		    0)
		return -1;
	return digest_finish(d, out, e);
}

/* r and s of ECDSA, both positive and in their shortest form. mbedTLS is more lenient. */
static bool is_ecdsa_value(struct der in)
{
	struct der pair = {0};
	struct der rest = {0};
	struct der r = {0};
	struct der s = {0};

	if (!der_is_well_formed(in) || !der_take(&in, DER_SEQUENCE, &pair) || in.n_bytes > 0)
		return false;
	rest = pair;
	return der_take(&rest, DER_INTEGER, &r) && der_take(&rest, DER_INTEGER, &s) &&
	       rest.n_bytes == 0 && r.bytes[0] < 0x80 && s.bytes[0] < 0x80;
}

static bool is_key_verifying(const struct cms_signer *s, mbedtls_x509_crt *crt,
			     const uint8_t *digest)
{
	mbedtls_md_type_t md = s->digest == DIGEST_SHA256 ? MBEDTLS_MD_SHA256 : MBEDTLS_MD_SHA384;

	if (s->key != KEY_RSA3072 && !is_ecdsa_value(s->signature))
		return false;
	return mbedtls_pk_verify(&crt->pk, md, digest, digest_size_bytes(s->digest),
				 s->signature.bytes, s->signature.n_bytes) == 0;
}

int cms_signer_verify(const struct cms_signer *s, mbedtls_x509_crt *crt, const void *content,
		      size_t content_bytes, struct err *e)
{
	size_t n_bytes = digest_size_bytes(s->digest);
	uint8_t digest[DIGEST_MAX_BYTES];
	char name[TRUST_NAME_BYTES];
	enum key_kind kind = KEY_P256;

	(void)cert_name(&crt->subject, name);
	if (!cert_key_kind(crt, &kind) || kind != s->key)
		return err_set(e, ERR_UNTRUSTED,
			       "the key of %s is not what its signature says, or too short; sign "
			       "with ECDSA P-256, P-384, or RSA of at least 3072 bits",
			       name);
	if (digest_of(s->digest, content, content_bytes, digest, e) < 0)
		return -1;
	if (!der_equals((struct der){digest, n_bytes}, s->message_digest))
		return err_set(e, ERR_UNTRUSTED,
			       "the signature by %s is not over this content; get an image and its "
			       "signature that belong together",
			       name);
	if (digest_attributes(s, digest, e) < 0)
		return -1;
	if (!is_key_verifying(s, crt, digest))
		return err_set(e, ERR_UNTRUSTED,
			       "the signature by %s is wrong; get the image again", name);
	return 0;
}
