/* What boot loaders that count starts themselves (GRUB, U-Boot) keep on the boot partition when
 * there are two slots, as lines NAME=VALUE:
 *
 *	first=a         the slot to start
 *	left_a=3        starts of slot a that are left: 3, 2, 1, 0, or "good": they are not counted
 *	left_b=good
 *
 * The boot loader takes one off before each start of a slot that is not good. It starts the first
 * slot; when none of its starts are left the other one; when none of either are left the first one
 * again, because a machine that starts sometimes is better than one that never does. A slot whose
 * kernel cannot be loaded gives way to the other at once. What marks a slot good is the system that
 * started from it; what updates a slot sets its starts to 3 and `first` to it. Pure. */
#pragma once

#include "flash/base/buf.h"

enum { SLOT_STARTS = 3 };

/* The lines of a new image. */
void slots_append_state(struct buf *out);
