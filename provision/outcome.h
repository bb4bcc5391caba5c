/* Does a target that was written show what image and board promise? */
#pragma once

#include "boards/profile.h"
#include "flash/base/err.h"
#include "flash/disk/table.h"
#include "flash/sink/sink.h"

/* Look at the medium as a machine will: wanted, the image's table, must be found on it, and the
 * file systems that the board asks for. ERR_DIFFERS when they are not. */
int outcome_check(struct sink *s, const struct table *wanted, const struct board *b, struct err *e);
