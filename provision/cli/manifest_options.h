/* Options as the part of a manifest that no image can tell: name, version, boards, rollback. */
#pragma once

#include "flash/base/err.h"
#include "flash/trust/manifest.h"
#include "provision/cli/options.h"

/* A new manifest, the caller's, with what o says of it. The build time is SOURCE_DATE_EPOCH where
 * the environment has it, and now where not. Fails with ERR_USAGE for what is missing or is no
 * name. */
int manifest_options_new(const struct options *o, struct manifest **out, struct err *e);

/* The chunk size as a power of two. Fails with ERR_USAGE when it is none. */
int manifest_options_chunk_log2(const struct options *o, unsigned *out, struct err *e);

/* A name for an image from where it is: "/srv/gw-1.2.raw.xz" gives "gw-1.2". Writes at most
 * MANIFEST_NAME_BYTES to name; "" when nothing of it can be part of a name. */
void manifest_options_name_of(const char *where, char name[MANIFEST_NAME_BYTES]);
