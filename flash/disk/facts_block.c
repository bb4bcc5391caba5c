/* What /sys tells about one block device. See facts_block.h. */
#include "flash/disk/facts_block.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"
#include "flash/disk/facts_uses.h"
#include "flash/disk/stack.h"
#include "flash/disk/sysfs.h"

/* ---- How it is attached --------------------------------------------------------------------- */

/* What a disk hangs on, by its own folder or one above, whose name is the prefix and a number. The
 * first row that fits counts: a disk behind a USB bridge is SCSI as well. */
static const struct {
	const char *prefix;
	const char *transport;
	bool is_hotplug; /* somebody attached it by hand, and can take it away */
} transports[] = {
	{"loop", "loop", true},  {"zram", "zram", true},        {"nbd", "nbd", true},
	{"usb", "usb", true},    {"fw", "firewire", true},      {"mmc", "mmc", false},
	{"nvme", "nvme", false}, {"session", "iscsi", false},   {"rport-", "fc", false},
	{"ata", "sata", false},  {"end_device-", "sas", false}, {"virtio", "virtio", false},
	{"vbd-", "xen", false},  {"md", "md", false},           {"dm-", "dm", false},
};

static bool has_folder(const char *path, const char *prefix)
{
	size_t n_prefix = strlen(prefix);

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/'))
		if (strncmp(p + 1, prefix, n_prefix) == 0 &&
		    isdigit((unsigned char)p[1 + n_prefix]))
			return true;
	return false;
}

/* A port that says of what is behind it that it can be removed: Thunderbolt, card slots. */
static bool is_behind_removable_port(const char *folder)
{
	CLEANUP(freep) char *above = strdup(folder);
	char text[SYSFS_TEXT_BYTES];

	for (char *slash = above ? strrchr(above, '/') : NULL; slash; slash = strrchr(above, '/')) {
		*slash = '\0';
		if (sysfs_text(above, "removable", text) && strcmp(text, "removable") == 0)
			return true;
	}
	return false;
}

/* SD cards are put in by hand; an eMMC, which has the same driver, is soldered. */
static bool is_sd_card(const char *folder)
{
	char text[SYSFS_TEXT_BYTES];

	return sysfs_text(folder, "device/type", text) && strcmp(text, "SD") == 0;
}

static int describe_transport(struct facts *f, const char *folder, struct err *e)
{
	const char *transport = "";

	for (size_t i = 0; i < sizeof transports / sizeof *transports && !*transport; i++) {
		if (!has_folder(folder, transports[i].prefix))
			continue;
		transport = transports[i].transport;
		f->is_hotplug = transports[i].is_hotplug;
	}
	free(f->transport);
	f->transport = strdup(transport);
	if (!f->transport)
		return err_errno(e, "looking at %s", f->path);
	f->is_hotplug = f->is_hotplug || is_sd_card(folder) || is_behind_removable_port(folder);
	return 0;
}

/* A loop device on a block device is no more removable than that one, and we do not look down. */
static void describe_loop(struct facts *f, const char *root, const char *folder)
{
	dev_t backing = 0;

	if (strcmp(f->transport, "loop") != 0)
		return;
	f->is_loop = !stack_loop_backing(root, folder, &backing);
	f->is_hotplug = f->is_loop;
}

/* ---- What it calls itself ------------------------------------------------------------------- */

static void replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

/* "Samsung SSD 980", "SanDisk Ultra", "SC64G"; of a loop device the file. */
static int describe_model(struct facts *f, const char *folder, struct err *e)
{
	char vendor[SYSFS_TEXT_BYTES];
	char model[SYSFS_TEXT_BYTES];
	char *text = NULL;

	if (!sysfs_text(folder, "device/model", model) && !sysfs_text(folder, "device/name", model))
		(void)sysfs_text(folder, "loop/backing_file", model);
	/* "ATA" stands for SATA in general; virtio has a number here. */
	bool has_vendor = sysfs_text(folder, "device/vendor", vendor) && *model &&
			  strcmp(vendor, "ATA") != 0 && !parse_has_prefix(vendor, "0x");
	if (asprintf(&text, "%s%s%s", has_vendor ? vendor : "", has_vendor ? " " : "", model) < 0)
		return err_errno(e, "looking at %s", f->path);
	replace(&f->model, text);
	return 0;
}

/* The serial number of the USB device above the disk: what bridges say behind it is often made up.
 */
static bool usb_serial(const char *folder, char text[SYSFS_TEXT_BYTES])
{
	CLEANUP(freep) char *above = strdup(folder);

	for (char *slash = above ? strrchr(above, '/') : NULL; slash; slash = strrchr(above, '/')) {
		*slash = '\0';
		if (sysfs_exists(above, "idVendor"))
			return sysfs_text(above, "serial", text);
	}
	return false;
}

/* SCSI "unit serial number" page as the kernel shows it: 4 bytes, then the number. sysfs_text would
 * stop at its zeros. */
