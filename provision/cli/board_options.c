/* Options as a registry of boards. See board_options.h. */
#include "provision/cli/board_options.h"

int board_options_load(const struct options *o, struct registry **out, struct err *e)
{
	return registry_load(o->boards_dir ? o->boards_dir : BOARDS_DIR_DEFAULT, out, e);
}
