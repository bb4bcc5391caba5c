/* Paths and lines of a profile's keys. See profile_spot.h. */
#include "boards/profile_spot.h"

#include <stdarg.h>
#include <stdio.h>

/* A path that does not fit is none that yaml_lines_new would have taken. */
static void append(const struct profile_spot *s, const char *key, char path[YAML_PATH_BYTES])
{
	int n_bytes = snprintf(path, YAML_PATH_BYTES, "%s%s%s", s->path, *s->path ? "." : "", key);

	if (n_bytes < 0 || n_bytes >= YAML_PATH_BYTES)
		path[0] = '\0';
}

struct profile_spot profile_spot_at(const struct profile_spot *s, const char *key)
{
	struct profile_spot inner = {.where = s->where, .lines = s->lines};

	append(s, key, inner.path);
	return inner;
}

struct profile_spot profile_spot_entry(const struct profile_spot *s, const char *key, unsigned i)
{
	char text[YAML_PATH_BYTES];

	(void)snprintf(text, sizeof text, "%s[%u]", key, i);
	return profile_spot_at(s, text);
}

const struct yaml_node *profile_spot_node(const struct profile_spot *s, const char *key)
{
	char path[YAML_PATH_BYTES];

	append(s, key, path);
	return yaml_lines_at(s->lines, path);
}

int profile_spot_fault(const struct profile_spot *s, const char *key, struct err *e,
		       const char *fmt, ...)
{
	const struct yaml_node *node = profile_spot_node(s, key);
	char text[ERR_TEXT_BYTES];
	va_list args;

	if (!node)
		node = yaml_lines_at(s->lines, s->path);
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return err_set(e, ERR_USAGE, "%s:%u: %s", s->where, node ? node->line : 1, text);
}
