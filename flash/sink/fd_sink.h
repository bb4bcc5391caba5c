/* What sinks on a descriptor share: chunks are written in pieces through a queue, neighbouring ZERO
 * chunks as one range, and reads are direct. For the sinks of this folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/sink/ioq.h"
#include "flash/sink/sink.h"

enum { FD_SINK_PIECES_MAX = 128 }; /* SINK_DEPTH_BYTES of the smallest chunks, and more */

/* A part of a chunk that is written, or of a read that was asked for. */
struct piece {
	struct ioq_op op;
	struct chunk *chunk; /* owned, a share; NULL when the bytes are not a chunk's */
	bool is_last;        /* of its read */
};

/* Pieces under way; those that were begun first are done with first. */
struct piece_line {
	struct piece pieces[FD_SINK_PIECES_MAX];
	size_t first;
	size_t n_pieces;
	size_t n_bytes;
};

struct fd_sink {
	struct sink base;
	int fd;                 /* owned; -1: looked at, and not there, so that it reads as zeros */
	int read_fd;            /* owned; direct, opened after the last write; -1: not yet */
	size_t read_unit_bytes; /* direct reads start and end at multiples of it */
	const char *full_hint;  /* what to do when the medium is full; NULL: nothing to be done */
	struct ioq *queue;      /* owned */
	struct piece_line writes;
	struct piece_line reads;
	struct ioq_op single; /* a flush, or a read that is no part of the line */
	uint64_t zeros_offset_bytes;
	uint64_t zeros_size_bytes; /* of ZERO chunks that were taken and are not written yet */
	uint8_t *zeros;            /* owned; mapped, a piece of them; NULL until they are wanted */
	bool has_no_zeroing;       /* a range cannot be zeroed but by writing zeros */
};

/* Room for a sink of one kind: no descriptor yet, and a queue. ERR_IO when memory is short. */
int fd_sink_new(const struct sink_ops *ops, const struct sink_options *o, struct fd_sink **out,
		struct err *e);

/* The operations; see sink.h. */
int fd_sink_write(struct sink *s, const struct chunk *c, struct err *e);
int fd_sink_flush(struct sink *s, struct err *e);
int fd_sink_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e);
int fd_sink_read_take(struct sink *s, uint8_t **out_bytes, struct err *e);
void fd_sink_free(struct sink *s);

/* Before a range is changed by other means: what was written there is done. */
int fd_sink_wait_range(struct fd_sink *f, uint64_t offset_bytes, uint64_t size_bytes,
		       struct err *e);

/* Punch a hole: a device forgets the range, but only if it then reads as zeros; else the kernel
 * refuses. False when it did. (BLKZEROOUT would leave the range allocated.) */
bool fd_sink_punch(const struct fd_sink *f, uint64_t offset_bytes, uint64_t size_bytes);
