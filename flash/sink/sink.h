/* Where verified chunks go. A sink takes only const struct chunk *, so unverified bytes cannot be
 * written. Offsets are in bytes; sinks deal with sectors. One thread at a time uses a sink.
 *
 * Writes and reads go on while the caller does: sink_write returns before the device is done, and
 * several reads can be asked for at once. Disks and files do it through io_uring; where the kernel
 * has none, or does not let us, everything is done one by one with the same results. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/image/chunk.h"
#include "flash/image/pool.h"

struct sink;

enum {
	SINK_DEPTH_BYTES = 8 << 20, /* under way at once, of writes or of reads; but at least ... */
	SINK_DEPTH_MIN = 2,         /* ... so many reads, whatever the size of a buffer */
	SINK_GRACE_MS =
		3000, /* a person who asks to stop waits; cards that work are silent for 1 s */
};

/* How a sink does its work. NULL where one is asked for: buffers of its own, no deadline. */
struct sink_options {
	struct pool *pool; /* borrowed, outlives the sink; gives the buffers for reads */
	/* An operation that neither succeeds nor fails for so long is given up: ERR_IO, naming the
	 * byte and the time, and every further call fails. What it holds (buffers, the device) is
	 * not freed until the process ends. 0: never. Without io_uring a read or write that hangs
	 * cannot be given up; a flush, zeroing and a discard can. */
	unsigned stall_timeout_ms;
	const struct cancel *cancel; /* borrowed; ends waits with ERR_CANCELLED; may be NULL */
};

/* What a kind of sink does. Ranges are on the medium and start at a sector: sink.c saw to it. */
struct sink_ops {
	const char *name; /* "blockdev", "file", "memory", "null" */
	/* Begin to write c at its offset: DATA as it is, ZERO so that it reads back as zeros. A
	 * last partial sector is filled up with zeros. Holds a share of c until it is done. Waits
	 * while SINK_DEPTH_BYTES are under way. ERR_IO if this or an earlier write failed; then the
	 * target holds an unknown part of what was written since the last flush. */
	int (*write)(struct sink *s, const struct chunk *c, struct err *e);
	/* Tell the device that the content of a range does not matter. A device that cannot is
	 * not an error. */
	int (*discard)(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e);
	/* Return when all writes are done, and durable. */
	int (*flush)(struct sink *s, struct err *e);
	/* Begin to read n_bytes (at most a buffer of the pool) at offset_bytes from the medium
	 * itself, past every cache and after all writes that have begun. */
	int (*read_ask)(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e);
	/* Wait for the read that was asked for first; its buffer is the caller's, who gives it back
	 * to the pool. ERR_IO when the device fails or has fewer bytes; that read is done with. */
	int (*read_take)(struct sink *s, uint8_t **out_bytes, struct err *e);
	/* Waits for what is under way, but not for what stalled, nor, when asked to stop, for what
	 * does nothing for SINK_GRACE_MS. */
	void (*free)(struct sink *s);
};

/* The base of every sink; first member of each kind's own struct. */
struct sink {
	const struct sink_ops *ops;
	struct sink_options options;
	struct cancel holding_on; /* for sink_hold_on */
	struct pool *own_pool;    /* owned; NULL when options has one */
	uint64_t size_bytes;
	uint32_t sector_bytes; /* 1 when any offset can be written */
	bool is_blank;         /* made by opening it: nothing old can be on it */
	int probe_fd;   /* owned by the kind; a buffered read-only descriptor of the same medium for
			 * libblkid, or -1 */
	size_t n_reads; /* asked for and not taken */
	struct err failure; /* the first write or flush that failed, or what stalled; ERR_NONE:
			       nothing */
};

enum sink_mode {
	SINK_LOOK, /* nothing will be written: for a plan */
	SINK_WRITE,
};

/* A whole block device, opened O_EXCL and O_DIRECT and held until sink_free. ERR_REFUSED when it is
 * busy or read-only, ERR_IO otherwise. Never falls back to a shared or buffered open. */
int sink_blockdev_open(const char *path, enum sink_mode mode, const struct sink_options *o,
		       struct sink **out, struct err *e);

/* A regular file; one that is missing is created with size create_bytes (ERR_USAGE when that is
 * SIZE_UNKNOWN) and is_blank, one that exists keeps its size. In SINK_LOOK mode a missing file
 * stays missing and reads as zeros. Locked against a second lkflash, and not a folder or device
 * (ERR_REFUSED). The folder's file system is full: ERR_IO. */
int sink_file_open(const char *path, enum sink_mode mode, uint64_t create_bytes,
		   const struct sink_options *o, struct sink **out, struct err *e);

/* size_bytes of memory, zeroed, borrowed (read and changed at will) as *out_bytes until sink_free.
 * What was never written takes no memory. */
int sink_mem_new(uint64_t size_bytes, uint8_t **out_bytes, struct sink **out, struct err *e);

/* Takes everything, keeps nothing, reads back zeros: to time the rest. */
int sink_null_new(uint64_t size_bytes, struct sink **out, struct err *e);

/* As the operations say, for every kind. A range that passes size_bytes is ERR_REFUSED, one that
 * does not start at a sector ERR_USAGE, and so is changing the medium while reads are asked for.
 * SKIP chunks are not written. After a write or flush that failed every further one fails too, for
 * a kernel reports a loss only once; but one that was cancelled may be done again. */
int sink_write(struct sink *s, const struct chunk *c, struct err *e);
int sink_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e);
int sink_flush(struct sink *s, struct err *e);
int sink_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e);
int sink_read_take(struct sink *s, uint8_t **out_bytes, struct err *e);
/* Is there room for one more sink_read_ask: do its buffers stay within SINK_DEPTH_BYTES (or
 * SINK_DEPTH_MIN)? Without it asking is ERR_USAGE. */
bool sink_has_read_room(const struct sink *s);
/* For what should be done to its end: being asked to stop ends waits only when the device did
 * nothing for SINK_GRACE_MS. Whoever wants to be stopped at once again puts the old options.cancel
 * back. */
void sink_hold_on(struct sink *s);
/* Take and drop all reads that were asked for, unless the device hangs when we are asked to stop.
 */
void sink_read_drop(struct sink *s);
/* The pool that reads of s take their buffers from. */
struct pool *sink_pool(const struct sink *s);

/* Ask, take and copy at once: n_bytes of any size. Not while reads are asked for. */
int sink_read_back(struct sink *s, uint64_t offset_bytes, void *bytes, size_t n_bytes,
		   struct err *e);
void sink_free(struct sink *s);
static inline void sink_freep(struct sink **s)
{
	sink_free(*s);
}

/* For the kinds: the base at its beginning, with a pool if it is not given one (ERR_IO when memory
 * is short), and at its end. */
int sink_init(struct sink *s, const struct sink_ops *ops, const struct sink_options *o,
	      struct err *e);
void sink_release(struct sink *s);
