/* Being asked to stop, without global state: a descriptor that becomes readable (a signalfd) and
 * stays so. Long loops check it; whoever waits for something else polls it too. */
#pragma once

#include <stdbool.h>

#include "flash/base/err.h"

struct cancel {
	int fd; /* borrowed; -1: nobody can ask */
	/* 0: stop at once. Else what is under way should end first: nobody stops between two
	 * operations, and who waits for a device (flash/sink/patience.h) only when it did nothing
	 * for so long. */
	unsigned grace_ms;
};

/* c may be NULL. Never while c gives grace. */
bool cancel_is_requested(const struct cancel *c);

/* 0, or ERR_CANCELLED ("stopped by a signal") when we were asked to stop. c may be NULL. */
int cancel_check(const struct cancel *c, struct err *e);

/* Wait until fd can be read (or has an error or end to tell). Fails with ERR_CANCELLED. */
int cancel_wait_readable(const struct cancel *c, int fd, struct err *e);

/* Something that can be asked to stop from within as well, without everything else being asked:
 * its cancel is requested when the outer one is, and by cancel_scope_request. */
struct cancel_scope {
	struct cancel cancel; /* fd is owned: an epoll that waits for both */
	int event_fd;         /* owned */
};

/* outer may be NULL; it is borrowed. Fails with ERR_IO. */
int cancel_scope_init(struct cancel_scope *s, const struct cancel *outer, struct err *e);
/* From any thread, any number of times. */
void cancel_scope_request(const struct cancel_scope *s);
/* Also what was never initialised but for {.cancel.fd = -1, .event_fd = -1}. */
void cancel_scope_release(struct cancel_scope *s);
