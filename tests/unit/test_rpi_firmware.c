/* The firmware of a Raspberry Pi: what it reads, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bootloader/rpi_config.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"
#include "flash/trust/digest.h"
#include "tests/unit/boot_fixture.h"

enum { IMAGE_MAX_BYTES = 64 << 20 };

/* A board, its firmware files as a profile lists them, and device trees. */
struct pi {
	struct boot_fixture f;
	struct board_firmware listed[8];
	char *methods[2];
	struct tree dtbs; /* owned */
	struct boot_signer signer;
};

static const struct boot_method *rpi(void)
{
	const struct boot_method *m = NULL;
	struct err e;

	assert_int_equal(boot_method_by_name("rpi-firmware", &m, &e), 0);
	return m;
}

static void list(struct pi *p, const char *file)
{
	p->listed[p->f.board.n_firmware++] = (struct board_firmware){.file = (char *)file};
	p->f.board.firmware = p->listed;
}

static void list_and_find(struct pi *p, const char *file)
{
	list(p, file);
	boot_fixture_firmware(&p->f, file, file, strlen(file));
}

static void give_dtb(struct pi *p, const char *path)
{
	struct err e;

	assert_int_equal(tree_add_text(&p->dtbs, path, path, &e), 0);
	p->f.payload.dtbs = &p->dtbs;
}

/* A Pi 4 with one slot. */
static void setup(struct pi *p, const char *arch, size_t n_slots)
{
	*p = (struct pi){0};
	boot_fixture_init(&p->f, arch, n_slots);
	p->f.build.methods = p->methods;
	p->methods[p->f.build.n_methods++] = (char *)"rpi-firmware";
	list_and_find(p, "start4.elf");
	list_and_find(p, "fixup4.dat");
	give_dtb(p, "broadcom/bcm2711-rpi-4-b.dtb");
}

/* The same with U-Boot. */
static void setup_u_boot(struct pi *p, size_t n_slots)
{
	setup(p, "arm64", n_slots);
	p->methods[p->f.build.n_methods++] = (char *)"extlinux";
	list_and_find(p, "u-boot.bin");
}

static void release(struct pi *p)
{
	tree_release(&p->dtbs);
	boot_fixture_release(&p->f);
}

/* The error's text, of ERR_USAGE; "" when there is none. */
static const char *add(struct pi *p)
{
	static struct err e;

	e = (struct err){0};
	if (rpi()->add(&p->f.in, &p->f.out, &e) < 0)
		assert_int_equal(e.code, ERR_USAGE);
	return e.text;
}

static const char *text(const struct pi *p, const char *path)
{
	return boot_fixture_text(&p->f.boot[0], path);
}

static bool has(const struct pi *p, const char *path)
{
	return tree_find(&p->f.boot[0], path) != NULL;
}

/* ---- texts ------------------------------------------------------------------------------------
 */

static void autoboot_names_both_partitions(void **state)
{
	struct buf b = {0};
	const char *autoboot = NULL;
	struct err e;

	(void)state;
	rpi_append_autoboot(2, 3, &b);
	assert_int_equal(buf_text(&b, &autoboot, &e), 0);
	assert_string_equal(autoboot, "[all]\n"
				      "tryboot_a_b=1\n"
				      "boot_partition=2\n"
				      "[tryboot]\n"
				      "boot_partition=3\n");
	buf_release(&b);
}

static void boot_sig_has_three_lines(void **state)
{
	static const uint8_t sha256[32] = {0xab, 0xcd};
	static const uint8_t signature[RPI_SIGNATURE_BYTES] = {[255] = 0x12};
	struct buf b = {0};
	const char *sig = NULL;
	struct err e;

	(void)state;
	rpi_append_boot_sig(sha256, 1577836800, signature, &b);
	assert_int_equal(buf_text(&b, &sig, &e), 0);
	assert_int_equal(strlen(sig), 64 + 1 + strlen("ts: 1577836800\nrsa2048: ") + 512 + 1);
	assert_memory_equal(sig, "abcd0000", 8);
	assert_memory_equal(sig + 64, "\nts: 1577836800\nrsa2048: 0000", 29);
	assert_string_equal(sig + strlen(sig) - 5, "0012\n");
	buf_release(&b);
}

