/* The arguments of QEMU for a board and its image. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "boards/profile.h"
#include "flash/base/err.h"
#include "provision/build/firmware.h"

struct qemu_request {
	const struct board *board; /* borrowed, as all here; it has a machine */
	const struct firmware_set *firmware;
	const char *drive_path;
	const char *drive_format;     /* "raw", "qcow2" */
	const char *folder;           /* where copies go */
	bool is_terminal;             /* the console is a person's, who can leave it by Ctrl-A X */
	const char *const *arguments; /* behind all others */
	size_t n_arguments;
};

/* A file of which the machine needs one of its own. */
struct qemu_copy {
	char *from; /* owned */
	char *to;   /* owned */
};

enum { QEMU_COPIES_MAX = 8 };

/* Zero-initialise ({0}). */
struct qemu_args {
	char **argv; /* owned, and its texts; ended by NULL */
	size_t n_args;
	struct qemu_copy copies[QEMU_COPIES_MAX]; /* to be made before it starts */
	size_t n_copies;
};

/* Fails with ERR_USAGE for a firmware file that was not found, saying where to get it, and for what
 * the profile cannot mean. */
int qemu_args_make(const struct qemu_request *r, struct qemu_args *out, struct err *e);
void qemu_args_release(struct qemu_args *a);
