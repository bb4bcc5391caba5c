/* Starting other programs: an argument list, no shell, what they say kept for the error. */
#pragma once

#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/bytes.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"

struct spawn {
	const char *const *argv; /* borrowed, as all here; ended by NULL; argv[0] is looked for in
				  * PATH and the sbin folders */
	const char *const
		*environment; /* "NAME=value", put over ours; ended by NULL; may be NULL */
	const char *folder;   /* where it runs; NULL: here */
	struct span input;    /* its standard input */
	struct buf *output;   /* what it writes to standard output is appended; NULL: dropped */
	const char *packages; /* Debian's, that have the program; for the error */
	const struct cancel *cancel; /* may be NULL; the program is killed */
};

/* Run it to its end. Fails with ERR_IO when it is not there ("mkfs.fat is not installed; install
 * Debian's dosfstools"), when it ends with another status than 0 or by a signal (with the last of
 * what it wrote to standard error), with ERR_CANCELLED. */
int spawn_run(const struct spawn *s, struct err *e);
