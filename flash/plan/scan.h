/* What is on a medium already: its chunks digested and held against the signed index, so that only
 * those that differ are written. */
#pragma once

#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/image/index.h"
#include "flash/sink/sink.h"

struct scan {
	struct sink *sink; /* borrowed, as all here; no other call on it meanwhile */
	const struct index *index;
	bool is_hole_zeroed; /* holes must read as zeros too; else any content of them is right */
	const struct cancel *cancel; /* may be NULL */
	void *context;
	void (*on_progress)(void *context, uint64_t done_bytes);
};

/* Set is_wrong[i] (room for one byte a chunk) to 1 where chunk i is not on the medium, else to 0.
 * Reads past every cache, digests on all cores. A chunk that cannot be read is wrong: writing it
 * may heal it. Fails with ERR_CANCELLED, or ERR_IO when memory or threads are short. */
int scan(const struct scan *s, uint8_t *is_wrong, struct err *e);
