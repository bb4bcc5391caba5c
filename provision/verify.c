/* A target against an image. See verify.h. */
#include "provision/verify.h"

#include <inttypes.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/plan/execute.h"
#include "provision/selection.h"

static int open_sink(const char *path, struct sink **out, struct err *e)
{
	CLEANUP(facts_freep) struct facts *f = NULL;

	if (facts_gather(path, "", &f, e) < 0)
		return -1;
	switch (f->kind) {
	case TARGET_BLOCK:
		return sink_blockdev_open(path, SINK_LOOK, out, e);
	case TARGET_FILE:
		return sink_file_open(path, SINK_LOOK, 0, out, e);
	case TARGET_MISSING:
		return err_set(e, ERR_USAGE, "there is nothing of that name");
	case TARGET_FOLDER:
	case TARGET_OTHER:
		break;
	}
	return err_set(e, ERR_USAGE, "it is neither a block device nor a regular file");
}

static int check_size(const struct job_request *r, const struct image *im, const struct sink *s,
		      struct err *e)
{
	uint64_t size_bytes = image_size_bytes(im);

	if (size_bytes == SIZE_UNKNOWN || s->size_bytes >= size_bytes)
		return 0;
	return err_set(e, ERR_DIFFERS,
		       "%s has %" PRIu64 " bytes, fewer than the %" PRIu64 " of the image",
		       r->target, s->size_bytes, size_bytes);
}

int verify_target(const struct job_request *r, struct err *e)
{
	CLEANUP(image_freep) struct image *im = NULL;
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(layout_seen_release) struct layout_seen seen = {0};
	CLEANUP(table_moved_freep) struct table_moved *moved = NULL;

	if (image_open(&r->image, &im, e) < 0)
		return -1;
	if (open_sink(r->target, &s, e) < 0)
		return err_wrap(e, "target %s", r->target);
	if (check_size(r, im, s, e) < 0 || selection_look(im, NULL, s->size_bytes, &seen, e) < 0 ||
	    selection_move_gpt(&seen, s->size_bytes, &moved, e) < 0)
		return -1;
	struct execution x = {
		.image = im,
		.sink = s,
		.moved = moved,
		.listener = r->listener,
		.cancel = r->cancel,
		.target = r->target,
	};
	if (execute_compare(&x, e) < 0)
		return err_wrap(e, "verifying %s", r->target);
	const struct event done = {.kind = EVENT_DONE,
				   .target = r->target,
				   .text = guarantee_name(image_guarantee(im))};
	event_emit(r->listener, &done);
	return 0;
}
