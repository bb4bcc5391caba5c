/* lkflash boot: start an image in QEMU. */
#include <unistd.h>

#include "boards/registry.h"
#include "flash/base/cleanup.h"
#include "flash/base/scratch.h"
#include "provision/build/machine.h"
#include "provision/cli/board_options.h"
#include "provision/cli/command.h"
#include "provision/cli/firmware_options.h"

static int boot(const struct options *o, const struct board *b, struct err *e)
{
	CLEANUP(firmware_freep) struct firmware_set *firmware = NULL;
	CLEANUP(scratch_freep) char *scratch = NULL;

	if (firmware_options_load(o, b, &firmware, e) < 0 ||
	    scratch_new(o->environment.temp_dir, &scratch, e) < 0)
		return -1;
	const struct machine_request r = {
		.board = b,
		.firmware = firmware,
		.image_path = o->operands[0],
		.is_writable = o->is_writable,
		.expect = o->expect,
		.timeout_s = o->timeout_s,
		.arguments = o->qemu_arguments.items,
		.n_arguments = o->qemu_arguments.n_items,
		.scratch_folder = scratch,
		.console_in = STDIN_FILENO,
		.console_out = o->is_quiet ? -1 : STDOUT_FILENO,
		.is_terminal =
			!o->expect && !o->is_quiet && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
		.cancel = o->cancel,
	};
	return machine_run(&r, e);
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(registry_freep) struct registry *registry = NULL;
	const struct board *b = NULL;

	if (board_options_find(o, o->board_id, &registry, &b, e) < 0)
		return -1;
	return boot(o, b, e);
}

const struct command cmd_boot = {
	.name = "boot",
	.operands = "IMAGE",
	.summary = "start an image in QEMU, as the board's profile says",
	.details = "Its console is this terminal: Ctrl-A X ends the machine. With --expect it\n"
		   "ends by itself, with success when the console says that text. What the\n"
		   "machine writes is thrown away without --writable. Nothing is verified.",
	.groups = OPTIONS_GLOBAL | OPTIONS_BOARD | OPTIONS_BOARDS | OPTIONS_FIRMWARE | OPTIONS_BOOT,
	.n_operands_min = 1,
	.n_operands_max = 1,
	.watches_signals = true,
	.run = run,
};
