/* Options as a registry of boards. See board_options.h. */
#include "provision/cli/board_options.h"

#include <unistd.h>

#include "flash/base/cleanup.h"

int board_options_load(const struct options *o, struct registry **out, struct err *e)
{
	if (o->boards_dir && access(o->boards_dir, R_OK | X_OK) < 0)
		return err_errno(e, "--boards-dir %s", o->boards_dir);
	return registry_load(o->boards_dir ? o->boards_dir : BOARDS_DIR_DEFAULT, out, e);
}

int board_options_find(const struct options *o, const char *id, struct registry **out_registry,
		       const struct board **out_board, struct err *e)
{
	CLEANUP(registry_freep) struct registry *r = NULL;

	if (!id)
		return err_set(e, ERR_USAGE,
			       "--board ID is needed: `lkflash boards` lists those there are");
	if (board_options_load(o, &r, e) < 0 || registry_by_id(r, id, out_board, e) < 0)
		return -1;
	*out_registry = TAKE(r);
	return 0;
}
