/* Asking the person at the terminal. */
#pragma once

#include <stdbool.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"

/* Is there a person to ask? Standard error must be a terminal, and so must standard input; where
 * is_stdin_taken, because the image comes from it, the terminal of the session will do. Then the
 * descriptor to read the answer from, owned by the caller, becomes *out_fd. */
bool ask_is_possible(bool is_stdin_taken, int *out_fd);

/* Print question and " [y/N] " on standard error and read a line from fd. *out_is_yes is true for
 * "y" and "yes" only; the end of input is a no. Fails with ERR_CANCELLED when a signal comes first.
 */
int ask_yes(int fd, const char *question, const struct cancel *cancel, bool *out_is_yes,
	    struct err *e);
