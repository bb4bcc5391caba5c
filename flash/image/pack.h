/* The one-file form of a signed image: its sections, then one zstd frame a chunk, then a seek table
 * for other programs. An ordinary .zst file. Layout: image format, "Two shapes". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/image/index.h"

struct pack;

/* Begin a file at path. Frames are kept in a nameless file beside it until the sections in front of
 * them are known, so that folder needs room for the packed image twice. level is zstd's, 1 to 19.
 * Fails with ERR_IO. */
int pack_new(const char *path, int level, struct pack **out, struct err *e);

/* Append a chunk, and fill in how it is stored. context is a struct pack: this is a
 * survey_request's store. Every chunk gets a frame, so that `zstd -dc` gives the whole image. Fails
 * with ERR_IO. */
int pack_store(void *context, const uint8_t *bytes, size_t n_bytes, struct index_entry *entry,
	       struct err *e);

/* All chunks of x are stored: fill in the size of their payload, which can be signed then. */
void pack_end(const struct pack *p, struct index *x);

/* Put the file together and in place, atomically and durably. sections are the three, signed. Fails
 * with ERR_IO or ERR_CANCELLED; what was at the path before is still there then. */
int pack_commit(struct pack *p, const struct buf *sections, const struct cancel *cancel,
		struct err *e);

void pack_free(struct pack *p);
static inline void pack_freep(struct pack **p)
{
	pack_free(*p);
}
