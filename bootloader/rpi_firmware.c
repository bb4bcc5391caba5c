/* The firmware of a Raspberry Pi, which reads everything from a FAT partition: its own files
 * (bootcode.bin up to Pi 3, start*.elf and fixup*.dat up to Pi 4; those of Pi 5 are in its EEPROM),
 * config.txt, cmdline.txt, kernel, initrd, device trees and overlays.
 *
 * Two slots: each has a boot partition, and autoboot.txt on the first one says which starts.
 * `reboot "0 tryboot"` starts the other one once; a start that fails ends in the old one with the
 * next reset. What marks the new one good writes autoboot.txt with the two numbers swapped. The ROM
 * up to Pi 3 takes bootcode.bin from the first partition that has one, so only that one does.
 *
 * With a key for firmware, the boot partition holds boot.img with boot.sig (rpi_boot_image.h).
 *
 * With extlinux or ebbr among the profile's methods, the kernel that firmware starts is U-Boot's
 * u-boot.bin, and what it starts is up to that method. */
#include <stdio.h>
#include <string.h>

#include "bootloader/bootloader.h"
#include "bootloader/rpi_boot_image.h"
#include "bootloader/rpi_config.h"
#include "bootloader/system.h"
#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/disk/tree.h"

static const char bootcode[] = "bootcode.bin";
static const char u_boot[] = "u-boot.bin";
static const char initrd[] = "initrd.img";

/* ---- What the board is ---------------------------------------------------------------------- */

static bool is_firmware(const char *file)
{
	return strcmp(file, bootcode) == 0 ||
	       (parse_has_prefix(file, "start") && parse_has_suffix(file, ".elf")) ||
	       (parse_has_prefix(file, "fixup") && parse_has_suffix(file, ".dat"));
}

static bool starts_u_boot(const struct board *b)
{
	for (unsigned i = 0; b->build && i < b->build->n_methods; i++)
		if (strcmp(b->build->methods[i], "extlinux") == 0 ||
		    strcmp(b->build->methods[i], "ebbr") == 0)
			return true;
	return false;
}

static bool is_64bit(const struct board *b)
{
	return strcmp(b->arch, "arm64") == 0;
}

/* Names that firmware knows, although config.txt says it. */
static const char *kernel_name(const struct board *b)
{
	return is_64bit(b) ? "kernel8.img" : "kernel.img";
}

static const char *firmware(const struct board *b, size_t index)
{
	for (unsigned i = 0; i < b->n_firmware; i++)
		if (is_firmware(b->firmware[i].file) && index-- == 0)
			return b->firmware[i].file;
	return starts_u_boot(b) && index == 0 ? u_boot : NULL;
}

/* One that is optional may be missing. */
static int add_firmware_file(const struct boot_input *in, const char *file, struct tree *t,
			     struct err *e)
{
	const struct board_firmware *f = board_firmware_by_file(in->board, file);
	struct span content;

	if (f && f->is_optional && !boot_firmware_is_there(in, file))
		return 0;
	return boot_firmware_find(in, file, &content, e) < 0 ? -1 : tree_add(t, file, content, e);
}

/* All that the profile lists; bootcode.bin has a partition of its own where there are slots. */
static int add_firmware(const struct boot_input *in, bool has_bootcode, struct tree *t,
			struct err *e)
{
	const struct board *b = in->board;

