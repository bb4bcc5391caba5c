/* Options as a registry of boards. See board_options.h. */
#include "provision/cli/board_options.h"

#include <unistd.h>

int board_options_load(const struct options *o, struct registry **out, struct err *e)
{
	if (o->boards_dir && access(o->boards_dir, R_OK | X_OK) < 0)
		return err_errno(e, "--boards-dir %s", o->boards_dir);
	return registry_load(o->boards_dir ? o->boards_dir : BOARDS_DIR_DEFAULT, out, e);
}
