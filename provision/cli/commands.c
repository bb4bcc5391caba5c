/* The table of verbs. See command.h. */
#include "provision/cli/command.h"

#include <string.h>

#define COMMAND(name) extern const struct command cmd_##name;
#include "provision/cli/commands.def"
#undef COMMAND

const struct command *const *command_list(void)
{
#define COMMAND(name) &cmd_##name,
	static const struct command *const list[] = {
#include "provision/cli/commands.def"
		NULL,
	};
#undef COMMAND
	return list;
}

const struct command *command_default(void)
{
	return &cmd_write;
}

const struct command *command_by_name(const char *name)
{
	for (const struct command *const *c = command_list(); *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}
