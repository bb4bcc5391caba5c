/* What a profile says of how an image is built, but for its partitions. */
#include "boards/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/profile_fixture.h"

#define HEAD                                                                                       \
	"id: a\n"                                                                                  \
	"name: A\n"                                                                                \
	"arch: arm\n"                                                                              \
	"boot: x\n"                                                                                \
	"tested: no\n"

#define BOOT_ONLY                                                                                  \
	"  partitions:\n"                                                                          \
	"  - {name: boot, type: fat, content: boot, file_system: vfat}\n"

/* Lines 6 to 9; what comes is line 10. */
#define BUILD                                                                                      \
	HEAD "table: mbr-or-gpt\n"                                                                 \
	     "build:\n"                                                                            \
	     "  methods: [extlinux]\n"                                                             \
	     "  table: gpt\n"

static void build_is_absent_when_it_is_not_said(void **state)
{
	(void)state;
	CLEANUP(board_freep) struct board *b = profile_parse(HEAD "table: any\n");

	assert_null(b->build);
	assert_null(b->qemu);
	assert_int_equal(b->n_firmware, 0);
}

static void what_build_does_not_say_has_its_default(void **state)
{
	(void)state;
	CLEANUP(board_freep) struct board *b = profile_parse(BUILD BOOT_ONLY);

	assert_int_equal(b->build->table, BOARD_TABLE_GPT);
	assert_int_equal(b->build->gpt_entries, 0);
	assert_int_equal(b->build->slots_max, 1);
	assert_int_equal(b->build->size_bytes, 0);
	assert_null(b->build->dtb);
	assert_null(b->build->cmdline);
}

static void what_build_says_is_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b =
		profile_parse(BUILD "  gpt_entries: 56\n  slots: 2\n  size: 2G\n  dtb: v/x.dtb\n"
				    "  cmdline: root={root} {boot} {slot}\n" BOOT_ONLY);

	assert_int_equal(b->build->n_methods, 1);
	assert_string_equal(b->build->methods[0], "extlinux");
	assert_int_equal(b->build->gpt_entries, 56);
	assert_int_equal(b->build->slots_max, 2);
	assert_int_equal(b->build->size_bytes, UINT64_C(2) << 30);
	assert_string_equal(b->build->dtb, "v/x.dtb");
	assert_string_equal(b->build->cmdline, "root={root} {boot} {slot}");
}

static void build_for_any_arch_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: any\nboot: x\ntested: no\ntable: gpt\nbuild:\n  methods: "
		"[extlinux]\n  table: gpt\n" BOOT_ONLY,
		"a.yaml:7: nothing can be built for the arch any");
}

static void build_without_methods_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: gpt\nbuild:\n  table: "
		"gpt\n" BOOT_ONLY,
		"a.yaml:8: key `methods` is missing");
}

static void method_that_is_no_word_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: gpt\nbuild:\n  methods:\n  "
		"- extlinux\n  - Grub\n  table: gpt\n" BOOT_ONLY,
		"a.yaml:10: method `Grub` is not a word of a-z 0-9 + . _ -");
}

static void method_that_is_there_twice_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: gpt\nbuild:\n  methods:\n  "
		"- grub\n  - grub\n  table: gpt\n" BOOT_ONLY,
		"a.yaml:10: method `grub` is there twice");
}

static void build_of_two_tables_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: mbr-or-gpt\nbuild:\n  "
		"methods: [grub]\n  table: mbr-or-gpt\n" BOOT_ONLY,
		"a.yaml:9: an image has one table: `table` of `build` is mbr or gpt");
}

static void table_that_the_board_cannot_have_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: mbr\nbuild:\n  methods: "
		"[grub]\n  table: gpt\n" BOOT_ONLY,
		"a.yaml:9: table gpt is built, but the board's `table` is mbr");
}

static void gpt_entries_that_are_no_multiple_of_four_are_refused(void **state)
{
	(void)state;
	profile_refuses(BUILD "  gpt_entries: 57\n" BOOT_ONLY,
			"a.yaml:10: `gpt_entries` 57 must be a multiple of 4");
}

static void too_many_gpt_entries_are_refused(void **state)
{
	(void)state;
	profile_refuses(BUILD "  gpt_entries: 132\n" BOOT_ONLY,
			"a.yaml:10: `gpt_entries` must be a number of at most 128");
}

static void gpt_entries_of_a_board_without_gpt_are_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: mbr\nbuild:\n  methods: "
		"[grub]\n  table: mbr\n  gpt_entries: 56\n" BOOT_ONLY,
		"a.yaml:10: `gpt_entries` is set, but the board's `table` is mbr");
}

static void no_slots_are_refused(void **state)
{
	(void)state;
	profile_refuses(BUILD "  slots: 0\n" BOOT_ONLY, "a.yaml:10: `slots` must be 1 or 2");
}

static void three_slots_are_refused(void **state)
{
	(void)state;
	profile_refuses(BUILD "  slots: 3\n" BOOT_ONLY,
			"a.yaml:10: `slots` must be a number of at most 2");
}

static void size_of_half_a_sector_is_refused(void **state)
{
	(void)state;
	profile_refuses(BUILD "  size: 1000\n" BOOT_ONLY,
			"a.yaml:10: size 1000 is not a multiple of 512 bytes");
}

