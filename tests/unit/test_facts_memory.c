/* Facts about targets when memory runs out: an error, never a disk that looks idle, and nothing
 * leaks. Linked with --wrap, see the Makefile. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/disk/facts.h"
#include "flash/disk/facts_block.h"
#include "tests/lib/sys_tree.h"

void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *pointer, size_t n_bytes);
char *__real_strdup(const char *text);
void *__wrap_calloc(size_t n, size_t n_bytes);
void *__wrap_realloc(void *pointer, size_t n_bytes);
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

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* A USB disk with a partition that LVM holds, a volume that is mounted, and a loop device. */
static int setup_busy_tree(void **state)
{
	if (setup_tree(state) < 0)
		return -1;
	put_disk(*state, "sys/devices/virtual/block/dm-0", "253:0");
	put_link(*state, USB_DISK "/sda1/holders", "dm-0", "sys/devices/virtual/block/dm-0");
	put_disk(*state, "sys/devices/virtual/block/loop0", "7:0");
	put(*state, "sys/devices/virtual/block/loop0/loop/backing_file", "/dev/sda\n");
	put(*state, "proc/self/mountinfo", "30 21 253:0 / /mnt rw - ext4 /dev/mapper/a rw\n");
	return 0;
}

/* *out_n_uses is how many there are when it succeeds. */
static int describe(const char *root, size_t *out_n_uses, struct err *e)
{
	CLEANUP(facts_freep) struct facts *f = __real_calloc(1, sizeof *f);

	assert_non_null(f);
	f->path = __real_strdup("/dev/sda");
	f->real_path = __real_strdup("/dev/sda");
	if (facts_describe_block(f, root, makedev(8, 0), e) < 0)
		return -1;
	*out_n_uses = f->n_uses;
	return 0;
}

static int list(const char *root, struct err *e)
{
	char **paths = NULL;

	if (facts_list_disks(root, &paths, e) < 0)
		return -1;
	facts_free_paths(paths);
	return 0;
}

/* Ask with each allocation failing in turn, until none is reached any more. */
static unsigned fail_each(const char *root, void (*ask)(const char *root, bool *out_was_reached))
{
	bool was_reached = true;
	unsigned n = 0;

	while (was_reached) {
		fail_at = ++n;
		ask(root, &was_reached);
	}
	return n - 1;
}

/* Where an allocation failed, either all uses are known all the same, or it is an error. */
static void ask_for_uses(const char *root, bool *out_was_reached)
{
	struct err e = {0};
	size_t n_uses = 0;
	int result = describe(root, &n_uses, &e);

	*out_was_reached = fail_at == 0;
	fail_at = 0;
	assert_true(result == 0 ? n_uses == 3 : e.code == ERR_IO);
}

static void ask_for_disks(const char *root, bool *out_was_reached)
{
	struct err e = {0};
	int result = list(root, &e);

	*out_was_reached = fail_at == 0;
	fail_at = 0;
	assert_int_equal(result, *out_was_reached ? -1 : 0);
	assert_int_equal(e.code, *out_was_reached ? ERR_IO : ERR_NONE);
}

static void busy_disk_never_looks_idle_when_an_allocation_fails(void **state)
{
	assert_true(fail_each(*state, ask_for_uses) >= 40);
}

static void list_survives_each_allocation_that_fails(void **state)
{
	assert_true(fail_each(*state, ask_for_disks) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(busy_disk_never_looks_idle_when_an_allocation_fails,
						setup_busy_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(list_survives_each_allocation_that_fails,
						setup_busy_tree, teardown_tree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
