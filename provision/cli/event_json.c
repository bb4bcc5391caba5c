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

static void put_memory(const struct event_memory *m, struct buf *out)
{
	json_u64(out, "buffers_bytes", m->buffers_bytes);
	json_u64(out, "bound_bytes", m->bound_bytes);
	json_u64(out, "process_bytes", m->process_bytes);
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
	if (ev->kind == EVENT_DONE && ev->total_bytes != 0)
		json_u64(out, "written_bytes", ev->done_bytes);
	if (ev->memory)
		put_memory(ev->memory, out);
	if (ev->kind == EVENT_FAILED)
		json_u64(out, "code", ev->code);
	if (ev->text)
		json_text(out, "text", ev->text);
	json_close(out, '}');
	buf_append_text(out, "\n");
}
