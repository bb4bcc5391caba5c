/* The texts that GRUB reads from the boot partition. Pure. Source: GNU GRUB Manual 2.06, "Writing
 * full configuration files directly", "The GRUB environment block". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bootloader/bootloader.h"
#include "flash/base/buf.h"
#include "flash/base/err.h"

enum { GRUB_ENVIRONMENT_BYTES = 1024 }; /* grub/lib/envblk.h; save_env never changes the size */

/* grub.cfg. With one slot it starts it; with two it does as slots.h says, and shows both for a
 * second. A console that the command line of the first slot has
 * on a serial port is GRUB's as well. Fails with ERR_USAGE for a command line that GRUB cannot
 * pass on as it is, or that is too long with what GRUB puts in front. */
int grub_config(const struct boot_input *in, struct buf *out, struct err *e);

/* grubenv of a new image with two slots, GRUB_ENVIRONMENT_BYTES long. */
void grub_environment(struct buf *out);
