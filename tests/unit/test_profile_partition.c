/* The partitions that are built, in a profile. */
#include "boards/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/profile_fixture.h"

#define FIRST                                                                                      \
	"id: a\n"                                                                                  \
	"name: A\n"                                                                                \
	"arch: arm\n"                                                                              \
	"boot: x\n"                                                                                \
	"tested: no\n"                                                                             \
	"table: mbr-or-gpt\n"                                                                      \
	"firmware:\n"                                                                              \
	"- {file: spl.bin, source: somewhere}\n"                                                   \
	"build:\n"                                                                                 \
	"  methods: [extlinux]\n"                                                                  \
	"  table: gpt\n"

/* The partition that every profile has is in line 13; what comes is line 14. */
#define BOOT                                                                                       \
	"  partitions:\n"                                                                          \
	"  - {name: boot, type: fat, content: boot, file_system: vfat}\n"

#define GUID "8da63339-0007-60c0-c436-083ac8230908"

static void partitions_are_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b = profile_parse(
		FIRST BOOT "  - {name: fw, type: " GUID ", mbr_type: 0xda, start: 2M, size: 1K, "
			   "content: file, file: spl.bin, magic: ff00}\n"
			   "  - {name: data, type: linux, size: rest, minimum: 16M, content: data, "
			   "file_system: ext4, grow: yes, bootable: yes}\n");
	const struct board_build_partition *p = b->build->partitions;

	assert_int_equal(b->build->n_partitions, 3);
	assert_string_equal(p[0].name, "boot");
	assert_string_equal(p[0].type, "fat");
	assert_int_equal(p[0].content, CONTENT_BOOT);
	assert_false(p[0].is_slotted || p[0].is_bootable || p[0].does_grow || p[0].is_rest);
	assert_string_equal(p[1].type, GUID);
	assert_string_equal(p[1].mbr_type, "0xda");
	assert_int_equal(p[1].start_bytes, 2 << 20);
	assert_int_equal(p[1].size_bytes, 1024);
	assert_int_equal(p[1].content, CONTENT_FILE);
	assert_string_equal(p[1].file, "spl.bin");
	assert_string_equal(p[1].magic, "ff00");
	assert_true(p[2].is_rest && p[2].does_grow && p[2].is_bootable);
	assert_int_equal(p[2].size_bytes, 0);
	assert_int_equal(p[2].minimum_bytes, 16 << 20);
	assert_string_equal(p[2].file_system, "ext4");
}

static void slotted_partitions_are_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b = profile_parse(FIRST "  slots: 2\n" BOOT
					      "  - {name: root, type: root, content: root, "
					      "file_system: squashfs, slotted: yes}\n");

	assert_true(b->build->partitions[1].is_slotted);
	assert_int_equal(b->build->partitions[1].content, CONTENT_ROOT);
}

static void name_with_a_space_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: a b, type: linux, size: 1M}\n",
			"a.yaml:14: partition name `a b` must be 1 to 34 of A-Z a-z 0-9 . _ -");
}

static void name_too_long_for_a_slot_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT
		"  - {name: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn, type: linux, size: 1M}\n",
		"a.yaml:14: partition name `nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn` must be 1 to 34 "
		"of A-Z a-z 0-9 . _ -");
}

static void name_that_is_there_twice_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: boot, type: linux, size: 1M}\n",
			"a.yaml:14: partition name `boot` is there twice");
}

static void type_that_is_nothing_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT "  - {name: p, type: Linux, size: 1M}\n",
		"a.yaml:14: type `Linux` is neither a name, nor a lower-case GUID, nor like 0xef");
}

static void type_of_three_digits_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT "  - {name: p, type: 0x123, size: 1M}\n",
		"a.yaml:14: type `0x123` is neither a name, nor a lower-case GUID, nor like 0xef");
}

static void mbr_type_in_a_gpt_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: 0x83, size: 1M}\n",
			"a.yaml:14: type `0x83` does not occur in gpt tables");
}

