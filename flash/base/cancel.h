/* Being asked to stop, without global state: a descriptor that becomes readable (a signalfd) and
 * stays so. Long loops check it; whoever waits for something else polls it too. */
#pragma once

#include <stdbool.h>

#include "flash/base/err.h"

struct cancel {
	int fd; /* borrowed; -1: nobody can ask */
};

/* c may be NULL. */
bool cancel_is_requested(const struct cancel *c);

/* 0, or ERR_CANCELLED ("stopped by a signal") when we were asked to stop. c may be NULL. */
int cancel_check(const struct cancel *c, struct err *e);

/* Wait until fd can be read (or has an error or end to tell). Fails with ERR_CANCELLED. */
int cancel_wait_readable(const struct cancel *c, int fd, struct err *e);
