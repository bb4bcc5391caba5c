/* Does what a profile says make sense? Pure: a board and the lines it came from in, the first fault
 * out. */
#pragma once

#include "boards/profile.h"
#include "boards/yaml_lines.h"
#include "flash/base/err.h"

/* 0, or ERR_USAGE with "where:line: reason". */
int profile_check(const struct board *b, const char *where, const struct yaml_lines *lines,
		  struct err *e);
