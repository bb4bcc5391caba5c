/* Chunks that change on the way to a medium because its partition table moves: the head that names
 * the medium's real end, and the backup table there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/table.h"
#include "flash/image/verified.h"

/* Does m (NULL: nothing moves) change any of [offset_bytes, offset_bytes + size_bytes)? */
bool moved_touches(const struct table_ends *m, uint64_t offset_bytes, uint64_t size_bytes);

/* c as the medium shall hold it: a new chunk, the caller's, when m changes it, else a share of c.
 */
int moved_chunk(const struct table_ends *m, const struct chunk *c, uint64_t seed,
		struct chunk **out, struct err *e);

/* The backup table at its new place, the caller's. */
int moved_tail(const struct table_ends *m, uint64_t seed, struct chunk **out, struct err *e);
