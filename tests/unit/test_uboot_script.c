/* U-Boot's script that chooses between slots, and extlinux's files beside it. */
#include "bootloader/uboot_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/boot_fixture.h"

/* What `SOURCE_DATE_EPOCH=1577836800 mkimage -A arm64 -T script -C none -n lkflash` of U-Boot
 * 2023.01 makes of "echo hello". */
static const uint8_t hello[] = {
	0x27, 0x05, 0x19, 0x56, 0x90, 0xae, 0x5c, 0x9d, 0x5e, 0x0b, 0xe1, 0x00, 0x00, 0x00,
	0x00, 0x13, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3d, 0xb5, 0x5e, 0x6f,
	0x05, 0x16, 0x06, 0x00, 'l',  'k',  'f',  'l',  'a',  's',  'h',  0,    0,    0,
	0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
	0,    0,    0,    0,    0,    0,    0,    0,    0x00, 0x00, 0x00, 0x0b, 0x00, 0x00,
	0x00, 0x00, 'e',  'c',  'h',  'o',  ' ',  'h',  'e',  'l',  'l',  'o',  '\n',
};

static const struct boot_method *extlinux(void)
{
	const struct boot_method *m = NULL;
	struct err e;

	assert_int_equal(boot_method_by_name("extlinux", &m, &e), 0);
	return m;
}

static void add(struct boot_fixture *f)
{
	struct err e;

	if (extlinux()->add(&f->in, &f->out, &e) < 0)
		fail_msg("%s", e.text);
}

static void script_is_what_mkimage_makes(void **state)
{
	static const char text[] = "echo hello\n";
	struct buf b = {0};

	(void)state;
	uboot_script_wrap((struct span){(const uint8_t *)text, strlen(text)}, "arm64", 1577836800,
			  &b);
	assert_int_equal(b.n_bytes, sizeof hello);
	assert_memory_equal(b.bytes, hello, sizeof hello);
	buf_release(&b);
}

static void script_for_another_architecture_says_so(void **state)
{
	struct buf b = {0};

	(void)state;
	uboot_script_wrap((struct span){0}, "riscv64", 0, &b);
	assert_int_equal(b.bytes[29], 26);
	buf_release(&b);
}

static void commands_choose_count_and_start(void **state)
{
	struct boot_fixture f;
	struct buf b = {0};
	const char *text = NULL;
	struct err e;

	(void)state;
	boot_fixture_init(&f, "arm64", 2);
	uboot_slots_commands(&f.in, &b);
	assert_int_equal(buf_text(&b, &text, &e), 0);
	assert_string_equal(
		text,
		"setenv first\n"
		"setenv left_a\n"
		"setenv left_b\n"
		"if load ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} /slots.txt; then\n"
		"\tenv import -t ${scriptaddr} ${filesize} first left_a left_b\n"
		"fi\n"
		"setenv slot a\n"
		"if test \"${first}\" = b; then\n"
		"\tsetenv slot b\n"
		"fi\n"
		"if test ${slot} = a -a \"${left_a}\" = 0 -a \"${left_b}\" != 0; then\n"
		"\tsetenv slot b\n"
		"elif test ${slot} = b -a \"${left_b}\" = 0 -a \"${left_a}\" != 0; then\n"
		"\tsetenv slot a\n"
		"fi\n"
		"setenv left \"${left_a}\"\n"
		"if test ${slot} = b; then\n"
		"\tsetenv left \"${left_b}\"\n"
		"fi\n"
		"setenv next\n"
		"if test \"${left}\" = 3; then\n"
		"\tsetenv next 2\n"
		"elif test \"${left}\" = 2; then\n"
		"\tsetenv next 1\n"
		"elif test \"${left}\" = 1; then\n"
		"\tsetenv next 0\n"
		"fi\n"
		"if test -n \"${next}\"; then\n"
		"\tsetenv left_${slot} ${next}\n"
		"\tenv export -t ${scriptaddr} first left_a left_b\n"
		"\tif fatwrite ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} /slots.txt "
		"${filesize}; then\n"
		"\t\techo Slot ${slot}: ${next} starts left\n"
		"\telse\n"
		"\t\techo Slot ${slot}: this start is not counted\n"
		"\tfi\n"
		"fi\n"
		"if test ${slot} = a; then\n"
		"\tsysboot ${devtype} ${devnum}:${distro_bootpart} any ${scriptaddr} "
		"/extlinux/a.conf\n"
		"\tsysboot ${devtype} ${devnum}:${distro_bootpart} any ${scriptaddr} "
		"/extlinux/b.conf\n"
		"else\n"
		"\tsysboot ${devtype} ${devnum}:${distro_bootpart} any ${scriptaddr} "
		"/extlinux/b.conf\n"
		"\tsysboot ${devtype} ${devnum}:${distro_bootpart} any ${scriptaddr} "
		"/extlinux/a.conf\n"
		"fi\n");
	buf_release(&b);
	boot_fixture_release(&f);
}

