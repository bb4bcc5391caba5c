/* What the steps of one execution share. For execute.c, compare.c and mend.c only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/plan/execute.h"
#include "flash/plan/read_back.h"

struct run {
	struct execution *x; /* borrowed */
	struct chunk *first; /* owned; as the medium shall hold it: it is written last */
	struct written_list written;
	uint64_t image_bytes;     /* SIZE_UNKNOWN until an unsigned stream has ended */
	uint64_t image_end_bytes; /* of the chunks that came so far */
	bool is_scanned;          /* what follows writes only what differs: */
	bool is_any_wanted;
	bool is_tail_wanted;
	unsigned n_mended;     /* pieces, while reading back once ... */
	struct err difference; /* ... and what was wrong with the last of them */
};

/* What r owns, not *r. */
void run_release(struct run *r);

void run_emit(const struct run *r, enum event_kind kind, enum phase phase, uint64_t done_bytes,
	      uint64_t total_bytes);

/* A read_back's on_piece; context is a struct run. Tells of progress, and heeds cancelling. */
int run_on_piece(void *context, const struct written *w, struct err *e);

/* The number of the chunk that the byte is in. */
static inline uint64_t run_number_of(const struct run *r, uint64_t offset_bytes)
{
	return offset_bytes / image_chunk_bytes(r->x->image);
}
