/* The trust decision: whom we trust, what time it is, and whether a signature holds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/trust/keys.h"

enum {
	SIGNATURE_MAX_BYTES = 65536, /* image format, SIGN */
	SIGNERS_MAX = 4,             /* image format, SIGN */
};

/* Trusted CA certificates and revocation lists. */
struct trust_store;

struct trust_files {
	const char *const
		*ca_paths; /* borrowed; PEM files, each with one or more CA certificates */
	size_t n_ca_paths;
	const char *const *crl_paths; /* borrowed; PEM or DER revocation lists */
	size_t n_crl_paths;
};

/* With any revocation list given, every certificate of a chain but its root needs one from its
 * issuer. Fails with ERR_USAGE when no CA is given or a file does not parse, with ERR_IO when one
 * cannot be read. */
int trust_store_load(const struct trust_files *files, struct trust_store **out, struct err *e);
void trust_store_free(struct trust_store *s);
static inline void trust_store_freep(struct trust_store **s)
{
	trust_store_free(*s);
}

/* What the decision depends on besides the store; pure data, so that tests can set the clock. */
struct trust_policy {
	unsigned threshold; /* distinct trusted keys that must have signed; 0 counts as 1 */
	int64_t now_s;      /* the system's clock, seconds since 1970 */
	int64_t floor_s;    /* no earlier than this: build time of the program, or the last verified
			     * manifest's. A clock behind it is not believed: then only a
			     * certificate that had expired by floor_s is refused, and one that is
			     * not yet valid is accepted. */
};

enum { TRUST_NAME_BYTES = 256 };

struct trust_verdict {
	size_t n_signers;                            /* trusted, distinct keys */
	char signers[SIGNERS_MAX][TRUST_NAME_BYTES]; /* their subjects */
	bool is_clock_believed;
};

/* Bytes, and what is said to be a signature over them. */
struct signed_bytes {
	const uint8_t *signature; /* borrowed; CMS SignedData, detached, as image-format says */
	size_t signature_bytes;
	const void *content; /* borrowed */
	size_t content_bytes;
};

/* Does the signature hold over the content? Every SignerInfo must verify, and threshold distinct
 * keys must chain to the store under the X.509 policy: a signer that does not is no harm beyond
 * that. Every certificate in the signature must be of use to a signer or trusted itself. Fails with
 * ERR_UNTRUSTED and the reason; *out is left alone then. */
int trust_verify(const struct trust_store *s, const struct trust_policy *p,
		 const struct signed_bytes *b, struct trust_verdict *out, struct err *e);

/* Append a CMS SignedData over content by 1 to SIGNERS_MAX keys to *out. Deterministic for ECDSA
 * keys (RFC 6979). */
int trust_sign(struct signing_key *const *keys, size_t n_keys, const void *content,
	       size_t content_bytes, struct buf *out, struct err *e);

/* The eContentType of our signatures, for openssl's -econtent_type: the OID of a name-based UUID
 * (ITU-T X.667, arc 2.25) of "manifest.v1.lkflash" in the DNS name space. */
#define TRUST_OID_TEXT "2.25.329221980177683935891885850895071942502"
