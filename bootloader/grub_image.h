/* GRUB's boot sector and core for a PC BIOS, told where they are. Pure.
 *
 * boot.img fills a sector: its code loads one sector from the disk, whose number is at byte 0x5c,
 * and starts it. That is diskboot.img, the first sector of the core, which loads the rest: the runs
 * of sectors to load are a list that grows down from the end of the sector, each 12 bytes: start
 * (8), number of sectors (2), segment (2). grub-mkimage knows all of it but the start. Numbers are
 * little-endian, sectors of 512 bytes. Source: GRUB 2.06, grub-core/boot/i386/pc/boot.S and
 * diskboot.S, include/grub/i386/pc/boot.h, util/setup.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/bytes.h"
#include "flash/base/err.h"

enum {
	GRUB_SECTOR_BYTES = 512,
	/* What of boot.img goes into the first sector of a disk: behind it are the disk's
	 * signature and the table. */
	GRUB_BOOT_CODE_BYTES = 440,
};

/* The boot code that starts a core at core_offset_bytes, a multiple of 512. Fails with ERR_USAGE
 * when boot_img is not GRUB's. */
int grub_boot_code(struct span boot_img, uint64_t core_offset_bytes,
		   uint8_t out[GRUB_BOOT_CODE_BYTES], struct err *e);

/* Tell a core, made for core_offset_bytes, where its second sector is. Fails with ERR_USAGE when it
 * does not say that it loads exactly the rest of it. */
int grub_core_place(uint8_t *core, size_t core_bytes, uint64_t core_offset_bytes, struct err *e);
