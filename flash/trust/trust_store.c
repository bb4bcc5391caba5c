/* Trusted CA certificates and revocation lists, from files of the operator. See trust.h. */
#include "flash/trust/trust_store.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/trust/cert.h"

enum {
	CA_FILE_MAX_BYTES = 4 << 20,   /* a bundle of a thousand */
	CRL_FILE_MAX_BYTES = 64 << 20, /* the largest public ones have some MiB */
};

int trust_store_new(struct trust_store **out, struct err *e)
{
	struct trust_store *s = calloc(1, sizeof *s);

	if (!s)
		return err_errno(e, "making a trust store");
	mbedtls_x509_crt_init(&s->cas);
	mbedtls_x509_crl_init(&s->crls);
	*out = s;
	return 0;
}

void trust_store_free(struct trust_store *s)
{
	if (!s)
		return;
	mbedtls_x509_crt_free(&s->cas);
	mbedtls_x509_crl_free(&s->crls);
	free(s);
}

int trust_store_add_cas(struct trust_store *s, const uint8_t *text, size_t n_bytes,
			const char *name, struct err *e)
{
	char subject[TRUST_NAME_BYTES];
	mbedtls_x509_crt *last = &s->cas;

	while (last->next)
		last = last->next;
	int failure = mbedtls_x509_crt_parse(&s->cas, text, cert_text_bytes(text, n_bytes));
	if (failure > 0)
		return err_set(e, ERR_USAGE, "%s: %d of its certificates cannot be read", name,
			       failure);
	if (failure < 0)
		return err_set(e, ERR_USAGE, "%s holds no readable certificate: mbedTLS -0x%04x",
			       name, (unsigned)-failure);
	for (const mbedtls_x509_crt *crt = last; crt; crt = crt->next) {
		if (!cert_is_ca(crt))
			return err_set(e, ERR_USAGE,
				       "%s: %s is not the certificate of a CA; trust the CA that "
				       "issued it instead",
				       name, cert_name(&crt->subject, subject));
	}
	return 0;
}

int trust_store_add_crls(struct trust_store *s, const uint8_t *text, size_t n_bytes,
			 const char *name, struct err *e)
{
	int failure = mbedtls_x509_crl_parse(&s->crls, text, cert_text_bytes(text, n_bytes));

	if (failure != 0)
		return err_set(e, ERR_USAGE,
			       "%s holds no readable revocation list: mbedTLS -0x%04x", name,
			       (unsigned)-failure);
	s->has_crls = true;
	return 0;
}

static int load_ca(struct trust_store *s, const char *path, struct err *e)
{
	CLEANUP(freep) uint8_t *text = NULL;
	size_t n_bytes = 0;

	if (fdio_load(path, CA_FILE_MAX_BYTES, &text, &n_bytes, e) < 0)
		return -1;
	return trust_store_add_cas(s, text, n_bytes, path, e);
}

static int load_crl(struct trust_store *s, const char *path, struct err *e)
{
	CLEANUP(freep) uint8_t *text = NULL;
	size_t n_bytes = 0;

	if (fdio_load(path, CRL_FILE_MAX_BYTES, &text, &n_bytes, e) < 0)
		return -1;
	return trust_store_add_crls(s, text, n_bytes, path, e);
}

int trust_store_load(const struct trust_files *files, struct trust_store **out, struct err *e)
{
	CLEANUP(trust_store_freep) struct trust_store *s = NULL;

	if (files->n_ca_paths == 0)
		return err_set(e, ERR_USAGE, "no trusted CA is given; name one with --trust");
	if (trust_store_new(&s, e) < 0)
		return -1;
	for (size_t i = 0; i < files->n_ca_paths; i++) {
		if (load_ca(s, files->ca_paths[i], e) < 0)
			return err_wrap(e, "loading trusted CAs");
	}
	for (size_t i = 0; i < files->n_crl_paths; i++) {
		if (load_crl(s, files->crl_paths[i], e) < 0)
			return err_wrap(e, "loading revocation lists");
	}
	*out = TAKE(s);
	return 0;
}
