/* lkflash verify: is an image, or what is on a device, what its signature says? */
#include <stdio.h>

#include "flash/base/cleanup.h"
#include "provision/cli/command.h"
#include "provision/cli/job_options.h"
#include "provision/cli/report.h"
#include "provision/verify.h"

static void tell(const struct listener *l, enum event_kind kind, const char *target,
		 uint64_t done_bytes, uint64_t total_bytes)
{
	const struct event ev = {
		.kind = kind,
		.phase = PHASE_CHECK,
		.done_bytes = done_bytes,
		.total_bytes = total_bytes,
		.target = target,
	};
	event_emit(l, &ev);
}

static int read_all(struct image *im, const char *where, const struct job_request *r, struct err *e)
{
	const struct chunk *c = NULL;

	tell(r->listener, EVENT_PHASE, where, 0, image_size_bytes(im));
	do {
		if (cancel_check(r->cancel, e) < 0 || image_next(im, &c, e) < 0)
			return -1;
		if (c)
			tell(r->listener, EVENT_PROGRESS, where,
			     chunk_offset_bytes(c) + chunk_size_bytes(c), image_size_bytes(im));
	} while (c);
	return 0;
}

/* Every byte of an image by itself. */
static int verify_image(const struct job_request *r, struct err *e)
{
	CLEANUP(image_freep) struct image *im = NULL;
	struct image_request request = r->image;

	request.is_every_byte_read = true;
	if (image_open(&request, &im, e) < 0)
		return -1;
	if (read_all(im, r->image.where, r, e) < 0)
		return err_wrap(e, "%s", r->image.where);
	const struct event done = {
		.kind = EVENT_DONE,
		.target = r->image.where,
		.text = guarantee_name(image_guarantee(im)),
	};
	event_emit(r->listener, &done);
	return 0;
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(report_freep) struct report *report = NULL;
	CLEANUP(job_options_release) struct job_options jobs = {0};
	const char *image_where = o->image_where ? o->image_where : o->operands[0];

	if (report_new(o, &report, e) < 0 ||
	    job_options_load(o, image_where, report_listener(report), &jobs, e) < 0)
		return -1;
	if (!o->image_where)
		return report_end(report, verify_image(&jobs.request, e), e);
	jobs.request.targets = o->operands;
	jobs.request.n_targets = o->n_operands;
	return report_end(report, verify_target(&jobs.request, e), e);
}

const struct command cmd_verify = {
	.name = "verify",
	.operands = "IMAGE, or --image IMAGE TARGET",
	.summary = "check an image, or what is on a device against it",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_TRUST | OPTIONS_IMAGE | OPTIONS_VERIFY,
	.n_operands_min = 1,
	.n_operands_max = 1,
	.watches_signals = true,
	.run = run,
};
