/* CMS SignedData (RFC 5652) as the image format allows it, and nothing else of CMS. Internal to
 * flash/trust/ and its tests. */
#pragma once

#include <mbedtls/x509_crt.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/trust/der.h"
#include "flash/trust/digest.h"
#include "flash/trust/keys.h"
#include "flash/trust/trust.h"

enum {
	CMS_CERTIFICATES_MAX = 8, /* image format, SIGN */
	CMS_VERSION = 3,          /* RFC 5652 section 5.1: the content is not id-data */
	CMS_SIGNER_BY_ISSUER = 1, /* section 5.3: the version of a SignerInfo tells */
	CMS_SIGNER_BY_KEY_ID = 3, /* how it names its certificate */
};

/* A SignerInfo. */
struct cms_signer {
	struct der issuer; /* a whole Name; empty when the certificate is named by key_id */
	struct der serial;
	struct der key_id;
	struct der digest_algorithm; /* a whole AlgorithmIdentifier */
	enum digest_kind digest;
	enum key_kind key;            /* that its signature algorithm takes */
	struct der signed_attributes; /* whole, with the tag [0] */
	struct der message_digest;
	struct der signature;
};

/* All of it is borrowed from the bytes it was parsed from. */
struct cms {
	struct der certificates[CMS_CERTIFICATES_MAX]; /* whole */
	size_t n_certificates;
	struct cms_signer signers[SIGNERS_MAX];
	size_t n_signers;
};

/* Take a signature apart. Fails with ERR_UNTRUSTED for anything image-format forbids. No
 * cryptography happens. */
int cms_parse(const uint8_t *der, size_t der_bytes, struct cms *out, struct err *e);

/* Does crt's certificate go by the name that s gives? */
bool cms_signer_names(const struct cms_signer *s, const mbedtls_x509_crt *crt);

/* Is it crt's key that signed content, as s says? Fails with ERR_UNTRUSTED. */
int cms_signer_verify(const struct cms_signer *s, mbedtls_x509_crt *crt, const void *content,
		      size_t content_bytes, struct err *e);
