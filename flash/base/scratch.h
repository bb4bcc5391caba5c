/* A folder of our own for files that are only needed for a while. */
#pragma once

#include "flash/base/err.h"

/* Make a folder below parent that nobody else can look into; its path is the caller's, for
 * scratch_free. Fails with ERR_IO, naming parent. */
int scratch_new(const char *parent, char **out_path, struct err *e);

/* Remove the folder with all that is in it (links, not what they point to), and free path, which
 * may be NULL. What cannot be removed is left. */
void scratch_free(char *path);
static inline void scratch_freep(char **path)
{
	scratch_free(*path);
}
