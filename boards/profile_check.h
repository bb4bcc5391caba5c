/* Does what a profile says make sense? Pure: a board and the lines it came from in, the first fault
 * out. */
#pragma once

#include "boards/profile.h"
#include "boards/profile_spot.h"
#include "boards/yaml_lines.h"
#include "flash/base/err.h"

/* 0, or ERR_USAGE with "where:line: reason". */
int profile_check(const struct board *b, const char *where, const struct yaml_lines *lines,
		  struct err *e);

/* Parts of it, with the spot of the whole profile. */
int profile_check_blobs(const struct board *b, const struct profile_spot *top, struct err *e);
int profile_check_build(const struct board *b, const struct profile_spot *top, struct err *e);
int profile_check_firmware(const struct board *b, const struct profile_spot *top, struct err *e);
int profile_check_qemu(const struct board *b, const struct profile_spot *top, struct err *e);

/* The file that key names must be one of the board's firmware. */
int profile_check_file(const struct board *b, const struct profile_spot *s, const char *key,
		       const char *file, struct err *e);
