/* What a trust store holds. Internal to flash/trust/ and its tests; others see trust.h. */
#pragma once

#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>

#include "flash/trust/trust.h"

struct trust_store {
	mbedtls_x509_crt cas;
	mbedtls_x509_crl crls;
	bool has_crls;
};

/* An empty store, to be filled by trust_store_add_*. */
int trust_store_new(struct trust_store **out, struct err *e);

/* Add CA certificates (PEM) or revocation lists (PEM or DER). One NUL, not counted, follows the
 * text. name is for messages. Fails with ERR_USAGE when any part of text does not parse, holds none
 * at all, or is not a CA's certificate. */
int trust_store_add_cas(struct trust_store *s, const uint8_t *text, size_t n_bytes,
			const char *name, struct err *e);
int trust_store_add_crls(struct trust_store *s, const uint8_t *text, size_t n_bytes,
			 const char *name, struct err *e);
