/* A target in words. See describe.h. */
#include "provision/cli/describe.h"

#include <string.h>

#include "flash/base/buf.h"
#include "flash/base/units.h"

/* ", text" when there is text, after prefix. */
static void put(struct buf *out, const char *prefix, const char *text)
{
	if (!text || !text[0])
		return;
	buf_append_text(out, prefix);
	buf_append_clean(out, text);
}

void describe_target(const struct facts *f, struct buf *out)
{
	char size_text[UNITS_TEXT_BYTES];

	switch (f->kind) {
	case TARGET_BLOCK:
		buf_append_clean(out, f->model[0] ? f->model : "block device");
		break;
	case TARGET_MISSING:
		buf_append_text(out, "a new file");
		return;
	case TARGET_FOLDER:
		buf_append_text(out, "a folder");
		return;
	case TARGET_OTHER:
		buf_append_text(out, "no disk");
		return;
	case TARGET_FILE:
		buf_append_text(out, "a file");
		break;
	}
	put(out, ", ", units_format_bytes(f->size_bytes, size_text));
	put(out, ", serial ", f->serial);
	put(out, ", ", f->transport);
}

/* A file system may have several magics, a GPT has two copies and a protective MBR: once is enough.
 */
static bool is_told(const struct signatures *s, size_t i)
{
	if (strcmp(s->items[i].type, "PMBR") == 0)
		return true;
	for (size_t j = 0; j < i; j++)
		if (s->items[j].area_bytes == s->items[i].area_bytes &&
		    strcmp(s->items[j].type, s->items[i].type) == 0)
			return true;
	return false;
}

void describe_content(const struct signatures *s, struct buf *out)
{
	bool is_first = true;

	for (size_t i = 0; i < s->n_items; i++) {
		if (is_told(s, i))
			continue;
		put(out, is_first ? "" : ", ", s->items[i].type);
		is_first = false;
		if (!s->items[i].label[0])
			continue;
		put(out, " \"", s->items[i].label);
		buf_append_text(out, "\"");
	}
	if (is_first)
		buf_append_text(out, "nothing that is known");
}
