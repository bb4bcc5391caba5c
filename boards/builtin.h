/* The profiles of boards/data as text, put into the program by the Makefile. */
#pragma once

#include <stddef.h>

struct board_builtin {
	const char *file; /* "x86-uefi.yaml" */
	const char *yaml;
};

extern const struct board_builtin board_builtins[];
extern const size_t n_board_builtins;
