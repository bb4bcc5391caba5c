/* Questions to a parsed certificate that mbedTLS does not answer, or answers with yes when the
 * extension is absent. Internal to flash/trust/. */
#pragma once

#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdint.h>

#include "flash/trust/der.h"
#include "flash/trust/digest.h"
#include "flash/trust/keys.h"
#include "flash/trust/trust.h"

enum { RSA_MIN_BITS = 3072 }; /* image format, SIGN; of signers and CAs alike */

static inline struct der cert_der(const mbedtls_x509_buf *b)
{
	return (struct der){b->p, b->len};
}

/* What to tell mbedTLS of the size of a file with a NUL, not counted, behind it: it counts that NUL
 * for PEM, which tells it from DER. */
size_t cert_text_bytes(const uint8_t *text, size_t n_bytes);

/* A name as printable ASCII for messages; what is not, or is too long, is replaced. Returns text.
 */
char *cert_name(const mbedtls_x509_name *name, char text[TRUST_NAME_BYTES]);

/* The kind of key that it certifies, by its encoded algorithm. False for a kind or size that the
 * image format does not allow. */
bool cert_key_kind(const mbedtls_x509_crt *crt, enum key_kind *out);

/* What tells one public key from another, however its certificate wrote it. */
int cert_key_digest(const mbedtls_x509_crt *crt, uint8_t out[SHA256_BYTES], struct err *e);

/* Is it marked as a CA's by basicConstraints? */
bool cert_is_ca(const mbedtls_x509_crt *crt);

/* NULL when it may sign images; else what speaks against it, to follow its name. Both key usage
 * extensions must be there; "any" extended usage is not enough. */
const char *cert_signing_flaw(const mbedtls_x509_crt *crt);

/* Does it, as an intermediate, leave code signing to those it certifies? An absent extension does.
 */
bool cert_allows_code_signing(const mbedtls_x509_crt *crt);

/* The content of subjectKeyIdentifier. False when there is none. */
bool cert_subject_key_id(const mbedtls_x509_crt *crt, struct der *out);

/* Seconds since 1970. */
int64_t cert_time_s(const mbedtls_x509_time *t);
