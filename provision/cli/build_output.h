/* The image of `lkflash build` must not stand in for what it is made of. */
#pragma once

#include "flash/base/err.h"
#include "provision/build/firmware.h"
#include "provision/build/payload.h"
#include "provision/cli/options.h"

/* Fails with ERR_USAGE when o->out_path is a file that is read for the image: one that an option
 * names, firmware, a part of a LinuxKit build, or a file of a tree; hard links are the same file.
 */
int build_output_check(const struct options *o, const struct payload *p,
		       const struct firmware_set *firmware, struct err *e);

/* The same for one file more; NULL: none. */
int build_output_check_path(const char *out_path, const char *path, struct err *e);
