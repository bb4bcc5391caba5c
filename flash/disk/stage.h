/* Laying content of a tree out as files, for programs that read files. */
#pragma once

#include "flash/base/bytes.h"
#include "flash/base/err.h"
#include "flash/disk/tree.h"

/* Make the file at path, which must not be there. Fails with ERR_IO. */
int stage_bytes(struct span content, const char *path, struct err *e);

/* The content of entry, a file: what is a file of this machine becomes a symbolic link to it. path
 * must not be there. Fails with ERR_IO. */
int stage_file(const struct tree_entry *entry, const char *path, struct err *e);
