/* lkflash plan: what `write` would do, and nothing done. */
#include <stdio.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "provision/cli/command.h"
#include "provision/cli/describe.h"
#include "provision/cli/job_options.h"
#include "provision/cli/print.h"

/* By what an unsigned image will be checked. */
static const char *evidence_words(enum guarantee g)
{
	switch (g) {
	case GUARANTEE_SIGNATURE:
		break;
	case GUARANTEE_BMAP:
		return "not signed, to be checked by its block map";
	case GUARANTEE_SHA256SUM:
		return "not signed, to be checked by SHA256SUMS";
	case GUARANTEE_NONE:
		return "not signed, with nothing to check it by";
	}
	return "signed";
}

static void put_image(const struct job *j, const char *where, struct buf *out)
{
	const struct image *im = job_image(j);
	const struct manifest *m = image_manifest(im);
	char size_text[UNITS_TEXT_BYTES];

	buf_append_text(out, "image   ");
	buf_append_clean(out, where);
	if (m)
		buf_printf(out, ", %s %s", m->name, m->version);
	buf_printf(out, ", %s, ", units_format_bytes(image_size_bytes(im), size_text));
	if (m) {
		buf_append_text(out, "signed by ");
		buf_append_clean(out, image_verdict(im)->signers[0]);
	} else {
		buf_append_text(out, evidence_words(image_guarantee(im)));
	}
	buf_append_text(out, "\n");
}

static void put_header(const struct job *j, const struct job_request *r, struct buf *out)
{
	put_image(j, r->image.where, out);
	buf_printf(out, "board   %s, %s\n", job_board(j)->id, job_board(j)->name);
	buf_append_text(out, "target  ");
	buf_append_clean(out, r->target);
	buf_append_text(out, ": ");
	describe_target(job_facts(j), out);
	buf_append_text(out, "\n        on it now: ");
	describe_content(job_signatures(j), out);
	buf_append_text(out, "\n\n");
}

static int print_plan(const struct job_request *r, bool is_json, struct err *e)
{
	CLEANUP(job_freep) struct job *j = NULL;
	CLEANUP(buf_release) struct buf out = {0};

	if (job_prepare(r, &j, e) < 0)
		return -1;
	if (is_json) {
		plan_format_json(job_plan(j), r->target, &out);
	} else {
		put_header(j, r, &out);
		plan_format(job_plan(j), &out);
	}
	return print_buf(&out, e);
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(job_options_release) struct job_options jobs = {0};

	if (job_options_load(o, o->operands[0], NULL, &jobs, e) < 0 ||
	    job_options_load_boards(o, &jobs, e) < 0)
		return -1;
	jobs.request.is_plan_only = true;
	for (size_t i = 1; i < o->n_operands; i++) {
		jobs.request.target = o->operands[i];
		if (i > 1 && !o->is_json)
			(void)putchar('\n');
		if (print_plan(&jobs.request, o->is_json, e) < 0)
			return -1;
	}
	return 0;
}

const struct command cmd_plan = {
	.name = "plan",
	.operands = "IMAGE TARGET...",
	.summary = "print what write would do, and touch nothing",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_TRUST | OPTIONS_IMAGE | OPTIONS_BOARD |
		  OPTIONS_BOARDS | OPTIONS_TARGET,
	.n_operands_min = 2,
	.n_operands_max = OPERANDS_MANY,
	.run = run,
};
