/* GRUB for a PC BIOS: boot code in the first sector, its core in the gap before the first partition
 * of an MBR or in the BIOS boot partition of a GPT, and grub/grub.cfg on the boot partition.
 *
 * The core is made by grub-mkimage from GRUB's modules, and holds all that it needs. It finds the
 * boot partition by number on the disk the BIOS started it from, whatever others there are: a
 * prefix without a disk ("(,gpt2)/grub") is one of that disk (grub-core/kern/main.c,
 * grub_set_prefix_and_root).
 *
 * Two slots: grub.cfg chooses, and counts starts in grub/grubenv, which GRUB writes in place (see
 * slots.h; `grub-editenv /boot/grub/grubenv set left_a=good` marks a slot good). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/bootloader.h"
#include "bootloader/grub_config.h"
#include "bootloader/grub_image.h"
#include "bootloader/system.h"
#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/scratch.h"
#include "flash/base/spawn.h"
#include "flash/disk/tree.h"

enum { CORE_MAX_BYTES = 480 << 10 }; /* it is loaded below 0x9fc00 of 1 MiB, at 0x8000 and up */

/* The modules that the core is told to have: disks by the BIOS, both tables, FAT, the shell with
 * its menu and test, Linux, a file of variables, a serial console. */
#define MODULES                                                                                    \
	"biosdisk", "part_msdos", "part_gpt", "fat", "normal", "test", "linux", "loadenv", "serial"

/* What is started first, what grub-mkimage puts in front, and each module with those that it needs,
 * which moddep.lst lists. Of Debian's grub-pc-bin, usr/lib/grub/i386-pc. */
static const char *const files[] = {
	"boot.img",
	"diskboot.img",
	"kernel.img",
	"lzma_decompress.img",
	"moddep.lst",
	"biosdisk.mod",
	"boot.mod",
	"bufio.mod",
	"crypto.mod",
	"datetime.mod",
	"disk.mod",
	"extcmd.mod",
	"fat.mod",
	"fshelp.mod",
	"gettext.mod",
	"linux.mod",
	"loadenv.mod",
	"mmap.mod",
	"net.mod",
	"normal.mod",
	"part_gpt.mod",
	"part_msdos.mod",
	"priority_queue.mod",
	"relocator.mod",
	"serial.mod",
	"terminal.mod",
	"terminfo.mod",
	"test.mod",
	"vbe.mod",
	"verifiers.mod",
	"video.mod",
	"video_fb.mod",
};
enum { N_FILES = sizeof files / sizeof *files };

static const char *grub_firmware(const struct board *b, size_t index)
{
	(void)b;
	return index < N_FILES ? files[index] : NULL;
}

/* ---- Making the core ------------------------------------------------------------------------ */

static int save_file(const struct boot_input *in, const char *folder, const char *file,
		     struct err *e)
{
	CLEANUP(buf_release) struct buf path = {0};
	const char *text = NULL;
	struct span content;

	if (boot_firmware_find(in, file, &content, e) < 0)
		return -1;
	buf_printf(&path, "%s/%s", folder, file);
	if (buf_text(&path, &text, e) < 0)
		return -1;
	return fdio_save(text, content.bytes, content.n_bytes, 0600, e);
}

static int run_mkimage(const struct boot_input *in, const char *folder, const char *prefix,
		       struct err *e)
{
	const char *const argv[] = {
		"grub-mkimage", "--format=i386-pc",  "--directory=.", "--prefix",
		prefix,         "--output=core.img", MODULES,         NULL};
	const struct spawn s = {
		.argv = argv,
		.folder = folder,
		.packages = "grub-common",
		.cancel = in->cancel,
	};

	return spawn_run(&s, e);
}

static int make_core(const struct boot_input *in, uint8_t **out, size_t *out_n_bytes, struct err *e)
{
	CLEANUP(scratch_freep) char *folder = NULL;
	CLEANUP(buf_release) struct buf path = {0};
	const char *text = NULL;
	char prefix[40];

	if (scratch_new(in->scratch_folder, &folder, e) < 0)
		return -1;
	for (size_t i = 0; i < N_FILES; i++)
		if (save_file(in, folder, files[i], e) < 0)
			return -1;
	(void)snprintf(prefix, sizeof prefix, "(,%s%u)/grub",
		       in->table == TABLE_GPT ? "gpt" : "msdos", in->slots[0].boot_partition);
	if (run_mkimage(in, folder, prefix, e) < 0)
		return -1;
	buf_printf(&path, "%s/core.img", folder);
	if (buf_text(&path, &text, e) < 0)
		return -1;
	return fdio_load(text, CORE_MAX_BYTES, out, out_n_bytes, e);
}

