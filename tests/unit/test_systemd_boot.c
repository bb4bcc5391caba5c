/* What systemd-boot reads: golden text, and what cannot work refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/method_fixture.h"

#define METHOD "systemd-boot"
#define LOADER "MZ #### LoaderInfo: systemd-boot 252 ####"

static int set_up(void **state)
{
	static struct method_fixture f;

	method_fixture_init(&f);
	method_fixture_firmware(&f, 0, "systemd-bootx64.efi", method_span(LOADER));
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	method_fixture_release(*state);
	return 0;
}

static void system_without_slots_is_one_entry(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "EFI/BOOT/BOOTX64.EFI\n"
				      "lkflash/initrd\n"
				      "lkflash/kernel\n"
				      "loader/entries/lkflash.conf\n"
				      "loader/loader.conf\n");
	method_assert_text(&f->boot, "loader/entries/lkflash.conf",
			   "title Linux 6.1\n"
			   "sort-key lkflash\n"
			   "linux /lkflash/kernel\n"
			   "initrd /lkflash/initrd\n"
			   "options quiet root=PARTUUID=1\n");
}

static void loader_is_where_firmware_starts_it(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_add(f, METHOD);
	method_assert_text(&f->boot, "EFI/BOOT/BOOTX64.EFI", LOADER);
	method_assert_text(&f->boot, "loader/loader.conf", "timeout 0\neditor no\n");
}

static void two_slots_sort_a_first_and_count_its_tries(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_two_slots(f, true);
	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "EFI/BOOT/BOOTX64.EFI\n"
				      "lkflash-a/initrd\n"
				      "lkflash-a/kernel\n"
				      "lkflash-b/initrd\n"
				      "lkflash-b/kernel\n"
				      "loader/entries/lkflash-a+3.conf\n"
				      "loader/entries/lkflash-b.conf\n"
				      "loader/loader.conf\n");
	method_assert_text(&f->boot, "loader/entries/lkflash-a+3.conf",
			   "title Linux 6.1, slot a\n"
			   "sort-key lkflash-a\n"
			   "linux /lkflash-a/kernel\n"
			   "initrd /lkflash-a/initrd\n"
			   "options quiet root=PARTUUID=1\n");
	method_assert_text(&f->boot, "loader/entries/lkflash-b.conf",
			   "title Linux 6.1, slot b\n"
			   "sort-key lkflash-b\n"
			   "linux /lkflash-b/kernel\n"
			   "initrd /lkflash-b/initrd\n"
			   "options quiet root=PARTUUID=2\n");
}

static void kernel_alone_has_no_other_lines(void **state)
{
	struct method_fixture *f = *state;

	f->payload.initrd = (struct span){0};
	f->payload.version = "";
	f->slots[0].cmdline = "";
	method_fixture_add(f, METHOD);
	method_assert_text(&f->boot, "loader/entries/lkflash.conf",
			   "title Linux\nsort-key lkflash\nlinux /lkflash/kernel\n");
}

static void device_tree_of_the_profile_is_named(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, "vendor/board.dtb");
	method_fixture_add(f, METHOD);
	method_assert_text(&f->boot, "lkflash/dtb/vendor/board.dtb", "board");
	assert_null(tree_find(&f->boot, "lkflash/dtb/vendor/other.dtb"));
	method_assert_text(&f->boot, "loader/entries/lkflash.conf",
			   "title Linux 6.1\n"
			   "sort-key lkflash\n"
			   "linux /lkflash/kernel\n"
			   "initrd /lkflash/initrd\n"
			   "devicetree /lkflash/dtb/vendor/board.dtb\n"
			   "options quiet root=PARTUUID=1\n");
}

static void device_trees_that_nobody_chooses_from_are_left_out(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, NULL);
	method_fixture_add(f, METHOD);
	assert_null(tree_find(&f->boot, "lkflash/dtb"));
}

static void control_characters_of_a_version_are_not_written(void **state)
{
	struct method_fixture *f = *state;

	f->payload.version = "1\noptions init=/bin/sh";
	f->payload.initrd = (struct span){0};
	method_fixture_add(f, METHOD);
	method_assert_text(&f->boot, "loader/entries/lkflash.conf",
			   "title Linux 1?options init=/bin/sh\nsort-key lkflash\n"
			   "linux /lkflash/kernel\noptions quiet root=PARTUUID=1\n");
}

static void architecture_without_uefi_is_refused(void **state)
{
	struct method_fixture *f = *state;

	f->board.arch = PROFILE_TEXT("s390x");
	method_fixture_refuses(f, METHOD,
			       "acme-gw is s390x, for which there is no UEFI boot; choose another "
			       "method");
}

static void kernel_without_a_pe_header_is_refused(void **state)
{
	struct method_fixture *f = *state;

	f->kernel[0] = 0;
	method_fixture_refuses(
		f, METHOD,
		"UEFI cannot start the kernel: it has no PE header; take one that was "
		"built with CONFIG_EFI_STUB");
}

static void missing_loader_is_refused_with_the_way_to_it(void **state)
{
	struct method_fixture *f = *state;

	f->in.n_firmware = 0;
	f->listed[0] = (struct board_firmware){.file = PROFILE_TEXT("systemd-bootx64.efi"),
					       .package = PROFILE_TEXT("systemd-boot-efi")};
	f->board.firmware = f->listed;
	f->board.n_firmware = 1;
	method_fixture_refuses(f, METHOD,
			       "firmware file systemd-bootx64.efi is missing; `lkflash firmware "
			       "acme-gw` fetches it from Debian's package systemd-boot-efi");
}

static void file_that_is_no_loader_is_refused(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_firmware(f, 0, "systemd-bootx64.efi",
				method_span("#### LoaderInfo: systemd-stub 252 ####"));
	method_fixture_refuses(
		f, METHOD,
		"firmware file systemd-bootx64.efi is no systemd-boot: its marker is "
		"not in it; `lkflash firmware acme-gw` fetches the right one");
}

static void slots_with_boot_partitions_of_their_own_are_refused(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_two_slots(f, false);
	method_fixture_refuses(
		f, METHOD,
		"systemd-boot reads its entries from one partition, and slot b has its "
		"own; make the boot partition of acme-gw one for all slots (no "
		"`slotted`)");
}

static void device_tree_that_is_not_given_is_refused(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, "vendor/mine.dtb");
	method_fixture_refuses(
		f, METHOD,
		"device tree vendor/mine.dtb of acme-gw is not among those given; give "
		"--dtb the folder that it is below, of the same kernel");
}

static void command_line_of_several_lines_is_refused(void **state)
{
	struct method_fixture *f = *state;

	f->slots[0].cmdline = "quiet\ninit=/bin/sh";
	method_fixture_refuses(
		f, METHOD,
		"byte 6 of the command line is a control character; put all of it on "
		"one line");
}

static void command_line_with_a_deleted_letter_is_refused(void **state)
{
	struct method_fixture *f = *state;

	f->slots[0].cmdline = "quiet\177";
	method_fixture_refuses(f, METHOD,
			       "byte 6 of the command line is a control character; put all of it "
			       "on one line");
}

static void command_line_that_the_kernel_cuts_off_is_refused(void **state)
{
	struct method_fixture *f = *state;
	char text[2048] = "";

	memset(text, 'x', 2047 - strlen("initrd=\\lkflash\\initrd ") + 1);
	f->slots[0].cmdline = text;
	method_fixture_refuses(
		f, METHOD,
		"the command line has 2025 bytes, and a kernel for x86_64 keeps 2024; "
		"make it shorter");
}

static void longest_command_line_will_do(void **state)
{
	struct method_fixture *f = *state;
	char text[2048] = "";

	memset(text, 'x', 2047 - strlen("initrd=\\lkflash\\initrd "));
	f->slots[0].cmdline = text;
	method_fixture_add(f, METHOD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(system_without_slots_is_one_entry),
		TEST(loader_is_where_firmware_starts_it),
		TEST(two_slots_sort_a_first_and_count_its_tries),
		TEST(kernel_alone_has_no_other_lines),
		TEST(device_tree_of_the_profile_is_named),
		TEST(device_trees_that_nobody_chooses_from_are_left_out),
		TEST(control_characters_of_a_version_are_not_written),
		TEST(architecture_without_uefi_is_refused),
		TEST(kernel_without_a_pe_header_is_refused),
		TEST(missing_loader_is_refused_with_the_way_to_it),
		TEST(file_that_is_no_loader_is_refused),
		TEST(slots_with_boot_partitions_of_their_own_are_refused),
		TEST(device_tree_that_is_not_given_is_refused),
		TEST(command_line_of_several_lines_is_refused),
		TEST(command_line_with_a_deleted_letter_is_refused),
		TEST(command_line_that_the_kernel_cuts_off_is_refused),
		TEST(longest_command_line_will_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
