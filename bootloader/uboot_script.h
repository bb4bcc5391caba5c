/* boot.scr, by which U-Boot chooses between two slots and counts starts (slots.h). Pure.
 *
 * Distro boot looks at each bootable partition for extlinux/extlinux.conf, and behind that for
 * boot.scr (doc/develop/distro.rst); its variables say where it was found: devtype, devnum,
 * distro_bootpart. The state is slots.txt beside it. The script uses commands that U-Boot has
 * unless a board's configuration turns them off: load, test, env import, env export, sysboot,
 * fatwrite. Where one cannot write a FAT, the start goes on and is not counted, so that only a slot
 * that cannot be loaded gives way. Of Debian's 2023.01 builds for boards, mx53loco and nitrogen6q
 * have no sysboot, and nokia_rx51 has no distro boot at all; the others have all of them. */
#pragma once

#include <stdint.h>

#include "bootloader/bootloader.h"
#include "flash/base/buf.h"
#include "flash/base/err.h"

/* The commands. With slots that share a boot partition, the script is there too and starts
 * extlinux/<slot>.conf; else it is on the partition for selecting, and each slot's has
 * extlinux/extlinux.conf. */
void uboot_slots_commands(const struct boot_input *in, struct buf *out);

/* Append a script as `source` takes it: the header of a legacy image with the digests, CRC-32, that
 * U-Boot checks (include/image.h), the length of the text, and the text. */
void uboot_script_wrap(struct span text, const char *arch, int64_t time_s, struct buf *out);

/* Add boot.scr and slots.txt for two slots. Fails as tree_add does. */
int uboot_slots_add(const struct boot_input *in, struct err *e);