static void serial_consoles_are_known(void **state)
{
	(void)state;
	assert_true(rpi_has_serial_console("console=tty1 console=serial0,115200"));
	assert_true(rpi_has_serial_console("console=ttyAMA0"));
	assert_true(rpi_has_serial_console("console=ttyS1,115200"));
	assert_false(rpi_has_serial_console("console=tty1"));
}

/* ---- one slot ---------------------------------------------------------------------------------
 */

static void kernel_of_64_bits_starts(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	assert_string_equal(add(&p), "");
	assert_string_equal(text(&p, "config.txt"),
			    "# Made by lkflash. Settings of your own go into usercfg.txt.\n"
			    "arm_64bit=1\n"
			    "kernel=kernel8.img\n"
			    "initramfs initrd.img followkernel\n"
			    "include usercfg.txt\n");
	assert_string_equal(text(&p, "kernel8.img"), "KERNEL");
	assert_string_equal(text(&p, "initrd.img"), "INITRD");
	assert_string_equal(text(&p, "cmdline.txt"), "root=PARTUUID=01 ro\n");
	release(&p);
}

static void kernel_of_32_bits_without_initrd_starts(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm", 1);
	p.f.payload.initrd = (struct span){0};
	p.f.slots[0].cmdline = "console=serial0,115200";
	assert_string_equal(add(&p), "");
	assert_string_equal(text(&p, "config.txt"),
			    "# Made by lkflash. Settings of your own go into usercfg.txt.\n"
			    "arm_64bit=0\n"
			    "kernel=kernel.img\n"
			    "enable_uart=1\n"
			    "include usercfg.txt\n");
	assert_false(has(&p, "initrd.img"));
	release(&p);
}

static void files_of_the_profile_are_there(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	list_and_find(&p, "bootcode.bin");
	list_and_find(&p, "README");
	assert_string_equal(add(&p), "");
	assert_string_equal(text(&p, "start4.elf"), "start4.elf");
	assert_string_equal(text(&p, "fixup4.dat"), "fixup4.dat");
	assert_true(has(&p, "bootcode.bin"));
	assert_false(has(&p, "README"));
	release(&p);
}

static void files_that_are_needed_are_told(void **state)
{
	struct pi p;

	(void)state;
	setup_u_boot(&p, 1);
	assert_string_equal(rpi()->firmware(&p.f.board, 0), "start4.elf");
	assert_string_equal(rpi()->firmware(&p.f.board, 1), "fixup4.dat");
	assert_string_equal(rpi()->firmware(&p.f.board, 2), "u-boot.bin");
	assert_null(rpi()->firmware(&p.f.board, 3));
	release(&p);
}

static void optional_file_may_be_missing(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	list(&p, "start4x.elf");
	p.listed[2].is_optional = true;
	assert_string_equal(add(&p), "");
	assert_false(has(&p, "start4x.elf"));
	release(&p);
}

static void missing_file_is_named(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	list(&p, "start4x.elf");
	assert_non_null(strstr(add(&p), "firmware file start4x.elf is missing"));
	release(&p);
}

/* ---- device trees -----------------------------------------------------------------------------
 */

static void device_trees_of_all_models_are_beside_the_kernel(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	give_dtb(&p, "rockchip/rk3399-rock-pi-4b.dtb");
	give_dtb(&p, "overlays/disable-bt.dtbo");
	assert_string_equal(add(&p), "");
	assert_true(has(&p, "bcm2711-rpi-4-b.dtb"));
	assert_true(has(&p, "overlays/disable-bt.dtbo"));
	assert_false(has(&p, "rk3399-rock-pi-4b.dtb"));
	release(&p);
}

