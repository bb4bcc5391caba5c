/* Starting other programs: an argument list, no shell, what they say kept for the error. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "flash/base/buf.h"
#include "flash/base/bytes.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"

struct spawn {
	const char *const *argv; /* borrowed, as all here; ended by NULL; argv[0] is looked for as
				  * spawn_find does */
	const char *const *environment; /* "NAME=value", put over ours, in which LC_ALL is C and TZ
					 * is UTC; ended by NULL; may be NULL */
	const char *folder;             /* where it runs; NULL: here */
	struct span input;              /* its standard input */
	const char *input_path;         /* the same from a file; NULL: input */
	struct buf *output;   /* what it wrote to standard output is appended, also when it failed;
			       * NULL: dropped */
	struct buf *messages; /* the same of standard error */
	const char *packages; /* Debian's, that have the program; for the error; may be NULL */
	const struct cancel *cancel; /* may be NULL; the program and what it started are killed */
};

/* Run it to its end. Fails with ERR_IO when it is not there ("mkfs.fat is not installed; install
 * Debian's dosfstools"), when it ends with another status than 0 or by a signal (with the last of
 * what it wrote to standard error or, when that is nothing, to standard output), with
 * ERR_CANCELLED. It has a process group of its own, no signal blocked, and no descriptor but the
 * first three. */
int spawn_run(const struct spawn *s, struct err *e);

/* Start it with these descriptors for standard input, output and errors, and let it run: *out_pid
 * is the caller's to end and to reap. It stays in our process group, so that it may use our
 * terminal; no other descriptor is open in it. Input, output, messages and cancel of s are not
 * looked at. Fails with ERR_IO when it is not there or cannot be started. */
int spawn_start(const struct spawn *s, const int fds[3], pid_t *out_pid, struct err *e);

/* Where the program is: PATH, of which only absolute folders count, and then the sbin folders,
 * which an ordinary user's PATH leaves out. A name with a slash is a path already. *out is owned by
 * the caller. Fails with ERR_IO as spawn_run does; packages may be NULL. */
int spawn_find(const char *name, const char *packages, char **out, struct err *e);
