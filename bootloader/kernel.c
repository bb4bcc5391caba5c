/* Kernel files by their headers. See kernel.h. */
#include "bootloader/kernel.h"

#include <stdint.h>
#include <string.h>

#include "bootloader/pe.h"
#include "flash/base/parse.h"

struct mark {
	size_t at_bytes;
	const char *bytes;
	size_t n_bytes;
};
#define MARK(at, text)                                                                             \
	{                                                                                          \
		(at), (text), sizeof(text) - 1                                                     \
	}

static bool has_mark(struct span s, const struct mark *m)
{
	return s.n_bytes >= m->n_bytes && m->at_bytes <= s.n_bytes - m->n_bytes &&
	       memcmp(s.bytes + m->at_bytes, m->bytes, m->n_bytes) == 0;
}

static const struct {
	struct mark mark;
	const char *arch;
} images[] = {
	{MARK(0x24, "\x18\x28\x6f\x01"), "arm"},
	{MARK(0x38, "ARM\x64"), "arm64"},
	{MARK(0x38, "RSC\x05"), "riscv64"},
};

/* What is often taken for a kernel, and what to do about it. */
static const struct {
	struct mark mark;
	const char *what;
} others[] = {
	{MARK(0, "\x1f\x8b"), "is compressed by gzip; unpack it first"},
	{MARK(0, "\xfd\x37zXZ"), "is compressed by xz; unpack it first"},
	{MARK(0, "\x28\xb5\x2f\xfd"), "is compressed by zstd; unpack it first"},
	{MARK(0, "\x7f"
		 "ELF"),
	 "is an ELF file, as the vmlinux of a build is; take bzImage, zImage or Image from "
	 "arch/*/boot"},
	{MARK(0, "\x27\x05\x19\x56"),
	 "is wrapped by mkimage for U-Boot (uImage); take the zImage or Image it was made of"},
	{MARK(0, "\xd0\x0d\xfe\xed"),
	 "is a device tree or a FIT; take the zImage or Image it was made of"},
};

static const struct mark x86_mark = MARK(0x202, "HdrS");
static const struct mark zboot_mark = MARK(0, "MZ\0\0zimg");

enum {
	X86_VERSION = 0x206,
	X86_XLOADFLAGS = 0x236, /* from version 2.12 on */
	X86_HEADER_BYTES = 0x268,
	XLF_KERNEL_64 = 1 << 0,
};

static const char *x86_arch(struct span kernel)
{
	bool is_64 = le16(kernel.bytes + X86_VERSION) >= 0x20c &&
		     (le16(kernel.bytes + X86_XLOADFLAGS) & XLF_KERNEL_64) != 0;

	return is_64 ? "x86_64" : "i386";
}

static const char *machine_arch(uint16_t machine)
{
	switch ((enum pe_machine)machine) {
	case PE_MACHINE_I386:
		return "i386";
	case PE_MACHINE_X86_64:
		return "x86_64";
	case PE_MACHINE_ARM:
		return "arm";
	case PE_MACHINE_ARM64:
		return "arm64";
	case PE_MACHINE_RISCV64:
		return "riscv64";
	}
	return NULL;
}

/* The architecture a kernel is for; NULL when it is none. */
static const char *arch_of(struct span kernel)
{
	uint16_t machine = 0;

	if (kernel.n_bytes >= X86_HEADER_BYTES && has_mark(kernel, &x86_mark))
		return x86_arch(kernel);
	for (size_t i = 0; i < sizeof images / sizeof *images; i++)
		if (has_mark(kernel, &images[i].mark))
			return images[i].arch;
	if (has_mark(kernel, &zboot_mark) && pe_machine_of(kernel, &machine))
		return machine_arch(machine);
	return NULL;
}

static int refuse_other(struct span kernel, struct err *e)
{
	enum { SHOWN_BYTES = 4 };
	char hex[2 * SHOWN_BYTES + 1] = "";
	size_t n_shown = kernel.n_bytes < SHOWN_BYTES ? kernel.n_bytes : SHOWN_BYTES;

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (has_mark(kernel, &others[i].mark))
			return err_set(e, ERR_USAGE, "it %s", others[i].what);
	return err_set(e, ERR_USAGE,
		       "it is no Linux kernel: %zu bytes that start with `%s`; take bzImage "
		       "(x86), zImage (arm) or Image (arm64, riscv64)",
		       kernel.n_bytes, format_hex(kernel.bytes, n_shown, hex));
}

int kernel_check(struct span kernel, const char *arch, struct err *e)
{
	const char *is_for = arch_of(kernel);

	if (!is_for)
		return refuse_other(kernel, e);
	if (strcmp(arch, "any") == 0 || strcmp(arch, is_for) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "it is a kernel for %s, and the board is %s; take one for %s",
		       is_for, arch, arch);
}

bool kernel_is_efi(struct span kernel)
{
	uint16_t machine = 0;

	return pe_machine_of(kernel, &machine);
}

bool kernel_is_efi_zboot(struct span kernel)
{
	return has_mark(kernel, &zboot_mark);
}