	for (unsigned i = 0; i < b->n_firmware; i++) {
		const char *file = b->firmware[i].file;
		if (!is_firmware(file) || (!has_bootcode && strcmp(file, bootcode) == 0))
			continue;
		if (add_firmware_file(in, file, t, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- Device trees --------------------------------------------------------------------------- */

static bool is_overlay(const char *path)
{
	return parse_has_prefix(path, "overlays/") || strstr(path, "/overlays/");
}

/* Of a Pi's processor: BCM2708 to BCM2712, or BCM2835 to BCM2837 as Linux calls them. */
static bool is_device_tree(const char *path)
{
	return parse_has_prefix(basename(path), "bcm2") && parse_has_suffix(path, ".dtb");
}

static int add_file(struct tree *t, const char *folder, const struct tree_entry *entry,
		    struct err *e)
{
	CLEANUP(buf_release) struct buf path = {0};
	const char *text = NULL;

	buf_printf(&path, "%s%s", folder, basename(entry->path));
	if (buf_text(&path, &text, e) < 0)
		return -1;
	return entry->source_path ? tree_add_path(t, text, entry->source_path, e)
				  : tree_add(t, text, entry->content, e);
}

/* Beside config.txt, where firmware looks for the name of its model. */
static int add_device_tree(struct tree *t, const struct tree_entry *entry, struct rpi_config *c,
			   struct err *e)
{
	c->has_upstream_names |= parse_has_prefix(basename(entry->path), "bcm283");
	return add_file(t, "", entry, e);
}

static int add_named_device_tree(const struct boot_input *in, struct tree *t, struct rpi_config *c,
				 struct err *e)
{
	const struct tree_entry *entry = NULL;

	if (system_dtb_find(in, &entry, e) < 0)
		return -1;
	c->device_tree = basename(entry->path);
	return add_file(t, "", entry, e);
}

static int add_device_trees(const struct boot_input *in, struct tree *t, struct rpi_config *c,
			    struct err *e)
{
	const struct tree *dtbs = in->payload->dtbs;
	size_t n_found = 0;

	if (system_dtb(in) && add_named_device_tree(in, t, c, e) < 0)
		return -1;
	for (size_t i = 0; dtbs && i < dtbs->n_entries; i++) {
		const struct tree_entry *entry = &dtbs->entries[i];
		const bool is_wanted = !system_dtb(in) && is_device_tree(entry->path);

		if (entry->kind != TREE_FILE)
			continue;
		if (is_overlay(entry->path) && add_file(t, "overlays/", entry, e) < 0)
			return -1;
		if (is_wanted && add_device_tree(t, entry, c, e) < 0)
			return -1;
		n_found += is_wanted;
	}
	if (!system_dtb(in) && n_found == 0)
		return err_set(e, ERR_USAGE,
			       "%s takes its device tree (bcm2*.dtb) from the boot partition, and "
			       "none was given; give --dtb the folder of those of the kernel",
			       in->board->id);
	return 0;
}

/* ---- What firmware starts ------------------------------------------------------------------- */

static int add_config(const struct rpi_config *c, struct tree *t, struct err *e)
{
	CLEANUP(buf_release) struct buf config = {0};

	rpi_append_config(c, &config);
	if (buf_check(&config, e) < 0)
		return -1;
	return tree_add_copy(t, "config.txt", config.bytes, config.n_bytes, e);
}

static int add_u_boot(const struct boot_input *in, struct tree *t, struct err *e)
{
	const struct rpi_config c = {
		.is_64bit = is_64bit(in->board),
		.kernel = u_boot,
		.has_serial = true, /* U-Boot's console; without it the port's clock varies */
	};

	return add_firmware_file(in, u_boot, t, e) < 0 ? -1 : add_config(&c, t, e);
}

static int add_linux(const struct boot_input *in, const struct boot_slot *slot, struct tree *t,
		     struct err *e)
{
	CLEANUP(buf_release) struct buf cmdline = {0};
	struct rpi_config c = {
		.is_64bit = is_64bit(in->board),
		.kernel = kernel_name(in->board),
		.initrd = in->payload->initrd.n_bytes > 0 ? initrd : NULL,
		.has_serial = rpi_has_serial_console(slot->cmdline),
	};

	if (system_check_cmdline(in, slot, 0, e) < 0 || add_device_trees(in, t, &c, e) < 0 ||
	    add_config(&c, t, e) < 0 || tree_add(t, c.kernel, in->payload->kernel, e) < 0)
		return -1;
	if (c.initrd && tree_add(t, c.initrd, in->payload->initrd, e) < 0)
		return -1;
	buf_printf(&cmdline, "%s\n", slot->cmdline);
	if (buf_check(&cmdline, e) < 0)
		return -1;
	return tree_add_copy(t, "cmdline.txt", cmdline.bytes, cmdline.n_bytes, e);
}

/* ---- Slots ---------------------------------------------------------------------------------- */

static int add_slot(const struct boot_input *in, const struct boot_slot *slot, struct err *e)
{
	CLEANUP(tree_release) struct tree content = {0};
	struct tree *t = in->signer ? &content : slot->boot;

	if (add_firmware(in, in->n_slots < 2, t, e) < 0 || add_linux(in, slot, t, e) < 0)
		return -1;
	if (!in->signer)
		return 0;
	if (tree_add_text(slot->boot, "config.txt", "boot_ramdisk=1\n", e) < 0)
		return -1;
	return rpi_boot_image_add(in, slot, &content, e);
}

static int add_select(const struct boot_input *in, struct err *e)
{
	CLEANUP(buf_release) struct buf autoboot = {0};
	struct tree *t = in->select;

	rpi_append_autoboot(in->slots[0].boot_partition, in->slots[1].boot_partition, &autoboot);
	if (buf_check(&autoboot, e) < 0 ||
	    tree_add_copy(t, "autoboot.txt", autoboot.bytes, autoboot.n_bytes, e) < 0)
		return -1;
	/* Without it a Pi 3 or 5 does not take the partition for one to boot from. */
	if (tree_add_text(t, "config.txt", "# autoboot.txt says what starts.\n", e) < 0)
		return -1;
	return board_firmware_by_file(in->board, bootcode) ? add_firmware_file(in, bootcode, t, e)
							   : 0;
}

static int check_slots(const struct boot_input *in, struct err *e)
{
	const bool is_shared = in->slots[0].is_boot_shared;

	if (in->n_slots < 2)
		return 0;
	if (starts_u_boot(in->board) && !is_shared)
		return err_set(e, ERR_USAGE,
			       "U-Boot on a Pi chooses between slots from one boot partition; "
			       "leave out `slotted` of that partition of %s",
			       in->board->id);
	if (!starts_u_boot(in->board) && (is_shared || !in->select))
		return err_set(e, ERR_USAGE,
			       "the firmware of a Pi chooses between boot partitions; give %s one "
			       "for each slot (`slotted`), and a first one with `content: select`",
			       in->board->id);
	return 0;
}

static int check(const struct boot_input *in, struct err *e)
{
	const struct board *b = in->board;

	if (!is_64bit(b) && strcmp(b->arch, "arm") != 0)
		return err_set(e, ERR_USAGE,
			       "method rpi-firmware is for a Raspberry Pi, and %s is of "
			       "architecture %s; take another method",
			       b->id, b->arch);
	if (in->signer && starts_u_boot(b))
		return err_set(e, ERR_USAGE,
			       "what U-Boot starts on %s would not be signed with boot.img; build "
			       "without a key for firmware",
			       b->id);
	if (in->signer && board_firmware_by_file(b, bootcode))
		return err_set(e, ERR_USAGE,
			       "%s starts by bootcode.bin, and boot.img is for the boot loader of "
			       "Pi 4 and 5; build without a key for firmware",
			       b->id);
	return check_slots(in, e);
}

static int add(const struct boot_input *in, struct boot_output *out, struct err *e)
{
	(void)out;
	if (check(in, e) < 0)
		return -1;
	if (starts_u_boot(in->board)) {
		struct tree *boot = in->slots[0].boot;
		return add_firmware(in, true, boot, e) < 0 ? -1 : add_u_boot(in, boot, e);
	}
	for (size_t i = 0; i < in->n_slots; i++)
		if (add_slot(in, &in->slots[i], e) < 0)
			return -1;
	return in->n_slots > 1 ? add_select(in, e) : 0;
}

const struct boot_method boot_method_rpi_firmware = {
	.name = "rpi-firmware",
	.title = "firmware of a Raspberry Pi",
	.kind = BOOT_VENDOR,
	.has_slots = true,
	.has_fallback = true,
	.firmware = firmware,
	.add = add,
};
