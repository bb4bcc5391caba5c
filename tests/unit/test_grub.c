/* GRUB for a PC BIOS: boot code, core, and the texts it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootloader/grub_config.h"
#include "bootloader/grub_image.h"
#include "flash/base/bytes.h"
#include "tests/unit/boot_fixture.h"

/* Where Debian's grub-pc-bin has GRUB's modules. */
#define MODULES "/usr/lib/grub/i386-pc"

static const struct boot_method *grub(void)
{
	const struct boot_method *m = NULL;
	struct err e;

	assert_int_equal(boot_method_by_name("grub", &m, &e), 0);
	return m;
}

/* A sector with what grub_boot_code looks at. */
static struct span boot_sector(uint8_t sector[GRUB_SECTOR_BYTES])
{
	memset(sector, 0x11, GRUB_SECTOR_BYTES);
	sector[0] = 0xeb;
	sector[1] = 0x63;
	memset(sector + 0x5c, 0, 8);
	sector[0x5c] = 1;
	sector[0x66] = 0xeb;
	sector[0x67] = 0x05;
	sector[510] = 0x55;
	sector[511] = 0xaa;
	return (struct span){sector, GRUB_SECTOR_BYTES};
}

/* ---- boot code --------------------------------------------------------------------------------
 */

static void boot_code_is_told_the_sector_of_the_core(void **state)
{
	uint8_t sector[GRUB_SECTOR_BYTES];
	uint8_t code[GRUB_BOOT_CODE_BYTES];
	struct err e;

	(void)state;
	assert_int_equal(grub_boot_code(boot_sector(sector), UINT64_C(0x200) << 33, code, &e), 0);
	assert_true(le64(code + 0x5c) == UINT64_C(1) << 33);
}

static void boot_code_is_told_that_drives_are_hard_disks(void **state)
{
	uint8_t sector[GRUB_SECTOR_BYTES];
	uint8_t code[GRUB_BOOT_CODE_BYTES];
	struct err e;

	(void)state;
	assert_int_equal(grub_boot_code(boot_sector(sector), 512, code, &e), 0);
	assert_int_equal(le16(code + 0x66), 0x9090);
	assert_int_equal(code[0x68], 0x11);
}

