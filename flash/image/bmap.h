/* Block maps (bmap 1.2 to 2.0): which ranges of an image hold data, and their digests. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/image/index.h"
#include "flash/trust/digest.h"

enum { BMAP_MAX_BYTES = 64 << 20 };

struct bmap_range {
	uint64_t start_bytes;
	uint64_t end_bytes; /* exclusive; at most the image's size */
	bool has_digest;
	uint8_t digest[DIGEST_MAX_BYTES];
};

struct bmap {
	uint64_t image_size_bytes;
	uint32_t block_bytes;
	enum digest_kind digest_kind;
	struct bmap_range *ranges; /* owned; ascending, not touching one another's bytes */
	size_t n_ranges;
};

/* Fails with ERR_UNTRUSTED for XML that is not a bmap of version 1.2 to 2.x, whose file checksum is
 * wrong, or whose ranges overlap, are out of order or pass the end. */
int bmap_parse(const void *xml, size_t xml_bytes, struct bmap **out, struct err *e);
void bmap_free(struct bmap *b);
static inline void bmap_freep(struct bmap **b)
{
	bmap_free(*b);
}

/* Append bmap 2.0 XML for b, with its file checksum (SHA-256), to *out. */
int bmap_format(const struct bmap *b, struct buf *out, struct err *e);
