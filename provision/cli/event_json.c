/* Events for programs. See event_json.h. */
#include "provision/cli/event_json.h"

#include "flash/base/json.h"
#include "flash/base/units.h"

static bool has_phase(enum event_kind kind)
{
	return kind == EVENT_PHASE || kind == EVENT_PROGRESS || kind == EVENT_FAILED;
}

/* A total of 0 says that the phase has no bytes to count. */
static bool has_total(const struct event *ev)
{
	return (ev->kind == EVENT_PHASE || ev->kind == EVENT_PROGRESS) && ev->total_bytes != 0 &&
	       ev->total_bytes != SIZE_UNKNOWN;
}

void event_json(const struct event *ev, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "event", event_name(ev->kind));
	if (ev->target)
		json_text(out, "target", ev->target);
	if (has_phase(ev->kind))
		json_text(out, "phase", phase_name(ev->phase));
	if (ev->kind == EVENT_PROGRESS)
		json_u64(out, "done_bytes", ev->done_bytes);
	if (has_total(ev))
		json_u64(out, "total_bytes", ev->total_bytes);
	if (ev->kind == EVENT_FAILED)
		json_u64(out, "code", ev->code);
	if (ev->text)
		json_text(out, "text", ev->text);
	json_close(out, '}');
	buf_append_text(out, "\n");
}
