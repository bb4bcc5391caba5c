/* Profiles as text. See profile_fixture.h. */
#include "tests/unit/profile_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct board *profile_parse(const char *yaml)
{
	struct board *b = NULL;
	struct err e = {0};

	if (board_parse("a.yaml", yaml, strlen(yaml), &b, &e) < 0)
		fail_msg("%s", e.text);
	return b;
}

void profile_refuses(const char *yaml, const char *text)
{
	struct board *b = NULL;
	struct err e = {0};

	assert_int_equal(board_parse("a.yaml", yaml, strlen(yaml), &b, &e), -1);
	assert_string_equal(e.text, text);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(b);
}
