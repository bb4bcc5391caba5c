/* Starting an image in QEMU, as the board's profile says. */
#pragma once

#include <stdbool.h>

#include "boards/profile.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "provision/build/firmware.h"

struct machine_request {
	const struct board *board; /* borrowed, as all here */
	const struct firmware_set *firmware;
	const char *image_path;
	bool is_writable;   /* what the machine writes stays in the image; else it is thrown away */
	const char *expect; /* end with success when the console says this; NULL: run to the end */
	uint64_t timeout_s; /* 0: none */
	const char *const *arguments; /* more for QEMU, behind the profile's */
	size_t n_arguments;
	const char *scratch_folder;
	int console_in; /* descriptors of the console; -1: none */
	int console_out;
	bool is_terminal; /* both are a person's terminal, which the machine gets as it is: nothing
			   * can be expected of what it says */
	const struct cancel *cancel;
};

/* Fails with ERR_USAGE when the board has no machine, a firmware file is missing, or the image has
 * not a size that the machine takes and must not be changed; with ERR_IO when QEMU is not there or
 * fails, when the time is up or the machine ends before expect was seen: with the last line that
 * the console said; with ERR_CANCELLED. */
int machine_run(const struct machine_request *r, struct err *e);
