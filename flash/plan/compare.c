/* A medium against an image. See compare.h. */
#include "flash/plan/compare.h"

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/plan/mend.h"
#include "flash/plan/moved.h"
#include "flash/plan/run.h"

static int differs(void *context, const struct written *w, const uint8_t *found_bytes,
		   struct err *e)
{
	const struct run *r = context;

	if (!found_bytes)
		return err_wrap(e, "reading back");
	(void)mend_say_differs(r, w, found_bytes, e);
	if (w->offset_bytes == 0 && bytes_are_zero(found_bytes, (size_t)w->size_bytes))
		return err_hint(e, "a write that was cut short leaves it so; finish it with "
				   "lkflash write --delta");
	return err_hint(e, "write it again, and replace the medium if that does not help");
}

/* Note what the medium should hold of the next chunk. */
static int expect_next(struct run *r, bool *out_is_end, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *c = NULL;
	CLEANUP(chunk_freep) struct chunk *moved = NULL;

	if (cancel_check(r->x->cancel, e) < 0)
		return -1;
	if (r->x->feed->ops->next(r->x->feed, &c, e) < 0)
		return err_wrap(e, "image");
	*out_is_end = !c;
	if (!c)
		return 0;
	run_emit(r, EVENT_PROGRESS, PHASE_CHECK, chunk_offset_bytes(c) + chunk_size_bytes(c),
		 r->image_bytes);
	if (moved_chunk(r->x->moved, c, image_seed(r->x->image), &moved, e) < 0)
		return -1;
	return chunk_kind(moved) == CHUNK_SKIP ? 0 : written_add(&r->written, moved, e);
}

int compare(struct execution *x, struct err *e)
{
	CLEANUP(run_release) struct run r = {.x = x, .image_bytes = image_size_bytes(x->image)};
	CLEANUP(chunk_freep) struct chunk *tail = NULL;
	const struct read_back reading = {
		.sink = x->sink,
		.list = &r.written,
		.seed = image_seed(x->image),
		.context = &r,
		.on_piece = run_on_piece,
		.on_mismatch = differs,
	};
	bool is_end = false;

	run_emit(&r, EVENT_PHASE, PHASE_CHECK, 0, r.image_bytes);
	while (!is_end)
		if (expect_next(&r, &is_end, e) < 0)
			return -1;
	if (x->moved && (moved_tail(x->moved, image_seed(x->image), &tail, e) < 0 ||
			 written_add(&r.written, tail, e) < 0))
		return -1;
	run_emit(&r, EVENT_PHASE, PHASE_READ_BACK, 0, r.image_bytes);
	return read_back(&reading, e);
}
