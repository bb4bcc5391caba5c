/* Reading a medium back, and holding it against what was written to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/plan/diagnose.h"
#include "flash/sink/sink.h"

/* What was written, in the order of writing: one struct written (diagnose.h) a chunk.
 * Zero-initialise. */
struct written_list {
	struct written *items; /* owned */
	size_t n_items;
	size_t n_room;
};
void written_list_release(struct written_list *l);
/* The record of c, of DATA or ZERO. */
struct written written_of(const struct chunk *c);
/* Note that c was written. */
int written_add(struct written_list *l, const struct chunk *c, struct err *e);
/* Note that [from_bytes, to_bytes) was zeroed, in pieces of piece_bytes. Nothing when it is empty.
 */
int written_add_zeros(struct written_list *l, uint64_t from_bytes, uint64_t to_bytes,
		      size_t piece_bytes, struct err *e);

/* Does what was read back fit? */
bool written_is_found(const struct written *w, const uint8_t *bytes, uint64_t seed);

struct read_back {
	struct sink *sink; /* borrowed, as all here */
	const struct written_list *list;
	uint64_t seed; /* of the fingerprints */
	void *context; /* of these: */
	/* Before each piece. Fails to stop. */
	int (*on_piece)(void *context, const struct written *w, struct err *e);
	/* A piece does not fit (*e is empty) or cannot be read (found_bytes is NULL, *e says why).
	 * 0: it is right now. -1, with *e filled: stop. No reads are under way. */
	int (*on_mismatch)(void *context, const struct written *w, const uint8_t *found_bytes,
			   struct err *e);
};

/* Read all that is listed, several pieces at a time, past every cache. Fails as the two functions
 * do. */
int read_back(const struct read_back *r, struct err *e);
