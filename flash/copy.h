/* One image to many targets at once: the source is read, decoded and digested once, and every
 * target has a thread, a position and a failure of its own. The threads of the program are here and
 * in flash/base/pump.c.
 *
 * A target that keeps the others waiting gets a reader of its own, if the image can be read more
 * than once and is signed; else the others wait. What a plan scans gets one from the beginning, for
 * each target wants other chunks.
 *
 * Memory: copy_bound_bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/base/event.h"
#include "flash/image/verified.h"
#include "flash/plan/execute.h"

struct copy {
	struct image *image;              /* borrowed, as all here; before its first cursor */
	struct execution *const *targets; /* their feed and listener are set here */
	size_t n_targets;                 /* at least 1 */
	const struct listener *listener;  /* may be NULL; called by one thread at a time */
	/* Called in the thread of copy_run, once for each target as soon as it is done or has
	 * failed (*failure says why, ERR_NONE: done), while others go on. Its sink is the caller's
	 * again from then on. May emit events through the execution's listener. */
	void (*on_finished)(void *context, size_t target, const struct err *failure);
	void *context;
	/* May be NULL: what the image's source was opened with (source_options.cancel). Requested
	 * when no target wants more, or none could be begun, so that nobody waits for a pipe in
	 * vain. */
	const struct cancel_scope *reading;
};

/* Execute all targets, and return when all are finished. Fails (ERR_IO) only when memory or threads
 * are short; then on_finished was called for none, and none was touched. */
int copy_run(const struct copy *c, struct err *e);

enum {
	COPY_WINDOW_BYTES = 16 << 20,    /* fetched, being verified, or not taken by all targets */
	COPY_OWN_WINDOW_BYTES = 4 << 20, /* the same of a reader of one's own */
	COPY_LAG_MAX_MS = 100,           /* all in all; then a target gets a reader of its own */
};

/* The most bytes of buffers that copy_run takes for so many targets and chunks of that size, if a
 * buffer has buffer_bytes (pool_buffer_bytes: a packed chunk can be a little larger than a plain
 * one):
 *
 *     buffer * (window + 2 * cores + 2 + n_targets * (own window + depth + 4))
 *
 * in whole chunks, at least two each: the windows above; SINK_DEPTH_BYTES (sink.h) that are being
 * written or read back; two packed chunks for each core that unpacks them; the first chunk, which
 * is kept, and those that are made once more. Beside that there are 80 bytes a chunk of the index,
 * 40 bytes a chunk and target of what was written, and what a decoder needs (codec.h). */
uint64_t copy_bound_bytes(size_t n_targets, size_t chunk_bytes, size_t buffer_bytes);
