/* Kernel, initrd and device trees as files. See system.h. */
#include "bootloader/system.h"

#include <stdio.h>
#include <string.h>

#include "flash/base/cleanup.h"

void system_name(const struct boot_slot *slot, char out[SYSTEM_NAME_BYTES])
{
	bool has_suffix = slot->is_boot_shared && slot->name[0] != '\0';

	(void)snprintf(out, SYSTEM_NAME_BYTES, "lkflash%s%s", has_suffix ? "-" : "",
		       has_suffix ? slot->name : "");
}

void system_title(const struct boot_input *in, const struct boot_slot *slot, struct buf *out)
{
	buf_append_text(out, "Linux");
	if (in->payload->version[0] != '\0') {
		buf_append_text(out, " ");
		buf_append_clean(out, in->payload->version);
	}
	if (slot->name[0] != '\0')
		buf_printf(out, ", slot %s", slot->name);
}

/* What the kernel keeps of its command line, with the NUL: COMMAND_LINE_SIZE in Linux 6.1,
 * arch/<arch>/include/uapi/asm/setup.h and arch/x86/include/asm/setup.h. */
static size_t cmdline_max_bytes(const char *arch)
{
	bool is_short = strcmp(arch, "arm") == 0 || strcmp(arch, "riscv64") == 0;

	return is_short ? 1024 : 2048;
}

int system_check_cmdline(const struct boot_input *in, const struct boot_slot *slot,
			 size_t n_added_bytes, struct err *e)
{
	size_t n_bytes = strlen(slot->cmdline);
	size_t n_max = cmdline_max_bytes(in->board->arch) - n_added_bytes;

	if (n_bytes >= n_max)
		return err_set(e, ERR_USAGE,
			       "the command line has %zu bytes, and a kernel for %s keeps %zu; "
			       "make it shorter",
			       n_bytes, in->board->arch, n_max - 1);
	for (size_t i = 0; i < n_bytes; i++)
		if ((unsigned char)slot->cmdline[i] < ' ' || slot->cmdline[i] == 0x7f)
			return err_set(e, ERR_USAGE,
				       "byte %zu of the command line is a control character; "
				       "put all of it on one line",
				       i + 1);
	return 0;
}

/* Another method may have added the same; anything else in its place is a mistake. */
static bool is_same(const struct tree_entry *there, const struct tree_entry *file)
{
	if (!there || (there->source_path != NULL) != (file->source_path != NULL))
		return false;
	if (file->source_path)
		return strcmp(there->source_path, file->source_path) == 0;
	return there->content.n_bytes == file->content.n_bytes &&
	       (file->content.n_bytes == 0 ||
		memcmp(there->content.bytes, file->content.bytes, file->content.n_bytes) == 0);
}

/* file, with its content or the path of it, as folder/name. */
static int add_file(struct tree *t, const char *folder, const char *name,
		    const struct tree_entry *file, struct err *e)
{
	CLEANUP(buf_release) struct buf path = {0};
	const char *text = NULL;

	buf_printf(&path, "%s/%s", folder, name);
	if (buf_text(&path, &text, e) < 0)
		return -1;
	if (is_same(tree_find(t, text), file))
		return 0;
	return file->source_path ? tree_add_path(t, text, file->source_path, e)
				 : tree_add(t, text, file->content, e);
}

int system_add(const struct boot_input *in, const struct boot_slot *slot, struct err *e)
{
	const struct tree_entry kernel = {.content = in->payload->kernel};
	const struct tree_entry initrd = {.content = in->payload->initrd};
	char name[SYSTEM_NAME_BYTES];

	system_name(slot, name);
	if (system_check_cmdline(in, slot, 0, e) < 0 ||
	    add_file(slot->boot, name, "kernel", &kernel, e) < 0)
		return -1;
	if (initrd.content.n_bytes == 0)
		return 0;
	return add_file(slot->boot, name, "initrd", &initrd, e);
}

const char *system_dtb(const struct boot_input *in)
{
	return in->payload->dtbs && in->board->build ? in->board->build->dtb : NULL;
}

int system_dtb_find(const struct boot_input *in, const struct tree_entry **out, struct err *e)
{
	const char *dtb = system_dtb(in);
	const struct tree_entry *entry = dtb ? tree_find(in->payload->dtbs, dtb) : NULL;

	if (!entry || entry->kind != TREE_FILE)
		return err_set(e, ERR_USAGE,
			       "device tree %s of %s is not among those given; give --dtb the "
			       "folder that it is below, of the same kernel",
			       dtb ? dtb : "", in->board->id);
	*out = entry;
	return 0;
}

static int add_dtb(struct tree *t, const char *folder, const struct tree_entry *entry,
		   struct err *e)
{
	if (entry->kind == TREE_FOLDER)
		return 0;
	if (entry->kind != TREE_FILE)
		return err_set(e, ERR_USAGE,
			       "%s in the folder of device trees is no file; put a file there",
			       entry->path);
	return add_file(t, folder, entry->path, entry, e);
}

int system_add_dtbs(const struct boot_input *in, struct tree *t, const char *folder, struct err *e)
{
	const struct tree *dtbs = in->payload->dtbs;
	const struct tree_entry *entry = NULL;

	if (!dtbs)
		return 0;
	if (system_dtb(in))
		return system_dtb_find(in, &entry, e) < 0 ? -1 : add_dtb(t, folder, entry, e);
	for (size_t i = 0; i < dtbs->n_entries; i++)
		if (add_dtb(t, folder, &dtbs->entries[i], e) < 0)
			return -1;
	return 0;
}