static void boot_image_of_another_size_is_refused(void **state)
{
	uint8_t sector[GRUB_SECTOR_BYTES];
	uint8_t code[GRUB_BOOT_CODE_BYTES];
	struct span s = boot_sector(sector);
	struct err e;

	(void)state;
	s.n_bytes = 511;
	assert_int_equal(grub_boot_code(s, 512, code, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "GRUB's boot.img has 511 bytes, not 512; take that of Debian's "
				    "grub-pc-bin");
}

static void boot_image_that_is_not_grubs_is_refused(void **state)
{
	uint8_t sector[GRUB_SECTOR_BYTES];
	uint8_t code[GRUB_BOOT_CODE_BYTES];
	struct span s = boot_sector(sector);
	struct err e;

	(void)state;
	sector[0x66] = 0x90;
	assert_int_equal(grub_boot_code(s, 512, code, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "boot.img is not GRUB's boot sector; take that of Debian's "
				    "grub-pc-bin");
}

/* ---- core -------------------------------------------------------------------------------------
 */

static void core_is_told_where_its_second_sector_is(void **state)
{
	uint8_t core[1025] = {[0x1f4] = 2, [0x1fc] = 2};
	struct err e;

	(void)state;
	assert_int_equal(grub_core_place(core, sizeof core, 1 << 20, &e), 0);
	assert_true(le64(core + 0x1f4) == 2049);
	assert_int_equal(le16(core + 0x1fc), 2);
}

static void core_that_loads_less_than_itself_is_refused(void **state)
{
	uint8_t core[1025] = {[0x1f4] = 2, [0x1fc] = 1};
	struct err e;

	(void)state;
	assert_int_equal(grub_core_place(core, sizeof core, 512, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "the core of 1025 bytes that grub-mkimage made does not load "
				    "its 3 sectors; take GRUB's modules and grub-mkimage of one "
				    "version");
}

static void core_that_loads_more_than_one_run_is_refused(void **state)
{
	uint8_t core[1025] = {[0x1f0] = 1, [0x1f4] = 2, [0x1fc] = 2};
	struct err e;

	(void)state;
	assert_int_equal(grub_core_place(core, sizeof core, 512, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void core_of_one_sector_is_refused(void **state)
{
	uint8_t core[512] = {0};
	struct err e;

	(void)state;
	assert_int_equal(grub_core_place(core, sizeof core, 512, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

/* ---- grub.cfg ---------------------------------------------------------------------------------
 */

/* grub.cfg of f, or the error's text. */
static const char *config(const struct boot_fixture *f)
{
	static char text[8192];
	struct buf b = {0};
	struct err e;

	if (grub_config(&f->in, &b, &e) < 0) {
		assert_int_equal(e.code, ERR_USAGE);
		(void)snprintf(text, sizeof text, "%s", e.text);
	} else {
		(void)snprintf(text, sizeof text, "%.*s", (int)b.n_bytes, (const char *)b.bytes);
	}
	buf_release(&b);
	return text;
}

/* The same for a command line of one slot. */
static const char *config_of(const char *cmdline)
{
	struct boot_fixture f;

	boot_fixture_init(&f, "x86_64", 1);
	f.slots[0].cmdline = cmdline;
	const char *text = config(&f);
	boot_fixture_release(&f);
	return text;
}

static void one_system_starts_at_once(void **state)
{
	(void)state;
	assert_string_equal(config_of("root=PARTUUID=01 ro"),
			    "set timeout=0\n"
			    "menuentry 'Linux' {\n"
			    "\tlinux /lkflash/kernel root=PARTUUID=01 ro\n"
			    "\tinitrd /lkflash/initrd\n"
			    "}\n");
}

static void system_without_initrd_loads_none(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "x86_64", 1);
	f.payload.initrd = (struct span){0};
	assert_string_equal(config(&f), "set timeout=0\n"
					"menuentry 'Linux' {\n"
					"\tlinux /lkflash/kernel root=PARTUUID=01 ro\n"
					"}\n");
	boot_fixture_release(&f);
}

static void version_cannot_end_the_title(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "x86_64", 1);
	f.payload.version = "1' {}\n";
	assert_non_null(strstr(config(&f), "\nmenuentry 'Linux 1  {}?' {\n"));
	boot_fixture_release(&f);
}

static void serial_console_of_the_kernel_is_grubs_too(void **state)
{
	(void)state;
	assert_non_null(strstr(config_of("console=tty0 console=ttyS1,115200n8 ro"),
			       "if serial --unit=1 --speed=115200; then\n"
			       "\tterminal_input console serial\n"
			       "\tterminal_output console serial\n"
			       "fi\n"));
}

static void serial_console_without_speed_has_the_kernels(void **state)
{
	(void)state;
	assert_non_null(strstr(config_of("console=ttyS0"), "--unit=0 --speed=9600;"));
}

static void last_serial_console_counts(void **state)
{
	(void)state;
	assert_non_null(strstr(config_of("console=ttyS0,9600 console=ttyS1,19200"),
			       "--unit=1 --speed=19200;"));
}

static void console_inside_of_a_word_is_none(void **state)
{
	(void)state;
	assert_null(strstr(config_of("noconsole=ttyS0 x"), "serial"));
}

static void serial_console_of_a_card_is_not_grubs(void **state)
{
	(void)state;
	assert_null(strstr(config_of("console=ttyS4,115200"), "serial"));
}

static void words_that_grub_would_change_are_quoted(void **state)
{
	(void)state;
	assert_non_null(strstr(config_of("  a;b  $x {y} plain=1,2"),
			       "kernel 'a;b' '$x' '{y}' plain=1,2\n"));
}

static void command_line_that_grub_cannot_pass_on_is_refused(void **state)
{
	(void)state;
	assert_string_equal(config_of("dyndbg=\"file a\""),
			    "GRUB cannot pass on the \" in the command line `dyndbg=\"file a\"`; "
			    "write it without");
}

static void command_line_leaves_room_for_what_grub_puts_in_front(void **state)
{
	static const char added[] = "BOOT_IMAGE=/lkflash/kernel ";
	char cmdline[2049] = "";

	(void)state;
	memset(cmdline, 'x', 2047 - strlen(added));
	assert_non_null(strstr(config_of(cmdline), "xxx\n"));
	cmdline[2047 - strlen(added)] = 'x';
	assert_non_null(strstr(config_of(cmdline), "the command line has 2021 bytes"));
}

static void two_slots_are_counted_and_chosen(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "x86_64", 2);
	assert_string_equal(config(&f),
			    "set timeout=1\n"
			    "load_env first left_a left_b\n"
			    "set default=0\n"
			    "if [ \"$first\" = b ]; then set default=1\n"
			    "fi\n"
			    "if [ $default = 0 -a \"$left_a\" = 0 -a \"$left_b\" != 0 ]; "
			    "then set default=1\n"
			    "elif [ $default = 1 -a \"$left_b\" = 0 -a \"$left_a\" != 0 ]; "
			    "then set default=0\n"
			    "fi\n"
			    "set fallback=1\n"
			    "if [ $default = 1 ]; then set fallback=0\n"
			    "fi\n"
			    "menuentry 'Linux, slot a' {\n"
			    "\tif [ \"$left_a\" = 3 ]; then set left_a=2; save_env left_a\n"
			    "\telif [ \"$left_a\" = 2 ]; then set left_a=1; save_env left_a\n"
			    "\telif [ \"$left_a\" = 1 ]; then set left_a=0; save_env left_a\n"
			    "\tfi\n"
			    "\tlinux /lkflash-a/kernel root=PARTUUID=01 ro\n"
			    "\tinitrd /lkflash-a/initrd\n"
			    "}\n"
			    "menuentry 'Linux, slot b' {\n"
			    "\tif [ \"$left_b\" = 3 ]; then set left_b=2; save_env left_b\n"
			    "\telif [ \"$left_b\" = 2 ]; then set left_b=1; save_env left_b\n"
			    "\telif [ \"$left_b\" = 1 ]; then set left_b=0; save_env left_b\n"
			    "\tfi\n"
			    "\tlinux /lkflash-b/kernel root=PARTUUID=02 ro\n"
			    "\tinitrd /lkflash-b/initrd\n"
			    "}\n");
	boot_fixture_release(&f);
}

static void environment_fills_its_block(void **state)
{
	static const char head[] = "# GRUB Environment Block\nfirst=a\nleft_a=3\nleft_b=good\n#";
	struct buf b = {0};

	(void)state;
	grub_environment(&b);
	assert_int_equal(b.n_bytes, 1024);
	assert_memory_equal(b.bytes, head, strlen(head));
	assert_int_equal(b.bytes[1023], '#');
	buf_release(&b);
}

/* ---- the method -------------------------------------------------------------------------------
 */

static void setup(struct boot_fixture *f, size_t n_slots)
{
	boot_fixture_init(f, "x86_64", n_slots);
	boot_fixture_firmware_of(f, grub(), MODULES);
}

/* The error's text, of ERR_USAGE; "" when there is none. */
static const char *add(struct boot_fixture *f)
{
	static struct err e;

	e = (struct err){0};
	if (grub()->add(&f->in, &f->out, &e) < 0)
		assert_int_equal(e.code, ERR_USAGE);
	return e.text;
}

static void core_on_an_mbr_follows_the_first_sector(void **state)
{
	struct boot_fixture f;

	(void)state;
	setup(&f, 1);
	assert_string_equal(add(&f), "");
	assert_int_equal(f.out.n_raw, 2);
	assert_int_equal(f.out.raw[0].offset_bytes, 0);
	assert_int_equal(f.out.raw[0].n_bytes, 440);
	assert_true(le64(f.out.raw[0].bytes + 0x5c) == 1);
	assert_int_equal(f.out.raw[1].offset_bytes, 512);
	assert_true(le64(f.out.raw[1].bytes + 0x1f4) == 2);
	boot_fixture_release(&f);
}

static void core_on_a_gpt_is_in_the_bios_boot_partition(void **state)
{
	struct boot_fixture f;

	(void)state;
	setup(&f, 1);
	f.in.table = TABLE_GPT;
	f.in.bios_boot_offset_bytes = 4 << 20;
	f.in.bios_boot_bytes = 1 << 20;
	assert_string_equal(add(&f), "");
	assert_true(le64(f.out.raw[0].bytes + 0x5c) == 8192);
	assert_int_equal(f.out.raw[1].offset_bytes, 4 << 20);
	assert_true(le64(f.out.raw[1].bytes + 0x1f4) == 8193);
	boot_fixture_release(&f);
}

static void core_is_the_same_each_time(void **state)
{
	struct boot_fixture f;
	struct boot_fixture g;

	(void)state;
	setup(&f, 1);
	setup(&g, 1);
	assert_string_equal(add(&f), "");
	assert_string_equal(add(&g), "");
	assert_int_equal(f.out.raw[1].n_bytes, g.out.raw[1].n_bytes);
	assert_memory_equal(f.out.raw[1].bytes, g.out.raw[1].bytes, f.out.raw[1].n_bytes);
	boot_fixture_release(&f);
	boot_fixture_release(&g);
}

static void core_leaves_nothing_in_the_scratch_folder(void **state)
{
	struct boot_fixture f;

	(void)state;
	setup(&f, 1);
	assert_string_equal(add(&f), "");
	assert_int_equal(rmdir(f.scratch), 0);
	boot_fixture_release(&f);
}

static void files_of_two_slots_are_on_the_boot_partition(void **state)
{
	struct boot_fixture f;

	(void)state;
	setup(&f, 2);
	assert_string_equal(add(&f), "");
	assert_string_equal(boot_fixture_text(&f.boot[0], "lkflash-a/kernel"), "KERNEL");
	assert_string_equal(boot_fixture_text(&f.boot[0], "lkflash-b/initrd"), "INITRD");
	assert_non_null(tree_find(&f.boot[0], "grub/grub.cfg"));
	assert_int_equal(tree_find(&f.boot[0], "grub/grubenv")->size_bytes, 1024);
	boot_fixture_release(&f);
}

static void kernel_is_shared_with_another_method(void **state)
{
	struct boot_fixture f;
	struct err e;

	(void)state;
	setup(&f, 1);
	assert_int_equal(tree_add_text(&f.boot[0], "lkflash/kernel", "KERNEL", &e), 0);
	assert_int_equal(tree_add_text(&f.boot[0], "lkflash/initrd", "INITRD", &e), 0);
	assert_string_equal(add(&f), "");
	boot_fixture_release(&f);
}

static void core_that_does_not_fit_before_the_first_partition_is_refused(void **state)
{
	struct boot_fixture f;

	(void)state;
	setup(&f, 1);
	f.in.first_partition_bytes = 63 * 512;
	assert_non_null(strstr(add(&f), " bytes does not fit the 31744 before the first "
					"partition; let that start at 1M"));
	boot_fixture_release(&f);
}

static void core_that_does_not_fit_the_bios_boot_partition_is_refused(void **state)
{
	struct boot_fixture f;

	(void)state;
	setup(&f, 1);
	f.in.table = TABLE_GPT;
	f.in.bios_boot_offset_bytes = 1 << 20;
	f.in.bios_boot_bytes = 64 << 10;
	assert_non_null(strstr(add(&f), " bytes does not fit the 65536 of the partition of type "
					"bios-boot; make that 1M"));
	boot_fixture_release(&f);
}

static void gpt_without_a_bios_boot_partition_is_refused(void **state)
{
	struct boot_fixture f;

	(void)state;
	setup(&f, 1);
	f.in.table = TABLE_GPT;
	assert_string_equal(add(&f),
			    "GRUB on a GPT needs a partition of type bios-boot for its core; add "
			    "one of 1M to the profile, or use --table mbr");
	boot_fixture_release(&f);
}

static void board_that_is_no_pc_is_refused(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "arm64", 1);
	assert_string_equal(add(&f), "method grub is for a PC, and some-board is of architecture "
				     "arm64; take another method");
	boot_fixture_release(&f);
}

static void slots_that_share_no_boot_partition_are_refused(void **state)
{
	struct boot_fixture f;

	(void)state;
	setup(&f, 2);
	boot_fixture_part_slots(&f);
	assert_string_equal(add(&f),
			    "GRUB chooses between slots from one boot partition that both share; "
			    "leave out `slotted` of that partition of some-board");
	boot_fixture_release(&f);
}

static void module_that_is_missing_is_named(void **state)
{
	struct boot_fixture f;

	(void)state;
	boot_fixture_init(&f, "x86_64", 1);
	assert_non_null(strstr(add(&f), "firmware file boot.img is needed"));
	boot_fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_code_is_told_the_sector_of_the_core),
		cmocka_unit_test(boot_code_is_told_that_drives_are_hard_disks),
		cmocka_unit_test(boot_image_of_another_size_is_refused),
		cmocka_unit_test(boot_image_that_is_not_grubs_is_refused),
		cmocka_unit_test(core_is_told_where_its_second_sector_is),
		cmocka_unit_test(core_that_loads_less_than_itself_is_refused),
		cmocka_unit_test(core_that_loads_more_than_one_run_is_refused),
		cmocka_unit_test(core_of_one_sector_is_refused),
		cmocka_unit_test(one_system_starts_at_once),
		cmocka_unit_test(system_without_initrd_loads_none),
		cmocka_unit_test(version_cannot_end_the_title),
		cmocka_unit_test(serial_console_of_the_kernel_is_grubs_too),
		cmocka_unit_test(serial_console_without_speed_has_the_kernels),
		cmocka_unit_test(last_serial_console_counts),
		cmocka_unit_test(console_inside_of_a_word_is_none),
		cmocka_unit_test(serial_console_of_a_card_is_not_grubs),
		cmocka_unit_test(words_that_grub_would_change_are_quoted),
		cmocka_unit_test(command_line_that_grub_cannot_pass_on_is_refused),
		cmocka_unit_test(command_line_leaves_room_for_what_grub_puts_in_front),
		cmocka_unit_test(two_slots_are_counted_and_chosen),
		cmocka_unit_test(environment_fills_its_block),
		cmocka_unit_test(core_on_an_mbr_follows_the_first_sector),
		cmocka_unit_test(core_on_a_gpt_is_in_the_bios_boot_partition),
		cmocka_unit_test(core_is_the_same_each_time),
		cmocka_unit_test(core_leaves_nothing_in_the_scratch_folder),
		cmocka_unit_test(files_of_two_slots_are_on_the_boot_partition),
		cmocka_unit_test(kernel_is_shared_with_another_method),
		cmocka_unit_test(core_that_does_not_fit_before_the_first_partition_is_refused),
		cmocka_unit_test(core_that_does_not_fit_the_bios_boot_partition_is_refused),
		cmocka_unit_test(gpt_without_a_bios_boot_partition_is_refused),
		cmocka_unit_test(board_that_is_no_pc_is_refused),
		cmocka_unit_test(slots_that_share_no_boot_partition_are_refused),
		cmocka_unit_test(module_that_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
