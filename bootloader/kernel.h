/* What a kernel file is, by its first bytes. Pure.
 *
 * Sources: Linux, Documentation/arch/x86/boot.rst, arm/booting.rst and arch/arm/boot/compressed/
 * head.S (zImage), arm64/booting.rst, riscv/boot-image-header.rst; drivers/firmware/efi/libstub/
 * zboot-header.S (EFI zboot). */
#pragma once

#include <stdbool.h>

#include "flash/base/bytes.h"
#include "flash/base/err.h"

/* ERR_USAGE unless it is a kernel for this architecture, as in a profile ("any" takes all): says
 * which one it is for, or what it is. What is compressed by gzip must be unpacked before. */
int kernel_check(struct span kernel, const char *arch, struct err *e);

/* Can UEFI firmware start it: was it built with CONFIG_EFI_STUB? */
bool kernel_is_efi(struct span kernel);

/* Is it compressed with a stub that unpacks it, which only UEFI can start (CONFIG_EFI_ZBOOT)? */
bool kernel_is_efi_zboot(struct span kernel);
