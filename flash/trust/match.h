/* Do a signature and a text belong together, whoever signed? For those who put both into one file;
 * whether to trust it is asked of trust_verify. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"

/* Was der (as trust_verify takes it) made over content, by the key of a certificate it carries for
 * each signer? Fails with ERR_UNTRUSTED and the reason when it was not. */
int match_signature(const uint8_t *der, size_t der_bytes, const void *content, size_t content_bytes,
		    struct err *e);