/* ---- Placing it ----------------------------------------------------------------------------- */

static int find_place(const struct boot_input *in, uint64_t *out_offset_bytes, uint64_t *out_bytes,
		      struct err *e)
{
	if (in->table != TABLE_GPT) {
		*out_offset_bytes = GRUB_SECTOR_BYTES;
		*out_bytes = in->first_partition_bytes - GRUB_SECTOR_BYTES;
		return 0;
	}
	if (in->bios_boot_offset_bytes == 0)
		return err_set(e, ERR_USAGE,
			       "GRUB on a GPT needs a partition of type bios-boot for its core; "
			       "add one of 1M to the profile, or use --table mbr");
	*out_offset_bytes = in->bios_boot_offset_bytes;
	*out_bytes = in->bios_boot_bytes;
	return 0;
}

static int check_room(const struct boot_input *in, uint64_t room_bytes, size_t core_bytes,
		      struct err *e)
{
	if (core_bytes <= room_bytes)
		return 0;
	return err_set(e, ERR_USAGE, "GRUB's core of %zu bytes does not fit the %" PRIu64 " %s",
		       core_bytes, room_bytes,
		       in->table == TABLE_GPT ? "of the partition of type bios-boot; make that 1M"
					      : "before the first partition; let that start at 1M");
}

static int add_boot_code(const struct boot_input *in, struct boot_output *out, struct err *e)
{
	CLEANUP(freep) uint8_t *core = NULL;
	uint8_t code[GRUB_BOOT_CODE_BYTES];
	struct span boot_img;
	uint64_t offset_bytes = 0;
	uint64_t room_bytes = 0;
	size_t core_bytes = 0;

	if (find_place(in, &offset_bytes, &room_bytes, e) < 0 ||
	    boot_firmware_find(in, "boot.img", &boot_img, e) < 0 ||
	    make_core(in, &core, &core_bytes, e) < 0 ||
	    check_room(in, room_bytes, core_bytes, e) < 0 ||
	    grub_core_place(core, core_bytes, offset_bytes, e) < 0 ||
	    grub_boot_code(boot_img, offset_bytes, code, e) < 0)
		return -1;
	if (boot_output_add(out, "GRUB boot code", 0, (struct span){code, sizeof code}, e) < 0)
		return -1;
	return boot_output_add(out, "GRUB core", offset_bytes, (struct span){core, core_bytes}, e);
}

/* ---- Files on the boot partition ------------------------------------------------------------ */

static int add_files(const struct boot_input *in, struct err *e)
{
	CLEANUP(buf_release) struct buf config = {0};
	CLEANUP(buf_release) struct buf environment = {0};
	struct tree *boot = in->slots[0].boot;

	for (size_t i = 0; i < in->n_slots; i++)
		if (system_add(in, &in->slots[i], e) < 0)
			return -1;
	if (grub_config(in, &config, e) < 0 ||
	    tree_add_copy(boot, "grub/grub.cfg", config.bytes, config.n_bytes, e) < 0)
		return -1;
	if (in->n_slots < 2)
		return 0;
	grub_environment(&environment);
	if (buf_check(&environment, e) < 0)
		return -1;
	return tree_add_copy(boot, "grub/grubenv", environment.bytes, environment.n_bytes, e);
}

static int check_board(const struct boot_input *in, struct err *e)
{
	const char *arch = in->board->arch;

	if (strcmp(arch, "x86_64") != 0 && strcmp(arch, "i386") != 0)
		return err_set(e, ERR_USAGE,
			       "method grub is for a PC, and %s is of architecture %s; take "
			       "another method",
			       in->board->id, arch);
	if (in->n_slots > 1 && !in->slots[0].is_boot_shared)
		return err_set(e, ERR_USAGE,
			       "GRUB chooses between slots from one boot partition that both "
			       "share; leave out `slotted` of that partition of %s",
			       in->board->id);
	return 0;
}

static int grub_add(const struct boot_input *in, struct boot_output *out, struct err *e)
{
	if (check_board(in, e) < 0 || add_files(in, e) < 0)
		return -1;
	return add_boot_code(in, out, e);
}

const struct boot_method boot_method_grub = {
	.name = "grub",
	.title = "GRUB for a PC with BIOS firmware",
	.kind = BOOT_BIOS,
	.has_slots = true,
	.has_fallback = true,
	.firmware = grub_firmware,
	.add = grub_add,
};
