/* GRUB's boot sector and core. See grub_image.h. */
#include "bootloader/grub_image.h"

#include <string.h>

enum {
	KERNEL_SECTOR_AT = 0x5c, /* boot.h: GRUB_BOOT_MACHINE_KERNEL_SECTOR, 8 bytes */
	DRIVE_CHECK_AT = 0x66,   /* GRUB_BOOT_MACHINE_DRIVE_CHECK: a jump over the check below */
	SIGNATURE_AT = 510,
	RUN_BYTES = 12,
	RUN_AT = GRUB_SECTOR_BYTES - RUN_BYTES, /* GRUB_BOOT_MACHINE_LIST_SIZE: the first run */
	RUN_SECTORS_AT = RUN_AT + 8,
};

static const uint8_t short_jump = 0xeb;
static const uint8_t no_operation = 0x90;

int grub_boot_code(struct span boot_img, uint64_t core_offset_bytes,
		   uint8_t out[GRUB_BOOT_CODE_BYTES], struct err *e)
{
	uint8_t code[GRUB_SECTOR_BYTES];

	if (boot_img.n_bytes != sizeof code)
		return err_set(e, ERR_USAGE,
			       "GRUB's boot.img has %zu bytes, not %zu; take that of Debian's "
			       "grub-pc-bin",
			       boot_img.n_bytes, sizeof code);
	memcpy(code, boot_img.bytes, sizeof code);
	if (code[0] != short_jump || code[DRIVE_CHECK_AT] != short_jump ||
	    le16(code + SIGNATURE_AT) != 0xaa55 || le64(code + KERNEL_SECTOR_AT) != 1)
		return err_set(e, ERR_USAGE,
			       "boot.img is not GRUB's boot sector; take that of Debian's "
			       "grub-pc-bin");
	put_le64(code + KERNEL_SECTOR_AT, core_offset_bytes / GRUB_SECTOR_BYTES);
	/* Some BIOSes give a wrong number for the drive they boot from. Without the jump, the code
	 * takes the first hard disk for what cannot be one. */
	memset(code + DRIVE_CHECK_AT, no_operation, 2);
	memcpy(out, code, GRUB_BOOT_CODE_BYTES);
	return 0;
}

int grub_core_place(uint8_t *core, size_t core_bytes, uint64_t core_offset_bytes, struct err *e)
{
	const size_t n_sectors = (core_bytes + GRUB_SECTOR_BYTES - 1) / GRUB_SECTOR_BYTES;

	if (n_sectors < 2 || le16(core + RUN_SECTORS_AT) != n_sectors - 1 ||
	    !bytes_are_zero(core + RUN_AT - RUN_BYTES, RUN_BYTES))
		return err_set(e, ERR_USAGE,
			       "the core of %zu bytes that grub-mkimage made does not load its %zu "
			       "sectors; take GRUB's modules and grub-mkimage of one version",
			       core_bytes, n_sectors);
	put_le64(core + RUN_AT, core_offset_bytes / GRUB_SECTOR_BYTES + 1);
	return 0;
}
