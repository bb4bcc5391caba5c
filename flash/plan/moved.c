/* Chunks with a moved partition table in them. See moved.h. */
#include "flash/plan/moved.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"

bool moved_touches(const struct table_ends *m, uint64_t offset_bytes, uint64_t size_bytes)
{
	return m &&
	       (offset_bytes < m->head_bytes || offset_bytes + size_bytes > m->tail_offset_bytes);
}

/* Put the part of patch that lies in [offset_bytes, offset_bytes + n_bytes) into bytes. */
static void apply_patch(const uint8_t *patch, uint64_t patch_offset_bytes, size_t patch_bytes,
			uint8_t *bytes, uint64_t offset_bytes, size_t n_bytes)
{
	uint64_t from_bytes = max_u64(offset_bytes, patch_offset_bytes);
	uint64_t to_bytes = min_u64(offset_bytes + n_bytes, patch_offset_bytes + patch_bytes);

	if (from_bytes < to_bytes)
		memcpy(bytes + (from_bytes - offset_bytes),
		       patch + (from_bytes - patch_offset_bytes), (size_t)(to_bytes - from_bytes));
}

int moved_chunk(const struct table_ends *m, const struct chunk *c, uint64_t seed,
		struct chunk **out, struct err *e)
{
	uint64_t offset_bytes = chunk_offset_bytes(c);

	if (!moved_touches(m, offset_bytes, chunk_size_bytes(c))) {
		*out = chunk_share(c);
		return 0;
	}
	size_t n_bytes = (size_t)chunk_size_bytes(c);
	CLEANUP(freep) uint8_t *bytes = calloc(1, n_bytes);
	if (!bytes)
		return err_errno(e, "moving the partition table");
	if (chunk_kind(c) == CHUNK_DATA)
		memcpy(bytes, chunk_bytes(c), n_bytes);
	apply_patch(m->head, 0, m->head_bytes, bytes, offset_bytes, n_bytes);
	apply_patch(m->tail, m->tail_offset_bytes, m->tail_bytes, bytes, offset_bytes, n_bytes);
	return chunk_derived_new(offset_bytes, bytes, n_bytes, seed, out, e);
}

int moved_tail(const struct table_ends *m, uint64_t seed, struct chunk **out, struct err *e)
{
	return chunk_derived_new(m->tail_offset_bytes, m->tail, m->tail_bytes, seed, out, e);
}
