/* Who uses a target: the part of facts.c that looks at mounts, swap areas and holders. */
#pragma once

#include "flash/disk/facts.h"

/* Append to f->uses who uses the disk whose folder in /sys is given, or anything on it. ERR_IO when
 * the kernel's answers cannot be read. */
int facts_add_disk_uses(struct facts *f, const char *root, const char *folder, struct err *e);

/* The same for the regular file f->real_path: loop devices on it, and swap. */
int facts_add_file_uses(struct facts *f, const char *root, struct err *e);
