/* Sections of a signed image, each a zstd skippable frame. Layout: image format, "Two shapes". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/image/source.h"

enum { FRAME_HEADER_BYTES = 24 };

/* Do the bytes begin like a section of ours? */
bool frame_has_magic(const uint8_t *bytes, size_t n_bytes);

/* Append a section to *out. tag is "MANI", "SIGN" or "INDX". */
void frame_append(struct buf *out, const char *tag, const void *bytes, size_t n_bytes);

/* Take the next section, which must have that tag and min_bytes to max_bytes of content, from s.
 * The content goes into *out, which must be empty. Fails with ERR_UNTRUSTED when it is another, too
 * small, too large or cut short. */
int frame_read(struct source *s, const char *tag, size_t min_bytes, size_t max_bytes,
	       struct buf *out, struct err *e);
