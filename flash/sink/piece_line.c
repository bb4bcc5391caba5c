/* Pieces of chunks and reads under way. See piece_line.h. */
#include "flash/sink/piece_line.h"

#include <assert.h>

#include "flash/image/index.h"
#include "flash/sink/sink.h"

_Static_assert(SINK_DEPTH_BYTES >> INDEX_CHUNK_LOG2_MIN <= LINE_PIECES_MAX, "small chunks fit");
_Static_assert((SINK_DEPTH_MIN << INDEX_CHUNK_LOG2_MAX) / IOQ_PIECE_BYTES <= LINE_PIECES_MAX,
	       "large ones");

struct piece *line_at(struct piece_line *line, size_t i)
{
	return &line->pieces[(line->first + i) % LINE_PIECES_MAX];
}

int line_push(struct piece_line *line, struct ioq *queue, const struct piece *p, struct err *e)
{
	struct piece *placed = line_at(line, line->n_pieces);

	assert(line->n_pieces < LINE_PIECES_MAX);
	*placed = *p;
	line->n_pieces++;
	line->n_bytes += p->op.n_bytes;
	return ioq_begin(queue, &placed->op, e);
}

struct piece line_pop(struct piece_line *line)
{
	struct piece p = *line_at(line, 0);

	line->first = (line->first + 1) % LINE_PIECES_MAX;
	line->n_pieces--;
	line->n_bytes -= p.op.n_bytes;
	return p;
}

bool line_has_room(const struct piece_line *line, size_t n_bytes)
{
	return line->n_pieces == 0 ||
	       (line->n_pieces < LINE_PIECES_MAX && line->n_bytes + n_bytes <= SINK_DEPTH_BYTES);
}

bool line_overlaps(struct piece_line *line, uint64_t offset_bytes, uint64_t size_bytes)
{
	for (size_t i = 0; i < line->n_pieces; i++) {
		const struct ioq_op *op = &line_at(line, i)->op;
		if (op->offset_bytes < offset_bytes + size_bytes &&
		    offset_bytes < op->offset_bytes + op->n_bytes)
			return true;
	}
	return false;
}
