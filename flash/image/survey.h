/* One pass over an image: its chunk index, its digest, and its first bytes. What is signed later is
 * what was read here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/base/event.h"
#include "flash/image/evidence.h"
#include "flash/image/holes.h"
#include "flash/image/index.h"
#include "flash/image/source.h"

struct survey_request {
	struct source *source; /* borrowed, as all here; the plain bytes */
	unsigned chunk_log2;
	struct evidence *evidence;     /* NULL: none. Its block map must match ... */
	bool are_holes_skipped;        /* ... and chunks outside of it become SKIP */
	struct holes_digests *digests; /* NULL: none; shown all bytes */

	/* Called with the bytes of each chunk, in order, to fill in how it is stored. NULL: the
	 * bytes come from a stream. */
	int (*store)(void *context, const uint8_t *bytes, size_t n_bytes, struct index_entry *entry,
		     struct err *e);
	void *store_context;

	const char *name;                /* in events */
	const struct listener *listener; /* may be NULL */
	const struct cancel *cancel;     /* may be NULL */
};

enum { SURVEY_HEAD_BYTES = 65536 };

struct survey {
	struct index *index; /* owned; a chunk of zeros is ZERO, a hole too unless skipped */
	uint8_t image_sha256[SHA256_BYTES];
	uint8_t head[SURVEY_HEAD_BYTES]; /* the first bytes of the image, for its partitions */
	size_t head_bytes;
};

/* Fails with ERR_USAGE for an empty image, a chunk size index_new refuses, or more chunks than an
 * index holds, ERR_UNTRUSTED when the image is not what the evidence says, ERR_CANCELLED, and with
 * the errors of source and store. */
int survey_run(const struct survey_request *r, struct survey **out, struct err *e);
void survey_free(struct survey *s);
static inline void survey_freep(struct survey **s)
{
	survey_free(*s);
}
