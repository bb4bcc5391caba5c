/* The kernel's command line. See cmdline.h. */
#include "provision/build/cmdline.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"

struct placeholder {
	const char *name;
	const char *value;   /* NULL: it cannot be filled in */
	const char *missing; /* what is not there then, and the way out */
};

enum { N_PLACEHOLDERS = 3 };

/* Does a word of the line begin so? */
static bool has_word(const char *line, const char *start)
{
	for (const char *at = strstr(line, start); at; at = strstr(at + 1, start))
		if (at == line || at[-1] == ' ')
			return true;
	return false;
}

static const struct placeholder *placeholder_at(const char *text, const struct placeholder *list)
{
	for (size_t i = 0; i < N_PLACEHOLDERS; i++)
		if (strncmp(text, list[i].name, strlen(list[i].name)) == 0)
			return &list[i];
	return NULL;
}

static int fill_in(const char *line, const struct placeholder *list, struct buf *out, struct err *e)
{
	while (*line) {
		const struct placeholder *p = placeholder_at(line, list);
		if (p && !p->value)
			return err_set(e, ERR_USAGE, "the command line says %s, but there is %s",
				       p->name, p->missing);
		if (p)
			buf_append_text(out, p->value);
		else
			buf_append(out, line, 1);
		line += p ? strlen(p->name) : 1;
	}
	return 0;
}

/* The profile's and the payload's, as they are. */
static void join(const struct cmdline_request *r, struct buf *out)
{
	bool has_profile = r->profile && !has_word(r->given, "console=");

	if (has_profile)
		buf_append_text(out, r->profile);
	if (has_profile && *r->given)
		buf_append_text(out, " ");
	buf_append_text(out, r->given);
}

int cmdline_make(const struct cmdline_request *r, char **out, struct err *e)
{
	const struct placeholder list[N_PLACEHOLDERS] = {
		{"{root}", r->root, "no root file system; give --rootfs"},
		{"{boot}", r->boot, "no boot partition on this board"},
		{"{slot}", r->slot, "no slot"},
	};
	CLEANUP(buf_release) struct buf joined = {0};
	CLEANUP(buf_release) struct buf line = {0};
	const char *text = NULL;

	join(r, &joined);
	if (buf_text(&joined, &text, e) < 0 || fill_in(text, list, &line, e) < 0)
		return -1;
	if (r->root && !has_word(text, "root="))
		buf_printf(&line, "%sroot=%s ro rootwait", line.n_bytes > 0 ? " " : "", r->root);
	if (buf_text(&line, &text, e) < 0)
		return -1;
	*out = strdup(text);
	return *out ? 0 : err_errno(e, "making the command line");
}
