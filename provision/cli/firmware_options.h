/* Options as the firmware files of a board. */
#pragma once

#include "boards/profile.h"
#include "flash/base/err.h"
#include "provision/build/firmware.h"
#include "provision/cli/options.h"

/* Those of b in --firmware, in the cache and among this machine's packages. b must outlive *out.
 * Fails with the codes of firmware_load. */
int firmware_options_load(const struct options *o, const struct board *b, struct firmware_set **out,
			  struct err *e);