static void firmware_is_told_of_names_that_linux_gives(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	give_dtb(&p, "broadcom/bcm2837-rpi-3-b.dtb");
	assert_string_equal(add(&p), "");
	assert_non_null(strstr(text(&p, "config.txt"), "\nupstream_kernel=1\n"));
	release(&p);
}

static void device_tree_of_the_profile_is_the_only_one(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	p.f.build.dtb = (char *)"broadcom/bcm2711-rpi-4-b.dtb";
	give_dtb(&p, "broadcom/bcm2837-rpi-3-b.dtb");
	assert_string_equal(add(&p), "");
	assert_non_null(
		strstr(text(&p, "config.txt"), "\ndevice_tree=bcm2711-rpi-4-b.dtb\ninclude"));
	assert_true(has(&p, "bcm2711-rpi-4-b.dtb"));
	assert_false(has(&p, "bcm2837-rpi-3-b.dtb"));
	release(&p);
}

static void device_tree_of_the_profile_that_was_not_given_is_named(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	p.f.build.dtb = (char *)"broadcom/bcm2712-rpi-5-b.dtb";
	assert_non_null(strstr(add(&p), "broadcom/bcm2712-rpi-5-b.dtb"));
	release(&p);
}

static void no_device_tree_is_refused(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 1);
	p.f.payload.dtbs = NULL;
	assert_string_equal(add(&p),
			    "some-board takes its device tree (bcm2*.dtb) from the boot "
			    "partition, and none was given; give --dtb the folder of those of "
			    "the kernel");
	release(&p);
}

/* ---- two slots --------------------------------------------------------------------------------
 */

static void partition_of_a_slot_has_all_but_bootcode(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 2);
	list_and_find(&p, "bootcode.bin");
	boot_fixture_part_slots(&p.f);
	assert_string_equal(add(&p), "");
	assert_string_equal(boot_fixture_text(&p.f.boot[1], "cmdline.txt"),
			    "root=PARTUUID=02 ro\n");
	assert_true(has(&p, "start4.elf"));
	assert_false(has(&p, "bootcode.bin"));
	release(&p);
}

static void first_partition_says_which_slot_starts(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 2);
	list_and_find(&p, "bootcode.bin");
	boot_fixture_part_slots(&p.f);
	assert_string_equal(add(&p), "");
	assert_non_null(strstr(boot_fixture_text(&p.f.select, "autoboot.txt"),
			       "boot_partition=2\n[tryboot]\nboot_partition=3\n"));
	assert_non_null(tree_find(&p.f.select, "bootcode.bin"));
	assert_non_null(tree_find(&p.f.select, "config.txt"));
	assert_null(tree_find(&p.f.select, "start4.elf"));
	release(&p);
}

static void slots_on_one_partition_are_refused(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 2);
	assert_string_equal(add(&p),
			    "the firmware of a Pi chooses between boot partitions; give "
			    "some-board one for each slot (`slotted`), and a first one with "
			    "`content: select`");
	release(&p);
}

static void slots_without_a_partition_to_select_are_refused(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "arm64", 2);
	boot_fixture_part_slots(&p.f);
	p.f.in.select = NULL;
	assert_non_null(strstr(add(&p), "`content: select`"));
	release(&p);
}

/* ---- U-Boot -----------------------------------------------------------------------------------
 */

static void u_boot_is_the_kernel(void **state)
{
	struct pi p;

	(void)state;
	setup_u_boot(&p, 2);
	p.f.payload.dtbs = NULL;
	assert_string_equal(add(&p), "");
	assert_string_equal(text(&p, "config.txt"),
			    "# Made by lkflash. Settings of your own go into usercfg.txt.\n"
			    "arm_64bit=1\n"
			    "kernel=u-boot.bin\n"
			    "enable_uart=1\n"
			    "include usercfg.txt\n");
	assert_true(has(&p, "u-boot.bin"));
	assert_true(has(&p, "start4.elf"));
	assert_false(has(&p, "kernel8.img"));
	release(&p);
}

