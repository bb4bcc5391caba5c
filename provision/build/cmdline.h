/* The kernel's command line for one slot. Pure. */
#pragma once

#include "flash/base/err.h"

/* All borrowed. */
struct cmdline_request {
	const char *profile; /* put in front unless given says console=; NULL: none */
	const char *given;   /* the payload's */
	const char *root;    /* for {root}: "PARTUUID=..."; NULL: there is no root file system */
	const char *boot;    /* for {boot}; NULL: there is no boot partition */
	const char *slot;    /* for {slot}; "" without slots */
};

/* The complete line into *out, owned by the caller: placeholders are filled in, and where there is
 * a root file system and nothing says root=, it says so itself. Fails with ERR_USAGE for a
 * placeholder of what is not there. */
int cmdline_make(const struct cmdline_request *r, char **out, struct err *e);
