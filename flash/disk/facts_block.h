/* What /sys tells about one block device: the part of facts.c that needs no node in /dev. */
#pragma once

#include <sys/types.h>

#include "flash/disk/facts.h"

/* Fill f, which has path and real_path, with the facts about a block device. ERR_IO when the kernel
 * knows no such device, or its answers cannot be read. */
int facts_describe_block(struct facts *f, const char *root, dev_t device, struct err *e);
