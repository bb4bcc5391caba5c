/* YAML to struct board, through libcyaml: which keys there are and what they may say. The names of
 * profile.h's enumerations are there, too. */
#pragma once

#include <stddef.h>

#include "boards/profile.h"
#include "boards/yaml_lines.h"
#include "flash/base/err.h"

/* All but sizes and numbers, which stay 0. lines are those of yaml. Fails as board_parse. */
int profile_load(const char *where, const void *yaml, size_t yaml_bytes,
		 const struct yaml_lines *lines, struct board **out, struct err *e);
