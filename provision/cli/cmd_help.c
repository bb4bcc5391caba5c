/* lkflash help: what the verbs do. */
#include <stdio.h>

#include "provision/cli/help.h"

static int run(const struct options *o, struct err *e)
{
	const char *verb = o->n_operands > 0 ? o->operands[0] : NULL;
	const struct command *c = verb ? command_by_name(verb) : NULL;

	if (verb && !c)
		return err_set(e, ERR_USAGE, "there is no verb %s; `lkflash help` lists all", verb);
	return help_print(c, stdout, e);
}

const struct command cmd_help = {
	.name = "help",
	.operands = "[VERB]",
	.summary = "tell about a verb, or list all",
	.groups = OPTIONS_GLOBAL,
	.n_operands_max = 1,
	.run = run,
};
