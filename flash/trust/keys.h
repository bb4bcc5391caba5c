/* Private keys with their certificates: making them, and loading them to sign with. */
#pragma once

#include <stddef.h>

#include "flash/base/err.h"

enum key_kind {
	KEY_P256, /* the default: ECDSA P-256 with SHA-256 */
	KEY_P384,
	KEY_RSA3072,
};

/* "p256", "p384" or "rsa3072". Fails with ERR_USAGE for any other name. */
int key_kind_by_name(const char *name, enum key_kind *out, struct err *e);

struct keygen_request {
	const char *folder; /* made if missing, mode 0700 */
	enum key_kind kind; /* of both keys */
	const char *name;   /* put into the subjects' common names; "lkflash" when NULL */
	unsigned ca_days;   /* validity from now */
	unsigned signer_days;
};

/* Make a CA and a signer certified by it: ca.pem, ca.key, sign.pem and sign.key in the folder, the
 * keys with mode 0600. Fails with ERR_USAGE, and changes nothing, when one of the four exists, when
 * name has other than letters, digits, spaces, dots, underscores and hyphens, or when the signer
 * would outlive the CA; with ERR_IO, and leaves none of the four, when one cannot be written. */
int keygen(const struct keygen_request *r, struct err *e);

/* A private key with the certificate that speaks for it. */
struct signing_key;

/* Load an unencrypted PEM or DER key, and a PEM file whose first certificate is the signer's and
 * whose others, if any, are intermediates to be carried along. Fails with ERR_USAGE when the key
 * does not belong to the certificate, is of another kind than image-format allows, or is too
 * short, and when no verifier would accept the certificates: not for code signing, or one of them
 * issued none of the others; with ERR_IO when a file cannot be read. */
int signing_key_load(const char *key_path, const char *cert_path, struct signing_key **out,
		     struct err *e);
void signing_key_free(struct signing_key *k);
static inline void signing_key_freep(struct signing_key **k)
{
	signing_key_free(*k);
}
