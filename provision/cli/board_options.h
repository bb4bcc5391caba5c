/* Options as a registry of boards. */
#pragma once

#include "boards/registry.h"
#include "flash/base/err.h"
#include "provision/cli/options.h"

/* Where the users of this machine keep profiles of their own. */
#define BOARDS_DIR_DEFAULT "/etc/lkflash/boards.d"

/* The built-in boards and those of --boards-dir. Fails with the codes of registry_load,
 * and with ERR_IO when a folder that was named is not there. */
int board_options_load(const struct options *o, struct registry **out, struct err *e);

/* The same, and the board of that id among them, borrowed from *out_registry; NULL: --board was not
 * given, which is ERR_USAGE. Fails with the codes of registry_by_id as well. */
int board_options_find(const struct options *o, const char *id, struct registry **out_registry,
		       const struct board **out_board, struct err *e);
