/* The line that stays for an event: in a log, or above the bars. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/event.h"
#include "provision/cli/progress.h"

/* What is known besides the event itself. */
struct line_facts {
	const struct progress *progress; /* borrowed; NULL for a target that is not at work */
	uint64_t image_bytes;            /* 0 when it cannot be told */
	uint64_t took_ms;                /* since the target's first event */
	bool has_color;
};

/* Append the line for ev, without a line feed. */
void line_put(struct buf *out, const struct event *ev, const struct line_facts *facts);
