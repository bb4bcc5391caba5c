/* All board profiles: those built into the program, and those in a folder of the user's
 * (/etc/lkflash/boards.d), which win over built-in ones with the same id. */
#pragma once

#include <stddef.h>

#include "boards/profile.h"
#include "flash/base/err.h"

struct registry {
	struct board **boards; /* owned; sorted by id */
	size_t n_boards;
};

/* Load the built-in profiles and then every *.yaml of folder (NULL or missing: none; names that
 * begin with a dot are passed over). Fails as registry_load_file, and with ERR_IO when the folder
 * cannot be read. */
int registry_load(const char *folder, struct registry **out, struct err *e);
void registry_free(struct registry *r);
static inline void registry_freep(struct registry **r)
{
	registry_free(*r);
}

/* Load the profile in the file at path, which must be called after its id: "<id>.yaml". Fails with
 * ERR_USAGE as board_parse, with ERR_IO when the file cannot be read. */
int registry_load_file(const char *path, struct board **out, struct err *e);

/* Borrowed from r. Fails with ERR_USAGE and names the id that comes near, and the command that
 * lists all. */
int registry_by_id(const struct registry *r, const char *id, const struct board **out,
		   struct err *e);
