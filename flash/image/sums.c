/* SHA256SUMS files. See sums.h. */
#include "flash/image/sums.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"

enum { DIGITS = 2 * SHA256_BYTES };

/* One line of the file: "digest, blank, blank or *, name", with a backslash in front when the name
 * has escapes in it (coreutils manual, "cksum output modes"). */
struct line {
	uint8_t digest[SHA256_BYTES];
	char *name; /* borrowed from the text */
};

/* Undo "\\", "\n" and "\r" in place. */
static bool unescape(char *name)
{
	char *to = name;

	for (const char *p = name; *p; p++) {
		char c = *p;
		if (c == '\\') {
			c = *++p;
			if (c != '\\' && c != 'n' && c != 'r')
				return false;
			if (c != '\\')
				c = c == 'n' ? '\n' : '\r';
		}
		*to++ = c;
	}
	*to = '\0';
	return true;
}

static bool parse_line(char *text, struct line *out)
{
	bool is_escaped = text[0] == '\\';

	if (is_escaped)
		text++;
	if (strlen(text) < DIGITS + 3 || text[DIGITS] != ' ' ||
	    (text[DIGITS + 1] != ' ' && text[DIGITS + 1] != '*'))
		return false;
	text[DIGITS] = '\0';
	out->name = text + DIGITS + 2;
	return parse_hex(text, out->digest, SHA256_BYTES) && (!is_escaped || unescape(out->name));
}

/* What was found for a name so far. */
struct finding {
	bool is_found;
	uint8_t digest[SHA256_BYTES];
};

static int take_line(char *text, size_t number, const char *name, struct finding *f, struct err *e)
{
	struct line l = {0};

	if (text[0] == '\0' || text[0] == '#')
		return 0;
	if (!parse_line(text, &l))
		return err_set(e, ERR_UNTRUSTED, "line %zu is not a digest and a name", number);
	if (strcmp(basename(l.name), name) != 0)
		return 0;
	if (f->is_found && memcmp(f->digest, l.digest, SHA256_BYTES) != 0)
		return err_set(e, ERR_UNTRUSTED, "%s is listed with two digests", name);
	f->is_found = true;
	memcpy(f->digest, l.digest, SHA256_BYTES);
	return 0;
}

int sums_find(const void *text, size_t text_bytes, const char *name, uint8_t out[SHA256_BYTES],
	      struct err *e)
{
	struct finding f = {0};
	size_t number = 0;

	if (memchr(text, '\0', text_bytes))
		return err_set(e, ERR_UNTRUSTED, "a list of digests has no NUL in it");
	CLEANUP(freep) char *copy = strndup(text, text_bytes);
	if (!copy)
		return err_errno(e, "reading a list of digests");
	name = basename(name);
	for (char *rest = copy; rest;) {
		char *line = strsep(&rest, "\n");
		if (take_line(line, ++number, name, &f, e) < 0)
			return -1;
	}
	if (!f.is_found)
		return err_set(e, ERR_UNTRUSTED, "%s is not listed", name);
	memcpy(out, f.digest, SHA256_BYTES);
	return 0;
}
