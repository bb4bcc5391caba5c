/* Unified kernel images: the sections that the stub looks for, and where the files are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "tests/unit/method_fixture.h"

#define METHOD "uki"

static int set_up(void **state)
{
	static struct method_fixture f;

	method_fixture_init(&f);
	method_fixture_firmware(&f, 0, "linuxx64.efi.stub", (struct span){f.stub, sizeof f.stub});
	method_fixture_firmware(&f, 1, "systemd-bootx64.efi",
				method_span("#### LoaderInfo: systemd-boot 252 ####"));
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	method_fixture_release(*state);
	return 0;
}

enum { SECTIONS_AT = 0x40 + 24 + 240, SECTION_BYTES = 40 };

/* ".cmdline=quiet;", section by section; a kernel is too long to be shown. */
static void append_sections(const uint8_t *bytes, struct buf *out)
{
	for (size_t i = 0; i < le16(bytes + 0x46); i++) {
		const uint8_t *s = bytes + SECTIONS_AT + i * SECTION_BYTES;
		uint32_t n_bytes = le32(s + 8);
		buf_printf(out, "%.8s=", (const char *)s);
		if (n_bytes < METHOD_KERNEL_BYTES)
			buf_append(out, bytes + le32(s + 20), n_bytes);
		buf_append_text(out, ";");
	}
}

static void assert_sections(struct method_fixture *f, const char *path, const char *text)
{
	CLEANUP(buf_release) struct buf found = {0};
	const struct tree_entry *entry = tree_find(&f->boot, path);
	const char *found_text = NULL;
	struct err e = {0};

	if (!entry) {
		fail_msg("%s is not there", path);
		return;
	}
	append_sections(entry->content.bytes, &found);
	if (buf_text(&found, &found_text, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(found_text, text);
}

static void image_without_slots_is_what_firmware_starts(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "EFI/BOOT/BOOTX64.EFI\n");
	assert_sections(f, "EFI/BOOT/BOOTX64.EFI",
			".osrel=ID=linux\nIMAGE_ID=lkflash\nPRETTY_NAME=\"Linux 6.1\"\n;"
			".cmdline=quiet root=PARTUUID=1;"
			".initrd=initrd;"
			".linux=;");
}

static void kernel_is_whole(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_add(f, METHOD);
	const struct tree_entry *image = tree_find(&f->boot, "EFI/BOOT/BOOTX64.EFI");
	const uint8_t *linux_header = image->content.bytes + SECTIONS_AT + 3 * SECTION_BYTES;

	assert_int_equal(le32(linux_header + 8), METHOD_KERNEL_BYTES);
	assert_memory_equal(image->content.bytes + le32(linux_header + 20), f->kernel,
			    METHOD_KERNEL_BYTES);
}

static void two_slots_are_started_by_systemd_boot(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_two_slots(f, true);
	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "EFI/BOOT/BOOTX64.EFI\n"
				      "EFI/Linux/lkflash-a+3.efi\n"
				      "EFI/Linux/lkflash-b.efi\n"
				      "loader/loader.conf\n");
	method_assert_text(&f->boot, "EFI/BOOT/BOOTX64.EFI",
			   "#### LoaderInfo: systemd-boot 252 ####");
	assert_sections(f, "EFI/Linux/lkflash-b.efi",
			".osrel=ID=linux\nIMAGE_ID=lkflash-b\nPRETTY_NAME=\"Linux 6.1, slot b\"\n;"
			".cmdline=quiet root=PARTUUID=2;"
			".initrd=initrd;"
			".linux=;");
}

static void section_without_content_is_left_out(void **state)
{
	struct method_fixture *f = *state;

	f->payload.initrd = (struct span){0};
	f->slots[0].cmdline = "";
	method_fixture_add(f, METHOD);
	assert_sections(f, "EFI/BOOT/BOOTX64.EFI",
			".osrel=ID=linux\nIMAGE_ID=lkflash\nPRETTY_NAME=\"Linux 6.1\"\n;.linux=;");
}

