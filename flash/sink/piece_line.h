/* Pieces of chunks and reads under way, in the order in which they were begun. For fd_sink.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/image/chunk.h"
#include "flash/sink/ioq.h"

enum { LINE_PIECES_MAX = 128 }; /* SINK_DEPTH_BYTES of the smallest chunks, and more */

/* A part of a chunk that is written, or of a read that was asked for. */
struct piece {
	struct ioq_op op;
	struct chunk *chunk; /* owned, a share; NULL when the bytes are not a chunk's */
	bool is_last;        /* of its read */
};

/* Pieces under way; those that were begun first are done with first. */
struct piece_line {
	struct piece pieces[LINE_PIECES_MAX];
	size_t first;
	size_t n_pieces;
	size_t n_bytes;
};

/* Piece i, counted from the first. */
struct piece *line_at(struct piece_line *line, size_t i);

/* Begin a copy of p behind all others; there is room. Fails as ioq_begin does; the piece is in the
 * line all the same. */
int line_push(struct piece_line *line, struct ioq *queue, const struct piece *p, struct err *e);

/* Take the first piece out, which is done, or given up. */
struct piece line_pop(struct piece_line *line);

/* Would one more piece of n_bytes stay within SINK_DEPTH_BYTES? The first one always does. */
bool line_has_room(const struct piece_line *line, size_t n_bytes);
bool line_overlaps(struct piece_line *line, uint64_t offset_bytes, uint64_t size_bytes);
