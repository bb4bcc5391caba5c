/* UEFI by U-Boot: what systemd-boot reads, and device trees where U-Boot looks for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/method_fixture.h"

#define METHOD "ebbr"

static int set_up(void **state)
{
	static struct method_fixture f;

	method_fixture_init(&f);
	f.board.arch = PROFILE_TEXT("riscv64");
	method_fixture_firmware(&f, 0, "systemd-bootriscv64.efi",
				method_span("#### LoaderInfo: systemd-boot 257 ####"));
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	method_fixture_release(*state);
	return 0;
}

static void loader_has_the_name_of_the_architecture(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "EFI/BOOT/BOOTRISCV64.EFI\n"
				      "lkflash/initrd\n"
				      "lkflash/kernel\n"
				      "loader/entries/lkflash.conf\n"
				      "loader/loader.conf\n");
}

static void u_boot_chooses_from_all_device_trees(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, NULL);
	method_fixture_add(f, METHOD);
	method_assert_text(&f->boot, "dtb/vendor/board.dtb", "board");
	method_assert_text(&f->boot, "dtb/vendor/other.dtb", "other");
}

static void device_tree_of_the_profile_is_for_both(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, "vendor/board.dtb");
	method_fixture_add(f, METHOD);
	method_assert_text(&f->boot, "dtb/vendor/board.dtb", "board");
	method_assert_text(&f->boot, "lkflash/dtb/vendor/board.dtb", "board");
	assert_null(tree_find(&f->boot, "dtb/vendor/other.dtb"));
}

static void what_systemd_boot_refuses_is_refused(void **state)
{
	struct method_fixture *f = *state;

	f->board.arch = PROFILE_TEXT("s390x");
	method_fixture_refuses(f, METHOD,
			       "acme-gw is s390x, for which there is no UEFI boot; choose another "
			       "method");
}

static void its_firmware_is_systemd_boot(void **state)
{
	struct method_fixture *f = *state;
	const struct boot_method *method = NULL;
	struct err e = {0};

	assert_int_equal(boot_method_by_name(METHOD, &method, &e), 0);
	assert_string_equal(method->firmware(&f->board, 0), "systemd-bootriscv64.efi");
	assert_null(method->firmware(&f->board, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(loader_has_the_name_of_the_architecture),
		TEST(u_boot_chooses_from_all_device_trees),
		TEST(device_tree_of_the_profile_is_for_both),
		TEST(what_systemd_boot_refuses_is_refused),
		TEST(its_firmware_is_systemd_boot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
