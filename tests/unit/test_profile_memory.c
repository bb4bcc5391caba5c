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

static const char yaml[] =
	"id: a\nname: b\narch: arm\nboot: c\ntested: no\ntable: mbr\n"
	"partitions:\n- name: d\n  types: [0x83, 0x0c]\n  file_system: ext4\n"
	"blobs:\n- {name: e, offset: 8K, magic: 55aa, file: f, maximum: 1K, "
	"holes: [{offset: 8, size: 8}]}\n"
	"build:\n  methods: [g]\n  table: mbr\n  dtb: h.dtb\n  cmdline: i\n"
	"  partitions:\n  - {name: j, type: k, content: boot, file_system: vfat}\n"
	"firmware:\n- {file: f, package: l, suite: m, path: n}\n- {file: o, source: p}\n"
	"qemu:\n  program: qemu-system-arm\n  package: q\n  arguments: [\"{drive}\"]\n";

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

enum { ALL = 1000, STEP = 97 };

/* Let the first allocation fail, then the second, ... until act needs no more; how many it needs.
 * Behind ALL, what is done is the same for one profile after the other, and some will do. */
static unsigned fail_allocations(int (*act)(struct err *e))
{
	for (unsigned n = 1;; n += n < ALL ? 1 : STEP) {
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
	assert_in_range(fail_allocations(parse), 100, ALL);
}

static void registry_survives_allocations_that_fail(void **state)
{
	(void)state;
	assert_true(fail_allocations(load) > ALL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_survives_each_allocation_that_fails),
		cmocka_unit_test(registry_survives_allocations_that_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
