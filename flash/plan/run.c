/* What the steps of one execution share. See run.h. */
#include "flash/plan/run.h"

#include "flash/base/units.h"

void run_release(struct run *r)
{
	chunk_free(r->first);
	written_list_release(&r->written);
}

void run_emit(const struct run *r, enum event_kind kind, enum phase phase, uint64_t done_bytes,
	      uint64_t total_bytes)
{
	const struct event ev = {
		.kind = kind,
		.phase = phase,
		.done_bytes = done_bytes,
		.total_bytes = total_bytes,
		.target = r->x->target,
	};
	event_emit(r->x->listener, &ev);
}

int run_on_piece(void *context, const struct written *w, struct err *e)
{
	const struct run *r = context;
	uint64_t total_bytes = r->image_bytes;

	run_emit(r, EVENT_PROGRESS, PHASE_READ_BACK,
		 min_u64(w->offset_bytes + w->size_bytes, total_bytes), total_bytes);
	return cancel_check(r->x->cancel, e);
}
