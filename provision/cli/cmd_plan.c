/* lkflash plan: what `write` would do, and nothing done. */
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

static void put_header(const struct job *j, const struct target *t, const char *where,
		       struct buf *out)
{
	put_image(j, where, out);
	buf_printf(out, "board   %s, %s\n", job_board(j)->id, job_board(j)->name);
	buf_append_text(out, "target  ");
	buf_append_clean(out, t->path);
	buf_append_text(out, ": ");
	describe_target(t->facts, out);
	buf_append_text(out, "\n        on it now: ");
	describe_content(&t->signatures, out);
	buf_append_text(out, "\n\n");
}

static int print_plan(const struct job *j, size_t i, const struct options *o, struct err *e)
{
	CLEANUP(buf_release) struct buf out = {0};
	const struct target *t = job_target(j, i);

	if (t->is_failed) {
		*e = t->failure;
		return -1;
	}
	if (o->is_json) {
		plan_format_json(t->plan, t->path, &out);
	} else {
		buf_append_text(&out, i > 0 ? "\n" : "");
		put_header(j, t, o->operands[0], &out);
		plan_format(t->plan, &out);
	}
	return print_buf(&out, e);
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(job_options_release) struct job_options jobs = {0};
	CLEANUP(job_freep) struct job *job = NULL;

	if (job_options_load(o, o->operands[0], NULL, &jobs, e) < 0 ||
	    job_options_load_targets(o, &jobs, e) < 0)
		return -1;
	jobs.request.policy.is_plan_only = true;
	if (job_open(&jobs.request, &job, e) < 0 || job_prepare(job, e) < 0)
		return -1;
	for (size_t i = 0; i < job_n_targets(job); i++)
		if (print_plan(job, i, o, e) < 0)
			return -1;
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
