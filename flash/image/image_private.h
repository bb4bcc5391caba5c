/* What image_open.c fills, cursor.c reads with, verified.c makes chunks by and image_stream.c hands
 * out. For these files only. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flash/image/evidence.h"
#include "flash/image/source.h"
#include "flash/image/verified.h"

struct image {
	/* Does not change after image_open, but for what is inside evidence (see there) and pool.
	 */
	enum guarantee guarantee;
	bool is_packed; /* the source has one frame a chunk, at the index's offsets */
	bool is_every_byte_read;
	unsigned chunk_log2;
	uint64_t payload_offset_bytes; /* in the source: of the first chunk */
	uint64_t end_bytes;            /* in the source: of all that was signed; 0 when unsigned */
	struct manifest *manifest;     /* owned; NULL when unsigned */
	struct index *index;           /* owned; NULL when unsigned */
	struct trust_verdict verdict;
	struct evidence
		*evidence; /* owned; what an unsigned image is held against; NULL: nothing */
	struct pool *pool; /* owned; buffers for chunks, plain and stored */
	uint64_t seed;     /* of fingerprints */
	/* Owned; nobody reads from it, so that it can be cloned while others are read. NULL: the
	 * image can be read only once. */
	struct source *spare;

	_Atomic uint64_t size_bytes; /* of the plain image; SIZE_UNKNOWN until the end */
	/* Owned; at the beginning, over the source that was opened, until cursor_new gives it away.
	 */
	_Atomic(struct cursor *) first;

	/* For the one thread that calls image_next and image_head. */
	struct cursor *own;    /* owned; NULL until image_next */
	struct chunk *current; /* owned; what image_next handed out last */
	uint8_t *head;         /* owned; what image_head returned */
};

struct cursor {
	struct image *image;   /* borrowed */
	struct source *source; /* owned */
	bool is_seeking;       /* what is not needed is not read */
	struct evidence
		*evidence; /* borrowed; is shown every byte; NULL: none, or not in this pass */
	const uint8_t *is_wanted; /* borrowed, n_wanted bytes; NULL: all are */
	uint64_t n_wanted;
	bool is_open_ended; /* n_chunks is found at the end; UINT64_MAX before */
	uint64_t n_chunks;
	uint64_t next_chunk;       /* number */
	uint64_t position_bytes;   /* of the source */
	uint64_t run_end_bytes;    /* chunks up to here are read one after the other */
	uint64_t source_end_bytes; /* where the source was told to end */
	uint8_t *scratch;          /* owned, of the image's pool; for what is read over */
	struct chunk **ahead;      /* owned; chunks that image_head read before their turn */
	size_t n_ahead;
	size_t n_ahead_used;
	bool is_ended;
	struct err failure; /* what every further call says; ERR_NONE: nothing yet */
};

/* Bytes of one chunk on their way to image_verify. */
struct unverified {
	uint64_t number;
	size_t size_bytes;   /* of the chunk */
	bool is_unmapped;    /* the block map of an unsigned image says that it does not matter */
	uint8_t *bytes;      /* owned, of pool; NULL: none are needed */
	size_t n_bytes;      /* that were read: of a packed image as many as are stored */
	struct pool *pool;   /* borrowed */
	struct chunk *chunk; /* owned; image_head had it verified before; NULL: it did not */
};

/* The cursor over payload, which is owned from now on, also when it fails. */
int cursor_first_new(struct image *im, struct source *payload, struct cursor **out, struct err *e);

/* The next chunk behind those that are ahead. As cursor_fetch. */
int cursor_advance(struct cursor *k, struct unverified **out, struct err *e);

/* From now on every call fails with *e. Returns -1. */
int cursor_fail(struct cursor *k, const struct err *e);
