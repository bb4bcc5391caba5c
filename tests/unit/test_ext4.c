/* An ext4 before any program is started: the size that a tree needs, the commands that fill it, and
 * what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/disk/ext4_room.h"
#include "flash/disk/ext4_script.h"

enum { TIME_S = 1577836800 };

static void add(struct tree *t, enum tree_kind kind, const char *path, const char *link)
{
	struct tree_entry entry = {.kind = kind, .path = strdup(path), .mode = 0640};
	struct err e = {0};

	entry.link = link ? strdup(link) : NULL;
	entry.mtime_s = TREE_NO_TIME;
	assert_int_equal(tree_add_entry(t, &entry, &e), 0);
}

/* The script for *t, owned by the caller. */
static char *script_of(struct tree *t)
{
	CLEANUP(buf_release) struct buf script = {0};
	const char *text = NULL;
	struct err e = {0};

	assert_int_equal(tree_sort(t, &e), 0);
	assert_int_equal(ext4_script(t, TIME_S, &script, &e), 0);
	assert_int_equal(buf_text(&script, &text, &e), 0);
	return strdup(text);
}

static void assert_refused(struct tree *t, const char *words)
{
	CLEANUP(buf_release) struct buf script = {0};
	struct err e = {0};

	assert_int_equal(tree_sort(t, &e), 0);
	assert_int_equal(ext4_script(t, TIME_S, &script, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, words));
}

static void names_are_quoted_and_never_an_inode_or_option(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add(&t, TREE_FIFO, "<2>/a \"b\"", NULL);
	CLEANUP(freep) char *script = script_of(&t);
	assert_non_null(strstr(script, "mkdir \"./<2>\"\n"));
	assert_non_null(strstr(script, "cd \"/<2>\"\nmknod \"a \"\"b\"\"\" p\n"));
	assert_non_null(strstr(script, "set_inode_field \"./a \"\"b\"\"\" mode 010640\n"));
}

static void hard_links_are_counted_at_the_file(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add(&t, TREE_FILE, "a", NULL);
	add(&t, TREE_HARD_LINK, "b", "a");
	add(&t, TREE_HARD_LINK, "c", "a");
	CLEANUP(freep) char *script = script_of(&t);
	assert_non_null(strstr(script, "set_inode_field \"./a\" links_count 3\n"));
	assert_non_null(strstr(script, "rm \"./b\"\nln \"/a\" \"./b\"\n"));
}

static void newline_in_a_name_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add(&t, TREE_FIFO, "a\nrm b", NULL);
	assert_refused(&t, "a newline in a name");
}

static void newline_in_a_link_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add(&t, TREE_SYMLINK, "a", "b\nrm c");
	assert_refused(&t, "a newline in a name");
}

static void link_to_nothing_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add(&t, TREE_SYMLINK, "a", "");
	assert_refused(&t, "a is a link to nothing");
}

static void link_of_a_whole_block_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	char link[4097];

	(void)state;
	memset(link, 'x', sizeof link - 1);
	link[sizeof link - 1] = '\0';
	add(&t, TREE_SYMLINK, "a", link);
	assert_refused(&t, "is a link of 4096 bytes");
}

static void path_too_long_for_a_command_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	char path[9001];

	(void)state;
	for (size_t i = 0; i < sizeof path - 1; i++)
		path[i] = i % 100 == 99 ? '/' : 'x';
	path[sizeof path - 2] = 'x';
	path[sizeof path - 1] = '\0';
	add(&t, TREE_FIFO, path, NULL);
	assert_refused(&t, "too long a path for debugfs");
}

static void file_in_the_place_of_lost_found_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add(&t, TREE_FIFO, "lost+found", NULL);
	assert_refused(&t, "every ext4 has");
}

static void large_device_number_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct tree_entry entry = {
		.kind = TREE_BLOCK_DEVICE, .path = strdup("sda"), .major = 8, .minor = 65536};
	struct err e = {0};

	(void)state;
	assert_int_equal(tree_add_entry(&t, &entry, &e), 0);
	assert_refused(&t, "sda is device 8:65536");
}

static void attributes_larger_than_a_block_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct tree_entry entry = {.kind = TREE_FIFO, .path = strdup("a")};
	const uint8_t value[4000] = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(tree_entry_add_attribute(&entry, "user.a", value, sizeof value, &e), 0);
	assert_int_equal(tree_add_entry(&t, &entry, &e), 0);
	assert_refused(&t, "a has 4026 bytes of attributes");
}

static void more_hard_links_than_ext4_counts_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	char path[16];

	(void)state;
	add(&t, TREE_FILE, "a", NULL);
	for (unsigned i = 0; i < 65000; i++) {
		(void)snprintf(path, sizeof path, "b%u", i);
		add(&t, TREE_HARD_LINK, path, "a");
	}
	assert_refused(&t, "a has more than 65000 hard links");
}

static void times_stay_within_32_bits_and_are_never_0(void **state)
{
	(void)state;
	assert_int_equal(ext4_script_time(-5), 1);
	assert_int_equal(ext4_script_time(TIME_S), TIME_S);
	assert_int_equal(ext4_script_time(INT64_MAX), INT32_MAX);
}

static void empty_tree_needs_a_few_mib(void **state)
{
	const struct tree t = {0};

	(void)state;
	assert_in_range(ext4_room_need_bytes(&t), 8 * MIB, 12 * MIB);
}

static void size_below_need_is_refused_with_the_number(void **state)
{
	const struct tree t = {0};
	struct ext4_shape shape;
	struct err e = {0};

	(void)state;
	assert_int_equal(ext4_room_shape(&t, 8 * MIB, false, &shape, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "an ext4 of 8388608 bytes has no room"));
}

static void one_that_grows_has_room_for_2_tib(void **state)
{
	const struct tree t = {0};
	struct ext4_shape shape;
	struct err e = {0};

	(void)state;
	assert_int_equal(ext4_room_shape(&t, GIB, true, &shape, &e), 0);
	assert_int_equal(shape.grow_blocks * EXT4_BLOCK_BYTES, 2048 * GIB);
	assert_int_equal(shape.journal_mib, 64);
}

static void last_group_without_gain_is_left_out(void **state)
{
	const struct tree t = {0};
	struct ext4_shape shape;
	struct err e = {0};

	(void)state;
	assert_int_equal(ext4_room_shape(&t, 129 * MIB, false, &shape, &e), 0);
	assert_int_equal(shape.n_blocks * EXT4_BLOCK_BYTES, 128 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_quoted_and_never_an_inode_or_option),
		cmocka_unit_test(hard_links_are_counted_at_the_file),
		cmocka_unit_test(newline_in_a_name_is_refused),
		cmocka_unit_test(newline_in_a_link_is_refused),
		cmocka_unit_test(link_to_nothing_is_refused),
		cmocka_unit_test(link_of_a_whole_block_is_refused),
		cmocka_unit_test(path_too_long_for_a_command_is_refused),
		cmocka_unit_test(file_in_the_place_of_lost_found_is_refused),
		cmocka_unit_test(large_device_number_is_refused),
		cmocka_unit_test(attributes_larger_than_a_block_are_refused),
		cmocka_unit_test(more_hard_links_than_ext4_counts_are_refused),
		cmocka_unit_test(times_stay_within_32_bits_and_are_never_0),
		cmocka_unit_test(empty_tree_needs_a_few_mib),
		cmocka_unit_test(size_below_need_is_refused_with_the_number),
		cmocka_unit_test(one_that_grows_has_room_for_2_tib),
		cmocka_unit_test(last_group_without_gain_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
