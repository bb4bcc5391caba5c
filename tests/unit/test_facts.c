/* Facts about targets, from a /sys and /proc that the test makes. */
#include "flash/disk/facts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/disk/facts_block.h"
#include "tests/lib/sys_tree.h"

/* ---- Fixtures ------------------------------------------------------------------------------- */

#define SATA_DISK "sys/devices/pci0000:00/ata1/host0/target0:0:0/0:0:0:0/block/sdb"
#define VIRTUAL   "sys/devices/virtual/block/"

/* The facts about a block device that needs no node. */
static struct facts *describe(const char *root, unsigned major_number, unsigned minor_number)
{
	struct facts *f = calloc(1, sizeof *f);
	struct err e = {0};

	assert_non_null(f);
	f->path = strdup("/dev/target");
	f->real_path = strdup("/dev/target");
	assert_int_equal(facts_describe_block(f, root, makedev(major_number, minor_number), &e), 0);
	return f;
}

static void assert_use(const struct facts *f, enum facts_use_kind kind, const char *what,
		       const char *by)
{
	assert_int_equal(f->n_uses, 1);
	assert_int_equal(f->uses[0].kind, kind);
	assert_string_equal(f->uses[0].what, what);
	assert_string_equal(f->uses[0].by, by);
}

/* ---- What a disk is ------------------------------------------------------------------------- */

static void idle_disk_has_no_uses(void **state)
{
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_int_equal(f->kind, TARGET_BLOCK);
	assert_int_equal(f->n_uses, 0);
	assert_false(f->is_partition);
	assert_null(f->disk_path);
	assert_false(f->is_read_only);
	assert_false(f->is_loop);
}

