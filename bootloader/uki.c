/* UEFI with a unified kernel image (UAPI.5): systemd's stub with the kernel, its initrd, its
 * command line and its device tree as sections, so that one signature covers all that is started.
 *
 * One slot: it is the program on the path for removable media, and there is no loader. Two slots:
 * systemd-boot is there, and starts EFI/Linux/lkflash-a+3.efi and lkflash-b.efi, which it sorts by
 * the IMAGE_ID in their .osrel, and counts as systemd_boot.c says. */
#include "bootloader/uefi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/pe.h"
#include "bootloader/system.h"
#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

enum {
	SECTIONS_MAX = 5,
	DTB_MAX_BYTES = 4 << 20, /* far above any; U-Boot keeps 4 MiB or less for one */
};

static const char *firmware(const struct board *b, size_t index)
{
	const struct uefi_arch *arch = uefi_arch(b);
	bool has_loader = b->build && b->build->slots_max > 1;

	if (!arch || index > (has_loader ? 1 : 0))
		return NULL;
	return index == 0 ? arch->stub : arch->systemd_boot;
}

/* What a unified kernel image is made of; the bytes are owned here or borrowed from the input. */
struct parts {
	struct pe_section sections[SECTIONS_MAX];
	size_t n_sections;
	struct buf os_release;
	uint8_t *dtb; /* owned */
};

static void parts_release(struct parts *p)
{
	buf_release(&p->os_release);
	free(p->dtb);
}

static void add_section(struct parts *p, const char *name, struct span content)
{
	if (content.n_bytes > 0)
		p->sections[p->n_sections++] = (struct pe_section){name, content};
}

/* os-release(5), with what systemd-boot shows and sorts by. */
static int make_os_release(const struct boot_input *in, const struct boot_slot *slot,
			   struct buf *out, struct err *e)
{
	CLEANUP(buf_release) struct buf title = {0};
	char name[SYSTEM_NAME_BYTES];
	const char *text = NULL;

	system_name(slot, name);
	system_title(in, slot, &title);
	if (buf_text(&title, &text, e) < 0)
		return -1;
	buf_printf(out, "ID=linux\nIMAGE_ID=%s\nPRETTY_NAME=\"", name);
	for (const char *c = text; *c; c++)
		buf_printf(out, "%s%c", strchr("\"$`\\", *c) ? "\\" : "", *c);
	buf_append_text(out, "\"\n");
	return buf_check(out, e);
}

static int add_dtb(const struct boot_input *in, struct parts *p, struct err *e)
{
	const struct tree_entry *entry = NULL;
	struct span content = {0};

	if (!system_dtb(in))
		return 0;
	if (system_dtb_find(in, &entry, e) < 0)
		return -1;
	content = entry->content;
	if (entry->source_path) {
		if (fdio_load(entry->source_path, DTB_MAX_BYTES, &p->dtb, &content.n_bytes, e) < 0)
			return -1;
		content.bytes = p->dtb;
	}
	add_section(p, ".dtb", content);
	return 0;
}

/* The kernel comes last: it may unpack itself over what is behind it. */
static int make_parts(const struct boot_input *in, const struct boot_slot *slot, struct parts *p,
		      struct err *e)
{
	struct span cmdline = {(const uint8_t *)slot->cmdline, strlen(slot->cmdline)};

	if (system_check_cmdline(in, slot, 0, e) < 0 ||
	    make_os_release(in, slot, &p->os_release, e) < 0)
		return -1;
	add_section(p, ".osrel", (struct span){p->os_release.bytes, p->os_release.n_bytes});
	add_section(p, ".cmdline", cmdline);
	if (add_dtb(in, p, e) < 0)
		return -1;
	add_section(p, ".initrd", in->payload->initrd);
	add_section(p, ".linux", in->payload->kernel);
	return 0;
}

static int add_image(const struct boot_input *in, const struct boot_slot *slot, struct span stub,
		     const char *path, struct err *e)
{
	CLEANUP(parts_release) struct parts parts = {0};
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	if (make_parts(in, slot, &parts, e) < 0)
		return -1;
	if (pe_append(stub, parts.sections, parts.n_sections, &bytes, &n_bytes, e) < 0)
		return err_wrap(e, "a unified kernel image of %s", uefi_arch(in->board)->stub);
	struct tree_entry entry = {
		.kind = TREE_FILE,
		.path = strdup(path),
		.content = {bytes, n_bytes},
		.mode = 0644,
		.mtime_s = in->time_s,
		.size_bytes = n_bytes,
	};
	if (!entry.path)
		return err_errno(e, "%s", path);
	entry.owned = TAKE(bytes);
	return tree_add_entry(slot->boot, &entry, e);
}

static int add_slots(const struct boot_input *in, const struct uefi_arch *arch, struct span stub,
		     struct err *e)
{
	if (uefi_add_systemd_boot(in, arch, e) < 0)
		return -1;
	for (size_t i = 0; i < in->n_slots; i++) {
		char name[UEFI_NAME_BYTES];
		char path[64];
		uefi_entry_name(&in->slots[i], name);
		(void)snprintf(path, sizeof path, "EFI/Linux/%s.efi", name);
		if (add_image(in, &in->slots[i], stub, path, e) < 0)
			return -1;
	}
	return 0;
}

static int add(const struct boot_input *in, struct boot_output *out, struct err *e)
{
	const struct uefi_arch *arch = NULL;
	struct span stub = {0};

	(void)out;
	if (uefi_check(in, &arch, e) < 0 ||
	    uefi_systemd_find(in, arch->stub, "systemd-stub", &stub, e) < 0)
		return -1;
	if (in->n_slots > 1)
		return add_slots(in, arch, stub, e);
	return add_image(in, &in->slots[0], stub, arch->path, e);
}

const struct boot_method boot_method_uki = {
	.name = "uki",
	.title = "UEFI with a unified kernel image",
	.kind = BOOT_UEFI,
	.has_slots = true,
	.has_fallback = true,
	.firmware = firmware,
	.add = add,
};