static void slot_with_its_own_partition_is_started_by_number(void **state)
{
	struct boot_fixture f;
	struct buf b = {0};
	const char *text = NULL;
	struct err e;

	(void)state;
	boot_fixture_init(&f, "arm64", 2);
	boot_fixture_part_slots(&f);
	f.slots[1].boot_partition = 10;
	uboot_slots_commands(&f.in, &b);
	assert_int_equal(buf_text(&b, &text, &e), 0);
	assert_non_null(strstr(text, "if test ${slot} = a; then\n"
				     "\tsysboot ${devtype} ${devnum}:2 any ${scriptaddr} "
				     "/extlinux/extlinux.conf\n"
				     "\tsysboot ${devtype} ${devnum}:a any ${scriptaddr} "
				     "/extlinux/extlinux.conf\n"
				     "else\n"));
	buf_release(&b);
	boot_fixture_release(&f);
}

static void two_slots_have_a_script_instead_of_extlinux_conf(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "arm64", 2);
	add(&f);
	assert_null(tree_find(&f.boot[0], "extlinux/extlinux.conf"));
	assert_non_null(tree_find(&f.boot[0], "boot.scr"));
	assert_string_equal(boot_fixture_text(&f.boot[0], "slots.txt"),
			    "first=a\nleft_a=3\nleft_b=good\n");
	boot_fixture_release(&f);
}

static void file_of_a_slot_names_its_own_system_first(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "arm64", 2);
	add(&f);
	assert_string_equal(boot_fixture_text(&f.boot[0], "extlinux/b.conf"),
			    "default lkflash-b\n"
			    "prompt 0\n"
			    "\n"
			    "label lkflash-a\n"
			    "\tmenu label Linux, slot a\n"
			    "\tkernel /lkflash-a/kernel\n"
			    "\tinitrd /lkflash-a/initrd\n"
			    "\tappend root=PARTUUID=01 ro\n"
			    "\n"
			    "label lkflash-b\n"
			    "\tmenu label Linux, slot b\n"
			    "\tkernel /lkflash-b/kernel\n"
			    "\tinitrd /lkflash-b/initrd\n"
			    "\tappend root=PARTUUID=02 ro\n");
	boot_fixture_release(&f);
}

static void slots_with_their_own_partitions_are_chosen_from_a_third(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "arm64", 2);
	boot_fixture_part_slots(&f);
	add(&f);
	assert_non_null(tree_find(&f.select, "boot.scr"));
	assert_non_null(tree_find(&f.select, "slots.txt"));
	assert_non_null(tree_find(&f.boot[0], "extlinux/extlinux.conf"));
	assert_non_null(tree_find(&f.boot[1], "extlinux/extlinux.conf"));
	boot_fixture_release(&f);
}

static void one_slot_needs_no_script(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "arm64", 1);
	add(&f);
	assert_non_null(tree_find(&f.boot[0], "extlinux/extlinux.conf"));
	assert_null(tree_find(&f.boot[0], "boot.scr"));
	boot_fixture_release(&f);
}

static void script_that_another_method_made_is_refused(void **state)
{
	struct boot_fixture f;
	struct err e;

	(void)state;
	boot_fixture_init(&f, "arm64", 2);
	assert_int_equal(tree_add_text(&f.boot[0], "boot.scr", "x", &e), 0);
	assert_int_equal(extlinux()->add(&f.in, &f.out, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "boot.scr"));
	boot_fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(script_is_what_mkimage_makes),
		cmocka_unit_test(script_for_another_architecture_says_so),
		cmocka_unit_test(commands_choose_count_and_start),
		cmocka_unit_test(slot_with_its_own_partition_is_started_by_number),
		cmocka_unit_test(two_slots_have_a_script_instead_of_extlinux_conf),
		cmocka_unit_test(file_of_a_slot_names_its_own_system_first),
		cmocka_unit_test(slots_with_their_own_partitions_are_chosen_from_a_third),
		cmocka_unit_test(one_slot_needs_no_script),
		cmocka_unit_test(script_that_another_method_made_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
