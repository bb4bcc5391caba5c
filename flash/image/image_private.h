/* What image_open.c fills and verified.c streams from. For these two files only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/image/evidence.h"
#include "flash/image/source.h"
#include "flash/image/verified.h"

struct image {
	enum guarantee guarantee;
	struct source *payload; /* owned; plain bytes in order, or the frames of a packed image */
	bool is_packed;         /* payload is one frame a chunk, at the index's offsets */
	struct manifest *manifest; /* owned; NULL when unsigned */
	struct index *index;       /* owned; signed, or growing with each chunk */
	struct trust_verdict verdict;
	struct evidence
		*evidence;   /* owned; what an unsigned image is held against; NULL: nothing */
	struct pool *pool;   /* owned; buffers for chunks */
	uint64_t seed;       /* of fingerprints */
	uint64_t size_bytes; /* of the plain image; SIZE_UNKNOWN until the end */

	struct chunk *current; /* owned; what image_next handed out last */
	struct chunk **ahead;  /* owned; chunks that image_head read before their turn */
	size_t n_ahead;
	size_t n_ahead_used;
	uint64_t next_chunk; /* number of the chunk that payload gives next */
	uint64_t payload_offset_bytes;
	bool is_ended;
	bool is_failed;
	uint8_t *stored; /* owned; room for one stored chunk */
	size_t stored_capacity_bytes;
	uint8_t *head; /* owned; what image_head returned */
};