static void size_that_is_no_number_is_refused(void **state)
{
	(void)state;
	profile_refuses(BUILD "  size: 1X\n" BOOT_ONLY,
			"a.yaml:10: `size` must be a number of bytes, as 512 or 8K");
}

static void dtb_above_its_folder_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		BUILD "  dtb: ../x.dtb\n" BOOT_ONLY,
		"a.yaml:10: dtb `../x.dtb` must be a path below a folder that ends in .dtb");
}

static void dtb_at_a_place_of_its_own_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		BUILD "  dtb: /boot/x.dtb\n" BOOT_ONLY,
		"a.yaml:10: dtb `/boot/x.dtb` must be a path below a folder that ends in .dtb");
}

static void dtb_that_is_no_dtb_is_refused(void **state)
{
	(void)state;
	profile_refuses(BUILD "  dtb: v/x.dts\n" BOOT_ONLY,
			"a.yaml:10: dtb `v/x.dts` must be a path below a folder that ends in .dtb");
}

static void unknown_word_in_braces_is_refused(void **state)
{
	(void)state;
	profile_refuses(BUILD "  cmdline: quiet root={boot} init={rot}\n" BOOT_ONLY,
			"a.yaml:10: `{rot}`: what is filled in are {root}, {boot} and {slot}");
}

static void build_without_a_boot_partition_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		BUILD
		"  partitions:\n  - {name: data, type: linux, content: data, file_system: ext4}\n",
		"a.yaml:10: no partition has the content boot, which the methods fill");
}

static void two_boot_partitions_are_refused(void **state)
{
	(void)state;
	profile_refuses(
		BUILD BOOT_ONLY "  - {name: more, type: fat, content: boot, file_system: vfat}\n",
		"a.yaml:10: 2 partitions have the content boot; one can (`slotted` makes two)");
}

static void fifth_partition_of_an_mbr_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: mbr\nbuild:\n  methods: "
		"[grub]\n  table: mbr\n" BOOT_ONLY
		"  - {name: p0, type: linux, size: 1M}\n  - {name: p1, type: linux, size: 1M}\n  - "
		"{name: p2, type: linux, size: 1M}\n  - {name: p3, type: linux, size: 1M}\n",
		"a.yaml:10: 5 partitions do not fit the 4 entries of this mbr");
}

static void fifth_partition_of_four_gpt_entries_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		BUILD
		"  gpt_entries: 4\n" BOOT_ONLY
		"  - {name: p0, type: linux, size: 1M}\n  - {name: p1, type: linux, size: 1M}\n  - "
		"{name: p2, type: linux, size: 1M}\n  - {name: p3, type: linux, size: 1M}\n",
		"a.yaml:11: 5 partitions do not fit the 4 entries of this gpt");
}

static void partition_that_chooses_is_not_counted_in_an_mbr(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b = profile_parse(
		HEAD
		"table: mbr\nbuild:\n  methods: [grub]\n  table: mbr\n  slots: 2\n" BOOT_ONLY
		"  - {name: s, type: fat, content: select, file_system: vfat}\n"
		"  - {name: root, type: root, content: root, file_system: ext4, slotted: yes}\n"
		"  - {name: x, type: linux, size: 1M}\n"
		"  - {name: data, type: linux, content: data, file_system: ext4}\n");

	assert_int_equal(b->build->n_partitions, 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(build_is_absent_when_it_is_not_said),
		cmocka_unit_test(what_build_does_not_say_has_its_default),
		cmocka_unit_test(what_build_says_is_read),
		cmocka_unit_test(build_for_any_arch_is_refused),
		cmocka_unit_test(build_without_methods_is_refused),
		cmocka_unit_test(method_that_is_no_word_is_refused),
		cmocka_unit_test(method_that_is_there_twice_is_refused),
		cmocka_unit_test(build_of_two_tables_is_refused),
		cmocka_unit_test(table_that_the_board_cannot_have_is_refused),
		cmocka_unit_test(gpt_entries_that_are_no_multiple_of_four_are_refused),
		cmocka_unit_test(too_many_gpt_entries_are_refused),
		cmocka_unit_test(gpt_entries_of_a_board_without_gpt_are_refused),
		cmocka_unit_test(no_slots_are_refused),
		cmocka_unit_test(three_slots_are_refused),
		cmocka_unit_test(size_of_half_a_sector_is_refused),
		cmocka_unit_test(size_that_is_no_number_is_refused),
		cmocka_unit_test(dtb_above_its_folder_is_refused),
		cmocka_unit_test(dtb_at_a_place_of_its_own_is_refused),
		cmocka_unit_test(dtb_that_is_no_dtb_is_refused),
		cmocka_unit_test(unknown_word_in_braces_is_refused),
		cmocka_unit_test(build_without_a_boot_partition_is_refused),
		cmocka_unit_test(two_boot_partitions_are_refused),
		cmocka_unit_test(fifth_partition_of_an_mbr_is_refused),
		cmocka_unit_test(fifth_partition_of_four_gpt_entries_is_refused),
		cmocka_unit_test(partition_that_chooses_is_not_counted_in_an_mbr),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
