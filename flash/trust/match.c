/* Do a signature and a text belong together? See match.h. */
#include "flash/trust/match.h"

#include <mbedtls/x509_crt.h>

#include "flash/base/cleanup.h"
#include "flash/trust/cms.h"

/* By the key of the certificate that s names. */
static int match_signer(const struct cms *c, const struct cms_signer *s,
			const struct signed_bytes *b, struct err *e)
{
	for (size_t i = 0; i < c->n_certificates; i++) {
		struct der der = c->certificates[i];
		CLEANUP(mbedtls_x509_crt_free) mbedtls_x509_crt crt = {0};

		mbedtls_x509_crt_init(&crt);
		if (mbedtls_x509_crt_parse_der(&crt, der.bytes, der.n_bytes) != 0)
			return err_set(e, ERR_UNTRUSTED,
				       "certificate %zu of the signature cannot be read", i + 1);
		if (cms_signer_names(s, &crt))
			return cms_signer_verify(s, &crt, b->content, b->content_bytes, e);
	}
	return err_set(e, ERR_UNTRUSTED,
		       "the signature does not carry the certificate of its signer; sign it again "
		       "with that certificate");
}

int match_signature(const struct signed_bytes *b, struct err *e)
{
	struct cms c = {0};

	if (cms_parse(b->signature, b->signature_bytes, &c, e) < 0)
		return -1;
	for (size_t i = 0; i < c.n_signers; i++)
		if (match_signer(&c, &c.signers[i], b, e) < 0)
			return -1;
	return 0;
}
