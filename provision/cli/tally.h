/* What several targets came to, in one line for people. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "flash/base/buf.h"
#include "flash/base/event.h"

/* Zero-initialise. */
struct tally {
	size_t n_done;
	size_t n_failed;
	struct buf failed; /* their names, apart by commas */
};
void tally_release(struct tally *t);

/* Count ev when it is the end of a target. */
void tally_count(struct tally *t, const struct event *ev);

/* Append "3 of 4 targets done; /dev/sdc failed", red or green where there is colour, without a line
 * feed. Nothing for fewer than two targets: their own line says it. */
void tally_put(struct tally *t, bool has_color, struct buf *out);
