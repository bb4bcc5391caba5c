/* A target in words. See describe.h. */
#include "provision/cli/describe.h"

#include <string.h>

#include "flash/base/units.h"
#include "provision/cli/event_text.h"

/* ", text" when there is text, after prefix. */
static void put(struct buf *out, const char *prefix, const char *text)
{
	if (!text || !text[0])
		return;
	buf_append_text(out, prefix);
	text_put_clean(out, text);
}

void describe_target(const struct facts *f, struct buf *out)
{
	char size_text[UNITS_TEXT_BYTES];

	switch (f->kind) {
	case TARGET_BLOCK:
		text_put_clean(out, f->model[0] ? f->model : "block device");
		break;
	case TARGET_MISSING:
		buf_append_text(out, "a new file");
		return;
	case TARGET_FILE:
	case TARGET_FOLDER:
	case TARGET_OTHER:
		buf_append_text(out, "a file");
		break;
	}
	put(out, ", ", units_format_bytes(f->size_bytes, size_text));
	put(out, ", serial ", f->serial);
	put(out, ", ", f->transport);
}

void describe_content(const struct signatures *s, struct buf *out)
{
	for (size_t i = 0; i < s->n_items; i++) {
		put(out, i ? ", " : "", s->items[i].type);
		if (!s->items[i].label[0])
			continue;
		put(out, " \"", s->items[i].label);
		buf_append_text(out, "\"");
	}
	if (s->n_items == 0)
		buf_append_text(out, "nothing that is known");
}