static void guid_alone_in_an_mbr_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: mbr\nbuild:\n  methods: "
		"[x]\n  table: mbr\n" BOOT "  - {name: p, size: 1M, type: " GUID "}\n",
		"a.yaml:12: type `8da63339-0007-60c0-c436-083ac8230908` needs an `mbr_type`, as "
		"0x83, in mbr tables");
}

static void mbr_type_of_a_name_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1M, mbr_type: 0x83}\n",
			"a.yaml:14: `mbr_type` is for a GUID; `linux` tells it already");
}

static void mbr_type_that_is_none_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, size: 1M, type: " GUID ", mbr_type: 83}\n",
			"a.yaml:14: mbr_type `83` is not like 0xef");
}

static void start_within_a_sector_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1M, start: 1000}\n",
			"a.yaml:14: start 1000 is not a multiple of 512 bytes");
}

static void size_of_half_a_sector_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1000}\n",
			"a.yaml:14: size 1000 is not a multiple of 512 bytes");
}

static void size_that_is_no_number_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: some}\n",
			"a.yaml:14: `size` must be a number of bytes, as 512 or 8K, or `rest`");
}

static void size_that_is_a_list_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: [1]}\n",
			"a.yaml:14: `size` must be a number of bytes, as 512 or 8K, or `rest`");
}

static void minimum_of_a_given_size_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1M, minimum: 1M}\n",
			"a.yaml:14: `minimum` and `size` exclude each other");
}

static void rest_that_is_not_last_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT
		"  - {name: p, type: linux, size: rest}\n  - {name: q, type: linux, size: 1M}\n",
		"a.yaml:14: only the last partition can take the rest");
}

static void growing_partition_that_is_not_last_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT
			"  - {name: p, type: linux, size: 1M, grow: yes}\n  - {name: q, type: "
			"linux, size: 1M}\n",
			"a.yaml:14: only the last partition can grow");
}

static void no_size_of_no_content_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT "  - {name: p, type: linux}\n",
		"a.yaml:14: partition `p` has no content that tells its size: give a `size`");
}

static void answer_but_yes_or_no_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1M, grow: true}\n",
			"a.yaml:14: unknown value `true`; `grow` is one of no yes");
}

static void unknown_content_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT "  - {name: p, type: linux, size: 1M, content: roots}\n",
		"a.yaml:14: unknown value `roots`; `content` is one of none boot select root data "
		"file");
}

static void file_system_of_no_content_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1M, file_system: ext4}\n",
			"a.yaml:14: the content none has no file system");
}

static void data_without_a_file_system_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1M, content: data}\n",
			"a.yaml:14: the content data needs a `file_system`");
}

static void boot_on_squashfs_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT
		"  - {name: p, type: linux, size: 1M, content: boot, file_system: squashfs}\n",
		"a.yaml:14: file system `squashfs` is not for the content boot, but vfat is");
}

static void content_file_without_a_file_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1M, content: file}\n",
			"a.yaml:14: the content file needs a `file`");
}

static void file_of_another_content_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT "  - {name: p, type: linux, size: 1M, file: spl.bin}\n",
			"a.yaml:14: `file` is for the content file");
}

static void file_that_no_firmware_is_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT "  - {name: p, type: linux, size: 1M, content: file, file: spl}\n",
		"a.yaml:14: file `spl` is not under `firmware`, which tells where it comes from");
}

static void magic_of_no_file_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT "  - {name: p, type: linux, size: 1M, magic: \"00\"}\n",
		"a.yaml:14: magic `00` must be 2 to 128 lower-case hex digits, an even number, and "
		"is for the content file");
}

static void magic_of_odd_digits_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT
		"  - {name: p, type: linux, size: 1M, content: file, file: spl.bin, magic: abc}\n",
		"a.yaml:14: magic `abc` must be 2 to 128 lower-case hex digits, an even number, "
		"and is for the content file");
}

