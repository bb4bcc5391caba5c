/* Options, operands, help and the environment of the command line. */
#include "provision/cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/nearest.h"
#include "provision/cli/command.h"
#include "provision/cli/help.h"

/* ---- Helpers -----------------------------------------------------------------------------------
 */

/* A verb that takes what write, keygen and pack take together, and two operands or more. */
static const struct command verb = {
	.name = "verb",
	.operands = "A B...",
	.summary = "do a thing",
	.details = "And so on.",
	.groups = OPTIONS_GLOBAL | OPTIONS_TRUST | OPTIONS_TARGET | OPTIONS_YES | OPTIONS_BOARD,
	.n_operands_min = 2,
	.n_operands_max = 3,
};
static const struct command builder = {
	.name = "builder",
	.operands = "",
	.summary = "build a thing",
	.groups = OPTIONS_GLOBAL | OPTIONS_BUILD,
};
static const struct command packer = {
	.name = "packer",
	.operands = "",
	.groups = OPTIONS_GLOBAL | OPTIONS_MANIFEST,
	.n_operands_max = OPERANDS_MANY,
};

struct fixture {
	struct options options;
	struct err e;
	int result;
	char *args[80];
	size_t n_args;
};

static struct fixture parse(const struct command *c, const char *first, ...)
{
	struct fixture f = {0};
	va_list ap;

	va_start(ap, first);
	for (const char *arg = first; arg; arg = va_arg(ap, const char *))
		f.args[f.n_args++] = (char *)(uintptr_t)arg;
	va_end(ap);
	f.result = options_parse(c, f.args, f.n_args, &f.options, &f.e);
	return f;
}

static struct fixture parse_repeated(const char *arg, size_t n_times)
{
	struct fixture f = {.n_args = n_times};

	for (size_t i = 0; i < n_times; i++)
		f.args[i] = (char *)(uintptr_t)arg;
	f.result = options_parse(&verb, f.args, f.n_args, &f.options, &f.e);
	return f;
}

static void assert_usage_error(const struct fixture *f, const char *text)
{
	assert_int_equal(f->result, -1);
	assert_int_equal(f->e.code, ERR_USAGE);
	assert_string_equal(f->e.text, text);
}

/* ---- Operands and options ----------------------------------------------------------------------
 */

