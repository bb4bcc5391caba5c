/* Kernel files: told by their headers, and what is none is named. */
#include "bootloader/kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootloader/pe.h"

enum { FILE_BYTES = 0x400 };

/* A file of zeros with text at an offset. */
struct file {
	uint8_t bytes[FILE_BYTES];
};

static struct file with(struct file f, size_t at_bytes, const void *bytes, size_t n_bytes)
{
	memcpy(f.bytes + at_bytes, bytes, n_bytes);
	return f;
}

static struct file x86(uint16_t version, uint8_t loadflags)
{
	struct file f = with((struct file){{0}}, 0x202, "HdrS", 4);

	put_le16(f.bytes + 0x206, version);
	f.bytes[0x236] = loadflags;
	return f;
}

static struct file zboot(uint16_t machine)
{
	struct file f = with((struct file){{0}}, 0, "MZ\0\0zimg", 8);

	put_le32(f.bytes + 60, 0x80);
	f = with(f, 0x80, "PE\0\0", 4);
	put_le16(f.bytes + 0x84, machine);
	return f;
}

static struct span span(const struct file *f)
{
	return (struct span){f->bytes, FILE_BYTES};
}

static void accepts(const struct file *f, const char *arch)
{
	struct err e = {0};

	if (kernel_check(span(f), arch, &e) < 0)
		fail_msg("%s: %s", arch, e.text);
}

static void refuses(struct span kernel, const char *arch, const char *text)
{
	struct err e = {0};

	assert_int_equal(kernel_check(kernel, arch, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, text);
}

static void bzimage_that_can_be_entered_in_64_bits_is_x86_64(void **state)
{
	struct file f = x86(0x20f, 1);

	(void)state;
	accepts(&f, "x86_64");
}

static void bzimage_of_32_bits_is_i386(void **state)
{
	struct file f = x86(0x20f, 0);

	(void)state;
	accepts(&f, "i386");
}

static void bzimage_from_before_2_12_has_no_flag_for_64_bits(void **state)
{
	struct file f = x86(0x20b, 1);

	(void)state;
	accepts(&f, "i386");
}

static void zimage_is_arm(void **state)
{
	struct file f = with((struct file){{0}}, 0x24, "\x18\x28\x6f\x01", 4);

	(void)state;
	accepts(&f, "arm");
}

static void image_of_arm64_is_told(void **state)
{
	struct file f = with((struct file){{0}}, 0x38, "ARM\x64", 4);

	(void)state;
	accepts(&f, "arm64");
}

static void image_of_riscv_is_told(void **state)
{
	struct file f = with((struct file){{0}}, 0x38, "RSC\x05", 4);

	(void)state;
	accepts(&f, "riscv64");
}

static void efi_zboot_is_told_by_its_machine(void **state)
{
	struct file f = zboot(PE_MACHINE_ARM64);

	(void)state;
	accepts(&f, "arm64");
}

static void efi_zboot_of_an_unknown_machine_is_no_kernel(void **state)
{
	struct file f = zboot(0x1234);

	(void)state;
	refuses(span(&f), "arm64",
		"it is no Linux kernel: 1024 bytes that start with `4d5a0000`; take bzImage (x86), "
		"zImage (arm) or Image (arm64, riscv64)");
}

static void any_architecture_takes_all(void **state)
{
	struct file f = with((struct file){{0}}, 0x38, "ARM\x64", 4);

	(void)state;
	accepts(&f, "any");
}

static void kernel_for_another_machine_is_refused(void **state)
{
	struct file f = with((struct file){{0}}, 0x38, "ARM\x64", 4);

	(void)state;
	refuses(span(&f), "x86_64",
		"it is a kernel for arm64, and the board is x86_64; take one for x86_64");
}

static void gzip_is_called_so(void **state)
{
	struct file f = with((struct file){{0}}, 0, "\x1f\x8b\x08", 3);

	(void)state;
	refuses(span(&f), "arm64", "it is compressed by gzip; unpack it first");
}

static void elf_is_called_so(void **state)
{
	struct file f = with((struct file){{0}}, 0, "\x7f\x45LF", 4);

	(void)state;
	refuses(span(&f), "x86_64",
		"it is an ELF file, as the vmlinux of a build is; take bzImage, zImage or Image "
		"from arch/*/boot");
}

static void uimage_is_called_so(void **state)
{
	struct file f = with((struct file){{0}}, 0, "\x27\x05\x19\x56", 4);

	(void)state;
	refuses(span(&f), "arm",
		"it is wrapped by mkimage for U-Boot (uImage); take the zImage or Image it was "
		"made "
		"of");
}

static void file_shorter_than_any_mark_is_refused(void **state)
{
	(void)state;
	refuses((struct span){(const uint8_t *)"MZ", 2}, "x86_64",
		"it is no Linux kernel: 2 bytes that start with `4d5a`; take bzImage (x86), zImage "
		"(arm) or Image (arm64, riscv64)");
}

static void empty_file_is_refused(void **state)
{
	(void)state;
	refuses((struct span){NULL, 0}, "any",
		"it is no Linux kernel: 0 bytes that start with ``; take bzImage (x86), zImage "
		"(arm) or Image (arm64, riscv64)");
}

static void bzimage_that_ends_in_its_header_is_refused(void **state)
{
	struct file f = x86(0x20f, 1);

	(void)state;
	refuses((struct span){f.bytes, 0x237}, "x86_64",
		"it is no Linux kernel: 567 bytes that start with `00000000`; take bzImage (x86), "
		"zImage (arm) or Image (arm64, riscv64)");
}

static void kernel_with_a_pe_header_is_for_uefi(void **state)
{
	struct file f = zboot(PE_MACHINE_RISCV64);

	(void)state;
	assert_true(kernel_is_efi(span(&f)));
}

static void kernel_without_a_pe_header_is_not_for_uefi(void **state)
{
	struct file f = x86(0x20f, 1);

	(void)state;
	assert_false(kernel_is_efi(span(&f)));
}

static void efi_zboot_is_for_uefi_alone(void **state)
{
	struct file packed = zboot(PE_MACHINE_ARM64);
	struct file plain = with(packed, 4, "\0\0\0\0", 4);

	(void)state;
	assert_true(kernel_is_efi_zboot(span(&packed)));
	assert_false(kernel_is_efi_zboot(span(&plain)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bzimage_that_can_be_entered_in_64_bits_is_x86_64),
		cmocka_unit_test(bzimage_of_32_bits_is_i386),
		cmocka_unit_test(bzimage_from_before_2_12_has_no_flag_for_64_bits),
		cmocka_unit_test(zimage_is_arm),
		cmocka_unit_test(image_of_arm64_is_told),
		cmocka_unit_test(image_of_riscv_is_told),
		cmocka_unit_test(efi_zboot_is_told_by_its_machine),
		cmocka_unit_test(efi_zboot_of_an_unknown_machine_is_no_kernel),
		cmocka_unit_test(any_architecture_takes_all),
		cmocka_unit_test(kernel_for_another_machine_is_refused),
		cmocka_unit_test(gzip_is_called_so),
		cmocka_unit_test(elf_is_called_so),
		cmocka_unit_test(uimage_is_called_so),
		cmocka_unit_test(file_shorter_than_any_mark_is_refused),
		cmocka_unit_test(empty_file_is_refused),
		cmocka_unit_test(bzimage_that_ends_in_its_header_is_refused),
		cmocka_unit_test(kernel_with_a_pe_header_is_for_uefi),
		cmocka_unit_test(kernel_without_a_pe_header_is_not_for_uefi),
		cmocka_unit_test(efi_zboot_is_for_uefi_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