static void u_boot_with_a_partition_for_each_slot_is_refused(void **state)
{
	struct pi p;

	(void)state;
	setup_u_boot(&p, 2);
	boot_fixture_part_slots(&p.f);
	assert_string_equal(add(&p), "U-Boot on a Pi chooses between slots from one boot "
				     "partition; leave out `slotted` of that partition of "
				     "some-board");
	release(&p);
}

/* ---- boot.img ---------------------------------------------------------------------------------
 */

/* A signature that shows what was signed. */
static int sign(void *context, const uint8_t sha256[32], uint8_t signature[256], struct err *e)
{
	(void)context;
	(void)e;
	memset(signature, 0x5a, 256);
	memcpy(signature, sha256, 32);
	return 0;
}

static int fail_to_sign(void *context, const uint8_t sha256[32], uint8_t signature[256],
			struct err *e)
{
	(void)context;
	(void)sha256;
	(void)signature;
	return err_set(e, ERR_IO, "no random bytes");
}

static void setup_signed(struct pi *p, size_t n_slots)
{
	setup(p, "arm64", n_slots);
	p->signer.sign = sign;
	p->f.in.signer = &p->signer;
}

static void remove_image(const struct pi *p, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", p->f.scratch, name);
	assert_int_equal(unlink(path), 0);
}

static void boot_image_has_the_files_instead(void **state)
{
	struct pi p;

	(void)state;
	setup_signed(&p, 1);
	assert_string_equal(add(&p), "");
	assert_string_equal(text(&p, "config.txt"), "boot_ramdisk=1\n");
	assert_true(has(&p, "boot.img"));
	assert_true(has(&p, "boot.sig"));
	assert_false(has(&p, "start4.elf"));
	assert_false(has(&p, "kernel8.img"));
	remove_image(&p, "boot.img");
	release(&p);
}

static void boot_image_is_a_fat_of_whole_mebibytes(void **state)
{
	struct pi p;

	(void)state;
	setup_signed(&p, 1);
	assert_string_equal(add(&p), "");
	const struct tree_entry *image = tree_find(&p.f.boot[0], "boot.img");
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e;
	assert_int_equal(fdio_load(image->source_path, IMAGE_MAX_BYTES, &bytes, &n_bytes, &e), 0);
	assert_int_equal(n_bytes % MIB, 0);
	assert_memory_equal(bytes + 3, "mkfs.fat", 8);
	remove_image(&p, "boot.img");
	release(&p);
}