static void slotted_partition_without_slots_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST BOOT
			"  - {name: p, type: linux, size: 1M, content: root, file_system: ext4, "
			"slotted: yes}\n",
			"a.yaml:14: there are no slots to choose from; `slots: 2` makes them");
}

static void partition_that_chooses_without_slots_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST BOOT
		"  - {name: p, type: linux, size: 1M, content: select, file_system: vfat}\n",
		"a.yaml:14: there are no slots to choose from; `slots: 2` makes them");
}

static void root_that_slots_would_share_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST
			"  slots: 2\n" BOOT
			"  - {name: p, type: linux, size: 1M, content: root, file_system: ext4}\n",
			"a.yaml:15: each slot needs a root of its own: `slotted: yes`");
}

static void slotted_data_is_refused(void **state)
{
	(void)state;
	profile_refuses(FIRST "  slots: 2\n" BOOT
			      "  - {name: p, type: linux, size: 1M, content: data, "
			      "file_system: ext4, slotted: yes}\n",
			"a.yaml:15: the content data is not made for slots");
}

static void slotted_rest_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST "  slots: 2\n" BOOT "  - {name: p, type: linux, size: rest, content: root, "
		      "file_system: ext4, slotted: yes}\n",
		"a.yaml:15: a partition that is made for each slot has no `start`, nor all the "
		"rest");
}

static void slotted_partition_at_a_place_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		FIRST "  slots: 2\n" BOOT "  - {name: p, type: linux, size: 1M, content: root, "
		      "file_system: ext4, slotted: yes, start: 8M}\n",
		"a.yaml:15: a partition that is made for each slot has no `start`, nor all the "
		"rest");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(partitions_are_read),
		cmocka_unit_test(slotted_partitions_are_read),
		cmocka_unit_test(name_with_a_space_is_refused),
		cmocka_unit_test(name_too_long_for_a_slot_is_refused),
		cmocka_unit_test(name_that_is_there_twice_is_refused),
		cmocka_unit_test(type_that_is_nothing_is_refused),
		cmocka_unit_test(type_of_three_digits_is_refused),
		cmocka_unit_test(mbr_type_in_a_gpt_is_refused),
		cmocka_unit_test(guid_alone_in_an_mbr_is_refused),
		cmocka_unit_test(mbr_type_of_a_name_is_refused),
		cmocka_unit_test(mbr_type_that_is_none_is_refused),
		cmocka_unit_test(start_within_a_sector_is_refused),
		cmocka_unit_test(size_of_half_a_sector_is_refused),
		cmocka_unit_test(size_that_is_no_number_is_refused),
		cmocka_unit_test(size_that_is_a_list_is_refused),
		cmocka_unit_test(minimum_of_a_given_size_is_refused),
		cmocka_unit_test(rest_that_is_not_last_is_refused),
		cmocka_unit_test(growing_partition_that_is_not_last_is_refused),
		cmocka_unit_test(no_size_of_no_content_is_refused),
		cmocka_unit_test(answer_but_yes_or_no_is_refused),
		cmocka_unit_test(unknown_content_is_refused),
		cmocka_unit_test(file_system_of_no_content_is_refused),
		cmocka_unit_test(data_without_a_file_system_is_refused),
		cmocka_unit_test(boot_on_squashfs_is_refused),
		cmocka_unit_test(content_file_without_a_file_is_refused),
		cmocka_unit_test(file_of_another_content_is_refused),
		cmocka_unit_test(file_that_no_firmware_is_is_refused),
		cmocka_unit_test(magic_of_no_file_is_refused),
		cmocka_unit_test(magic_of_odd_digits_is_refused),
		cmocka_unit_test(slotted_partition_without_slots_is_refused),
		cmocka_unit_test(partition_that_chooses_without_slots_is_refused),
		cmocka_unit_test(root_that_slots_would_share_is_refused),
		cmocka_unit_test(slotted_data_is_refused),
		cmocka_unit_test(slotted_rest_is_refused),
		cmocka_unit_test(slotted_partition_at_a_place_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