static void options_stand_anywhere(void **state)
{
	struct fixture f = parse(&verb, "a", "--board", "rpi4", "b", "--yes", "c", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_string_equal(f.options.board_id, "rpi4");
	assert_true(f.options.is_yes);
	assert_int_equal(f.options.n_operands, 3);
	assert_string_equal(f.args[0], "a");
	assert_string_equal(f.args[1], "b");
	assert_string_equal(f.args[2], "c");
}

static void what_follows_two_dashes_is_an_operand(void **state)
{
	struct fixture f = parse(&verb, "--", "--yes", "-q", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_false(f.options.is_yes);
	assert_string_equal(f.args[0], "--yes");
	assert_string_equal(f.args[1], "-q");
}

static void single_dash_is_an_operand(void **state)
{
	struct fixture f = parse(&verb, "-", "b", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_string_equal(f.args[0], "-");
}

static void value_may_follow_an_equals_sign(void **state)
{
	struct fixture f = parse(&verb, "--board=-x=1", "a", "b", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_string_equal(f.options.board_id, "-x=1");
}

static void letters_may_be_joined(void **state)
{
	struct fixture f = parse(&verb, "-qy", "a", "b", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_true(f.options.is_quiet);
	assert_true(f.options.is_yes);
}

static void value_of_a_letter_is_the_next_argument(void **state)
{
	struct fixture f = parse(&builder, "-qo", "image.raw", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_true(f.options.is_quiet);
	assert_string_equal(f.options.out_path, "image.raw");
}

static void value_of_a_letter_may_follow_at_once(void **state)
{
	struct fixture f = parse(&builder, "-oimage.raw", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_string_equal(f.options.out_path, "image.raw");
}

static void letter_without_its_value_is_refused(void **state)
{
	struct fixture f = parse(&builder, "-o", NULL);

	(void)state;
	assert_usage_error(&f, "--out needs a value: FILE");
}

static void value_of_a_letter_is_no_operand(void **state)
{
	char *args[] = {(char *)"-o", (char *)"verify", (char *)"build"};

	(void)state;
	assert_int_equal(options_first_operand(args, 3), 2);
}

static void list_keeps_its_values_in_order(void **state)
{
	struct fixture f = parse(&verb, "--trust", "x", "a", "--trust=y", "b", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_int_equal(f.options.trust_paths.n_items, 2);
	assert_string_equal(f.options.trust_paths.items[0], "x");
	assert_string_equal(f.options.trust_paths.items[1], "y");
}

static void choice_is_its_place(void **state)
{
	struct fixture f = parse(&verb, "--unmapped", "zero", "a", "b", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_int_equal(f.options.unmapped, 2);
}

static void retries_and_stall_timeout_have_defaults(void **state)
{
	struct fixture f = parse(&verb, "a", "b", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_int_equal(f.options.n_retries, 3);
	assert_int_equal(f.options.stall_timeout_s, 120);
}

static void retries_and_stall_timeout_may_be_zero(void **state)
{
	struct fixture f = parse(&verb, "--retries=0", "--stall-timeout", "0", "a", "b", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_int_equal(f.options.n_retries, 0);
	assert_int_equal(f.options.stall_timeout_s, 0);
}

static void more_retries_than_a_hundred_are_refused(void **state)
{
	struct fixture f = parse(&verb, "--retries", "101", "a", "b", NULL);

	(void)state;
	assert_usage_error(&f, "--retries: 101 is not between 0 and 100");
}

static void size_may_have_a_unit(void **state)
{
	struct fixture f = parse(&packer, "--chunk-size", "64K", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_int_equal(f.options.chunk_bytes, 65536);
}

static void same_name_means_another_thing_for_another_verb(void **state)
{
	struct fixture f = parse(&packer, "--board", "x", "--board", "y", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_int_equal(f.options.board_ids.n_items, 2);
	assert_null(f.options.board_id);
}

static void help_is_heard_without_operands(void **state)
{
	struct fixture f = parse(&verb, "-h", NULL);

	(void)state;
	assert_int_equal(f.result, 0);
	assert_true(f.options.is_help);
}

/* ---- Refusals ----------------------------------------------------------------------------------
 */

static void unknown_option_names_the_nearest(void **state)
{
	struct fixture f = parse(&verb, "--bord", "rpi4", "a", "b", NULL);

	(void)state;
	assert_usage_error(&f,
			   "verb takes no option --bord; perhaps --board; see `lkflash help verb`");
}

static void unknown_option_that_is_near_to_nothing_points_to_the_help(void **state)
{
	struct fixture f = parse(&verb, "--frobnicate", "a", "b", NULL);

	(void)state;
	assert_usage_error(&f, "verb takes no option --frobnicate; see `lkflash help verb`");
}

static void unknown_option_longer_than_any_is_refused(void **state)
{
	struct fixture f = parse(&verb, "--an-option-of-more-than-thirty-one-letters", NULL);

	(void)state;
	assert_usage_error(&f, "verb takes no option --an-option-of-more-than-thirty-one-letters; "
			       "see `lkflash help verb`");
}

static void abbreviated_option_is_refused(void **state)
{
	struct fixture f = parse(&verb, "--allow-fixed", "a", "b", NULL);

	(void)state;
	assert_int_equal(f.result, -1);
	assert_int_equal(f.e.code, ERR_USAGE);
}

static void unknown_letter_is_refused(void **state)
{
	struct fixture f = parse(&verb, "-qx", "a", "b", NULL);

	(void)state;
	assert_usage_error(&f, "verb takes no option -x; see `lkflash help verb`");
}

static void missing_value_at_the_end_is_refused(void **state)
{
	struct fixture f = parse(&verb, "a", "b", "--board", NULL);

	(void)state;
	assert_usage_error(&f, "--board needs a value: ID");
}

static void option_in_the_place_of_a_value_is_refused(void **state)
{
	struct fixture f = parse(&verb, "a", "b", "--board", "--yes", NULL);

	(void)state;
	assert_usage_error(&f, "--board needs a value, and --yes looks like an option; write "
			       "--board=--yes if it is none");
}

static void empty_value_is_refused(void **state)
{
	struct fixture f = parse(&verb, "a", "b", "--board=", NULL);

	(void)state;
	assert_usage_error(&f, "--board: the value is empty");
}

static void value_for_a_flag_is_refused(void **state)
{
	struct fixture f = parse(&verb, "a", "b", "--yes=no", NULL);

	(void)state;
	assert_usage_error(&f, "--yes takes no value");
}

static void repeated_value_is_refused(void **state)
{
	struct fixture f = parse(&verb, "--board", "x", "--board", "x", "a", "b", NULL);

	(void)state;
	assert_usage_error(&f, "--board is given twice");
}

static void number_with_anything_behind_it_is_refused(void **state)
{
	struct fixture f = parse(&verb, "--threshold", "2x", "a", "b", NULL);

	(void)state;
	assert_usage_error(&f, "--threshold: 2x is not a number");
}

static void number_outside_its_range_is_refused(void **state)
{
	struct fixture f = parse(&verb, "--threshold", "5", "a", "b", NULL);

	(void)state;
	assert_usage_error(&f, "--threshold: 5 is not between 1 and 4");
}

static void size_that_is_none_is_refused(void **state)
{
	struct fixture f = parse(&packer, "--chunk-size", "1MB", NULL);

	(void)state;
	assert_usage_error(&f, "--chunk-size: 1MB is not a size such as 4096 or 1M");
}

static void unknown_choice_is_refused(void **state)
{
	struct fixture f = parse(&verb, "--unmapped", "zer", "a", "b", NULL);

	(void)state;
	assert_usage_error(&f, "--unmapped: zer is none of keep|zero|discard");
}

static void more_values_than_a_list_holds_are_refused(void **state)
{
	struct fixture f = parse_repeated("--trust=x", OPTION_LIST_MAX + 1);

	(void)state;
	assert_usage_error(&f, "--trust is given more than 64 times");
}

static void missing_operand_is_refused_with_the_usage(void **state)
{
	struct fixture f = parse(&verb, "a", NULL);

	(void)state;
	assert_usage_error(&f, "usage: lkflash verb [options] A B...; see `lkflash help verb`");
}

static void operand_too_many_is_refused(void **state)
{
	struct fixture f = parse(&verb, "a", "b", "c", "d", NULL);

	(void)state;
	assert_usage_error(&f, "verb: too much: d; see `lkflash help verb`");
}

static void refused_options_leave_the_result_alone(void **state)
{
	struct fixture f = parse(&verb, "--yes", "--bord", NULL);

	(void)state;
	assert_false(f.options.is_yes);
}

/* ---- Finding the verb --------------------------------------------------------------------------
 */

static void first_operand_is_found_behind_flags_and_values(void **state)
{
	char *args[] = {(char *)"--json", (char *)"--board", (char *)"rpi4", (char *)"--trust=x",
			(char *)"sign"};

	(void)state;
	assert_int_equal(options_first_operand(args, 5), 4);
}

static void behind_two_dashes_there_is_no_verb(void **state)
{
	char *args[] = {(char *)"--", (char *)"help"};

	(void)state;
	assert_int_equal(options_first_operand(args, 2), 2);
}

static void json_is_wanted_only_before_two_dashes(void **state)
{
	char *before[] = {(char *)"help", (char *)"--json"};
	char *behind[] = {(char *)"--", (char *)"--json"};

	(void)state;
	assert_true(options_want_json(before, 2));
	assert_false(options_want_json(behind, 2));
}

/* ---- Tables and help ---------------------------------------------------------------------------
 */

/* The groups in which the rows i and j of the table of options have the same name or letter. */
static unsigned clash_of(const struct option *a, const struct option *b)
{
	bool is_same = strcmp(a->name, b->name) == 0 || (a->letter && a->letter == b->letter);

	return is_same ? a->groups & b->groups : 0;
}

static unsigned all_clashes(void)
{
	size_t n_options = 0;
	const struct option *table = option_table(&n_options);
	unsigned clashes = 0;

	for (size_t i = 0; i < n_options; i++)
		for (size_t j = i + 1; j < n_options; j++)
			clashes |= clash_of(&table[i], &table[j]);
	return clashes;
}

static void no_group_has_two_options_of_one_name(void **state)
{
	(void)state;
	assert_int_equal(all_clashes(), 0);
}

static unsigned groups_of_all_verbs(void)
{
	unsigned groups = OPTIONS_PROGRAM;

	for (const struct command *const *c = command_list(); *c; c++)
		groups |= (*c)->groups;
	return groups;
}

static const char *option_of_no_verb(void)
{
	size_t n_options = 0;
	const struct option *table = option_table(&n_options);

	for (size_t i = 0; i < n_options; i++)
		if (!(table[i].groups & groups_of_all_verbs()))
			return table[i].name;
	return "none";
}

static void every_option_is_taken_by_a_verb(void **state)
{
	(void)state;
	assert_string_equal(option_of_no_verb(), "none");
}

static size_t widest_line_of_all_helps(void)
{
	CLEANUP(buf_release) struct buf b = {0};
	size_t widest = 0;
	size_t n_columns = 0;

	help_overview(&b);
	for (const struct command *const *c = command_list(); *c; c++)
		help_command(*c, &b);
	for (size_t i = 0; i < b.n_bytes; i++) {
		n_columns = b.bytes[i] == '\n' ? 0 : n_columns + 1;
		widest = n_columns > widest ? n_columns : widest;
	}
	return widest;
}

static void help_fits_80_columns(void **state)
{
	(void)state;
	assert_in_range(widest_line_of_all_helps(), 40, 80);
}

static void help_of_a_verb_has_usage_purpose_and_options(void **state)
{
	static const struct command yes = {.name = "yes",
					   .operands = "X",
					   .summary = "say yes",
					   .details = "And mean it.",
					   .groups = OPTIONS_YES};
	CLEANUP(buf_release) struct buf b = {0};
	struct err e = {0};
	const char *text = NULL;

	(void)state;
	help_command(&yes, &b);
	assert_int_equal(buf_text(&b, &text, &e), 0);
	assert_string_equal(
		text, "usage: lkflash yes [options] X\n"
		      "\n"
		      "say yes\n"
		      "\n"
		      "And mean it.\n"
		      "\n"
		      "options:\n"
		      "  -y, --yes                      answer the question before writing\n");
}

static void verb_is_found_by_its_whole_name_only(void **state)
{
	(void)state;
	assert_non_null(command_by_name("help"));
	assert_null(command_by_name("hel"));
}

/* ---- Nearest words -----------------------------------------------------------------------------
 */

static void swapped_letters_count_as_one_mistake(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("wirte", "write"), 1);
}

static void distance_counts_insertions_deletions_and_changes(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("", "abc"), 3);
}

static void nearest_takes_the_nearer_word(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("board", "boards", NULL), "boards");
	assert_string_equal(nearest_of("boards", "boards", "board"), "boards");
	assert_string_equal(nearest_of("board", "boards", "board"), "board");
}

static void far_words_are_not_taken(void **state)
{
	(void)state;
	assert_null(nearest_of("frob", "sign", NULL));
}

/* ---- The state folder --------------------------------------------------------------------------
 */

static void assert_state_dir(struct environment env, const char *given, const char *wanted)
{
	CLEANUP(freep) char *path = NULL;
	struct err e = {0};

	assert_int_equal(environment_state_dir(&env, given, &path, &e), 0);
	assert_string_equal(path, wanted);
}

static void state_dir_given_wins(void **state)
{
	struct environment env = {.state_dir = "/env", .home = "/h", .is_root = true};

	(void)state;
	assert_state_dir(env, "/given", "/given");
}

static void state_dir_of_the_environment_comes_next(void **state)
{
	struct environment env = {.state_dir = "/env", .home = "/h", .is_root = true};

	(void)state;
	assert_state_dir(env, NULL, "/env");
}

static void state_dir_of_root_is_the_systems(void **state)
{
	struct environment env = {.xdg_state_home = "/x", .home = "/root", .is_root = true};

	(void)state;
	assert_state_dir(env, NULL, "/var/lib/lkflash");
}

static void state_dir_of_a_user_follows_xdg(void **state)
{
	struct environment with = {.xdg_state_home = "/x", .home = "/h"};
	struct environment without = {.home = "/h"};

	(void)state;
	assert_state_dir(with, NULL, "/x/lkflash");
	assert_state_dir(without, NULL, "/h/.local/state/lkflash");
}

static void state_dir_that_nothing_tells_is_refused(void **state)
{
	struct environment env = {0};
	struct err e = {0};
	char *path = NULL;

	(void)state;
	assert_int_equal(environment_state_dir(&env, NULL, &path, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(what_follows_two_dashes_is_an_operand),
		cmocka_unit_test(single_dash_is_an_operand),
		cmocka_unit_test(value_may_follow_an_equals_sign),
		cmocka_unit_test(letters_may_be_joined),
		cmocka_unit_test(value_of_a_letter_is_the_next_argument),
		cmocka_unit_test(value_of_a_letter_may_follow_at_once),
		cmocka_unit_test(letter_without_its_value_is_refused),
		cmocka_unit_test(value_of_a_letter_is_no_operand),
		cmocka_unit_test(list_keeps_its_values_in_order),
		cmocka_unit_test(choice_is_its_place),
		cmocka_unit_test(size_may_have_a_unit),
		cmocka_unit_test(retries_and_stall_timeout_have_defaults),
		cmocka_unit_test(retries_and_stall_timeout_may_be_zero),
		cmocka_unit_test(more_retries_than_a_hundred_are_refused),
		cmocka_unit_test(same_name_means_another_thing_for_another_verb),
		cmocka_unit_test(help_is_heard_without_operands),
		cmocka_unit_test(unknown_option_names_the_nearest),
		cmocka_unit_test(unknown_option_that_is_near_to_nothing_points_to_the_help),
		cmocka_unit_test(unknown_option_longer_than_any_is_refused),
		cmocka_unit_test(abbreviated_option_is_refused),
		cmocka_unit_test(unknown_letter_is_refused),
		cmocka_unit_test(missing_value_at_the_end_is_refused),
		cmocka_unit_test(option_in_the_place_of_a_value_is_refused),
		cmocka_unit_test(empty_value_is_refused),
		cmocka_unit_test(value_for_a_flag_is_refused),
		cmocka_unit_test(repeated_value_is_refused),
		cmocka_unit_test(number_with_anything_behind_it_is_refused),
		cmocka_unit_test(number_outside_its_range_is_refused),
		cmocka_unit_test(size_that_is_none_is_refused),
		cmocka_unit_test(unknown_choice_is_refused),
		cmocka_unit_test(more_values_than_a_list_holds_are_refused),
		cmocka_unit_test(missing_operand_is_refused_with_the_usage),
		cmocka_unit_test(operand_too_many_is_refused),
		cmocka_unit_test(refused_options_leave_the_result_alone),
		cmocka_unit_test(first_operand_is_found_behind_flags_and_values),
		cmocka_unit_test(behind_two_dashes_there_is_no_verb),
		cmocka_unit_test(json_is_wanted_only_before_two_dashes),
		cmocka_unit_test(no_group_has_two_options_of_one_name),
		cmocka_unit_test(every_option_is_taken_by_a_verb),
		cmocka_unit_test(help_fits_80_columns),
		cmocka_unit_test(help_of_a_verb_has_usage_purpose_and_options),
		cmocka_unit_test(verb_is_found_by_its_whole_name_only),
		cmocka_unit_test(swapped_letters_count_as_one_mistake),
		cmocka_unit_test(distance_counts_insertions_deletions_and_changes),
		cmocka_unit_test(nearest_takes_the_nearer_word),
		cmocka_unit_test(far_words_are_not_taken),
		cmocka_unit_test(state_dir_given_wins),
		cmocka_unit_test(state_dir_of_the_environment_comes_next),
		cmocka_unit_test(state_dir_of_root_is_the_systems),
		cmocka_unit_test(state_dir_of_a_user_follows_xdg),
		cmocka_unit_test(state_dir_that_nothing_tells_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
