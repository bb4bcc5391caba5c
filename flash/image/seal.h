/* From what is known about an image to its signed sections. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/image/index.h"
#include "flash/image/survey.h"
#include "flash/trust/keys.h"
#include "flash/trust/manifest.h"
#include "flash/trust/trust.h"

/* What is signed, byte for byte, and what it carries the digest of. Zero-initialise. */
struct seal {
	struct buf manifest_json;
	struct buf index;
};

void seal_release(struct seal *s);

/* Fill in what the survey knows of m (size, digest, index), and put the bytes of both into *out.
 * m's partitions must be within the image. Fails with ERR_USAGE when the manifest so made would be
 * refused by a reader. */
int seal_prepare(struct manifest *m, const struct survey *survey, struct seal *out, struct err *e);

/* Who must trust a signature before it is put into a file. NULL where one is asked for: nobody; but
 * it must have been made over the manifest, by the keys of the certificates that it carries. */
struct seal_trust {
	const struct trust_store *store; /* borrowed */
	struct trust_policy policy;
};

/* Append the three sections, signed by 1 to SIGNERS_MAX keys, to *out. Fails with ERR_UNTRUSTED
 * when t does not trust them. */
int seal_sign(const struct seal *s, struct signing_key *const *keys, size_t n_keys,
	      const struct seal_trust *t, struct buf *out, struct err *e);

/* Append the three sections to *out, of a manifest that was written earlier and a signature that
 * was made over it elsewhere. Fails with ERR_UNTRUSTED when t does not trust it, or the image is
 * another than the manifest's: both must have the same digests of it and of its index. */
int seal_attach(const struct survey *survey, const struct signed_bytes *manifest,
		const struct seal_trust *t, struct buf *out, struct err *e);
