/* A mapping in the text of a profile, to look at its keys and to tell their lines. Pure. */
#pragma once

#include "boards/yaml_lines.h"
#include "flash/base/err.h"

struct profile_spot {
	const char *where;              /* borrowed; names the profile */
	const struct yaml_lines *lines; /* borrowed */
	char path[YAML_PATH_BYTES];     /* "" for the profile itself, "build.partitions[2]" */
};

/* The mapping at key of s, or in entry i of the list at key. */
struct profile_spot profile_spot_at(const struct profile_spot *s, const char *key);
struct profile_spot profile_spot_entry(const struct profile_spot *s, const char *key, unsigned i);

/* The node of a key, which may go on, as "types[1]"; NULL when it is not there. */
const struct yaml_node *profile_spot_node(const struct profile_spot *s, const char *key);

/* A fault of that key: ERR_USAGE, "where:line: text". Where the key is missing, the line is that of
 * the mapping. Returns -1. */
int profile_spot_fault(const struct profile_spot *s, const char *key, struct err *e,
		       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
