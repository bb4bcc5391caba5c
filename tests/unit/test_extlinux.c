/* What U-Boot reads: golden text, and what cannot work refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/method_fixture.h"

#define METHOD "extlinux"
#define CONF   "extlinux/extlinux.conf"

#define LABELS                                                                                     \
	"\nlabel lkflash-a\n"                                                                      \
	"\tmenu label Linux 6.1, slot a\n"                                                         \
	"\tkernel /lkflash-a/kernel\n"                                                             \
	"\tinitrd /lkflash-a/initrd\n"                                                             \
	"\tappend quiet root=PARTUUID=1\n"                                                         \
	"\nlabel lkflash-b\n"                                                                      \
	"\tmenu label Linux 6.1, slot b\n"                                                         \
	"\tkernel /lkflash-b/kernel\n"                                                             \
	"\tinitrd /lkflash-b/initrd\n"                                                             \
	"\tappend quiet root=PARTUUID=2\n"

static int set_up(void **state)
{
	static struct method_fixture f;

	method_fixture_init(&f);
	f.board.arch = PROFILE_TEXT("arm64");
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	method_fixture_release(*state);
	return 0;
}

static void system_without_slots_is_one_label(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "extlinux/extlinux.conf\nlkflash/initrd\nlkflash/kernel\n");
	method_assert_text(&f->boot, CONF,
			   "default lkflash\n"
			   "prompt 0\n"
			   "\n"
			   "label lkflash\n"
			   "\tmenu label Linux 6.1\n"
			   "\tkernel /lkflash/kernel\n"
			   "\tinitrd /lkflash/initrd\n"
			   "\tappend quiet root=PARTUUID=1\n");
}

static void each_slot_that_shares_a_partition_has_a_file_that_starts_it_first(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_two_slots(f, true);
	method_fixture_add(f, METHOD);
	assert_null(tree_find(&f->boot, CONF));
	method_assert_text(&f->boot, "extlinux/a.conf", "default lkflash-a\nprompt 0\n" LABELS);
	method_assert_text(&f->boot, "extlinux/b.conf", "default lkflash-b\nprompt 0\n" LABELS);
}

static void slots_with_partitions_of_their_own_have_a_file_each(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_two_slots(f, false);
	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "extlinux/extlinux.conf\nlkflash/initrd\nlkflash/kernel\n");
	method_assert_text(&f->boot_b, CONF,
			   "default lkflash\n"
			   "prompt 0\n"
			   "\n"
			   "label lkflash\n"
			   "\tmenu label Linux 6.1, slot b\n"
			   "\tkernel /lkflash/kernel\n"
			   "\tinitrd /lkflash/initrd\n"
			   "\tappend quiet root=PARTUUID=2\n");
}

static void device_tree_of_the_profile_is_named(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, "vendor/board.dtb");
	f->payload.initrd = (struct span){0};
	f->slots[0].cmdline = "";
	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "extlinux/extlinux.conf\nlkflash/dtb/vendor/board.dtb\n"
				      "lkflash/kernel\n");
	method_assert_text(&f->boot, CONF,
			   "default lkflash\n"
			   "prompt 0\n"
			   "\n"
			   "label lkflash\n"
			   "\tmenu label Linux 6.1\n"
			   "\tkernel /lkflash/kernel\n"
			   "\tfdt /lkflash/dtb/vendor/board.dtb\n");
}

static void u_boot_chooses_from_device_trees_when_the_profile_does_not(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, NULL);
	f->payload.initrd = (struct span){0};
	f->slots[0].cmdline = "";
	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "extlinux/extlinux.conf\nlkflash/dtb/vendor/board.dtb\n"
				      "lkflash/dtb/vendor/other.dtb\nlkflash/kernel\n");
	method_assert_text(&f->boot, CONF,
			   "default lkflash\n"
			   "prompt 0\n"
			   "\n"
			   "label lkflash\n"
			   "\tmenu label Linux 6.1\n"
			   "\tkernel /lkflash/kernel\n"
			   "\tfdtdir /lkflash/dtb\n");
}

static void device_tree_that_is_a_link_is_refused(void **state)
{
	struct method_fixture *f = *state;
	struct tree_entry link = {.kind = TREE_SYMLINK,
				  .path = strdup("vendor/link.dtb"),
				  .link = strdup("board.dtb")};
	struct err e = {0};

	method_fixture_dtbs(f, NULL);
	assert_int_equal(tree_add_entry(&f->dtbs, &link, &e), 0);
	method_fixture_refuses(
		f, METHOD,
		"vendor/link.dtb in the folder of device trees is no file; put a file "
		"there");
}

static void variables_and_quotes_reach_the_kernel_as_they_are(void **state)
{
	struct method_fixture *f = *state;

	f->payload.initrd = (struct span){0};
	f->slots[0].cmdline = "a=${b} c='d'";
	method_fixture_add(f, METHOD);
	method_assert_text(&f->boot, CONF,
			   "default lkflash\n"
			   "prompt 0\n"
			   "\n"
			   "label lkflash\n"
			   "\tmenu label Linux 6.1\n"
			   "\tkernel /lkflash/kernel\n"
			   "\tappend a=\\${b} c=\\'d\\'\n");
}

static void backslash_is_refused(void **state)
{
	struct method_fixture *f = *state;

	f->slots[0].cmdline = "a=\\x20";
	method_fixture_refuses(
		f, METHOD, "the command line has a backslash, which U-Boot drops; do without it");
}

static void command_line_that_u_boot_does_not_take_is_refused(void **state)
{
	struct method_fixture *f = *state;
	char text[1025] = "";

	memset(text, 'x', 1024);
	f->slots[0].cmdline = text;
	method_fixture_refuses(f, METHOD,
			       "the command line has 1024 bytes, and U-Boot takes 1023; make it "
			       "shorter");
}

static void command_line_that_a_short_kernel_cuts_off_is_refused(void **state)
{
	struct method_fixture *f = *state;
	char text[1025] = "";

	memset(text, 'x', 1024);
	f->slots[0].cmdline = text;
	f->board.arch = PROFILE_TEXT("riscv64");
	method_fixture_refuses(
		f, METHOD,
		"the command line has 1024 bytes, and a kernel for riscv64 keeps 1023; "
		"make it shorter");
}

static void kernel_packed_for_uefi_is_refused(void **state)
{
	struct method_fixture *f = *state;

	memcpy(f->kernel, "MZ\0\0zimg", 8);
	method_fixture_refuses(f, METHOD,
			       "U-Boot starts no kernel that is packed for UEFI alone "
			       "(CONFIG_EFI_ZBOOT); take its Image, or the method ebbr");
}

static void file_that_is_there_already_is_refused(void **state)
{
	struct method_fixture *f = *state;
	struct err e = {0};

	assert_int_equal(tree_add_text(&f->boot, CONF, "mine", &e), 0);
	method_fixture_refuses(f, METHOD, "extlinux/extlinux.conf is there already; name it once");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(system_without_slots_is_one_label),
		TEST(each_slot_that_shares_a_partition_has_a_file_that_starts_it_first),
		TEST(slots_with_partitions_of_their_own_have_a_file_each),
		TEST(device_tree_of_the_profile_is_named),
		TEST(u_boot_chooses_from_device_trees_when_the_profile_does_not),
		TEST(device_tree_that_is_a_link_is_refused),
		TEST(variables_and_quotes_reach_the_kernel_as_they_are),
		TEST(backslash_is_refused),
		TEST(command_line_that_u_boot_does_not_take_is_refused),
		TEST(command_line_that_a_short_kernel_cuts_off_is_refused),
		TEST(kernel_packed_for_uefi_is_refused),
		TEST(file_that_is_there_already_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
