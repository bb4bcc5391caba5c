/* Which certificate may sign images. Internal to flash/trust/. */
#pragma once

#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stddef.h>

#include "flash/trust/trust.h"
#include "flash/trust/trust_store.h"

enum { X509_CHAIN_MAX = MBEDTLS_X509_MAX_INTERMEDIATE_CA + 2 };

/* From a signer's certificate (first) to a trusted one (last). */
struct x509_chain {
	const mbedtls_x509_crt *certs[X509_CHAIN_MAX]; /* borrowed */
	size_t n_certs;
};

/* A clock behind the floor is not believed. */
bool x509_is_clock_believed(const struct trust_policy *p);

/* May the first certificate of the list, with the help of the others, which must come after those
 * they issued, sign images? Fails with ERR_UNTRUSTED and the reason. */
int x509_policy_check(const struct trust_store *s, const struct trust_policy *p,
		      mbedtls_x509_crt *list, struct x509_chain *out, struct err *e);
