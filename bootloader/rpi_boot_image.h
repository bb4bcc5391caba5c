/* boot.img, a FAT with all that the boot loader of a Raspberry Pi 4 or 5 starts, and boot.sig,
 * which it checks when secure boot is on. */
#pragma once

#include "bootloader/bootloader.h"
#include "flash/base/err.h"
#include "flash/disk/tree.h"

/* Make boot.img of content, sign it, and add both to the slot's tree. The image stays in the
 * scratch folder until it has been copied from there. Fails as mkfs does, as the signer does, and
 * with ERR_IO for the scratch folder. */
int rpi_boot_image_add(const struct boot_input *in, const struct boot_slot *slot,
		       struct tree *content, struct err *e);
