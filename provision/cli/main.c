/* The program: finds the verb, parses its options, runs it, and turns its error into words and an
 * exit status. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/event.h"
#include "flash/base/json.h"
#include "flash/base/log.h"
#include "flash/base/nearest.h"
#include "flash/trust/digest.h"
#include "provision/cli/command.h"
#include "provision/cli/help.h"
#include "provision/cli/signals.h"
#include "provision/cli/version.h"

enum { EXIT_SIGNALLED = 128 }; /* plus the signal's number, as shells say it */

/* A verb and its arguments. */
struct call {
	const struct command *command;
	bool is_verb_given;
	bool is_plan; /* `plan` stood in front of it */
	char **args;  /* borrowed; without the verb */
	size_t n_args;
};

/* Is word a mistyped verb rather than an image: lower-case letters, and no such file? */
static bool looks_like_verb(const char *word)
{
	return word[strspn(word, "abcdefghijklmnopqrstuvwxyz")] == '\0' && access(word, F_OK) < 0;
}

static int unknown_verb(const char *word, struct err *e)
{
	const char *nearest = NULL;

	for (const struct command *const *c = command_list(); *c; c++)
		nearest = nearest_of(word, (*c)->name, nearest);
	(void)err_set(e, ERR_USAGE, "%s is neither a verb nor a file", word);
	if (nearest)
		(void)err_hint(e, "perhaps `lkflash %s`", nearest);
	return err_hint(e, "`lkflash help` lists the verbs");
}

/* Take the verb at the first operand out of args; NULL, and all stays, when there is none, or none
 * that is_wanted. */
static const struct command *take_verb(char **args, size_t *n_args,
				       bool (*is_wanted)(const struct command *))
{
	size_t place = options_first_operand(args, *n_args);
	const struct command *c = place < *n_args ? command_by_name(args[place]) : NULL;

	if (!c || !is_wanted(c))
		return NULL;
	memmove(args + place, args + place + 1, (*n_args - place - 1) * sizeof *args);
	(*n_args)--;
	return c;
}

static bool is_any(const struct command *c)
{
	return c != NULL;
}

/* Behind `plan` any other word is an image of that name. */
static bool is_planned(const struct command *c)
{
	return c->can_be_planned;
}

/* Find the verb and take it out of args. Without one it is write. */
static int call_from(char **args, size_t n_args, struct call *out, struct err *e)
{
	size_t place = options_first_operand(args, n_args);
	const struct command *c = take_verb(args, &n_args, is_any);
	const struct command *planned = NULL;

	if (c) {
		if (strcmp(c->name, "plan") == 0)
			planned = take_verb(args, &n_args, is_planned);
		*out = (struct call){planned ? planned : c, true, planned != NULL, args, n_args};
		return 0;
	}
	if (place < n_args && looks_like_verb(args[place]))
		return unknown_verb(args[place], e);
	*out = (struct call){command_default(), false, false, args, n_args};
	return 0;
}

static int run_command(const struct command *c, const struct options *o, int *out_signal,
		       struct err *e)
{
	log_set_debug(o->is_debug);
	log_debug("SHA-256 is made by %s", digest_kernel_name());
	int result = c->run(o, e);
	if (result < 0 && e->code == ERR_CANCELLED)
		*out_signal = signals_number(o->cancel->fd);
	return result;
}

/* What was printed must have arrived: a full disk or a closed pipe is a failure too. */
static int finish_output(struct err *e)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_errno(e, "writing to standard output");
	return 0;
}

static int run(char **args, size_t n_args, int *out_signal, struct err *e)
{
	struct call call = {.command = command_default()};
	struct options options = {0};
	CLEANUP(closep) int fd = -1;

	if (n_args == 1 && strcmp(args[0], "--version") == 0) {
		(void)printf("lkflash %s\n", version_text());
		return 0;
	}
	if (call_from(args, n_args, &call, e) < 0 ||
	    options_parse(call.command, call.args, call.n_args, &options, e) < 0)
		return -1;
	if (options.is_help)
		return help_print(call.is_verb_given ? call.command : NULL, stdout, e);
	if (call.command->watches_signals && signals_open(&fd, e) < 0)
		return -1;
	const struct cancel cancel = {.fd = fd};
	options.cancel = &cancel;
	options.is_plan = call.is_plan;
	options.environment = environment_read();
	return run_command(call.command, &options, out_signal, e);
}

/* A standard descriptor that came closed would become the next file to be opened, the target for
 * one, and get what is printed. So it is taken, the wrong way round: using it fails as before. */
static int take_closed_descriptors(struct err *e)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return err_errno(e, "opening /dev/null for descriptor %d, which is closed",
					 fd);
	return 0;
}

static void tell_as_text(const struct err *e)
{
	CLEANUP(buf_release) struct buf line = {0};
	const char *text = NULL;
	struct err ignored = {0};

	buf_append_clean(&line, e->text);
	if (buf_text(&line, &text, &ignored) == 0)
		(void)fprintf(stderr, "lkflash: %s\n", text);
}

/* One object on standard output, like the events of a report. */
static void tell_as_json(const struct err *e)
{
	CLEANUP(buf_release) struct buf line = {0};
	const char *text = NULL;
	struct err ignored = {0};

	json_open(&line, NULL, '{');
	json_text(&line, "event", event_name(EVENT_FAILED));
	json_u64(&line, "code", e->code);
	json_text(&line, "text", e->text);
	json_close(&line, '}');
	if (buf_text(&line, &text, &ignored) == 0)
		(void)puts(text);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct err e = {0};
	int signal_number = 0;
	bool is_json = options_want_json(argv + 1, (size_t)argc - 1);

	if (take_closed_descriptors(&e) < 0)
		return (int)e.code; /* nobody would read it */
	/* A closed pipe and a limit on the size of files are errors with words, like any other. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		(void)help_print(NULL, stderr, &e);
		return ERR_USAGE;
	}
	if (run(argv + 1, (size_t)argc - 1, &signal_number, &e) == 0 && finish_output(&e) == 0)
		return 0;
	if (*e.text)
		tell_as_text(&e);
	if (*e.text && is_json)
		tell_as_json(&e);
	return e.code == ERR_CANCELLED ? EXIT_SIGNALLED + signal_number : (int)e.code;
}
