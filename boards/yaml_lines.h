/* Where keys and values stand in a YAML text, so that errors can name the line. libcyaml itself
 * tells only the position of the value before a bad key. */
#pragma once

#include <stddef.h>

#include "flash/base/err.h"

enum {
	YAML_DEPTH_MAX = 8,
	YAML_NODES_MAX = 4096,
	YAML_PATH_BYTES = 128, /* of a path and its NUL; keys that make a longer one are refused */
};

/* A key, a scalar value, or the start of an entry of a sequence. */
struct yaml_node {
	char *path;    /* owned; "partitions[1].types[0]"; a key and its value have the same */
	char *text;    /* owned; of a key or scalar; NULL for a mapping or sequence */
	unsigned line; /* from 1, as column */
	unsigned column;
};

struct yaml_lines {
	struct yaml_node *nodes; /* owned; in order of the text */
	size_t n_nodes;
};

/* Read one YAML document of a mapping, in UTF-8. Fails with ERR_USAGE, "where:line: reason", for
 * what is not YAML, and for what no profile needs: aliases and anchors, tags, a second document,
 * control characters, more than the limits above. */
int yaml_lines_new(const char *where, const void *yaml, size_t yaml_bytes, struct yaml_lines **out,
		   struct err *e);
void yaml_lines_free(struct yaml_lines *l);
static inline void yaml_lines_freep(struct yaml_lines **l)
{
	yaml_lines_free(*l);
}

/* The node at path: the value where it is a scalar, else its key; NULL when there is none. */
const struct yaml_node *yaml_lines_at(const struct yaml_lines *l, const char *path);

/* The first node behind a position, NULL when there is none. */
const struct yaml_node *yaml_lines_behind(const struct yaml_lines *l, unsigned line,
					  unsigned column);
