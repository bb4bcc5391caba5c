/* Shows events to whoever runs lkflash, in the way that fits: bars on a terminal, lines in a log,
 * JSON on standard output. */
#pragma once

#include "flash/base/event.h"
#include "provision/cli/options.h"

struct report;

/* o says which way (-q, --json), and standard error whether it is a terminal. */
int report_new(const struct options *o, struct report **out, struct err *e);
void report_free(struct report *r);
static inline void report_freep(struct report **r)
{
	report_free(*r);
}

/* To be handed to what works; borrowed from r. Events of several threads must not overlap. */
const struct listener *report_listener(const struct report *r);

/* When the last event was told: say what several targets came to, and return result, with which the
 * work ended. But work that was done and could not be told to a program is a failure: ERR_IO when
 * standard output took not all of --json. */
int report_end(struct report *r, int result, struct err *e);
