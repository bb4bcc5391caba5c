/* Board profiles when memory runs out: an error, and nothing leaks. Linked with --wrap, see the
 * Makefile; libcyaml allocates through us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boards/profile.h"
#include "boards/registry.h"
#include "flash/base/cleanup.h"

void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *pointer, size_t n_bytes);
void *__real_reallocarray(void *pointer, size_t n, size_t n_bytes);
char *__real_strdup(const char *text);
void *__wrap_calloc(size_t n, size_t n_bytes);
void *__wrap_realloc(void *pointer, size_t n_bytes);
void *__wrap_reallocarray(void *pointer, size_t n, size_t n_bytes);
char *__wrap_strdup(const char *text);

/* The allocation that fails, counted from now; 0: none does. */
static unsigned fail_at;

static bool fails(void)
{
	bool is_failing = fail_at > 0 && --fail_at == 0;

	if (is_failing)
		errno = ENOMEM;
	return is_failing;
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
	return fails() ? NULL : __real_calloc(n, n_bytes);
}

void *__wrap_realloc(void *pointer, size_t n_bytes)
{
	return fails() ? NULL : __real_realloc(pointer, n_bytes);
}

void *__wrap_reallocarray(void *pointer, size_t n, size_t n_bytes)
{
	return fails() ? NULL : __real_reallocarray(pointer, n, n_bytes);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

static const char yaml[] = "id: a\nname: b\narch: arm\nboot: c\ntested: no\ntable: mbr\n"
			   "partitions:\n- name: d\n  types: [0x83, 0x0c]\n  file_system: ext4\n"
			   "blobs:\n- name: e\n  offset: 8K\n  magic: 55aa\n";

static int parse(struct err *e)
{
	CLEANUP(board_freep) struct board *b = NULL;

	return board_parse("a.yaml", yaml, strlen(yaml), &b, e);
}

static int load(struct err *e)
{
	CLEANUP(registry_freep) struct registry *r = NULL;

	return registry_load(NULL, &r, e);
}

/* Let the first allocation fail, then the second, ... until act needs no more; how many it needs.
 */
static unsigned fail_each_allocation(int (*act)(struct err *e))
{
	for (unsigned n = 1;; n++) {
		struct err e = {0};
		fail_at = n;
		int result = act(&e);
		bool was_reached = fail_at == 0;
		fail_at = 0;
		if (!was_reached && result == 0)
			return n - 1;
		assert_int_equal(result, -1);
		assert_int_equal(e.code, ERR_IO);
		assert_true(was_reached);
	}
}

static void profile_survives_each_allocation_that_fails(void **state)
{
	(void)state;
	assert_true(fail_each_allocation(parse) > 40);
}

static void registry_survives_each_allocation_that_fails(void **state)
{
	(void)state;
	assert_true(fail_each_allocation(load) > 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_survives_each_allocation_that_fails),
		cmocka_unit_test(registry_survives_each_allocation_that_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
