/* --key and --cert as keys to sign with. */
#pragma once

#include <stddef.h>

#include "flash/base/err.h"
#include "flash/trust/keys.h"
#include "flash/trust/trust.h"
#include "provision/cli/options.h"

struct signer_options {
	struct signing_key *keys[SIGNERS_MAX]; /* owned */
	size_t n_keys;
};

/* Load the keys o names, at least one. Fails with ERR_USAGE when keys and certificates are not
 * pairs or are too many, and with the codes of signing_key_load. */
int signer_options_load(const struct options *o, struct signer_options *out, struct err *e);
void signer_options_release(struct signer_options *s);