static bool scsi_serial(const char *folder, char text[SYSFS_TEXT_BYTES])
{
	CLEANUP(freep) char *path = sysfs_join(folder, "device/vpd_pg80");
	CLEANUP(fclosep) FILE *file = path ? fopen(path, "re") : NULL;
	uint8_t page[256];
	size_t n_bytes = file ? fread(page, 1, sizeof page, file) : 0;
	size_t n_text = 0;

	for (size_t i = 4; i < n_bytes; i++)
		if (isgraph(page[i]))
			text[n_text++] = (char)page[i];
	text[n_text] = '\0';
	return n_text > 0;
}

static int describe_serial(struct facts *f, const char *folder, struct err *e)
{
	char serial[SYSFS_TEXT_BYTES] = "";
	bool is_told = strcmp(f->transport, "usb") == 0 && usb_serial(folder, serial);

	is_told = is_told || sysfs_text(folder, "device/serial", serial) ||
		  sysfs_text(folder, "serial", serial) || scsi_serial(folder, serial);
	replace(&f->serial, strdup(is_told ? serial : ""));
	return f->serial ? 0 : err_errno(e, "looking at %s", f->path);
}

/* Names by number tell a person nothing. */
static bool is_readable_id(const char *name)
{
	static const char *const numbers[] = {"wwn-",   "nvme-eui.", "nvme-uuid.", "nvme-nvme.",
					      "scsi-3", "lvm-pv-",   "dm-uuid-",   "md-uuid-"};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (parse_has_prefix(name, numbers[i]))
			return false;
	return true;
}

/* Does folder/name link to a node of this name ("../../sda")? */
static bool is_link_to(const char *folder, const char *name, const char *node_name)
{
	CLEANUP(freep) char *path = sysfs_join(folder, name);
	char to[PATH_MAX];
	ssize_t n = path ? readlink(path, to, sizeof to - 1) : -1;

	if (n < 0)
		return false;
	to[n] = '\0';
	const char *slash = strrchr(to, '/');
	return strcmp(slash ? slash + 1 : to, node_name) == 0;
}

static int describe_by_id(struct facts *f, const char *root, const char *folder, struct err *e)
{
	CLEANUP(sysfs_names_freep) char **names = NULL;
	CLEANUP(freep) char *links = sysfs_join(root, "dev/disk/by-id");
	const char *chosen = NULL;
	const char *node_name = strrchr(folder, '/') + 1;
	char *text = NULL;

	if (!links)
		return err_errno(e, "looking at %s", f->path);
	if (sysfs_names(links, ".", &names, e) < 0)
		return -1;
	for (char **name = names; *name; name++)
		if (is_link_to(links, *name, node_name) &&
		    (!chosen || (!is_readable_id(chosen) && is_readable_id(*name))))
			chosen = *name;
	if (asprintf(&text, "%s%s", chosen ? "/dev/disk/by-id/" : "", chosen ? chosen : "") < 0)
		return err_errno(e, "looking at %s", f->path);
	replace(&f->by_id, text);
	return 0;
}

/* ---- Sizes ---------------------------------------------------------------------------------- */

enum { KERNEL_SECTOR_BYTES = 512 }; /* of the size attribute, whatever the device has */

static int describe_sizes(struct facts *f, const char *folder, const char *disk, struct err *e)
{
	uint64_t n_sectors = 0;
	uint64_t sector_bytes = 0;

	if (!sysfs_u64(folder, "size", &n_sectors) ||
	    !checked_mul(n_sectors, KERNEL_SECTOR_BYTES, &f->size_bytes) ||
	    !sysfs_u64(disk, "queue/logical_block_size", &sector_bytes) || sector_bytes == 0 ||
	    sector_bytes > UINT32_MAX)
		return err_set(e, ERR_IO, "the kernel does not tell the size of %s", f->path);
	f->sector_bytes = (uint32_t)sector_bytes;
	return 0;
}

int facts_describe_block(struct facts *f, const char *root, dev_t device, struct err *e)
{
	CLEANUP(freep) char *folder = NULL;

	f->kind = TARGET_BLOCK;
	f->device = device;
	if (sysfs_block_folder(root, device, &folder, e) < 0)
		return err_wrap(e, "looking at %s", f->path);
	CLEANUP(freep) char *disk = stack_disk_folder(folder);
	if (!disk)
		return err_errno(e, "looking at %s", f->path);
	f->is_partition = strcmp(disk, folder) != 0;
	f->disk_path = f->is_partition ? sysfs_node(disk) : NULL;
	if (f->is_partition && !f->disk_path)
		return err_errno(e, "looking at %s", f->path);
	f->is_read_only = sysfs_flag(folder, "ro") || sysfs_flag(disk, "ro");
	f->is_removable = sysfs_flag(disk, "removable");
	if (describe_sizes(f, folder, disk, e) < 0)
		return -1;
	if (describe_transport(f, disk, e) < 0)
		return -1;
	describe_loop(f, root, disk);
	if (describe_model(f, disk, e) < 0 || describe_serial(f, disk, e) < 0 ||
	    describe_by_id(f, root, folder, e) < 0)
		return -1;
	return facts_add_disk_uses(f, root, folder, e);
}
