/* What goes into a file system: paths, order, links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/disk/tree.h"

static void add(struct tree *t, const char *path)
{
	struct err e = {0};

	assert_int_equal(tree_add_text(t, path, path, &e), 0);
}

/* An entry with nothing but these; the tree's after adding. */
static struct tree_entry entry(enum tree_kind kind, const char *path, const char *link)
{
	return (struct tree_entry){.kind = kind,
				   .path = strdup(path),
				   .link = link ? strdup(link) : NULL,
				   .mode = 0700};
}

static int add_entry(struct tree *t, struct tree_entry x, struct err *e)
{
	return tree_add_entry(t, &x, e);
}

static void folders_above_a_file_are_added(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add(&t, "/EFI//BOOT/./x");
	assert_int_equal(t.n_entries, 3);
	assert_int_equal(tree_find(&t, "EFI/BOOT")->kind, TREE_FOLDER);
	assert_int_equal(tree_find(&t, "EFI/BOOT")->mode, 0755);
	assert_non_null(tree_find(&t, "EFI/BOOT/x"));
}

static void path_that_leaves_the_tree_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(tree_add_text(&t, "a/../../x", "", &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "a/../../x"));
	assert_int_equal(t.n_entries, 0);
}

static void file_that_is_there_already_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};

	(void)state;
	add(&t, "a");
	assert_int_equal(tree_add_text(&t, "/a", "", &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "a is there already; name it once");
}

static void path_through_a_symlink_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(add_entry(&t, entry(TREE_SYMLINK, "a", "/etc"), &e), 0);
	assert_int_equal(tree_add_text(&t, "a/passwd", "", &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void name_of_256_bytes_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	char name[257];
	struct err e = {0};

	(void)state;
	memset(name, 'n', 256);
	name[256] = '\0';
	assert_int_equal(tree_add_text(&t, name, "", &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(tree_add_text(&t, name + 1, "", &e), 0);
}

static void last_of_two_files_counts_when_put(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct tree_entry x = entry(TREE_FIFO, "a", NULL);
	struct err e = {0};

	(void)state;
	add(&t, "a");
	assert_int_equal(tree_put_entry(&t, &x, &e), 0);
	assert_int_equal(t.n_entries, 1);
	assert_int_equal(tree_find(&t, "a")->kind, TREE_FIFO);
}

static void file_that_a_link_is_to_is_not_replaced(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct tree_entry x = entry(TREE_FIFO, "a", NULL);
	struct err e = {0};

	(void)state;
	add(&t, "a");
	assert_int_equal(add_entry(&t, entry(TREE_HARD_LINK, "b", "a"), &e), 0);
	assert_int_equal(tree_put_entry(&t, &x, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void link_to_nothing_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(add_entry(&t, entry(TREE_HARD_LINK, "b", "a"), &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void what_a_folder_holds_follows_it_when_sorted(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};

	(void)state;
	add(&t, "a-b");
	add(&t, "a/z");
	assert_int_equal(tree_sort(&t, &e), 0);
	assert_string_equal(t.entries[0].path, "a");
	assert_string_equal(t.entries[1].path, "a/z");
	assert_string_equal(t.entries[2].path, "a-b");
	assert_ptr_equal(tree_find(&t, "a-b"), &t.entries[2]);
}

static void first_of_the_names_is_the_file_when_sorted(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};

	(void)state;
	add(&t, "m");
	assert_int_equal(add_entry(&t, entry(TREE_HARD_LINK, "z", "m"), &e), 0);
	assert_int_equal(add_entry(&t, entry(TREE_HARD_LINK, "b", "z"), &e), 0);
	assert_int_equal(tree_sort(&t, &e), 0);
	assert_int_equal(tree_find(&t, "b")->kind, TREE_FILE);
	assert_int_equal(tree_find(&t, "b")->size_bytes, 1);
	assert_string_equal(tree_find(&t, "m")->link, "b");
	assert_string_equal(tree_find(&t, "z")->link, "b");
	assert_int_equal(tree_content_bytes(&t), 1);
}

static void add_thousand(struct tree *t)
{
	char path[] = "d/000";

	for (int i = 0; i < 1000; i++) {
		path[2] = (char)('0' + i / 100);
		path[3] = (char)('0' + i / 10 % 10);
		path[4] = (char)('0' + i % 10);
		add(t, path);
	}
}

static void thousand_files_are_found_again(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_thousand(&t);
	assert_int_equal(t.n_entries, 1001);
	assert_string_equal(tree_find(&t, "d/517")->path, "d/517");
	assert_null(tree_find(&t, "d/51"));
}

static void device_is_no_source_of_a_file(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(tree_add_path(&t, "a", "/dev/null", &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(tree_add_path(&t, "a", "/nonexistent/x", &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_above_a_file_are_added),
		cmocka_unit_test(path_that_leaves_the_tree_is_refused),
		cmocka_unit_test(file_that_is_there_already_is_refused),
		cmocka_unit_test(path_through_a_symlink_is_refused),
		cmocka_unit_test(name_of_256_bytes_is_refused),
		cmocka_unit_test(last_of_two_files_counts_when_put),
		cmocka_unit_test(file_that_a_link_is_to_is_not_replaced),
		cmocka_unit_test(link_to_nothing_is_refused),
		cmocka_unit_test(what_a_folder_holds_follows_it_when_sorted),
		cmocka_unit_test(first_of_the_names_is_the_file_when_sorted),
		cmocka_unit_test(thousand_files_are_found_again),
		cmocka_unit_test(device_is_no_source_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
