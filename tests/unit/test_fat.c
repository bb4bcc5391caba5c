/* What a FAT of a given size looks like, and what it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/disk/fat.h"
#include "flash/disk/mkfs.h"

static void add_text(struct tree *t, const char *path)
{
	struct err e = {0};

	assert_int_equal(tree_add_text(t, path, "x", &e), 0);
}

static void add_kind(struct tree *t, const char *path, enum tree_kind kind)
{
	struct tree_entry entry = {.kind = kind, .path = strdup(path), .link = strdup("x")};
	struct err e = {0};

	assert_int_equal(tree_add_entry(t, &entry, &e), 0);
}

static void assert_refused(struct tree *t, const char *words)
{
	struct err e = {0};

	assert_int_equal(tree_sort(t, &e), 0);
	assert_int_equal(fat_check_tree(t, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, words));
}

/* ---- Shape ---- */

static void two_mebibytes_are_fat12(void **state)
{
	(void)state;
	assert_int_equal(fat_shape_of(2 * MIB).bits, 12);
}

static void sixteen_mebibytes_are_fat16(void **state)
{
	(void)state;
	assert_int_equal(fat_shape_of(16 * MIB).bits, 16);
}

static void thirty_two_mebibytes_are_not_fat32(void **state)
{
	(void)state;
	assert_int_equal(fat_shape_of(32 * MIB).bits, 16);
}

static void sixty_four_mebibytes_are_fat32(void **state)
{
	(void)state;
	assert_int_equal(fat_shape_of(64 * MIB).bits, 32);
}

static void fat32_has_as_many_clusters_as_its_name_asks_for(void **state)
{
	const struct fat_shape s = fat_shape_of(260 * MIB);

	(void)state;
	assert_int_equal(s.bits, 32);
	assert_int_equal(s.sectors_per_cluster, 8);
	assert_true(s.n_clusters >= FAT32_CLUSTERS_MIN);
}

static void large_media_have_large_clusters(void **state)
{
	(void)state;
	assert_int_equal(fat_shape_of(12 * GIB).sectors_per_cluster, 16);
}

static void what_is_too_small_has_no_cluster(void **state)
{
	(void)state;
	assert_int_equal(fat_shape_of(8 * KIB).n_clusters, 0);
}

/* ---- Room ---- */

static void a_tree_has_room_in_what_it_needs_and_not_in_less(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "EFI/BOOT/BOOTX64.EFI");
	const uint64_t need_bytes = fat_need_bytes(&t);
	assert_true(fat_holds(&t, need_bytes));
	assert_false(fat_holds(&t, need_bytes - KIB));
}

static void many_small_files_need_a_cluster_each(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "a/1");
	const uint64_t before_bytes = fat_need_bytes(&t);
	add_text(&t, "a/2");
	add_text(&t, "a/3");
	assert_int_equal(fat_need_bytes(&t) - before_bytes, KIB);
}

/* ---- What is refused ---- */

static void a_plain_tree_is_taken(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};

	(void)state;
	add_text(&t, "extlinux/extlinux.conf");
	add_text(&t, "lkflash-a+3.conf");
	assert_int_equal(tree_sort(&t, &e), 0);
	assert_int_equal(fat_check_tree(&t, &e), 0);
}

static void links_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_kind(&t, "vmlinuz", TREE_SYMLINK);
	assert_refused(&t, "vmlinuz is a link");
}

static void pipes_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_kind(&t, "initctl", TREE_FIFO);
	assert_refused(&t, "initctl is a device or pipe");
}

static void names_that_a_fat_does_not_allow_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "what?");
	assert_refused(&t, "what?: a name in a FAT");
}

/* mtools would write F\xc5\x91 as two other characters. */
static void names_outside_of_ascii_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "F\xc5\x91.txt");
	assert_refused(&t, "printable ASCII");
}

static void names_that_mtools_takes_for_patterns_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "a[b]/c");
	assert_refused(&t, "a[b]");
}

static void names_of_devices_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "EFI/Aux");
	assert_refused(&t, "EFI/Aux: a name in a FAT");
}

static void names_of_numbered_devices_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "com1");
	assert_refused(&t, "com1: a name in a FAT");
}

static void names_that_start_like_devices_are_allowed(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e;

	(void)state;
	add_text(&t, "com10");
	add_text(&t, "con.txt");
	assert_int_equal(fat_check_tree(&t, &e), 0);
}

static void names_that_end_in_a_dot_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "end.");
	assert_refused(&t, "end.: a name in a FAT");
}

static void names_that_differ_only_in_case_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "EFI/a");
	add_text(&t, "efi/b");
	assert_refused(&t, "are the same name in a FAT");
}

static void files_of_four_gibibytes_are_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_text(&t, "big");
	t.entries[0].size_bytes = 4 * GIB;
	assert_refused(&t, "big has 4294967296 bytes");
}

static void add_numbered(struct tree *t, unsigned n_files)
{
	char path[] = "0000";

	for (unsigned i = 0; i < n_files; i++) {
		for (unsigned digit = 0, rest = i; digit < 4; digit++, rest /= 10)
			path[3 - digit] = (char)('0' + rest % 10);
		add_text(t, path);
	}
}

static void a_root_folder_with_too_many_files_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};

	(void)state;
	add_numbered(&t, 256);
	assert_refused(&t, "the root folder takes 513 entries");
}

static void an_unknown_file_system_is_refused_and_those_there_are_named(void **state)
{
	const struct mkfs_kind *kind = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(mkfs_by_name("ntfs", &kind, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "there is no file system ntfs; there are vfat"));
	assert_null(kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_mebibytes_are_fat12),
		cmocka_unit_test(sixteen_mebibytes_are_fat16),
		cmocka_unit_test(thirty_two_mebibytes_are_not_fat32),
		cmocka_unit_test(sixty_four_mebibytes_are_fat32),
		cmocka_unit_test(fat32_has_as_many_clusters_as_its_name_asks_for),
		cmocka_unit_test(large_media_have_large_clusters),
		cmocka_unit_test(what_is_too_small_has_no_cluster),
		cmocka_unit_test(a_tree_has_room_in_what_it_needs_and_not_in_less),
		cmocka_unit_test(many_small_files_need_a_cluster_each),
		cmocka_unit_test(a_plain_tree_is_taken),
		cmocka_unit_test(links_are_refused),
		cmocka_unit_test(pipes_are_refused),
		cmocka_unit_test(names_that_a_fat_does_not_allow_are_refused),
		cmocka_unit_test(names_outside_of_ascii_are_refused),
		cmocka_unit_test(names_that_mtools_takes_for_patterns_are_refused),
		cmocka_unit_test(names_of_devices_are_refused),
		cmocka_unit_test(names_of_numbered_devices_are_refused),
		cmocka_unit_test(names_that_start_like_devices_are_allowed),
		cmocka_unit_test(names_that_end_in_a_dot_are_refused),
		cmocka_unit_test(names_that_differ_only_in_case_are_refused),
		cmocka_unit_test(files_of_four_gibibytes_are_refused),
		cmocka_unit_test(a_root_folder_with_too_many_files_is_refused),
		cmocka_unit_test(an_unknown_file_system_is_refused_and_those_there_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
