/* extlinux/extlinux.conf, which U-Boot finds on any board (doc/develop/distro.rst,
 * doc/usage/pxe.rst of U-Boot): kernel, initrd and device trees in a folder for each slot.
 *
 * Two slots: boot.scr takes the place of extlinux.conf, counts starts in slots.txt (see slots.h)
 * and goes on with extlinux/a.conf or b.conf, each of which names both systems, its own first:
 * U-Boot tries the next one when it cannot load what one names. With a boot partition a slot, each
 * has its own extlinux.conf, and boot.scr is on the partition for selecting; without one, the
 * partition that U-Boot takes decides, and nothing is counted. What marks a slot good writes
 * slots.txt anew with left_<slot>=good. */
#include "bootloader/bootloader.h"

#include <stdio.h>
#include <string.h>

#include "bootloader/kernel.h"
#include "bootloader/system.h"
#include "bootloader/uboot_script.h"
#include "flash/base/buf.h"
#include "flash/base/cleanup.h"

/* CONFIG_SYS_CBSIZE of most boards, which bounds `append`, with the NUL. */
enum { APPEND_MAX_BYTES = 1024 };

static const char *firmware(const struct board *b, size_t index)
{
	(void)b;
	(void)index;
	return NULL;
}

/* U-Boot substitutes variables in what it appends, and takes quotes and backslashes for its own
 * (cli_simple_process_macros). */
static int append_cmdline(const char *cmdline, struct buf *conf, struct err *e)
{
	if (strlen(cmdline) >= APPEND_MAX_BYTES)
		return err_set(
			e, ERR_USAGE,
			"the command line has %zu bytes, and U-Boot takes %d; make it shorter",
			strlen(cmdline), APPEND_MAX_BYTES - 1);
	if (strchr(cmdline, '\\'))
		return err_set(
			e, ERR_USAGE,
			"the command line has a backslash, which U-Boot drops; do without it");
	buf_append_text(conf, "\tappend ");
	for (const char *c = cmdline; *c; c++)
		buf_printf(conf, "%s%c", *c == '$' || *c == '\'' ? "\\" : "", *c);
	buf_append_text(conf, "\n");
	return 0;
}

static int append_label(const struct boot_input *in, const struct boot_slot *slot, struct buf *conf,
			struct err *e)
{
	char name[SYSTEM_NAME_BYTES];

	system_name(slot, name);
	buf_printf(conf, "\nlabel %s\n\tmenu label ", name);
	system_title(in, slot, conf);
	buf_printf(conf, "\n\tkernel /%s/kernel\n", name);
	if (in->payload->initrd.n_bytes > 0)
		buf_printf(conf, "\tinitrd /%s/initrd\n", name);
	if (system_dtb(in))
		buf_printf(conf, "\tfdt /%s/dtb/%s\n", name, system_dtb(in));
	else if (in->payload->dtbs)
		buf_printf(conf, "\tfdtdir /%s/dtb\n", name);
	return slot->cmdline[0] != '\0' ? append_cmdline(slot->cmdline, conf, e) : 0;
}

/* The file at path, for slots that share a boot partition, or for one; that at index first is
 * started. */
static int add_conf(const struct boot_input *in, const struct boot_slot *slots, size_t n_slots,
		    const char *path, size_t first, struct err *e)
{
	CLEANUP(buf_release) struct buf conf = {0};
	char name[SYSTEM_NAME_BYTES];
	const char *text = NULL;

	system_name(&slots[first], name);
	buf_printf(&conf, "default %s\nprompt 0\n", name);
	for (size_t i = 0; i < n_slots; i++)
		if (append_label(in, &slots[i], &conf, e) < 0)
			return -1;
	if (buf_text(&conf, &text, e) < 0)
		return -1;
	return tree_add_text(slots[first].boot, path, text, e);
}

static int add_system(const struct boot_input *in, const struct boot_slot *slot, struct err *e)
{
	char name[SYSTEM_NAME_BYTES];
	char folder[SYSTEM_NAME_BYTES + 4];

	system_name(slot, name);
	(void)snprintf(folder, sizeof folder, "%s/dtb", name);
	if (system_add(in, slot, e) < 0)
		return -1;
	return system_add_dtbs(in, slot->boot, folder, e);
}

/* Of the slot at index i. */
static int add_slot(const struct boot_input *in, size_t i, struct err *e)
{
	const struct boot_slot *slot = &in->slots[i];
	char path[64];

	if (add_system(in, slot, e) < 0)
		return -1;
	if (in->n_slots < 2 || !slot->is_boot_shared)
		return add_conf(in, slot, 1, "extlinux/extlinux.conf", 0, e);
	(void)snprintf(path, sizeof path, "extlinux/%s.conf", slot->name);
	return add_conf(in, in->slots, in->n_slots, path, i, e);
}

static int add(const struct boot_input *in, struct boot_output *out, struct err *e)
{
	(void)out;
	if (kernel_is_efi_zboot(in->payload->kernel))
		return err_set(e, ERR_USAGE,
			       "U-Boot starts no kernel that is packed for UEFI alone "
			       "(CONFIG_EFI_ZBOOT); take its Image, or the method ebbr");
	for (size_t i = 0; i < in->n_slots; i++)
		if (add_slot(in, i, e) < 0)
			return -1;
	if (in->n_slots > 1 && (in->slots[0].is_boot_shared || in->select))
		return uboot_slots_add(in, e);
	return 0;
}

const struct boot_method boot_method_extlinux = {
	.name = "extlinux",
	.title = "U-Boot with extlinux.conf",
	.kind = BOOT_U_BOOT,
	.has_slots = true,
	.has_fallback = true,
	.firmware = firmware,
	.add = add,
};
