/* lkflash boards: list, show and check board profiles. */
#include <stdio.h>
#include <string.h>

#include "boards/registry.h"
#include "flash/base/cleanup.h"
#include "flash/base/json.h"
#include "provision/cli/board_options.h"
#include "provision/cli/board_text.h"
#include "provision/cli/command.h"
#include "provision/cli/print.h"

static int list(const struct options *o, struct err *e)
{
	CLEANUP(registry_freep) struct registry *r = NULL;
	CLEANUP(buf_release) struct buf text = {0};

	if (board_options_load(o, &r, e) < 0)
		return -1;
	if (!o->is_json)
		board_text_list(r, &text);
	for (size_t i = 0; o->is_json && i < r->n_boards; i++)
		board_text_json(r->boards[i], &text);
	return print_buf(&text, e);
}

static int show(const struct options *o, struct err *e)
{
	CLEANUP(registry_freep) struct registry *r = NULL;
	CLEANUP(buf_release) struct buf text = {0};
	const struct board *b = NULL;

	if (o->n_operands != 2)
		return err_set(e, ERR_USAGE, "boards show takes the id of one board");
	if (board_options_find(o, o->operands[1], &r, &b, e) < 0)
		return -1;
	if (o->is_json)
		board_text_json(b, &text);
	else
		board_text_yaml(b, &text);
	return print_buf(&text, e);
}

/* fault is empty when there is none. */
static int tell_check(const struct options *o, const char *path, const struct err *fault,
		      struct err *e)
{
	CLEANUP(buf_release) struct buf line = {0};

	if (*fault->text)
		(void)fprintf(stderr, "%s\n", fault->text);
	if (o->is_json) {
		json_open(&line, NULL, '{');
		json_text(&line, "event", "board-check");
		json_text(&line, "file", path);
		json_bool(&line, "ok", !*fault->text);
		json_text(&line, "text", fault->text);
		json_close(&line, '}');
		buf_append_text(&line, "\n");
	} else if (!*fault->text && !o->is_quiet) {
		buf_printf(&line, "%s: good\n", path);
	}
	return print_buf(&line, e);
}

/* Every file is looked at, so that one call tells all that is wrong. */
static int check(const struct options *o, struct err *e)
{
	size_t n_files = o->n_operands - 1;
	size_t n_bad = 0;
	enum err_code code = ERR_NONE;

	if (n_files == 0)
		return err_set(e, ERR_USAGE, "boards check takes the files to check");
	for (size_t i = 0; i < n_files; i++) {
		CLEANUP(board_freep) struct board *b = NULL;
		struct err fault = {0};
		if (registry_load_file(o->operands[i + 1], &b, &fault) < 0) {
			n_bad++;
			code = code == ERR_USAGE ? code : fault.code;
		}
		if (tell_check(o, o->operands[i + 1], &fault, e) < 0)
			return -1;
	}
	if (n_bad > 0)
		return err_set(e, code, "%zu of %zu board profiles cannot be used", n_bad, n_files);
	return 0;
}

static int run(const struct options *o, struct err *e)
{
	const char *what = o->n_operands > 0 ? o->operands[0] : "list";

	if (strcmp(what, "list") == 0 && o->n_operands <= 1)
		return list(o, e);
	if (strcmp(what, "show") == 0)
		return show(o, e);
	if (strcmp(what, "check") == 0)
		return check(o, e);
	return err_set(e, ERR_USAGE,
		       "boards %s: it is `boards`, `boards show ID` or `boards check FILE...`",
		       what);
}

const struct command cmd_boards = {
	.name = "boards",
	.operands = "[show ID | check FILE...]",
	.summary = "list, show and check board profiles",
	.details = "Without operands, list all boards. `show ID` prints a profile as YAML, to be\n"
		   "copied for a board of your own. `check FILE...` names the faults of profiles\n"
		   "with file and line. Profiles in " BOARDS_DIR_DEFAULT " win over those that\n"
		   "are built in.",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_BOARDS,
	.n_operands_max = OPERANDS_MANY,
	.run = run,
};
