/* A slot's system in its boot partition: kernel, initrd and device trees in a folder of its own,
 * for all methods that read them as files. */
#pragma once

#include "bootloader/bootloader.h"

enum { SYSTEM_NAME_BYTES = 16 };

/* The name of a slot's system and of its folder: "lkflash", "lkflash-a", "lkflash-b". A slot with a
 * boot partition of its own has "lkflash", so that the partition's files do for either. */
void system_name(const struct boot_slot *slot, char out[SYSTEM_NAME_BYTES]);

/* "Linux 6.1, slot b", appended for menus. */
void system_title(const struct boot_input *in, const struct boot_slot *slot, struct buf *out);

/* Add NAME/kernel and, when there is one, NAME/initrd, unless another method has. Fails with
 * ERR_USAGE for a command line that the kernel would cut off, or that has control characters, and
 * as tree_add does. */
int system_add(const struct boot_input *in, const struct boot_slot *slot, struct err *e);

/* What system_add checks of the command line alone; n_added_bytes: what the loader puts in front.
 */
int system_check_cmdline(const struct boot_input *in, const struct boot_slot *slot,
			 size_t n_added_bytes, struct err *e);

/* The path below --dtb DIR of the device tree that the profile names; NULL when it names none, or
 * none were given: firmware has its own. Borrowed from the board. */
const char *system_dtb(const struct boot_input *in);

/* Its content. Fails with ERR_USAGE when it is not among those given. */
int system_dtb_find(const struct boot_input *in, const struct tree_entry **out, struct err *e);

/* Add below folder the device tree that the profile names, or all when it names none, unless
 * another method has. None when none were given. Fails as system_dtb_find and tree_add do, and for
 * links. */
int system_add_dtbs(const struct boot_input *in, struct tree *t, const char *folder, struct err *e);
