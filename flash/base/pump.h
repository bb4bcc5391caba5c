/* An ordered pipeline: one thread fetches items, several work on them side by side, and any number
 * of consumers take the results, each in order and at its own speed. The only threads besides those
 * of flash/copy.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "flash/base/err.h"

enum { PUMP_BATCH_MAX = 2 };

/* What flows. Items are the caller's; the pump only passes them on. */
struct pump_ops {
	/* The next item, NULL at the end. In one thread, never again after a failure or the end. */
	int (*fetch)(void *context, void **out_item, struct err *e);
	/* Work on n (at most PUMP_BATCH_MAX) fetched items, in several threads at once: results[i]
	 * takes the place of items[i], which is consumed, or is NULL with failures[i] filled. */
	void (*work)(void *context, void *const *items, size_t n, void **results,
		     struct err *failures);
	/* An item nobody will work on any more. */
	void (*drop_item)(void *item);
	/* One more owner of a result; each consumer gets its own. */
	void *(*share_result)(void *result);
	void (*drop_result)(void *result);
};

struct pump_options {
	size_t window;      /* items and results there are at once, at least PUMP_BATCH_MAX */
	size_t n_workers;   /* at least 1 */
	size_t n_consumers; /* at least 1 */
	/* A consumer that kept the others waiting for so long, all in all, is left behind: what it
	 * did not take is dropped. 0: never. */
	unsigned lag_max_ms;
};

struct pump;

/* Starts its threads. ops and context are borrowed. Signals are blocked in them. ERR_IO when memory
 * or threads are short; nothing was fetched then. */
int pump_new(const struct pump_ops *ops, void *context, const struct pump_options *o,
	     struct pump **out, struct err *e);
/* No consumer may be waiting. Stops the threads (fetch and work come to their end first) and drops
 * what nobody took. */
void pump_free(struct pump *p);
static inline void pump_freep(struct pump **p)
{
	pump_free(*p);
}

/* The next result for this consumer, which owns it; NULL at the end. Waits for it. Fails with what
 * fetch or work failed with, after all results before it. *out_is_left_behind: the consumer lagged
 * and gets nothing more from this pump; *out is NULL. */
int pump_take(struct pump *p, size_t consumer, void **out, bool *out_is_left_behind, struct err *e);

/* This consumer takes no more: it keeps nobody waiting from now on. More than once is fine. */
void pump_leave(struct pump *p, size_t consumer);
