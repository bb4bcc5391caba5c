/* Does a partition under a profile's `build` make sense? Pure. */
#pragma once

#include "boards/profile.h"
#include "boards/profile_spot.h"
#include "flash/base/err.h"

/* Partition i of b->build, by itself and against those before it. build is the spot of `build`. */
int profile_check_partition(const struct board *b, unsigned i, const struct profile_spot *build,
			    struct err *e);
