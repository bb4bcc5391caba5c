/* UEFI with systemd-boot on the path for removable media: an entry a slot, as the Boot Loader
 * Specification (UAPI.1) has them, and its kernel and initrd in a folder.
 *
 * Two slots: the entry of a has three tries in its name (lkflash-a+3.conf), and sorts before that
 * of b. Each start takes one; the system that came up drops the counter (systemd-bless-boot). When
 * none is left the entry sorts last, and b is started, which has no counter (Automatic Boot
 * Assessment). */
#include "bootloader/uefi.h"

#include <stdio.h>
#include <string.h>

#include "bootloader/system.h"
#include "flash/base/buf.h"
#include "flash/base/cleanup.h"

static const char *firmware(const struct board *b, size_t index)
{
	const struct uefi_arch *arch = uefi_arch(b);

	return arch && index == 0 ? arch->systemd_boot : NULL;
}

/* systemd-boot tells the kernel's stub where the initrd is, in front of the options. */
static int check_options(const struct boot_input *in, const struct boot_slot *slot,
			 const char *name, struct err *e)
{
	size_t n_added_bytes = strlen("initrd=\\\\initrd ") + strlen(name);

	return system_check_cmdline(in, slot, in->payload->initrd.n_bytes > 0 ? n_added_bytes : 0,
				    e);
}

static int add_entry(const struct boot_input *in, const struct boot_slot *slot, struct err *e)
{
	CLEANUP(buf_release) struct buf conf = {0};
	char name[SYSTEM_NAME_BYTES];
	char entry[UEFI_NAME_BYTES];
	char path[64];
	const char *text = NULL;

	system_name(slot, name);
	uefi_entry_name(slot, entry);
	if (check_options(in, slot, name, e) < 0)
		return -1;
	(void)snprintf(path, sizeof path, "loader/entries/%s.conf", entry);
	buf_append_text(&conf, "title ");
	system_title(in, slot, &conf);
	buf_printf(&conf, "\nsort-key %s\nlinux /%s/kernel\n", name, name);
	if (in->payload->initrd.n_bytes > 0)
		buf_printf(&conf, "initrd /%s/initrd\n", name);
	if (system_dtb(in))
		buf_printf(&conf, "devicetree /%s/dtb/%s\n", name, system_dtb(in));
	if (slot->cmdline[0] != '\0')
		buf_printf(&conf, "options %s\n", slot->cmdline);
	if (buf_text(&conf, &text, e) < 0)
		return -1;
	return tree_add_text(slot->boot, path, text, e);
}

/* Firmware or the entry names a device tree: a folder of them is of no use. */
static int add_dtb(const struct boot_input *in, const struct boot_slot *slot, struct err *e)
{
	char folder[SYSTEM_NAME_BYTES + 4];
	char name[SYSTEM_NAME_BYTES];

	if (!system_dtb(in))
		return 0;
	system_name(slot, name);
	(void)snprintf(folder, sizeof folder, "%s/dtb", name);
	return system_add_dtbs(in, slot->boot, folder, e);
}

static int add(const struct boot_input *in, struct boot_output *out, struct err *e)
{
	const struct uefi_arch *arch = NULL;

	(void)out;
	if (uefi_check(in, &arch, e) < 0 || uefi_add_systemd_boot(in, arch, e) < 0)
		return -1;
	for (size_t i = 0; i < in->n_slots; i++) {
		const struct boot_slot *slot = &in->slots[i];
		if (system_add(in, slot, e) < 0 || add_dtb(in, slot, e) < 0 ||
		    add_entry(in, slot, e) < 0)
			return -1;
	}
	return 0;
}

const struct boot_method boot_method_systemd_boot = {
	.name = "systemd-boot",
	.title = "UEFI with systemd-boot on the removable media path",
	.kind = BOOT_UEFI,
	.has_slots = true,
	.has_fallback = true,
	.firmware = firmware,
	.add = add,
};
