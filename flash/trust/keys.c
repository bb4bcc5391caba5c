/* Private keys with their certificates. See keys.h. */
#include "flash/trust/keys.h"

#include <mbedtls/pk.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/trust/cert.h"
#include "flash/trust/mbedtls_compat.h"
#include "flash/trust/signing_key.h"

enum {
	KEY_FILE_MAX_BYTES = 64 << 10,
	CERTIFICATE_FILE_MAX_BYTES = 1 << 20,
};

int key_kind_by_name(const char *name, enum key_kind *out, struct err *e)
{
	static const char *const names[] = {
		[KEY_P256] = "p256",
		[KEY_P384] = "p384",
		[KEY_RSA3072] = "rsa3072",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum key_kind)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "key kind \"%s\" is not known: use p256, p384 or rsa3072",
		       name);
}

void signing_key_free(struct signing_key *k)
{
	if (!k)
		return;
	mbedtls_pk_free(&k->private_key);
	mbedtls_x509_crt_free(&k->certificates);
	free(k);
}

static int load_private_key(struct signing_key *k, const char *path, struct err *e)
{
	CLEANUP(freep) uint8_t *text = NULL;
	size_t n_bytes = 0;

	if (fdio_load(path, KEY_FILE_MAX_BYTES, &text, &n_bytes, e) < 0)
		return -1;
	int failure = compat_pk_parse_key(&k->private_key, text, cert_text_bytes(text, n_bytes));
	explicit_bzero(text, n_bytes);
	if (failure == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
		return err_set(e, ERR_USAGE,
			       "%s is encrypted; decrypt it with openssl pkey, or sign with "
			       "--manifest-only, openssl and --attach",
			       path);
	if (failure != 0)
		return err_set(e, ERR_USAGE, "%s holds no readable private key: mbedTLS -0x%04x",
			       path, (unsigned)-failure);
	return 0;
}

/* Did crt issue another certificate of the list? */
static bool has_issued(const mbedtls_x509_crt *list, const mbedtls_x509_crt *crt)
{
	for (const mbedtls_x509_crt *child = list; child; child = child->next) {
		if (child != crt &&
		    der_equals(cert_der(&child->issuer_raw), cert_der(&crt->subject_raw)))
			return true;
	}
	return false;
}

/* Whoever verifies refuses a certificate that no signer needs: tell now. */
static int check_intermediates(const struct signing_key *k, const char *path, struct err *e)
{
	char name[TRUST_NAME_BYTES];

	for (const mbedtls_x509_crt *crt = k->certificates.next; crt; crt = crt->next) {
		if (!has_issued(&k->certificates, crt))
			return err_set(e, ERR_USAGE,
				       "%s: %s issued none of the other certificates; leave it "
				       "out",
				       path, cert_name(&crt->subject, name));
	}
	return 0;
}

static int load_certificates(struct signing_key *k, const char *path, struct err *e)
{
	CLEANUP(freep) uint8_t *text = NULL;
	size_t n_bytes = 0;
	char name[TRUST_NAME_BYTES];

	if (fdio_load(path, CERTIFICATE_FILE_MAX_BYTES, &text, &n_bytes, e) < 0)
		return -1;
	int failure =
		mbedtls_x509_crt_parse(&k->certificates, text, cert_text_bytes(text, n_bytes));
	if (failure > 0)
		return err_set(e, ERR_USAGE, "%s: %d of its certificates cannot be read", path,
			       failure);
	if (failure < 0)
		return err_set(e, ERR_USAGE, "%s holds no readable certificate: mbedTLS -0x%04x",
			       path, (unsigned)-failure);
	const char *flaw = cert_signing_flaw(&k->certificates);
	if (flaw)
		return err_set(e, ERR_USAGE,
			       "%s: %s %s; no machine would accept its signature, use a "
			       "certificate for code signing",
			       path, cert_name(&k->certificates.subject, name), flaw);
	return check_intermediates(k, path, e);
}

int signing_key_load(const char *key_path, const char *cert_path, struct signing_key **out,
		     struct err *e)
{
	CLEANUP(signing_key_freep) struct signing_key *k = calloc(1, sizeof *k);

	if (!k)
		return err_errno(e, "loading a signing key");
	mbedtls_pk_init(&k->private_key);
	mbedtls_x509_crt_init(&k->certificates);
	if (load_private_key(k, key_path, e) < 0 || load_certificates(k, cert_path, e) < 0)
		return -1;
	if (!cert_key_kind(&k->certificates, &k->kind))
		return err_set(e, ERR_USAGE,
			       "%s: its key must be ECDSA P-256, ECDSA P-384, or RSA of at least "
			       "3072 bits",
			       cert_path);
	if (compat_pk_check_pair(&k->certificates.pk, &k->private_key) != 0)
		return err_set(e, ERR_USAGE,
			       "the key %s does not belong to the first certificate of %s; give "
			       "the two that do",
			       key_path, cert_path);
	*out = TAKE(k);
	return 0;
}
