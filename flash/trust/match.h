/* Do a signature and a text belong together, whoever signed? For those who put both into one file;
 * whether to trust it is asked of trust_verify. */
#pragma once

#include "flash/base/err.h"
#include "flash/trust/trust.h"

/* Was the signature made over the content, by the key of a certificate it carries for each signer?
 * Fails with ERR_UNTRUSTED and the reason when it was not. */
int match_signature(const struct signed_bytes *b, struct err *e);
