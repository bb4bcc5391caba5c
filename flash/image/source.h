/* Where image bytes come from: a file, a pipe, a URL, memory, or a decoder over another source.
 * Bytes come in order; a source that can seek also gives them from anywhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"

struct source;

struct source_ops {
	const char *name; /* "file", "pipe", "http", "memory", "gzip", ... */
	/* At least one and at most n_bytes (not 0) bytes, or 0 at the end, which stays the end.
	 * ERR_IO when reading fails, ERR_UNTRUSTED when a decoder finds its input damaged or cut
	 * short, ERR_CANCELLED. */
	int (*read)(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		    struct err *e);
	/* Continue reading at offset_bytes and end at end_bytes, or at the end of all bytes if that
	 * comes first (SIZE_UNKNOWN: at that). NULL: the source is a stream. */
	int (*seek)(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e);
	/* A second source of the same bytes, at their beginning, which may be read and freed by
	 * another thread. Never another file that took the name meanwhile. NULL: they come only
	 * once. */
	int (*clone)(const struct source *s, struct source **out, struct err *e);
	void (*free)(struct source *s);
};

enum { SOURCE_PEEK_BYTES = 64 };

/* The base of every source; first member of each kind's own struct. */
struct source {
	const struct source_ops *ops;
	uint64_t size_bytes; /* SIZE_UNKNOWN for pipes and decoders */
	uint8_t peeked[SOURCE_PEEK_BYTES];
	size_t n_peeked;      /* bytes in peeked ... */
	size_t n_peeked_used; /* ... of which the reader has had these */
};

enum {
	/* A short way ahead: a web server that is sending goes on, and what lies between is
	 * dropped. About what comes at 100 Mbit/s in the 20 ms that asking anew takes. Who wants
	 * ranges that are no further apart asks for them as one, and seeks inside it. */
	SOURCE_GAP_MAX_BYTES = 256 << 10,
};

/* How to open a source. NULL where one is asked for: nothing special. */
struct source_options {
	const struct cancel
		*cancel;          /* borrowed, also by clones; ends waits; NULL: nobody can ask */
	const char *tls_ca_path;  /* borrowed; PEM certificates; NULL: those of the system */
	unsigned http_timeout_ms; /* without a byte until the server is asked again; 0: 30 s */
};

/* Open path, "-" (standard input), or an http:// or https:// URL. Fails with ERR_IO; ERR_USAGE for
 * a folder or another URL scheme. */
int source_open(const char *where, const struct source_options *o, struct source **out,
		struct err *e);

/* All bytes of what source_open opens, into memory owned by the caller. Fails with ERR_USAGE when
 * they are more than max_bytes. */
int source_load(const char *where, const struct source_options *o, size_t max_bytes,
		uint8_t **out_bytes, size_t *out_n_bytes, struct err *e);

/* Each kind by itself, for source_open and tests. The bytes of source_mem_new are borrowed.
 * cancel may be NULL. source_file_open makes a pipe source of a FIFO or character device, and fails
 * with ERR_USAGE for a folder. source_pipe_new owns fd, also when it fails. */
int source_mem_new(const void *bytes, size_t n_bytes, struct source **out, struct err *e);
int source_file_open(const char *path, const struct cancel *cancel, struct source **out,
		     struct err *e);
int source_pipe_new(int fd, const struct cancel *cancel, struct source **out, struct err *e);

/* A resource of a web server. A transfer that breaks goes on where it stopped, as long as the
 * server still has the same resource. Fails with ERR_USAGE for a URL that is none, ERR_IO when the
 * server cannot be reached, has no such resource, or stays silent after several tries, and
 * ERR_PROTOCOL when it does not keep to HTTP or the resource changed under way. The source can be
 * cloned when the server names a version of the resource, and can seek when it can send ranges,
 * too. */
int source_http_open(const char *url, const struct source_options *o, struct source **out,
		     struct err *e);

/* As ops->read, after what was peeked. */
int source_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes, struct err *e);

/* Read until n_bytes are there or the source ends; *out_n_bytes says how many came. */
int source_read_full(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		     struct err *e);

/* Look at the next n_bytes (at most SOURCE_PEEK_BYTES) without taking them; fewer at the end.
 * *out_bytes is borrowed from s until the next call on it. */
int source_peek(struct source *s, size_t n_bytes, const uint8_t **out_bytes, size_t *out_n_bytes,
		struct err *e);

bool source_can_seek(const struct source *s);
/* Read on at offset_bytes, and up to end_bytes as if the source ended there (SIZE_UNKNOWN: to its
 * end); past the end there is nothing to read. A web server is asked for just that range, over the
 * same connection, and a short way ahead (SOURCE_GAP_MAX_BYTES) in a range that is being sent is
 * read over instead of asked for anew. Fails with ERR_USAGE on a stream. */
int source_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e);

/* Can the bytes be had once more? Not those of a pipe. */
bool source_can_clone(const struct source *s);
/* A second source of the same bytes, from their beginning, for another thread or a second pass: of
 * the open file and not of its name; of a web server's resource as long as it is the same (else
 * reading fails with ERR_PROTOCOL), which is not asked for before the first read; of a decoder over
 * a clone of its input. s must not be in use meanwhile; from then on the two are independent. Fails
 * with ERR_USAGE when the bytes come only once, and with ERR_IO. */
int source_clone(const struct source *s, struct source **out, struct err *e);

void source_free(struct source *s);
static inline void source_freep(struct source **s)
{
	source_free(*s);
}
