/* One digest over everything that goes into an image, piece by piece: each with what it is and how
 * long it is, so that no two sets of inputs are the same stream of bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/bytes.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/disk/tree.h"
#include "flash/trust/digest.h"

/* Each adds to d. what names the piece. Fails with ERR_IO. */
int inputs_digest_bytes(struct digest *d, const char *what, struct span bytes, struct err *e);
int inputs_digest_text(struct digest *d, const char *what, const char *text, struct err *e);
int inputs_digest_u64(struct digest *d, const char *what, uint64_t value, struct err *e);
/* The content of the file at path, which has size_bytes. ERR_IO also when it has other than that
 * by now, ERR_CANCELLED when c (may be NULL) asks to stop. */
int inputs_digest_file(struct digest *d, const char *what, const char *path, uint64_t size_bytes,
		       const struct cancel *c, struct err *e);
/* All entries with all that is known of them, in their order; where files are read from does not
 * count. Fails with ERR_CANCELLED when t->cancel asks to stop. */
int inputs_digest_tree(struct digest *d, const char *what, const struct tree *t, struct err *e);
