/* Strict parsing of options. See options.h. */
#include "provision/cli/options.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "flash/base/nearest.h"
#include "flash/base/parse.h"
#include "provision/cli/command.h"

enum {
	NAME_BYTES = 32,
	ROWS_MAX = 128, /* of the table; a bound for struct parser */
};

/* A long option as typed. */
struct spelling {
	char name[NAME_BYTES]; /* without dashes; "" when it is longer than any name */
	const char *value;     /* behind '='; NULL when there is none */
};

/* A parse under way. */
struct parser {
	const struct command *command;
	char **args; /* the first n_operands are operands; those from next on are to be read */
	size_t n_args;
	size_t next;
	size_t n_operands;
	bool is_given[ROWS_MAX]; /* of the table */
	struct options options;
};

static struct spelling spelling_of(const char *arg)
{
	const char *name = arg + strlen("--");
	const char *equals = strchr(name, '=');
	size_t n_bytes = equals ? (size_t)(equals - name) : strlen(name);
	struct spelling s = {.value = equals ? equals + 1 : NULL};

	if (n_bytes < sizeof s.name)
		memcpy(s.name, name, n_bytes);
	return s;
}

/* NULL when a verb of these groups does not take it. */
static const struct option *by_name(unsigned groups, const char *name)
{
	size_t n_options = 0;
	const struct option *table = option_table(&n_options);

	for (size_t i = 0; i < n_options; i++)
		if ((table[i].groups & groups) && strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static const struct option *by_letter(unsigned groups, char letter)
{
	size_t n_options = 0;
	const struct option *table = option_table(&n_options);

	for (size_t i = 0; i < n_options; i++)
		if ((table[i].groups & groups) && table[i].letter == letter)
			return &table[i];
	return NULL;
}

static const char *nearest_option(unsigned groups, const char *name)
{
	size_t n_options = 0;
	const struct option *table = option_table(&n_options);
	const char *nearest = NULL;

	for (size_t i = 0; i < n_options; i++)
		if (table[i].groups & groups)
			nearest = nearest_of(name, table[i].name, nearest);
	return nearest;
}

/* The first verb that takes the option; NULL when none does. */
static const struct command *command_with(const char *name)
{
	for (const struct command *const *c = command_list(); *c; c++)
		if (by_name((*c)->groups, name))
			return *c;
	return NULL;
}

static int unknown_option(const struct command *c, const char *arg, const char *name, struct err *e)
{
	const struct command *other = command_with(name);
	const char *nearest = nearest_option(c->groups, name);

	(void)err_set(e, ERR_USAGE, "%s takes no option %s", c->name, arg);
	if (other)
		(void)err_hint(e, "--%s is for %s", name, other->name);
	else if (nearest)
		(void)err_hint(e, "perhaps --%s", nearest);
	return err_hint(e, "see `lkflash help %s`", c->name);
}

static int set_number(const struct option *o, const char *value, uint64_t *out, struct err *e)
{
	uint64_t number = 0;
	bool is_size = o->kind == OPTION_SIZE;

	if (!(is_size ? parse_size(value, &number) : parse_u64(value, &number)))
		return err_set(e, ERR_USAGE, "--%s: %s is not a %s", o->name, value,
			       is_size ? "size such as 4096 or 1M" : "number");
	if (number < o->min || number > o->max)
		return err_set(e, ERR_USAGE, "--%s: %s is not between %" PRIu64 " and %" PRIu64,
			       o->name, value, o->min, o->max);
	*out = number;
	return 0;
}

/* The place of value in "a|b|c", from 1. */
static int set_choice(const struct option *o, const char *value, unsigned *out, struct err *e)
{
	const char *choice = o->argument;

	for (unsigned place = 1;; place++) {
		size_t n_bytes = strcspn(choice, "|");
		if (strlen(value) == n_bytes && memcmp(choice, value, n_bytes) == 0) {
			*out = place;
			return 0;
		}
		if (choice[n_bytes] == '\0')
			return err_set(e, ERR_USAGE, "--%s: %s is none of %s", o->name, value,
				       o->argument);
		choice += n_bytes + 1;
	}
}

static int add_to_list(const struct option *o, const char *value, struct option_list *list,
		       struct err *e)
{
	if (list->n_items == OPTION_LIST_MAX)
		return err_set(e, ERR_USAGE, "--%s is given more than %d times", o->name,
			       OPTION_LIST_MAX);
	list->items[list->n_items++] = value;
	return 0;
}

/* Put value ("" for a flag) where the table says. */
static int set_member(struct parser *p, const struct option *o, const char *value, struct err *e)
{
	void *member = (char *)&p->options + o->offset_bytes;

	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)member = value;
		return 0;
	case OPTION_LIST:
		return add_to_list(o, value, member, e);
	case OPTION_NUMBER:
	case OPTION_SIZE:
		return set_number(o, value, member, e);
	case OPTION_CHOICE:
		return set_choice(o, value, member, e);
	}
	return 0;
}

/* Has the row been used before? From now on it has. */
static bool is_repeated(struct parser *p, const struct option *o)
{
	size_t n_options = 0;
	const struct option *table = option_table(&n_options);
	size_t row = (size_t)(o - table);

	assert(n_options <= ROWS_MAX);
	bool was_given = p->is_given[row];
	p->is_given[row] = true;
	return was_given;
}

/* The value of o: what follows '=', or the next argument. An argument that looks like an option is
 * more likely one whose turn came because the value was forgotten. */
