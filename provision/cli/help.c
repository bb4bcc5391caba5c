/* Help texts. See help.h. */
#include "provision/cli/help.h"

#include <stdio.h>

#include "flash/base/cleanup.h"

enum { HELP_COLUMN = 31 };

static void put_option(const struct option *o, struct buf *out)
{
	char left[64];
	char letter[8] = "   ";

	if (o->letter)
		(void)snprintf(letter, sizeof letter, "-%c,", o->letter);
	(void)snprintf(left, sizeof left, "  %s --%s%s%s", letter, o->name, o->argument ? " " : "",
		       o->argument ? o->argument : "");
	buf_printf(out, "%-*s  %s%s\n", HELP_COLUMN, left, o->help,
		   o->kind == OPTION_LIST ? " (repeatable)" : "");
}

static void put_options(unsigned groups, struct buf *out)
{
	size_t n_options = 0;
	const struct option *table = option_table(&n_options);

	for (size_t i = 0; i < n_options; i++)
		if (table[i].groups & groups)
			put_option(&table[i], out);
}

void help_overview(struct buf *out)
{
	buf_append_text(out, "lkflash builds, signs, writes and verifies disk images.\n\n"
			     "usage: lkflash VERB [options] ...\n"
			     "       lkflash [options] IMAGE TARGET...      (the verb is write)\n"
			     "\nverbs:\n");
	for (const struct command *const *c = command_list(); *c; c++)
		buf_printf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
	buf_append_text(out, "\noptions of every verb:\n");
	put_options(OPTIONS_GLOBAL | OPTIONS_PROGRAM, out);
	buf_append_text(out,
			"\n`lkflash help VERB` tells more of one verb, `man lkflash` of all.\n");
}

void help_command(const struct command *c, struct buf *out)
{
	buf_printf(out, "usage: lkflash %s [options]%s%s\n\n", c->name, *c->operands ? " " : "",
		   c->operands);
	buf_printf(out, "%s\n", c->summary);
	if (c->details)
		buf_printf(out, "\n%s\n", c->details);
	buf_append_text(out, "\noptions:\n");
	put_options(c->groups, out);
}

int help_print(const struct command *c, FILE *file, struct err *e)
{
	CLEANUP(buf_release) struct buf text = {0};
	const char *out = NULL;

	if (c)
		help_command(c, &text);
	else
		help_overview(&text);
	if (buf_text(&text, &out, e) < 0)
		return -1;
	(void)fputs(out, file);
	return 0;
}
