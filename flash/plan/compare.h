/* Holding a medium against an image, without writing: for `verify`. */
#pragma once

#include "flash/plan/execute.h"

/* Compare every byte of the medium with the image, as STEP_READ_BACK and STEP_COMMIT do. Reads the
 * whole image first. Of x it needs image, feed, sink, moved, listener, cancel and target. Fails
 * with the feed's errors, the sink's, ERR_DIFFERS with what the difference looks like,
 * ERR_CANCELLED. */
int compare(struct execution *x, struct err *e);