static void sizes_come_in_bytes(void **state)
{
	put(*state, USB_DISK "/queue/logical_block_size", "4096\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_int_equal(f->size_bytes, 1048576);
	assert_int_equal(f->sector_bytes, 4096);
}

static void usb_disk_is_hotplug_and_has_the_serial_of_the_usb_device(void **state)
{
	const char *root = *state;

	put(root, USB_DISK "/device/vendor", "SanDisk \n");
	put(root, USB_DISK "/device/model", "Ultra           \n");
	put(root, USB_DISK "/device/serial", "made up\n");
	put(root, "sys/devices/pci0000:00/usb1/1-2/idVendor", "0781\n");
	put(root, "sys/devices/pci0000:00/usb1/1-2/serial", "4C530001\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 8, 0);

	assert_true(f->is_hotplug);
	assert_string_equal(f->transport, "usb");
	assert_string_equal(f->model, "SanDisk Ultra");
	assert_string_equal(f->serial, "4C530001");
}

static void sata_disk_is_fixed(void **state)
{
	const char *root = *state;

	put_disk(root, SATA_DISK, "8:16");
	put(root, SATA_DISK "/device/vendor", "ATA     \n");
	put(root, SATA_DISK "/device/model", "Samsung SSD 860\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 8, 16);

	assert_false(f->is_hotplug);
	assert_false(f->is_removable);
	assert_string_equal(f->transport, "sata");
	assert_string_equal(f->model, "Samsung SSD 860");
}

static void scsi_serial_is_read_from_its_page(void **state)
{
	CLEANUP(freep) char *path = NULL;
	struct err e = {0};

	assert_true(asprintf(&path, "%s/%s", (char *)*state, USB_DISK "/device/vpd_pg80") > 0);
	put(*state, USB_DISK "/device/model", "Disk\n");
	assert_int_equal(fdio_save(path, "\0\200\0\4 AB1", 8, 0644, &e), 0);
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_string_equal(f->serial, "AB1");
}

static void disk_behind_a_removable_port_is_hotplug(void **state)
{
	const char *root = *state;

	put_disk(root, "sys/devices/pci0000:00/0000:05:00.0/nvme/nvme1/nvme1n1", "259:5");
	put(root, "sys/devices/pci0000:00/0000:05:00.0/removable", "removable\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 259, 5);

	assert_string_equal(f->transport, "nvme");
	assert_true(f->is_hotplug);
}

static void sd_card_is_hotplug(void **state)
{
	const char *root = *state;

	put_disk(root, "sys/devices/platform/mmc_host/mmc0/mmc0:0001/block/mmcblk0", "179:0");
	put(root, "sys/devices/platform/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/type", "SD\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 179, 0);

	assert_string_equal(f->transport, "mmc");
	assert_true(f->is_hotplug);
}

static void soldered_emmc_is_fixed(void **state)
{
	const char *root = *state;

	put_disk(root, "sys/devices/platform/mmc_host/mmc0/mmc0:0001/block/mmcblk0", "179:0");
	put(root, "sys/devices/platform/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/type",
	    "MMC\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 179, 0);

	assert_false(f->is_hotplug);
}

static void removable_medium_is_told(void **state)
{
	put(*state, USB_DISK "/removable", "1\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_true(f->is_removable);
}

static void read_only_disk_is_told(void **state)
{
	put(*state, USB_DISK "/ro", "1\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_true(f->is_read_only);
}

static void partition_names_its_disk(void **state)
{
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 1);

	assert_true(f->is_partition);
	assert_string_equal(f->disk_path, "/dev/sda");
}

static void readable_id_goes_before_a_number(void **state)
{
	const char *root = *state;

	put_link(root, "dev/disk/by-id", "scsi-3500a07", "dev/sda");
	put_link(root, "dev/disk/by-id", "usb-SanDisk_Ultra-0:0", "dev/sda");
	put_link(root, "dev/disk/by-id", "usb-Other-0:0", "dev/sdb");
	CLEANUP(facts_freep) struct facts *f = describe(root, 8, 0);

	assert_string_equal(f->by_id, "/dev/disk/by-id/usb-SanDisk_Ultra-0:0");
}

static void number_is_better_than_no_id(void **state)
{
	put_link(*state, "dev/disk/by-id", "wwn-0x500a07", "dev/sda");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_string_equal(f->by_id, "/dev/disk/by-id/wwn-0x500a07");
}

static void loop_device_on_a_file_is_told_with_its_file(void **state)
{
	const char *root = *state;

	put_disk(root, VIRTUAL "loop3", "7:3");
	put(root, VIRTUAL "loop3/loop/backing_file", "/home/u/card.img\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 7, 3);

	assert_true(f->is_loop);
	assert_true(f->is_hotplug);
	assert_string_equal(f->transport, "loop");
	assert_string_equal(f->model, "/home/u/card.img");
	assert_int_equal(f->n_uses, 0);
}

static void loop_device_on_a_disk_is_as_fixed_as_that(void **state)
{
	const char *root = *state;

	put_disk(root, VIRTUAL "loop3", "7:3");
	put(root, VIRTUAL "loop3/loop/backing_file", "/dev/sda\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 7, 3);

	assert_false(f->is_loop);
	assert_false(f->is_hotplug);
}

/* ---- Who uses it ---------------------------------------------------------------------------- */

static void mounted_disk_is_found_by_number(void **state)
{
	put(*state, "proc/self/mountinfo", "30 21 8:0 / /mnt rw - ext4 /dev/disk/by-label/x rw\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_use(f, USE_MOUNT, "/mnt", "/dev/sda");
}

static void mounted_partition_is_a_use_of_its_disk(void **state)
{
	put(*state, "proc/self/mountinfo",
	    "30 21 8:1 / /media/a\\040b rw master:1 shared:2 - vfat /dev/sda1 rw\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_use(f, USE_MOUNT, "/media/a b", "/dev/sda1");
}

static void mount_with_a_number_of_its_own_is_found_by_its_source(void **state)
{
	put(*state, "proc/self/mountinfo", "30 21 0:44 /vol /mnt rw - btrfs /dev/sda1 rw\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_use(f, USE_MOUNT, "/mnt", "/dev/sda1");
}

static void mount_of_another_disk_is_no_use(void **state)
{
	put(*state, "proc/self/mountinfo", "30 21 8:160 / /mnt rw - ext4 /dev/sda10 rw\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_int_equal(f->n_uses, 0);
}

static void disk_of_the_running_system_is_told(void **state)
{
	put(*state, "proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/root rw\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_use(f, USE_SYSTEM, "/", "/dev/sda1");
}

static void partition_shares_the_uses_of_its_disk(void **state)
{
	const char *root = *state;

	put_partition(root, USB_DISK "/sda2", "8:2");
	put(root, "proc/self/mountinfo", "21 1 8:2 / / rw - ext4 /dev/sda2 rw\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 8, 1);

	assert_use(f, USE_SYSTEM, "/", "/dev/sda2");
}

static void swap_on_a_partition_is_told(void **state)
{
	put(*state, "proc/swaps",
	    "Filename\t\t\tType\t\tSize\tUsed\tPriority\n"
	    "/dev/sda1                               partition\t1020\t0\t-2\n");
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_use(f, USE_SWAP, "swap", "/dev/sda1");
}

static void kernel_without_swap_is_fine(void **state)
{
	CLEANUP(freep) char *path = NULL;

	assert_true(asprintf(&path, "%s/proc/swaps", (char *)*state) > 0);
	assert_int_equal(unlink(path), 0);
	CLEANUP(facts_freep) struct facts *f = describe(*state, 8, 0);

	assert_int_equal(f->n_uses, 0);
}

static void device_mapper_on_a_partition_is_a_holder(void **state)
{
	const char *root = *state;

	put_disk(root, VIRTUAL "dm-0", "253:0");
	put(root, VIRTUAL "dm-0/dm/name", "vg-root\n");
	put_link(root, USB_DISK "/sda1/holders", "dm-0", VIRTUAL "dm-0");
	CLEANUP(facts_freep) struct facts *f = describe(root, 8, 0);

	assert_use(f, USE_HOLDER, "dm-0 (vg-root)", "/dev/sda1");
}

static void system_on_lvm_on_raid_is_found_through_both(void **state)
{
	const char *root = *state;

	put_disk(root, VIRTUAL "md127", "9:127");
	put_disk(root, VIRTUAL "dm-0", "253:0");
	put_link(root, USB_DISK "/sda1/holders", "md127", VIRTUAL "md127");
	put_link(root, VIRTUAL "md127/holders", "dm-0", VIRTUAL "dm-0");
	put(root, "proc/self/mountinfo", "21 1 253:0 / / rw - ext4 /dev/mapper/vg-root rw\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 8, 0);

	assert_int_equal(f->n_uses, 3);
	assert_int_equal(f->uses[0].kind, USE_SYSTEM);
	assert_string_equal(f->uses[0].by, "/dev/dm-0");
	assert_string_equal(f->uses[1].what, "md127");
	assert_string_equal(f->uses[2].what, "dm-0");
	assert_string_equal(f->uses[2].by, "/dev/md127");
}

static void loop_device_on_a_disk_is_a_holder(void **state)
{
	const char *root = *state;

	put_disk(root, VIRTUAL "loop3", "7:3");
	put(root, VIRTUAL "loop3/loop/backing_file", "/dev/sda\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 8, 0);

	assert_use(f, USE_HOLDER, "loop3", "/dev/sda");
}

static void loop_device_on_a_system_disk_shares_its_uses(void **state)
{
	const char *root = *state;

	put_disk(root, VIRTUAL "loop3", "7:3");
	put(root, VIRTUAL "loop3/loop/backing_file", "/dev/sda1\n");
	put(root, "proc/self/mountinfo", "21 1 8:0 / / rw - ext4 /dev/sda rw\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 7, 3);

	assert_use(f, USE_SYSTEM, "/", "/dev/sda");
}

static void second_device_of_a_mounted_btrfs_is_held(void **state)
{
	const char *root = *state;

	put_link(root, "sys/fs/btrfs/0fc0-ffee/devices", "sda1", USB_DISK "/sda1");
	put(root, "sys/fs/btrfs/features/raid56", "1\n");
	CLEANUP(facts_freep) struct facts *f = describe(root, 8, 0);

	assert_use(f, USE_HOLDER, "btrfs 0fc0-ffee", "/dev/sda1");
}

static void unreadable_mount_table_is_an_io_error(void **state)
{
	CLEANUP(facts_freep) struct facts *f = calloc(1, sizeof *f);
	CLEANUP(freep) char *path = NULL;
	struct err e = {0};

	assert_true(asprintf(&path, "%s/proc/self/mountinfo", (char *)*state) > 0);
	assert_int_equal(unlink(path), 0);
	assert_non_null(f);
	f->path = strdup("/dev/sda");
	assert_int_equal(facts_describe_block(f, *state, makedev(8, 0), &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void device_unknown_to_the_kernel_is_an_io_error(void **state)
{
	CLEANUP(facts_freep) struct facts *f = calloc(1, sizeof *f);
	struct err e = {0};

	assert_non_null(f);
	f->path = strdup("/dev/sdz");
	assert_int_equal(facts_describe_block(f, *state, makedev(8, 144), &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "looking at /dev/sdz: "));
}

/* ---- Paths ---------------------------------------------------------------------------------- */

static struct facts *gather(const char *path, const char *root)
{
	struct facts *f = NULL;
	struct err e = {0};

	assert_int_equal(facts_gather(path, root, &f, &e), 0);
	return f;
}

static void missing_path_is_told_as_missing(void **state)
{
	CLEANUP(facts_freep) struct facts *f = gather("/nonexistent/card.img", *state);

	assert_int_equal(f->kind, TARGET_MISSING);
	assert_string_equal(f->real_path, "/nonexistent/card.img");
}

static void folder_is_told_as_folder(void **state)
{
	CLEANUP(facts_freep) struct facts *f = gather("/tmp", *state);

	assert_int_equal(f->kind, TARGET_FOLDER);
}

static void character_device_is_told_as_other(void **state)
{
	CLEANUP(facts_freep) struct facts *f = gather("/dev/null", *state);

	assert_int_equal(f->kind, TARGET_OTHER);
}

static void regular_file_has_its_size(void **state)
{
	CLEANUP(freep) char *path = NULL;

	put(*state, "card.img", "12345");
	assert_true(asprintf(&path, "%s/card.img", (char *)*state) > 0);
	CLEANUP(facts_freep) struct facts *f = gather(path, *state);

	assert_int_equal(f->kind, TARGET_FILE);
	assert_int_equal(f->size_bytes, 5);
	assert_int_equal(f->n_uses, 0);
	assert_string_equal(f->transport, "");
}

static void file_under_a_loop_device_is_held_whatever_its_name(void **state)
{
	const char *root = *state;
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *link_path = NULL;

	put(root, "card.img", "12345");
	put_disk(root, VIRTUAL "loop3", "7:3");
	assert_true(asprintf(&path, "%s/card.img", root) > 0);
	assert_true(asprintf(&link_path, "%s/other.img", root) > 0);
	assert_int_equal(link(path, link_path), 0);
	put(root, VIRTUAL "loop3/loop/backing_file", path);
	CLEANUP(facts_freep) struct facts *f = gather(link_path, root);

	assert_use(f, USE_HOLDER, "loop3", link_path);
}

static void file_that_is_swapped_to_is_told(void **state)
{
	const char *root = *state;
	CLEANUP(freep) char *path = NULL;

	put(root, "swapfile", "12345");
	assert_true(asprintf(&path, "%s/swapfile", root) > 0);
	put(root, "proc/swaps", path);
	CLEANUP(facts_freep) struct facts *f = gather(path, root);

	assert_use(f, USE_SWAP, "swap", path);
}

/* ---- Listing -------------------------------------------------------------------------------- */

/* A file in root, open, and the facts about it. */
struct opened {
	char *path;          /* owned */
	int fd;              /* owned */
	struct facts *facts; /* owned */
};

static struct opened open_file(const char *root)
{
	struct opened o = {0};
	struct err e = {0};

	put(root, "disk.img", "12345");
	assert_true(asprintf(&o.path, "%s/disk.img", root) > 0);
	o.fd = open(o.path, O_RDONLY | O_CLOEXEC);
	assert_true(o.fd >= 0);
	assert_int_equal(facts_gather(o.path, root, &o.facts, &e), 0);
	return o;
}

static void opened_release(struct opened *o)
{
	facts_free(o->facts);
	closep(&o->fd);
	free(o->path);
}

static void file_that_is_open_is_the_one_described(void **state)
{
	CLEANUP(opened_release) struct opened o = open_file(*state);
	struct err e = {0};

	assert_int_equal(facts_check_open(o.facts, o.fd, &e), 0);
}

static void file_that_took_the_name_of_the_open_one_is_refused(void **state)
{
	CLEANUP(opened_release) struct opened o = open_file(*state);
	CLEANUP(facts_freep) struct facts *after = NULL;
	struct err e = {0};

	assert_int_equal(unlink(o.path), 0);
	put(*state, "disk.img", "12345");
	assert_int_equal(facts_gather(o.path, *state, &after, &e), 0);
	assert_int_equal(facts_check_open(after, o.fd, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void name_that_went_away_is_refused(void **state)
{
	CLEANUP(opened_release) struct opened o = open_file(*state);
	CLEANUP(facts_freep) struct facts *after = NULL;
	struct err e = {0};

	assert_int_equal(unlink(o.path), 0);
	assert_int_equal(facts_gather(o.path, *state, &after, &e), 0);
	assert_int_equal(facts_check_open(after, o.fd, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void file_that_took_the_name_of_a_disk_is_refused(void **state)
{
	CLEANUP(opened_release) struct opened o = open_file(*state);
	CLEANUP(facts_freep) struct facts *disk = describe(*state, 8, 0);
	struct err e = {0};

	assert_int_equal(facts_check_open(disk, o.fd, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void disks_that_could_be_targets_are_listed_as_people_count(void **state)
{
	const char *root = *state;
	char **paths = NULL;
	struct err e = {0};

	put_disk(root, VIRTUAL "loop10", "7:10");
	put_disk(root, VIRTUAL "loop2", "7:2");
	assert_int_equal(facts_list_disks(root, &paths, &e), 0);
	assert_string_equal(paths[0], "/dev/loop2");
	assert_string_equal(paths[1], "/dev/loop10");
	assert_string_equal(paths[2], "/dev/sda");
	assert_null(paths[3]);
	facts_free_paths(paths);
}

static void what_never_is_a_target_is_not_listed(void **state)
{
	const char *root = *state;
	char **paths = NULL;
	struct err e = {0};

	put_disk(root, VIRTUAL "ram0", "1:0");
	put_disk(root, VIRTUAL "dm-0", "253:0");
	put_disk(root, VIRTUAL "mmcblk0boot0", "179:8");
	put_disk(root, VIRTUAL "nvme0c0n1", "259:1");
	put(root, VIRTUAL "nvme0c0n1/hidden", "1\n");
	put_disk(root, VIRTUAL "loop2", "7:2");
	put(root, VIRTUAL "loop2/size", "0\n");
	assert_int_equal(facts_list_disks(root, &paths, &e), 0);
	assert_string_equal(paths[0], "/dev/sda");
	assert_null(paths[1]);
	facts_free_paths(paths);
}

static void node_in_a_folder_of_its_own_is_listed_with_its_path(void **state)
{
	const char *root = *state;
	char **paths = NULL;
	struct err e = {0};

	put_disk(root, "sys/devices/pci0000:00/block/cciss!c0d0", "104:0");
	assert_int_equal(facts_list_disks(root, &paths, &e), 0);
	assert_string_equal(paths[0], "/dev/cciss/c0d0");
	facts_free_paths(paths);
}

static void without_a_kernel_tree_there_is_no_list(void **state)
{
	char **paths = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(facts_list_disks("/nonexistent", &paths, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_null(paths);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, setup_tree, teardown_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TREE(idle_disk_has_no_uses),
		WITH_TREE(sizes_come_in_bytes),
		WITH_TREE(usb_disk_is_hotplug_and_has_the_serial_of_the_usb_device),
		WITH_TREE(sata_disk_is_fixed),
		WITH_TREE(scsi_serial_is_read_from_its_page),
		WITH_TREE(disk_behind_a_removable_port_is_hotplug),
		WITH_TREE(sd_card_is_hotplug),
		WITH_TREE(soldered_emmc_is_fixed),
		WITH_TREE(removable_medium_is_told),
		WITH_TREE(read_only_disk_is_told),
		WITH_TREE(partition_names_its_disk),
		WITH_TREE(readable_id_goes_before_a_number),
		WITH_TREE(number_is_better_than_no_id),
		WITH_TREE(loop_device_on_a_file_is_told_with_its_file),
		WITH_TREE(loop_device_on_a_disk_is_as_fixed_as_that),
		WITH_TREE(mounted_disk_is_found_by_number),
		WITH_TREE(mounted_partition_is_a_use_of_its_disk),
		WITH_TREE(mount_with_a_number_of_its_own_is_found_by_its_source),
		WITH_TREE(mount_of_another_disk_is_no_use),
		WITH_TREE(disk_of_the_running_system_is_told),
		WITH_TREE(partition_shares_the_uses_of_its_disk),
		WITH_TREE(swap_on_a_partition_is_told),
		WITH_TREE(kernel_without_swap_is_fine),
		WITH_TREE(device_mapper_on_a_partition_is_a_holder),
		WITH_TREE(system_on_lvm_on_raid_is_found_through_both),
		WITH_TREE(loop_device_on_a_disk_is_a_holder),
		WITH_TREE(loop_device_on_a_system_disk_shares_its_uses),
		WITH_TREE(second_device_of_a_mounted_btrfs_is_held),
		WITH_TREE(unreadable_mount_table_is_an_io_error),
		WITH_TREE(device_unknown_to_the_kernel_is_an_io_error),
		WITH_TREE(missing_path_is_told_as_missing),
		WITH_TREE(folder_is_told_as_folder),
		WITH_TREE(character_device_is_told_as_other),
		WITH_TREE(regular_file_has_its_size),
		WITH_TREE(file_under_a_loop_device_is_held_whatever_its_name),
		WITH_TREE(file_that_is_swapped_to_is_told),
		WITH_TREE(file_that_is_open_is_the_one_described),
		WITH_TREE(file_that_took_the_name_of_the_open_one_is_refused),
		WITH_TREE(name_that_went_away_is_refused),
		WITH_TREE(file_that_took_the_name_of_a_disk_is_refused),
		WITH_TREE(disks_that_could_be_targets_are_listed_as_people_count),
		WITH_TREE(what_never_is_a_target_is_not_listed),
		WITH_TREE(node_in_a_folder_of_its_own_is_listed_with_its_path),
		WITH_TREE(without_a_kernel_tree_there_is_no_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
