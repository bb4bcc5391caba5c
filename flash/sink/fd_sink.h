/* What sinks on a descriptor share: chunks are written in pieces through a queue, neighbouring ZERO
 * chunks as one range, and reads are direct. For the sinks of this folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/sink/helper.h"
#include "flash/sink/ioq.h"
#include "flash/sink/piece_line.h"
#include "flash/sink/rate.h"
#include "flash/sink/sink.h"

struct fd_sink {
	struct sink base;
	int fd;                 /* owned; -1: looked at, and not there, so that it reads as zeros */
	int read_fd;            /* owned; direct, opened after the last write; -1: not yet */
	size_t read_unit_bytes; /* direct reads start and end at multiples of it */
	bool is_cached;         /* what is written goes to the page cache first */
	uint64_t dirty_from_bytes;
	uint64_t dirty_to_bytes; /* what was written since the last flush lies in between */
	const char *full_hint;   /* what to do when the medium is full; NULL: nothing to be done */
	struct ioq *queue;       /* owned */
	struct piece_line writes;
	struct piece_line reads;
	struct ioq_op single;  /* a read that is no part of the line */
	struct helper *helper; /* owned; NULL: nothing is written */
	uint64_t zeros_offset_bytes;
	uint64_t zeros_size_bytes; /* of ZERO chunks that were taken and are not written yet */
	uint8_t *zeros;            /* owned; mapped, a piece of them; NULL until they are wanted */
	struct rate zeroing;       /* by the device, of ranges */
	bool has_no_zeroing;       /* the device cannot */
};

/* Room for a sink of one kind: no descriptor yet, and a queue. ERR_IO when memory is short. */
int fd_sink_new(const struct sink_ops *ops, const struct sink_options *o, struct fd_sink **out,
		struct err *e);

/* Once it is open for writing. ERR_IO. */
int fd_sink_start(struct fd_sink *f, struct err *e);

/* The operations; see sink.h. */
int fd_sink_write(struct sink *s, const struct chunk *c, struct err *e);
int fd_sink_flush(struct sink *s, struct err *e);
int fd_sink_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e);
int fd_sink_read_take(struct sink *s, uint8_t **out_bytes, struct err *e);
void fd_sink_free(struct sink *s);

/* Wait until all is written that was taken. A write that failed is found out by whoever waits for
 * it; it is the sink's failure all the same. */
int fd_sink_settle(struct fd_sink *f, struct err *e);

/* Have the helper do a job behind all that was written to its range. Nobody can stop it in between:
 * what is written next must come after it. *out_error: an errno, or 0. Fails with the errors of
 * writes, and when the device stalls. */
int fd_sink_hint(struct fd_sink *f, const struct helper_job *job, int *out_error, struct err *e);