static void digest_of_the_boot_image_is_what_is_signed(void **state)
{
	struct pi p;
	uint8_t sha256[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e;

	(void)state;
	setup_signed(&p, 1);
	assert_string_equal(add(&p), "");
	const struct tree_entry *image = tree_find(&p.f.boot[0], "boot.img");
	assert_int_equal(fdio_load(image->source_path, IMAGE_MAX_BYTES, &bytes, &n_bytes, &e), 0);
	assert_int_equal(digest_sha256(bytes, n_bytes, sha256, &e), 0);
	const char *sig = text(&p, "boot.sig");
	assert_memory_equal(sig, format_hex(sha256, sizeof sha256, hex), 64);
	assert_memory_equal(strstr(sig, "rsa2048: ") + 9, hex, 64);
	assert_non_null(strstr(sig, "\nts: 1577836800\n"));
	remove_image(&p, "boot.img");
	release(&p);
}

static void each_slot_has_its_boot_image(void **state)
{
	struct pi p;

	(void)state;
	setup_signed(&p, 2);
	boot_fixture_part_slots(&p.f);
	assert_string_equal(add(&p), "");
	assert_string_not_equal(tree_find(&p.f.boot[0], "boot.img")->source_path,
				tree_find(&p.f.boot[1], "boot.img")->source_path);
	remove_image(&p, "boot-a.img");
	remove_image(&p, "boot-b.img");
	release(&p);
}

static void signature_that_fails_is_told(void **state)
{
	struct pi p;
	struct err e;

	(void)state;
	setup_signed(&p, 1);
	p.signer.sign = fail_to_sign;
	assert_int_equal(rpi()->add(&p.f.in, &p.f.out, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "making boot.img: no random bytes");
	remove_image(&p, "boot.img");
	release(&p);
}

static void scratch_folder_that_is_missing_is_told(void **state)
{
	struct pi p;
	struct err e;

	(void)state;
	setup_signed(&p, 1);
	p.f.in.scratch_folder = "/nowhere";
	assert_int_equal(rpi()->add(&p.f.in, &p.f.out, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "/nowhere/boot.img"));
	release(&p);
}

static void boot_image_for_a_pi_3_is_refused(void **state)
{
	struct pi p;

	(void)state;
	setup_signed(&p, 1);
	list_and_find(&p, "bootcode.bin");
	assert_string_equal(add(&p), "some-board starts by bootcode.bin, and boot.img is for the "
				     "boot loader of Pi 4 and 5; build without a key for firmware");
	release(&p);
}

static void boot_image_with_u_boot_is_refused(void **state)
{
	struct pi p;

	(void)state;
	setup_u_boot(&p, 1);
	p.signer.sign = sign;
	p.f.in.signer = &p.signer;
	assert_string_equal(add(&p), "what U-Boot starts on some-board would not be signed with "
				     "boot.img; build without a key for firmware");
	release(&p);
}

static void board_that_is_no_arm_is_refused(void **state)
{
	struct pi p;

	(void)state;
	setup(&p, "riscv64", 1);
	assert_string_equal(add(&p),
			    "method rpi-firmware is for a Raspberry Pi, and some-board is of "
			    "architecture riscv64; take another method");
	release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(autoboot_names_both_partitions),
		cmocka_unit_test(boot_sig_has_three_lines),
		cmocka_unit_test(serial_consoles_are_known),
		cmocka_unit_test(kernel_of_64_bits_starts),
		cmocka_unit_test(kernel_of_32_bits_without_initrd_starts),
		cmocka_unit_test(files_of_the_profile_are_there),
		cmocka_unit_test(files_that_are_needed_are_told),
		cmocka_unit_test(optional_file_may_be_missing),
		cmocka_unit_test(missing_file_is_named),
		cmocka_unit_test(device_trees_of_all_models_are_beside_the_kernel),
		cmocka_unit_test(firmware_is_told_of_names_that_linux_gives),
		cmocka_unit_test(device_tree_of_the_profile_is_the_only_one),
		cmocka_unit_test(device_tree_of_the_profile_that_was_not_given_is_named),
		cmocka_unit_test(no_device_tree_is_refused),
		cmocka_unit_test(partition_of_a_slot_has_all_but_bootcode),
		cmocka_unit_test(first_partition_says_which_slot_starts),
		cmocka_unit_test(slots_on_one_partition_are_refused),
		cmocka_unit_test(slots_without_a_partition_to_select_are_refused),
		cmocka_unit_test(u_boot_is_the_kernel),
		cmocka_unit_test(u_boot_with_a_partition_for_each_slot_is_refused),
		cmocka_unit_test(boot_image_has_the_files_instead),
		cmocka_unit_test(boot_image_is_a_fat_of_whole_mebibytes),
		cmocka_unit_test(digest_of_the_boot_image_is_what_is_signed),
		cmocka_unit_test(each_slot_has_its_boot_image),
		cmocka_unit_test(signature_that_fails_is_told),
		cmocka_unit_test(scratch_folder_that_is_missing_is_told),
		cmocka_unit_test(boot_image_for_a_pi_3_is_refused),
		cmocka_unit_test(boot_image_with_u_boot_is_refused),
		cmocka_unit_test(board_that_is_no_arm_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
