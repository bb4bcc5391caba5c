/* The line that stays for an event. See line.h. */
#include "provision/cli/line.h"

#include <string.h>

#include "flash/base/units.h"
#include "provision/cli/event_text.h"

static void put_target(struct buf *out, const struct event *ev)
{
	if (ev->target) {
		buf_append_clean(out, ev->target);
		buf_append_text(out, ": ");
	}
}

static void put_text(struct buf *out, const char *text)
{
	if (text) {
		buf_append_text(out, ": ");
		buf_append_clean(out, text);
	}
}

/* "/dev/sdb: note: text" */
static void put_told(struct buf *out, const struct event *ev, const char *word)
{
	put_target(out, ev);
	buf_append_text(out, word);
	put_text(out, ev->text);
}

/* With "nothing of it written" and the like where not all of it was. */
static void put_size(struct buf *out, const struct event *ev, const struct line_facts *facts)
{
	bool is_told = ev->total_bytes > 0 && ev->total_bytes != SIZE_UNKNOWN;
	uint64_t image_bytes = is_told ? ev->total_bytes : facts->image_bytes;
	char size[UNITS_TEXT_BYTES];
	char duration[DURATION_TEXT_BYTES];

	if (image_bytes > 0)
		buf_printf(out, ", %s", units_format_bytes(image_bytes, size));
	if (facts->progress)
		buf_printf(out, " in %s", text_duration(facts->took_ms / 1000, duration));
	if (is_told && ev->done_bytes < ev->total_bytes)
		buf_printf(out, ", %s of it written",
			   ev->done_bytes ? units_format_bytes(ev->done_bytes, size) : "nothing");
}

static void put_done(struct buf *out, const struct event *ev, const struct line_facts *facts)
{
	put_target(out, ev);
	buf_append_text(out, facts->has_color ? TEXT_GREEN "done" TEXT_PLAIN : "done");
	buf_append_text(out, ", 100 %");
	put_size(out, ev, facts);
	put_text(out, ev->text ? guarantee_words(ev->text) : NULL);
}

/* The error names its target nearly always; where it does not, we do. */
static void put_failed(struct buf *out, const struct event *ev, const struct line_facts *facts)
{
	const char *text = ev->text ? ev->text : "failed";

	buf_append_text(out, "lkflash: ");
	buf_append_text(out, facts->has_color ? TEXT_RED : "");
	if (ev->target && !strstr(text, ev->target))
		put_target(out, ev);
	buf_append_clean(out, text);
	buf_append_text(out, facts->has_color ? TEXT_PLAIN : "");
}

static void put_phase(struct buf *out, const struct event *ev)
{
	char size[UNITS_TEXT_BYTES];

	put_target(out, ev);
	buf_append_text(out, phase_words(ev->phase));
	if (ev->total_bytes > 0 && ev->total_bytes != SIZE_UNKNOWN)
		buf_printf(out, " %s", units_format_bytes(ev->total_bytes, size));
}

static void put_progress(struct buf *out, const struct event *ev, const struct progress *p)
{
	struct progress_text t = text_of_progress(p);

	put_target(out, ev);
	buf_append_text(out, phase_words(ev->phase));
	buf_printf(out, "%s%s", *t.percent ? ", " : "", t.percent);
	buf_printf(out, "%s%s%s", *t.done ? ", " : "", t.done, t.total);
	buf_printf(out, "%s%s", *t.rate ? ", " : "", t.rate);
	buf_printf(out, "%s%s", *t.left ? ", " : "", t.left);
}

void line_put(struct buf *out, const struct event *ev, const struct line_facts *facts)
{
	switch (ev->kind) {
	case EVENT_STARTED:
		put_told(out, ev, "started");
		break;
	case EVENT_OVERRIDE:
		put_told(out, ev, "warning: a check is lifted");
		break;
	case EVENT_NOTE:
		put_told(out, ev, "note");
		break;
	case EVENT_DONE:
		put_done(out, ev, facts);
		break;
	case EVENT_FAILED:
		put_failed(out, ev, facts);
		break;
	case EVENT_PHASE:
		put_phase(out, ev);
		break;
	case EVENT_PROGRESS:
		if (facts->progress)
			put_progress(out, ev, facts->progress);
		break;
	case EVENT_MEMORY: /* for programs */
	case N_EVENTS:
		break;
	}
}
