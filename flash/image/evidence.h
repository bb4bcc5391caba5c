/* What can still be checked about an image that nobody signed: a block map's range digests, a
 * SHA256SUMS line. Bytes are shown to it in order, on their way to the target. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/image/bmap.h"
#include "flash/image/source.h"

struct evidence;

/* Both may be NULL. bmap is owned from now on; sum is SHA256_BYTES long and copied. */
int evidence_new(struct bmap *bmap, const uint8_t *sum, struct evidence **out, struct err *e);
void evidence_free(struct evidence *v);
static inline void evidence_freep(struct evidence **v)
{
	evidence_free(*v);
}

/* A source that gives what in gives and shows each byte to v, for the sum is over the file as it
 * was found, compressed or not. A clone of it shows nothing. Owns in from now on, also when it
 * fails. */
int evidence_watch(struct evidence *v, struct source *in, struct source **out, struct err *e);

/* The next plain bytes of the image. Fails with ERR_UNTRUSTED when a range that ends in them does
 * not have its digest. */
int evidence_show(struct evidence *v, const uint8_t *bytes, size_t n_bytes, struct err *e);

/* Does the block map say that nothing in [start_bytes, end_bytes) matters? May be asked by several
 * threads, also while bytes are shown. */
bool evidence_is_unmapped(const struct evidence *v, uint64_t start_bytes, uint64_t end_bytes);

/* The image ended. Fails with ERR_UNTRUSTED when it is not as long as the map says or the sum is
 * another. */
int evidence_end(struct evidence *v, struct err *e);
