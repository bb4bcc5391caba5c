/* The sizes and numbers of a profile: strict, as lkflash reads them everywhere. Pure. */
#pragma once

#include "boards/profile.h"
#include "boards/yaml_lines.h"
#include "flash/base/err.h"

/* Fill in what profile_load left 0. Fails with ERR_USAGE, "where:line: reason". */
int profile_sizes_read(struct board *b, const char *where, const struct yaml_lines *lines,
		       struct err *e);
