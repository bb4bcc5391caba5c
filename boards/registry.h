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

/* Load the built-in profiles and then every *.yaml of folder (NULL or missing: none). A file's name
 * must be its id. Fails with ERR_USAGE as board_parse, with ERR_IO when a file cannot be read. */
int registry_load(const char *folder, struct registry **out, struct err *e);
void registry_free(struct registry *r);
static inline void registry_freep(struct registry **r)
{
	registry_free(*r);
}

/* Borrowed from r. Fails with ERR_USAGE and names the ids that come near, or the command that lists
 * all. */
int registry_by_id(const struct registry *r, const char *id, const struct board **out,
		   struct err *e);
