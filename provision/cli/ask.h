/* Asking the person at the terminal. */
#pragma once

#include <stdbool.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"

/* Is there a person to ask: are standard input and standard error a terminal? */
bool ask_is_possible(void);

/* Print question and " [y/N] " on standard error and read a line. *out_is_yes is true for "y" and
 * "yes" only; the end of input is a no. Fails with ERR_CANCELLED when a signal comes first. */
int ask_yes(const char *question, const struct cancel *cancel, bool *out_is_yes, struct err *e);
