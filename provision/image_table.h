/* What an image says about itself, for its manifest: the sector size it is made for, and its
 * partitions. Pure. */
#pragma once

#include <stdint.h>

#include "flash/base/err.h"
#include "flash/image/survey.h"
#include "flash/trust/manifest.h"

/* Fill in m's sector size and partitions from the image's own table. sector_bytes is 512 or 4096,
 * or 0 for what the table says (512 where it says nothing). A table that cannot be read, or that
 * has partitions a manifest cannot hold, is no failure: *note then says why they are left out, else
 * its text is empty. Fails with ERR_USAGE when sector_bytes is another than the table's. */
int image_table_take(const struct survey *s, uint64_t sector_bytes, struct manifest *m,
		     struct err *note, struct err *e);
