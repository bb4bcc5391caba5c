/* Bad media: telling what is wrong, and writing again what does not read back. For execute.c and
 * compare.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/plan/run.h"

/* ERR_DIFFERS: w does not read back as it was written, but as found_bytes. Says which chunk, where,
 * and what it looks like. Returns -1. */
int mend_say_differs(const struct run *r, const struct written *w, const uint8_t *found_bytes,
		     struct err *e);

/* A read_back's on_mismatch; context is a struct run. Write the piece again until it reads back, as
 * often as the execution allows; each try is an EVENT_NOTE. Fails with ERR_DIFFERS or ERR_IO, whose
 * text says what was wrong and whether the medium is bad or the image cannot be had again. */
int mend_piece(void *context, const struct written *w, const uint8_t *found_bytes, struct err *e);

/* Does the medium hold what c says? A failed read counts as no: writing may heal it. */
int mend_is_on_medium(const struct run *r, const struct chunk *c, bool *out, struct err *e);

/* Write c, wait until it is durable, and see that it is, with retries. Fails as mend_piece does. */
int mend_write_checked(const struct run *r, const struct chunk *c, struct err *e);
