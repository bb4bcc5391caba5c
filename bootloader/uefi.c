/* Architectures, systemd-boot and its configuration. See uefi.h. */
#include "bootloader/uefi.h"

#include <stdio.h>
#include <string.h>

#include "bootloader/kernel.h"

static const struct uefi_arch arches[] = {
	{"x86_64", "EFI/BOOT/BOOTX64.EFI", "systemd-bootx64.efi", "linuxx64.efi.stub"},
	{"i386", "EFI/BOOT/BOOTIA32.EFI", "systemd-bootia32.efi", "linuxia32.efi.stub"},
	{"arm64", "EFI/BOOT/BOOTAA64.EFI", "systemd-bootaa64.efi", "linuxaa64.efi.stub"},
	{"arm", "EFI/BOOT/BOOTARM.EFI", "systemd-bootarm.efi", "linuxarm.efi.stub"},
	{"riscv64", "EFI/BOOT/BOOTRISCV64.EFI", "systemd-bootriscv64.efi", "linuxriscv64.efi.stub"},
};

const struct uefi_arch *uefi_arch(const struct board *b)
{
	for (size_t i = 0; i < sizeof arches / sizeof *arches; i++)
		if (strcmp(arches[i].arch, b->arch) == 0)
			return &arches[i];
	return NULL;
}

int uefi_systemd_find(const struct boot_input *in, const char *file, const char *part,
		      struct span *out, struct err *e)
{
	char marker[64];
	struct span content = {0};

	if (boot_firmware_find(in, file, &content, e) < 0)
		return -1;
	(void)snprintf(marker, sizeof marker, "#### LoaderInfo: %s ", part);
	if (!memmem(content.bytes, content.n_bytes, marker, strlen(marker)))
		return err_set(e, ERR_USAGE,
			       "firmware file %s is no %s: its marker is not in it; `lkflash "
			       "firmware %s` fetches the right one",
			       file, part, in->board->id);
	*out = content;
	return 0;
}

int uefi_check(const struct boot_input *in, const struct uefi_arch **out, struct err *e)
{
	const struct uefi_arch *arch = uefi_arch(in->board);

	if (!arch)
		return err_set(e, ERR_USAGE,
			       "%s is %s, for which there is no UEFI boot; choose another method",
			       in->board->id, in->board->arch);
	if (!kernel_is_efi(in->payload->kernel))
		return err_set(e, ERR_USAGE,
			       "UEFI cannot start the kernel: it has no PE header; take one that "
			       "was built with CONFIG_EFI_STUB");
	*out = arch;
	return 0;
}

/* Straight to the first entry, unless a key is held; and nobody who holds one edits a command line
 * that was signed (loader.conf(5)). */
static const char loader_conf[] = "timeout 0\n"
				  "editor no\n";

int uefi_add_systemd_boot(const struct boot_input *in, const struct uefi_arch *arch, struct err *e)
{
	struct span loader = {0};
	struct tree *boot = in->slots[0].boot;

	for (size_t i = 1; i < in->n_slots; i++)
		if (!in->slots[i].is_boot_shared)
			return err_set(e, ERR_USAGE,
				       "systemd-boot reads its entries from one partition, and "
				       "slot %s has its own; make the boot partition of %s one for "
				       "all slots (no `slotted`)",
				       in->slots[i].name, in->board->id);
	if (uefi_systemd_find(in, arch->systemd_boot, "systemd-boot", &loader, e) < 0 ||
	    tree_add(boot, arch->path, loader, e) < 0)
		return -1;
	return tree_add_text(boot, "loader/loader.conf", loader_conf, e);
}

void uefi_entry_name(const struct boot_slot *slot, char out[UEFI_NAME_BYTES])
{
	bool has_counter = strcmp(slot->name, "a") == 0;

	(void)snprintf(out, UEFI_NAME_BYTES, "lkflash%s%s%s", slot->name[0] != '\0' ? "-" : "",
		       slot->name, has_counter ? "+3" : "");
}
