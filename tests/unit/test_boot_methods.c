/* The table of boot methods, and what they share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/method_fixture.h"

static int set_up(void **state)
{
	static struct method_fixture f;

	method_fixture_init(&f);
	f.board.firmware = f.listed;
	f.board.n_firmware = 1;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	method_fixture_release(*state);
	return 0;
}

static void method_is_found_by_its_name(void **state)
{
	const struct boot_method *method = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(boot_method_by_name("extlinux", &method, &e), 0);
	assert_string_equal(method->name, "extlinux");
}

/* How many of the methods of this name are in the text. */
static size_t count_named(const char *text)
{
	size_t n_found = 0;

	for (const struct boot_method *const *m = boot_methods(); *m; m++)
		n_found += strstr(text, (*m)->name) != NULL;
	return n_found;
}

static size_t count_methods(void)
{
	size_t n = 0;

	while (boot_methods()[n])
		n++;
	return n;
}

static void unknown_method_is_refused_with_those_there_are(void **state)
{
	const struct boot_method *method = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(boot_method_by_name("lilo", &method, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "there is no boot method lilo; there are raw-blobs, "));
	assert_int_equal(count_named(e.text), count_methods());
	assert_null(method);
}

static size_t count_incomplete(void)
{
	size_t n = 0;

	for (const struct boot_method *const *m = boot_methods(); *m; m++)
		n += !(*m)->name || !(*m)->title || !(*m)->firmware || !(*m)->add ||
		     ((*m)->has_fallback && !(*m)->has_slots);
	return n;
}

static void every_method_is_complete(void **state)
{
	(void)state;
	assert_int_equal(count_incomplete(), 0);
}

static void firmware_file_that_was_found_is_given(void **state)
{
	struct method_fixture *f = *state;
	struct span content = {0};
	struct err e = {0};

	method_fixture_firmware(f, 0, "a.bin", method_span("A"));
	method_fixture_firmware(f, 1, "b.bin", method_span("B"));
	assert_int_equal(boot_firmware_find(&f->in, "b.bin", &content, &e), 0);
	assert_memory_equal(content.bytes, "B", 1);
	assert_true(boot_firmware_is_there(&f->in, "a.bin"));
	assert_false(boot_firmware_is_there(&f->in, "c.bin"));
}

static void misses(const struct method_fixture *f, const char *file, const char *text)
{
	struct span content = {0};
	struct err e = {0};

	assert_int_equal(boot_firmware_find(&f->in, file, &content, &e), -1);
	assert_string_equal(e.text, text);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(content.bytes);
}

static void file_of_a_package_is_to_be_fetched(void **state)
{
	struct method_fixture *f = *state;

	f->listed[0] = (struct board_firmware){.file = PROFILE_TEXT("a.bin"),
					       .package = PROFILE_TEXT("u-boot-acme:arm64")};
	misses(f, "a.bin",
	       "firmware file a.bin is missing; `lkflash firmware acme-gw` fetches it from "
	       "Debian's "
	       "package u-boot-acme:arm64");
}

static void file_without_a_package_has_a_source(void **state)
{
	struct method_fixture *f = *state;

	f->listed[0] = (struct board_firmware){.file = PROFILE_TEXT("a.bin"),
					       .source = PROFILE_TEXT("https://acme.example")};
	misses(f, "a.bin",
	       "firmware file a.bin is missing; Debian does not carry it: get it from "
	       "https://acme.example, and name its folder with --firmware DIR");
}

static void file_without_either_is_the_makers(void **state)
{
	struct method_fixture *f = *state;

	f->listed[0] = (struct board_firmware){.file = PROFILE_TEXT("a.bin")};
	misses(f, "a.bin",
	       "firmware file a.bin is missing; Debian does not carry it: get it from the maker of "
	       "the board, and name its folder with --firmware DIR");
}

static void file_that_the_profile_does_not_list_is_its_fault(void **state)
{
	struct method_fixture *f = *state;

	f->board.n_firmware = 0;
	misses(f, "a.bin",
	       "firmware file a.bin is needed, and the profile of acme-gw does not say where it "
	       "comes from; list it there under `firmware`");
}

static void raw_bytes_are_copied(void **state)
{
	struct method_fixture *f = *state;
	char bytes[] = "MBR";
	struct err e = {0};

	assert_int_equal(boot_output_add(&f->out, "boot sector", 0, method_span(bytes), &e), 0);
	bytes[0] = 'm';
	assert_memory_equal(f->out.raw[0].bytes, "MBR", 3);
	assert_int_equal(f->out.raw[0].n_bytes, 3);
	assert_string_equal(f->out.raw[0].name, "boot sector");
}

static void raw_bytes_of_too_many_pieces_are_refused(void **state)
{
	struct method_fixture *f = *state;
	struct err e = {0};

	f->out.n_raw = BOOT_RAW_MAX;
	assert_int_equal(boot_output_add(&f->out, "SPL", 0, method_span("x"), &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "SPL is one more than the 16 pieces an image may have outside "
				    "of its partitions; put some of them into partitions");
}

static void methods_of_a_board_share_the_files_of_its_system(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, "vendor/board.dtb");
	method_fixture_firmware(f, 0, "systemd-bootx64.efi",
				method_span("#### LoaderInfo: systemd-boot 252 ####"));
	method_fixture_add(f, "extlinux");
	method_fixture_add(f, "systemd-boot");
	method_assert_files(&f->boot, "EFI/BOOT/BOOTX64.EFI\n"
				      "extlinux/extlinux.conf\n"
				      "lkflash/dtb/vendor/board.dtb\n"
				      "lkflash/initrd\n"
				      "lkflash/kernel\n"
				      "loader/entries/lkflash.conf\n"
				      "loader/loader.conf\n");
}

static void file_of_somebody_else_in_place_of_the_kernel_is_refused(void **state)
{
	struct method_fixture *f = *state;
	struct err e = {0};

	assert_int_equal(tree_add_text(&f->boot, "lkflash/kernel", "mine", &e), 0);
	method_fixture_refuses(f, "extlinux", "lkflash/kernel is there already; name it once");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(method_is_found_by_its_name),
		TEST(unknown_method_is_refused_with_those_there_are),
		TEST(every_method_is_complete),
		TEST(firmware_file_that_was_found_is_given),
		TEST(file_of_a_package_is_to_be_fetched),
		TEST(file_without_a_package_has_a_source),
		TEST(file_without_either_is_the_makers),
		TEST(file_that_the_profile_does_not_list_is_its_fault),
		TEST(raw_bytes_are_copied),
		TEST(raw_bytes_of_too_many_pieces_are_refused),
		TEST(methods_of_a_board_share_the_files_of_its_system),
		TEST(file_of_somebody_else_in_place_of_the_kernel_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
