/* A verb of the command line. Each lives in a file cmd_<verb>.c that ends in a const struct command
 * named cmd_<verb>, and has one line in commands.def. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "provision/cli/options.h"

enum { OPERANDS_MANY = SIZE_MAX };

struct command {
	const char *name;     /* as typed */
	const char *operands; /* for the usage line: "IMAGE TARGET..."; "" for none */
	const char *summary;  /* one line for the list of verbs; lower case, no full stop */
	const char
		*details; /* what else `lkflash help VERB` says, lines of at most 80; may be NULL */
	unsigned groups;  /* or of enum option_group: the options it takes */
	size_t n_operands_min;
	size_t n_operands_max; /* OPERANDS_MANY: no limit */
	bool can_be_planned;  /* `plan VERB` prints what it would do: it looks at options.is_plan */
	bool watches_signals; /* it looks at options.cancel and cleans up; else signals end it */

	/* Do it, and print what it has to say on standard output. o->operands has as many as asked
	 * for above. A failure with an empty text has been told already (by a report). */
	int (*run)(const struct options *o, struct err *e);
};

/* All verbs, in the order of commands.def, ended by NULL. */
const struct command *const *command_list(void);

/* The verb that may be left out: write. */
const struct command *command_default(void) __attribute__((returns_nonnull));

/* NULL when there is none of that name. */
const struct command *command_by_name(const char *name);