static int take_value(struct parser *p, const struct option *o, const struct spelling *s,
		      const char **out, struct err *e)
{
	const char *value = s->value;

	if (!value && p->next < p->n_args)
		value = p->args[p->next++];
	if (!value)
		return err_set(e, ERR_USAGE, "--%s needs a value: %s", o->name, o->argument);
	if (!s->value && value[0] == '-' && value[1] != '\0')
		return err_set(e, ERR_USAGE,
			       "--%s needs a value, and %s looks like an option; write --%s=%s "
			       "if it is none",
			       o->name, value, o->name, value);
	if (*value == '\0')
		return err_set(e, ERR_USAGE, "--%s: the value is empty", o->name);
	if (is_repeated(p, o) && o->kind != OPTION_LIST)
		return err_set(e, ERR_USAGE, "--%s is given twice", o->name);
	*out = value;
	return 0;
}

static int parse_long(struct parser *p, const char *arg, struct err *e)
{
	struct spelling s = spelling_of(arg);
	const struct option *o = by_name(p->command->groups, s.name);
	const char *value = NULL;

	if (!o)
		return unknown_option(p->command, arg, s.name, e);
	if (o->kind == OPTION_FLAG && s.value)
		return err_set(e, ERR_USAGE, "--%s takes no value", o->name);
	if (o->kind != OPTION_FLAG && take_value(p, o, &s, &value, e) < 0)
		return -1;
	return set_member(p, o, value, e);
}

/* A letter with a value is the last of its group: what is left of the argument is the value, or the
 * next argument. */
static int parse_letter_value(struct parser *p, const struct option *o, const char *rest,
			      struct err *e)
{
	const struct spelling s = {.value = *rest ? rest : NULL};
	const char *value = NULL;

	if (take_value(p, o, &s, &value, e) < 0)
		return -1;
	return set_member(p, o, value, e);
}

static int parse_letters(struct parser *p, const char *arg, struct err *e)
{
	for (const char *letter = arg + 1; *letter; letter++) {
		const struct option *o = by_letter(p->command->groups, *letter);
		if (!o) {
			(void)err_set(e, ERR_USAGE, "%s takes no option -%c", p->command->name,
				      *letter);
			return err_hint(e, "see `lkflash help %s`", p->command->name);
		}
		if (o->kind != OPTION_FLAG)
			return parse_letter_value(p, o, letter + 1, e);
		if (set_member(p, o, "", e) < 0)
			return -1;
	}
	return 0;
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] != '\0';
}

static int check_operands(const struct command *c, size_t n_operands, char *const *operands,
			  struct err *e)
{
	if (n_operands < c->n_operands_min)
		return err_set(e, ERR_USAGE,
			       "usage: lkflash %s [options] %s; see `lkflash help %s`", c->name,
			       c->operands, c->name);
	if (n_operands > c->n_operands_max)
		return err_set(e, ERR_USAGE, "%s: too much: %s; see `lkflash help %s`", c->name,
			       operands[c->n_operands_max], c->name);
	return 0;
}

static int parse_all(struct parser *p, struct err *e)
{
	bool is_ended = false;

	while (p->next < p->n_args) {
		char *arg = p->args[p->next++];
		int result = 0;
		if (is_ended || !is_option(arg))
			p->args[p->n_operands++] = arg;
		else if (strcmp(arg, "--") == 0)
			is_ended = true;
		else if (arg[1] == '-')
			result = parse_long(p, arg, e);
		else
			result = parse_letters(p, arg, e);
		if (result < 0)
			return -1;
	}
	return 0;
}

int options_parse(const struct command *c, char **args, size_t n_args, struct options *out,
		  struct err *e)
{
	struct parser p = {
		.command = c,
		.args = args,
		.n_args = n_args,
		.options = {.n_retries = RETRIES_DEFAULT,
			    .stall_timeout_s = STALL_TIMEOUT_DEFAULT_S},
	};

	if (parse_all(&p, e) < 0)
		return -1;
	if (!p.options.is_help && check_operands(c, p.n_operands, args, e) < 0)
		return -1;
	p.options.operands = (const char *const *)args;
	p.options.n_operands = p.n_operands;
	*out = p.options;
	return 0;
}

/* Does any verb's option of that name take the next argument for its value? */
static bool takes_next(const char *arg)
{
	struct spelling s = spelling_of(arg);
	size_t n_options = 0;
	const struct option *table = option_table(&n_options);

	if (s.value)
		return false;
	for (size_t i = 0; i < n_options; i++)
		if (table[i].kind != OPTION_FLAG && strcmp(table[i].name, s.name) == 0)
			return true;
	return false;
}

/* Of several letters the last one decides: one with a value in front has the rest for it. */
static bool letters_take_next(const char *arg)
{
	for (const char *letter = arg + 1; *letter; letter++) {
		const struct option *o = by_letter(~0U, *letter);
		if (o && o->kind != OPTION_FLAG)
			return letter[1] == '\0';
	}
	return false;
}

size_t options_first_operand(char *const *args, size_t n_args)
{
	for (size_t i = 0; i < n_args && strcmp(args[i], "--") != 0; i++) {
		if (!is_option(args[i]))
			return i;
		if (args[i][1] == '-' ? takes_next(args[i]) : letters_take_next(args[i]))
			i++;
	}
	return n_args;
}

bool options_want_json(char *const *args, size_t n_args)
{
	for (size_t i = 0; i < n_args && strcmp(args[i], "--") != 0; i++)
		if (strcmp(args[i], "--json") == 0)
			return true;
	return false;
}
