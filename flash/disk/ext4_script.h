/* The commands by which debugfs fills an empty ext4. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/disk/tree.h"

enum { EXT4_NAME_BYTES = 48 };

/* Where the script expects the content of entry i, and the value of its attribute j: names in the
 * folder in which debugfs runs. */
const char *ext4_script_content(char name[EXT4_NAME_BYTES], size_t i);
const char *ext4_script_value(char name[EXT4_NAME_BYTES], size_t i, size_t j);

/* Append the commands for t, which is sorted, to *out. default_time_s is the time that debugfs
 * gives to what it makes. Fails with ERR_USAGE, naming the entry, for what debugfs or ext4 cannot
 * take: a newline in a name, a link of 4096 bytes, more than 65000 hard links to a file, a device
 * number above 65535, more than 4000 bytes of attributes, a file called lost+found, names whose
 * command is too long. */
int ext4_script(const struct tree *t, int64_t default_time_s, struct buf *out, struct err *e);

/* A time as an ext4 made here has it: after 1970 and before 2038, because e2fsprogs 1.47 sets the
 * 32 bits of old times alone. */
int64_t ext4_script_time(int64_t time_s);
