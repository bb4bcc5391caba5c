/* UEFI that U-Boot brings, as the Embedded Base Boot Requirements have it, in place of
 * extlinux.conf, which U-Boot prefers: what systemd_boot.c does, and device trees in dtb/, where
 * U-Boot looks for the one to give to UEFI programs (doc/develop/distro.rst, efi_dtb_prefixes).
 * Firmware in the way of the partitions is kept by a partition of type `linux-reserved` in the
 * profile, if there is any.
 *
 * Two slots: systemd-boot offers both, and starts a. It cannot count tries: they are in the name of
 * a file, and U-Boot's UEFI renames none (lib/efi_loader/efi_file.c of 2023.01 says so, and a was
 * started for ever in QEMU). */
#include "bootloader/uefi.h"

#include "bootloader/system.h"

static const char *firmware(const struct board *b, size_t index)
{
	return boot_method_systemd_boot.firmware(b, index);
}

/* U-Boot has its own for the board; one from the medium stands in for it. */
static int add(const struct boot_input *in, struct boot_output *out, struct err *e)
{
	if (boot_method_systemd_boot.add(in, out, e) < 0)
		return -1;
	return system_add_dtbs(in, in->slots[0].boot, "dtb", e);
}

const struct boot_method boot_method_ebbr = {
	.name = "ebbr",
	.title = "UEFI by U-Boot (EBBR) with systemd-boot",
	.kind = BOOT_U_BOOT,
	.has_slots = true,
	.has_fallback = false,
	.firmware = firmware,
	.add = add,
};
