/* A new block map for an image: where its file has holes, and the digests of the rest. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/image/bmap.h"

enum { HOLES_BLOCK_BYTES = 4096 };

/* The parts of the regular file at path that are not holes, in blocks of HOLES_BLOCK_BYTES, without
 * digests. Where the file system knows no holes, that is all of it. Fails with ERR_USAGE for
 * anything but a regular file with something in it, with ERR_IO when it cannot be opened. */
int holes_map_file(const char *path, struct bmap **out, struct err *e);

/* Fills in the SHA-256 of each range of a map, from the bytes of the image in their order. */
struct holes_digests;

/* Map is borrowed until _free. */
int holes_digests_new(struct bmap *map, struct holes_digests **out, struct err *e);
int holes_digests_show(struct holes_digests *d, const uint8_t *bytes, size_t n_bytes,
		       struct err *e);
/* The image ended. Fails with ERR_UNTRUSTED when it is not as long as the map says: the file
 * changed meanwhile. */
int holes_digests_end(const struct holes_digests *d, struct err *e);
void holes_digests_free(struct holes_digests *d);
