/* Where verified chunks go. A sink takes only const struct chunk *, so unverified bytes cannot be
 * written. Offsets are in bytes; sinks deal with sectors. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/image/chunk.h"

struct sink;

/* What a kind of sink does. Ranges are on the medium and start at a sector: sink.c saw to it. */
struct sink_ops {
	const char *name; /* "blockdev", "file", "memory", "null" */
	/* Write c at its offset: DATA as it is, ZERO so that it reads back as zeros. A last partial
	 * sector is filled up with zeros. ERR_IO if the device fails; then the target holds an
	 * unknown part of c. */
	int (*write)(struct sink *s, const struct chunk *c, struct err *e);
	/* Tell the device that the content of a range does not matter. A device that cannot is
	 * not an error. */
	int (*discard)(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e);
	/* Return when all that was written is durable. */
	int (*flush)(struct sink *s, struct err *e);
	/* Read n_bytes at offset_bytes from the medium itself, past every cache; bytes is aligned
	 * to CHUNK_ALIGN_BYTES and has room for n_bytes rounded up to that. ERR_IO when the device
	 * fails or has fewer bytes. */
	int (*read_back)(struct sink *s, uint64_t offset_bytes, void *bytes, size_t n_bytes,
			 struct err *e);
	void (*free)(struct sink *s);
};

/* The base of every sink; first member of each kind's own struct. */
struct sink {
	const struct sink_ops *ops;
	uint64_t size_bytes;
	uint32_t sector_bytes; /* 1 when any offset can be written */
	bool is_blank;         /* made by opening it: nothing old can be on it */
	int probe_fd; /* owned by the kind; a buffered read-only descriptor of the same medium for
		       * libblkid, or -1 */
	struct err failure; /* the first write or flush that failed; ERR_NONE: none did */
};

enum sink_mode {
	SINK_LOOK, /* nothing will be written: for a plan */
	SINK_WRITE,
};

/* A whole block device, opened O_EXCL and O_DIRECT and held until sink_free. ERR_REFUSED when it is
 * busy or read-only, ERR_IO otherwise. Never falls back to a shared or buffered open. */
int sink_blockdev_open(const char *path, enum sink_mode mode, struct sink **out, struct err *e);

/* A regular file; one that is missing is created with size create_bytes (ERR_USAGE when that is
 * SIZE_UNKNOWN) and is_blank, one that exists keeps its size. In SINK_LOOK mode a missing file
 * stays missing and reads as zeros. Locked against a second lkflash, and not a folder or device
 * (ERR_REFUSED). The folder's file system is full: ERR_IO. */
int sink_file_open(const char *path, enum sink_mode mode, uint64_t create_bytes, struct sink **out,
		   struct err *e);

/* size_bytes of memory, zeroed, borrowed (read and changed at will) as *out_bytes until sink_free.
 * What was never written takes no memory. */
int sink_mem_new(uint64_t size_bytes, uint8_t **out_bytes, struct sink **out, struct err *e);

/* Takes everything, keeps nothing, reads back zeros: to time the rest. */
int sink_null_new(uint64_t size_bytes, struct sink **out, struct err *e);

/* As the operations say, for every kind. A range that passes size_bytes is ERR_REFUSED, one that
 * does not start at a sector ERR_USAGE. SKIP chunks are not written. After a write or flush that
 * failed every further one fails too: a kernel reports a loss only once. */
int sink_write(struct sink *s, const struct chunk *c, struct err *e);
int sink_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e);
int sink_flush(struct sink *s, struct err *e);
int sink_read_back(struct sink *s, uint64_t offset_bytes, void *bytes, size_t n_bytes,
		   struct err *e);
void sink_free(struct sink *s);
static inline void sink_freep(struct sink **s)
{
	sink_free(*s);
}