static void device_tree_of_the_profile_is_in_the_image(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_dtbs(f, "vendor/board.dtb");
	f->payload.initrd = (struct span){0};
	f->slots[0].cmdline = "";
	method_fixture_add(f, METHOD);
	assert_sections(f, "EFI/BOOT/BOOTX64.EFI",
			".osrel=ID=linux\nIMAGE_ID=lkflash\nPRETTY_NAME=\"Linux 6.1\"\n;"
			".dtb=board;.linux=;");
}

static void device_tree_in_a_file_is_read(void **state)
{
	struct method_fixture *f = *state;
	struct err e = {0};

	f->build.dtb = PROFILE_TEXT("a.dtb");
	f->payload.dtbs = &f->dtbs;
	f->payload.initrd = (struct span){0};
	f->slots[0].cmdline = "";
	assert_int_equal(tree_add_path(&f->dtbs, "a.dtb", "LICENSE", &e), 0);
	method_fixture_add(f, METHOD);
	const struct tree_entry *image = tree_find(&f->boot, "EFI/BOOT/BOOTX64.EFI");
	const uint8_t *dtb_header = image->content.bytes + SECTIONS_AT + SECTION_BYTES;

	assert_memory_equal(dtb_header, ".dtb\0\0\0", 8);
	assert_int_equal(le32(dtb_header + 8), tree_find(&f->dtbs, "a.dtb")->size_bytes);
}

static void quotes_of_a_version_stay_in_the_title(void **state)
{
	struct method_fixture *f = *state;

	f->payload.version = "\"$(x)\"";
	f->payload.initrd = (struct span){0};
	f->slots[0].cmdline = "";
	method_fixture_add(f, METHOD);
	assert_sections(f, "EFI/BOOT/BOOTX64.EFI",
			".osrel=ID=linux\nIMAGE_ID=lkflash\n"
			"PRETTY_NAME=\"Linux \\\"\\$(x)\\\"\"\n;.linux=;");
}

static void file_that_is_no_stub_is_refused(void **state)
{
	struct method_fixture *f = *state;

	memset(f->stub + 0x200, 0, 0x200);
	method_fixture_refuses(
		f, METHOD,
		"firmware file linuxx64.efi.stub is no systemd-stub: its marker is not "
		"in it; `lkflash firmware acme-gw` fetches the right one");
}

static void stub_that_is_damaged_is_refused(void **state)
{
	struct method_fixture *f = *state;

	f->stub[0] = 0;
	method_fixture_refuses(
		f, METHOD,
		"a unified kernel image of linuxx64.efi.stub: it is no PE image; take "
		"the file as its package has it");
}

static void command_line_that_the_kernel_cuts_off_is_refused(void **state)
{
	struct method_fixture *f = *state;
	char text[2049] = "";

	memset(text, 'x', 2048);
	f->slots[0].cmdline = text;
	method_fixture_refuses(
		f, METHOD,
		"the command line has 2048 bytes, and a kernel for x86_64 keeps 2047; "
		"make it shorter");
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

static void loader_is_firmware_only_where_there_can_be_slots(void **state)
{
	struct method_fixture *f = *state;
	const struct boot_method *method = NULL;
	struct err e = {0};

	assert_int_equal(boot_method_by_name(METHOD, &method, &e), 0);
	assert_string_equal(method->firmware(&f->board, 0), "linuxx64.efi.stub");
	assert_string_equal(method->firmware(&f->board, 1), "systemd-bootx64.efi");
	assert_null(method->firmware(&f->board, 2));
	f->build.slots_max = 1;
	assert_null(method->firmware(&f->board, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(image_without_slots_is_what_firmware_starts),
		TEST(kernel_is_whole),
		TEST(two_slots_are_started_by_systemd_boot),
		TEST(section_without_content_is_left_out),
		TEST(device_tree_of_the_profile_is_in_the_image),
		TEST(device_tree_in_a_file_is_read),
		TEST(quotes_of_a_version_stay_in_the_title),
		TEST(file_that_is_no_stub_is_refused),
		TEST(stub_that_is_damaged_is_refused),
		TEST(command_line_that_the_kernel_cuts_off_is_refused),
		TEST(device_tree_that_is_not_given_is_refused),
		TEST(loader_is_firmware_only_where_there_can_be_slots),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
