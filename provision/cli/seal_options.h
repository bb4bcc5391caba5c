/* What sign and pack have in common: a manifest as the options say, the keys that sign it, and who
 * must trust them. */
#pragma once

#include "flash/base/err.h"
#include "flash/base/event.h"
#include "flash/image/seal.h"
#include "flash/trust/manifest.h"
#include "provision/cli/options.h"
#include "provision/cli/signer_options.h"
#include "provision/cli/trust_options.h"

/* Zero-initialise, with o and listener. */
struct seal_options {
	const struct options *o;         /* borrowed */
	const struct listener *listener; /* borrowed */
	struct manifest *manifest;       /* owned */
	struct signer_options signers;
	struct trust_options trust; /* store is NULL without --trust */
};

/* Would any file that o names for writing replace the image? ERR_USAGE. */
int seal_options_check_paths(const struct options *o, struct err *e);

/* Load everything that can be wrong before the image is read: manifest, keys (unless has_keys is
 * false) and CAs. Fails with the codes of manifest_options_new, signer_options_load and
 * seal_options_load_trust. */
int seal_options_load(struct seal_options *so, bool has_keys, struct err *e);
void seal_options_release(struct seal_options *so);

/* --trust, where it is given; else nothing is loaded, and seal_options_trust gives NULL. Fails with
 * the codes of trust_options_check and trust_options_load. */
int seal_options_load_trust(struct seal_options *so, struct err *e);
const struct seal_trust *seal_options_trust(const struct seal_options *so, struct seal_trust *room);

/* seal_prepare, after the image's own table was put into the manifest; a note tells why when it
 * could not. Fails with the codes of image_table_take and seal_prepare. */
int seal_options_prepare(const struct seal_options *so, const struct survey *s, struct seal *out,
			 struct err *e);

/* The same, and seal_sign. */
int seal_options_sign(const struct seal_options *so, const struct survey *s, struct buf *out,
		      struct err *e);

/* An event about the image: "what in path". */
int seal_options_tell(const struct seal_options *so, enum event_kind kind, const char *what,
		      const char *detail, struct err *e);
