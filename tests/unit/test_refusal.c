/* Which targets are refused, and with what words. */
#include "flash/disk/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/units.h"

/* A USB stick of 1 MiB that nobody uses. */
static struct facts usb_stick(void)
{
	return (struct facts){
		.kind = TARGET_BLOCK,
		.path = (char *)(uintptr_t) "/dev/sdb",
		.real_path = (char *)(uintptr_t) "/dev/sdb",
		.size_bytes = MIB,
		.sector_bytes = 512,
		.is_hotplug = true,
		.model = (char *)(uintptr_t) "SanDisk Ultra",
		.transport = (char *)(uintptr_t) "usb",
	};
}

static struct facts file_at(enum target_kind kind, const char *path)
{
	return (struct facts){
		.kind = kind,
		.path = (char *)(uintptr_t)path,
		.real_path = (char *)(uintptr_t)path,
		.size_bytes = MIB,
		.sector_bytes = 512,
	};
}

static struct facts_use use_of(enum facts_use_kind kind, const char *what, const char *by)
{
	return (struct facts_use){
		.kind = kind, .what = (char *)(uintptr_t)what, .by = (char *)(uintptr_t)by};
}

static void assert_refused(const struct facts *f, uint64_t image_size_bytes, const char *text)
{
	const struct refusal_policy p = {0};
	struct err e = {0};

	assert_int_equal(refusal_check(f, &p, image_size_bytes, NULL, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_string_equal(e.text, text);
}

static void assert_allowed(const struct facts *f, uint64_t image_size_bytes)
{
	const struct refusal_policy p = {0};
	const char *lifted = "untouched";
	struct err e = {0};

	assert_int_equal(refusal_check(f, &p, image_size_bytes, &lifted, &e), 0);
	assert_null(lifted);
}

static void idle_stick_is_allowed(void **state)
{
	const struct facts f = usb_stick();

	(void)state;
	assert_allowed(&f, MIB);
}

static void disk_of_the_running_system_is_refused(void **state)
{
	struct facts f = usb_stick();
	struct facts_use use = use_of(USE_SYSTEM, "/", "/dev/sdb2");

	(void)state;
	f.uses = &use;
	f.n_uses = 1;
	assert_refused(&f, MIB,
		       "/dev/sdb holds the running system (/ is on /dev/sdb2); choose another");
}

static void mounted_disk_is_refused_with_the_way_to_unmount(void **state)
{
	struct facts f = usb_stick();
	struct facts_use use = use_of(USE_MOUNT, "/media/u", "/dev/sdb1");

	(void)state;
	f.uses = &use;
	f.n_uses = 1;
	assert_refused(&f, MIB,
		       "/dev/sdb is in use: /dev/sdb1 is mounted on /media/u; unmount it first: "
		       "umount /media/u");
}

static void system_is_told_before_other_mounts(void **state)
{
	struct facts f = usb_stick();
	struct facts_use uses[] = {use_of(USE_MOUNT, "/boot", "/dev/sdb1"),
				   use_of(USE_SYSTEM, "/", "/dev/sdb2")};

	(void)state;
	f.uses = uses;
	f.n_uses = 2;
	assert_refused(&f, MIB,
		       "/dev/sdb holds the running system (/ is on /dev/sdb2); choose another");
}

static void swap_is_refused(void **state)
{
	struct facts f = usb_stick();
	struct facts_use use = use_of(USE_SWAP, "swap", "/dev/sdb1");

	(void)state;
	f.uses = &use;
	f.n_uses = 1;
	assert_refused(&f, MIB,
		       "/dev/sdb is in use: /dev/sdb1 is swapped to; stop that first: swapoff "
		       "/dev/sdb1");
}

static void lvm_member_is_refused(void **state)
{
	struct facts f = usb_stick();
	struct facts_use use = use_of(USE_HOLDER, "dm-0 (vg-root)", "/dev/sdb2");

	(void)state;
	f.uses = &use;
	f.n_uses = 1;
	assert_refused(&f, MIB,
		       "/dev/sdb is in use: /dev/sdb2 is held by dm-0 (vg-root); close it first, "
		       "with vgchange -an, cryptsetup close or dmsetup remove");
}

static void raid_member_is_refused(void **state)
{
	struct facts f = usb_stick();
	struct facts_use use = use_of(USE_HOLDER, "md127", "/dev/sdb2");

	(void)state;
	f.uses = &use;
	f.n_uses = 1;
	assert_refused(&f, MIB,
		       "/dev/sdb is in use: /dev/sdb2 is held by md127; stop it first: mdadm "
		       "--stop /dev/md127");
}

static void disk_under_a_loop_device_is_refused(void **state)
{
	struct facts f = usb_stick();
	struct facts_use use = use_of(USE_HOLDER, "loop3", "/dev/sdb");

	(void)state;
	f.uses = &use;
	f.n_uses = 1;
	assert_refused(&f, MIB,
		       "/dev/sdb is in use: /dev/sdb is held by loop3; detach it first: losetup -d "
		       "/dev/loop3");
}

static void member_of_a_mounted_btrfs_is_refused(void **state)
{
	struct facts f = usb_stick();
	struct facts_use use = use_of(USE_HOLDER, "btrfs 0fc0", "/dev/sdb");

	(void)state;
	f.uses = &use;
	f.n_uses = 1;
	assert_refused(&f, MIB,
		       "/dev/sdb is in use: /dev/sdb is held by btrfs 0fc0; stop that first");
}

static void partition_is_refused_with_its_disk(void **state)
{
	struct facts f = usb_stick();

	(void)state;
	f.path = (char *)(uintptr_t) "/dev/sdb1";
	f.is_partition = true;
	f.disk_path = (char *)(uintptr_t) "/dev/sdb";
	assert_refused(&f, MIB, "/dev/sdb1 is a partition; name the whole disk: /dev/sdb");
}

static void folder_is_refused(void **state)
{
	const struct facts f = file_at(TARGET_FOLDER, "/tmp");

	(void)state;
	assert_refused(&f, 0, "/tmp is a folder; name a disk or a file");
}

static void character_device_is_refused(void **state)
{
	const struct facts f = file_at(TARGET_OTHER, "/dev/null");

	(void)state;
	assert_refused(&f, 0, "/dev/null is neither a disk nor a regular file; name one of these");
}

static void missing_file_is_allowed(void **state)
{
	const struct facts f = file_at(TARGET_MISSING, "/home/u/card.img");

	(void)state;
	assert_allowed(&f, GIB);
}

static void missing_device_does_not_become_a_file(void **state)
{
	const struct facts f = file_at(TARGET_MISSING, "/dev/sdx");

	(void)state;
	assert_refused(&f, 0, "there is no /dev/sdx; lkflash devices shows the disks");
}

static void regular_file_among_the_devices_is_refused(void **state)
{
	const struct facts f = file_at(TARGET_FILE, "/dev/sdx");

	(void)state;
	assert_refused(&f, 0,
		       "/dev/sdx is a regular file where devices belong; remove it, then name a "
		       "disk that lkflash devices shows");
}

static void file_in_shared_memory_is_allowed(void **state)
{
	const struct facts f = file_at(TARGET_MISSING, "/dev/shm/card.img");

	(void)state;
	assert_allowed(&f, GIB);
}

static void read_only_disk_is_refused(void **state)
{
	struct facts f = usb_stick();

	(void)state;
	f.is_read_only = true;
	assert_refused(&f, MIB,
		       "/dev/sdb is read-only; move its write-protect switch, or lift the "
		       "protection: blockdev --setrw /dev/sdb");
}

static void read_only_file_is_refused(void **state)
{
	struct facts f = file_at(TARGET_FILE, "/cdrom/card.img");

	(void)state;
	f.is_read_only = true;
	assert_refused(&f, MIB,
		       "/cdrom/card.img is read-only; choose a folder that can be written");
}

static void card_reader_without_a_card_is_refused(void **state)
{
	struct facts f = usb_stick();

	(void)state;
	f.size_bytes = 0;
	assert_refused(&f, 0, "/dev/sdb has no medium; insert one");
}

static void fixed_disk_is_refused_with_the_flag_that_lifts_it(void **state)
{
	struct facts f = usb_stick();

	(void)state;
	f.is_hotplug = false;
	assert_refused(&f, MIB,
		       "/dev/sdb (SanDisk Ultra, 1.00 MiB) is a fixed disk, neither removable nor "
		       "hot-pluggable; if it is meant, say --allow-fixed-disk");
}

static void fixed_disk_is_allowed_by_its_flag_and_that_is_told(void **state)
{
	const struct refusal_policy p = {.is_fixed_disk_allowed = true};
	struct facts f = usb_stick();
	const char *lifted = NULL;
	struct err e = {0};

	(void)state;
	f.is_hotplug = false;
	assert_int_equal(refusal_check(&f, &p, MIB, &lifted, &e), 0);
	assert_string_equal(lifted, "--allow-fixed-disk");
}

static void flag_that_was_not_needed_is_not_told(void **state)
{
	const struct refusal_policy p = {.is_fixed_disk_allowed = true};
	const struct facts f = usb_stick();
	const char *lifted = "untouched";
	struct err e = {0};

	(void)state;
	assert_int_equal(refusal_check(&f, &p, MIB, &lifted, &e), 0);
	assert_null(lifted);
}

static void flag_for_fixed_disks_does_not_lift_a_mount(void **state)
{
	const struct refusal_policy p = {.is_fixed_disk_allowed = true};
	struct facts f = usb_stick();
	struct facts_use use = use_of(USE_MOUNT, "/media/u", "/dev/sdb1");
	const char *lifted = "untouched";
	struct err e = {0};

	(void)state;
	f.is_hotplug = false;
	f.uses = &use;
	f.n_uses = 1;
	assert_int_equal(refusal_check(&f, &p, MIB, &lifted, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_string_equal(lifted, "untouched");
}

static void removable_medium_and_loop_device_are_not_fixed(void **state)
{
	struct facts f = usb_stick();

	(void)state;
	f.is_hotplug = false;
	f.is_removable = true;
	assert_allowed(&f, MIB);
	f.is_removable = false;
	f.is_loop = true;
	assert_allowed(&f, MIB);
}

static void disk_one_byte_too_small_is_refused_with_both_sizes(void **state)
{
	const struct facts f = usb_stick();

	(void)state;
	assert_refused(&f, MIB + 1,
		       "/dev/sdb is too small: it has 1048576 bytes (1.00 MiB), the image has "
		       "1048577 (1.00 MiB); use a larger one");
}

static void image_of_unknown_size_is_not_held_against_the_disk(void **state)
{
	const struct facts f = usb_stick();

	(void)state;
	assert_allowed(&f, SIZE_UNKNOWN);
}

static void file_that_is_too_small_is_refused(void **state)
{
	const struct facts f = file_at(TARGET_FILE, "/home/u/card.img");

	(void)state;
	assert_refused(&f, 2 * MIB,
		       "/home/u/card.img is too small: it has 1048576 bytes (1.00 MiB), the image "
		       "has 2097152 (2.00 MiB); remove it, or enlarge it: truncate -s 2097152 "
		       "/home/u/card.img");
}

static void file_under_a_loop_device_is_refused(void **state)
{
	struct facts f = file_at(TARGET_FILE, "/home/u/card.img");
	struct facts_use use = use_of(USE_HOLDER, "loop3", "/home/u/card.img");

	(void)state;
	f.uses = &use;
	f.n_uses = 1;
	assert_refused(&f, MIB,
		       "/home/u/card.img is in use: /home/u/card.img is held by loop3; detach it "
		       "first: losetup -d /dev/loop3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_stick_is_allowed),
		cmocka_unit_test(disk_of_the_running_system_is_refused),
		cmocka_unit_test(mounted_disk_is_refused_with_the_way_to_unmount),
		cmocka_unit_test(system_is_told_before_other_mounts),
		cmocka_unit_test(swap_is_refused),
		cmocka_unit_test(lvm_member_is_refused),
		cmocka_unit_test(raid_member_is_refused),
		cmocka_unit_test(disk_under_a_loop_device_is_refused),
		cmocka_unit_test(member_of_a_mounted_btrfs_is_refused),
		cmocka_unit_test(partition_is_refused_with_its_disk),
		cmocka_unit_test(folder_is_refused),
		cmocka_unit_test(character_device_is_refused),
		cmocka_unit_test(missing_file_is_allowed),
		cmocka_unit_test(missing_device_does_not_become_a_file),
		cmocka_unit_test(regular_file_among_the_devices_is_refused),
		cmocka_unit_test(file_in_shared_memory_is_allowed),
		cmocka_unit_test(read_only_disk_is_refused),
		cmocka_unit_test(read_only_file_is_refused),
		cmocka_unit_test(card_reader_without_a_card_is_refused),
		cmocka_unit_test(fixed_disk_is_refused_with_the_flag_that_lifts_it),
		cmocka_unit_test(fixed_disk_is_allowed_by_its_flag_and_that_is_told),
		cmocka_unit_test(flag_that_was_not_needed_is_not_told),
		cmocka_unit_test(flag_for_fixed_disks_does_not_lift_a_mount),
		cmocka_unit_test(removable_medium_and_loop_device_are_not_fixed),
		cmocka_unit_test(disk_one_byte_too_small_is_refused_with_both_sizes),
		cmocka_unit_test(image_of_unknown_size_is_not_held_against_the_disk),
		cmocka_unit_test(file_that_is_too_small_is_refused),
		cmocka_unit_test(file_under_a_loop_device_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
