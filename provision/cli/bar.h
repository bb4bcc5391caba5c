/* The line of a target at work on a terminal. Pure. */
#pragma once

#include <stddef.h>

#include "flash/base/buf.h"
#include "flash/base/event.h"
#include "provision/cli/progress.h"

struct bar {
	const char *target; /* borrowed */
	enum phase phase;
	const struct progress *progress; /* borrowed */
};

/* Append "/dev/sdb  writing       [####......]  45 %  1.35 GiB of 3.00 GiB  210 MiB/s  0:08 left",
 * shorter than columns. The target gets name_columns, at most a quarter of the line; where it does
 * not fit its end is kept. What finds no room is left out: first the total, then the bar, then from
 * the right. */
void bar_put(struct buf *out, const struct bar *b, size_t name_columns, size_t columns);
