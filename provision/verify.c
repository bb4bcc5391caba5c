/* A target against an image. See verify.h. */
#include "provision/verify.h"

#include <inttypes.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/plan/compare.h"
#include "provision/selection.h"

static int open_sink(const char *path, const struct sink_options *o, struct sink **out,
		     struct err *e)
{
	CLEANUP(facts_freep) struct facts *f = NULL;

	if (facts_gather(path, "", &f, e) < 0)
		return -1;
	switch (f->kind) {
	case TARGET_BLOCK:
		return sink_blockdev_open(path, SINK_LOOK, o, out, e);
	case TARGET_FILE:
		return sink_file_open(path, SINK_LOOK, 0, o, out, e);
	case TARGET_MISSING:
		return err_set(e, ERR_USAGE, "there is nothing of that name");
	case TARGET_FOLDER:
	case TARGET_OTHER:
		break;
	}
	return err_set(e, ERR_USAGE, "it is neither a block device nor a regular file");
}

static int check_size(const char *path, const struct image *im, const struct sink *s, struct err *e)
{
	uint64_t size_bytes = image_size_bytes(im);

	if (size_bytes == SIZE_UNKNOWN || s->size_bytes >= size_bytes)
		return 0;
	return err_set(e, ERR_DIFFERS,
		       "%s has %" PRIu64 " bytes, fewer than the %" PRIu64 " of the image", path,
		       s->size_bytes, size_bytes);
}

int verify_target(const struct job_request *r, struct err *e)
{
	const char *path = r->targets[0];
	CLEANUP(image_freep) struct image *im = NULL;
	CLEANUP(sink_freep) struct sink *s = NULL;
	CLEANUP(table_freep) struct table *table = NULL;
	CLEANUP(table_ends_freep) struct table_ends *moved = NULL;
	CLEANUP(feed_freep) struct feed *feed = NULL;

	if (image_open(&r->image, &im, e) < 0)
		return -1;
	struct selection selected = {.image = im};
	const struct sink_options o = {
		.pool = image_pool(im),
		.stall_timeout_ms = r->policy.stall_timeout_ms,
		.cancel = r->cancel,
	};
	if (open_sink(path, &o, &s, e) < 0)
		return err_wrap(e, "target %s", path);
	if (check_size(path, im, s, e) < 0 || selection_read_head(&selected, e) < 0 ||
	    selection_look(&selected, s->size_bytes, &table, e) < 0 ||
	    selection_move_gpt(&selected, table, s->size_bytes, &moved, e) < 0)
		return -1;
	if (feed_image_new(im, &feed, e) < 0)
		return -1;
	struct execution x = {
		.image = im,
		.feed = feed,
		.sink = s,
		.moved = moved,
		.listener = r->listener,
		.cancel = r->cancel,
		.target = path,
	};
	if (compare(&x, e) < 0)
		return err_wrap(e, "verifying %s", path);
	const struct event done = {
		.kind = EVENT_DONE, .target = path, .text = guarantee_name(image_guarantee(im))};
	event_emit(r->listener, &done);
	return 0;
}
