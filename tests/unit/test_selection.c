/* Which board an image is for, and what is too old to be written. */
#include "provision/selection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/trust/floor.h"
#include "tests/lib/sys_tree.h"

/* ---- Fixtures ------------------------------------------------------------------------------- */

static int setup_registry(void **state)
{
	struct registry *r = NULL;
	struct err e = {0};

	assert_int_equal(registry_load(NULL, &r, &e), 0);
	*state = r;
	return 0;
}

static int teardown_registry(void **state)
{
	registry_free(*state);
	return 0;
}

/* A state folder in which version 7 of the group "gw" was written. */
static int setup_state_dir(void **state)
{
	char *folder = strdup("/tmp/lkflash-selection.XXXXXX");
	struct err e = {0};

	assert_non_null(folder);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(floor_raise_security_version(folder, "gw", 7, &e), 0);
	*state = folder;
	return 0;
}

static char generic_alone[][MANIFEST_NAME_BYTES] = {"generic"};
static char two_boards[][MANIFEST_NAME_BYTES] = {"generic", "rpi4"};

static const struct manifest for_generic = {.boards = generic_alone, .n_boards = 1};
static const struct manifest for_two = {.boards = two_boards, .n_boards = 2};

static void assert_no_board(const struct registry *r, const struct manifest *m, const char *id,
			    const struct err *wanted)
{
	const struct board *b = NULL;
	struct err e = {0};

	assert_int_equal(selection_board(r, m, id, &b, &e), -1);
	assert_int_equal(e.code, wanted->code);
	if (!strstr(e.text, wanted->text))
		fail_msg("\"%s\" is not in \"%s\"", wanted->text, e.text);
	assert_null(b);
}

static int check_floor(const char *state_dir, const char *group, uint64_t version, struct err *e)
{
	struct manifest m = for_generic;

	(void)snprintf(m.rollback_group, sizeof m.rollback_group, "%s", group);
	m.security_version = version;
	return selection_check_floor(state_dir, &m, e);
}

/* ---- Boards --------------------------------------------------------------------------------- */

static void only_board_of_a_manifest_is_taken(void **state)
{
	const struct board *b = NULL;
	struct err e = {0};

	assert_int_equal(selection_board(*state, &for_generic, NULL, &b, &e), 0);
	assert_string_equal(b->id, "generic");
}

static void named_board_of_several_is_taken(void **state)
{
	const struct board *b = NULL;
	struct err e = {0};

	assert_int_equal(selection_board(*state, &for_two, "rpi4", &b, &e), 0);
	assert_string_equal(b->id, "rpi4");
}

static void one_of_several_boards_must_be_named(void **state)
{
	const struct err wanted = {.code = ERR_USAGE, .text = "generic, rpi4"};

	assert_no_board(*state, &for_two, NULL, &wanted);
}

static void board_that_the_manifest_does_not_name_is_refused(void **state)
{
	const struct err wanted = {.code = ERR_REFUSED, .text = "not for x86-uefi"};

	assert_no_board(*state, &for_two, "x86-uefi", &wanted);
}

static void unsigned_image_needs_a_named_board(void **state)
{
	const struct err wanted = {.code = ERR_USAGE, .text = "--board ID"};

	assert_no_board(*state, NULL, NULL, &wanted);
}

static void board_that_nobody_knows_is_a_usage_error(void **state)
{
	const struct err wanted = {.code = ERR_USAGE, .text = "there is no board rpi44"};

	assert_no_board(*state, NULL, "rpi44", &wanted);
}

/* ---- The floor ------------------------------------------------------------------------------ */

static void version_below_the_floor_is_refused(void **state)
{
	struct err e = {0};

	assert_int_equal(check_floor(*state, "gw", 6, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "security version 6 of gw is below 7"));
}

static void version_at_the_floor_is_good(void **state)
{
	struct err e = {0};

	assert_int_equal(check_floor(*state, "gw", 7, &e), 0);
}

static void each_group_has_a_floor_of_its_own(void **state)
{
	struct err e = {0};

	assert_int_equal(check_floor(*state, "other", 1, &e), 0);
}

static void image_without_a_group_has_no_floor(void **state)
{
	struct err e = {0};

	assert_int_equal(check_floor(*state, "", 0, &e), 0);
}

static void unsigned_image_has_no_floor(void **state)
{
	struct err e = {0};

	assert_int_equal(selection_check_floor(*state, NULL, &e), 0);
}

#define WITH_REGISTRY(test)  cmocka_unit_test_setup_teardown(test, setup_registry, teardown_registry)
#define WITH_STATE_DIR(test) cmocka_unit_test_setup_teardown(test, setup_state_dir, teardown_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REGISTRY(only_board_of_a_manifest_is_taken),
		WITH_REGISTRY(named_board_of_several_is_taken),
		WITH_REGISTRY(one_of_several_boards_must_be_named),
		WITH_REGISTRY(board_that_the_manifest_does_not_name_is_refused),
		WITH_REGISTRY(unsigned_image_needs_a_named_board),
		WITH_REGISTRY(board_that_nobody_knows_is_a_usage_error),
		WITH_STATE_DIR(version_below_the_floor_is_refused),
		WITH_STATE_DIR(version_at_the_floor_is_good),
		WITH_STATE_DIR(each_group_has_a_floor_of_its_own),
		WITH_STATE_DIR(image_without_a_group_has_no_floor),
		WITH_STATE_DIR(unsigned_image_has_no_floor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
