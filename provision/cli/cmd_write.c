/* lkflash write: verify an image, write it to targets, read it back, and only then make it boot. */
#include <string.h>

#include "flash/base/cleanup.h"
#include "provision/cli/ask.h"
#include "provision/cli/command.h"
#include "provision/cli/describe.h"
#include "provision/cli/job_options.h"
#include "provision/cli/report.h"

/* ---- The question ------------------------------------------------------------------------------
 */

static void put_target(const struct target *t, struct buf *out)
{
	buf_printf(out, "  %s: ", t->path);
	describe_target(t->facts, out);
	buf_append_text(out, "\n    on it now: ");
	describe_content(&t->signatures, out);
	buf_append_text(out, "\n");
}

/* What is written, the same for all targets. */
static void put_image(const struct job *j, const char *where, struct buf *out)
{
	const struct manifest *m = image_manifest(job_image(j));

	buf_append_text(out, "This will be written:\n  ");
	buf_append_clean(out, where);
	buf_printf(out, "\n    for board %s: ", job_board(j)->id);
	if (m) {
		buf_printf(out, "%s %s, signed by ", m->name, m->version);
		buf_append_clean(out, image_verdict(job_image(j))->signers[0]);
	} else {
		buf_append_text(out, "not signed");
	}
	buf_append_text(out, "\n");
}

/* What is lost, on all targets that were not refused; "" when there is none. */
static int question(const struct job *j, const char *where, struct buf *out, const char **out_text,
		    struct err *e)
{
	for (size_t i = 0; i < job_n_targets(j); i++) {
		if (job_target(j, i)->is_failed)
			continue;
		if (out->n_bytes == 0) {
			put_image(j, where, out);
			buf_append_text(out, "This will be erased:\n");
		}
		put_target(job_target(j, i), out);
	}
	if (out->n_bytes > 0)
		buf_append_text(out, "Erase and write?");
	return buf_text(out, out_text, e);
}

static bool is_stdin(const char *where)
{
	return where && strcmp(where, "-") == 0;
}

/* Ask once, when there is somebody to ask. Fails with ERR_REFUSED for any answer but yes. */
static int ask(const struct options *o, const struct job *j, struct err *e)
{
	CLEANUP(buf_release) struct buf out = {0};
	const char *text = NULL;
	CLEANUP(closep) int fd = -1;
	bool is_yes = false;
	bool is_stdin_taken = is_stdin(o->operands[0]) || is_stdin(o->manifest_where) ||
			      is_stdin(o->bmap_where) || is_stdin(o->sums_where);

	if (o->is_yes || !ask_is_possible(is_stdin_taken, &fd))
		return 0;
	if (question(j, o->operands[0], &out, &text, e) < 0)
		return -1;
	if (!text[0])
		return 0;
	if (ask_yes(fd, text, o->cancel, &is_yes, e) < 0)
		return -1;
	if (!is_yes)
		return err_set(e, ERR_REFUSED,
			       "not written, for the answer was not yes; nothing was touched");
	return 0;
}

/* ---- The verb ----------------------------------------------------------------------------------
 */

/* What all targets together came to. The failures have been told. */
static int conclude(const struct job *j, struct err *e)
{
	size_t n_failed = 0;
	size_t n_untrusted = 0;

	for (size_t i = 0; i < job_n_targets(j); i++) {
		const struct target *t = job_target(j, i);
		n_failed += t->is_failed;
		n_untrusted += t->is_failed && t->failure.code == ERR_UNTRUSTED;
		if (t->is_failed && e->code != ERR_CANCELLED)
			e->code = t->failure.code;
	}
	e->text[0] = '\0';
	/* The image's fault is that of no target. */
	if (n_failed > 0 && n_untrusted < job_n_targets(j) && job_n_targets(j) > 1 &&
	    e->code != ERR_CANCELLED)
		e->code = ERR_PARTIAL;
	return n_failed > 0 ? -1 : 0;
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(report_freep) struct report *report = NULL;
	CLEANUP(job_options_release) struct job_options jobs = {0};
	CLEANUP(job_freep) struct job *job = NULL;

	if (report_new(o, &report, e) < 0 ||
	    job_options_load(o, o->operands[0], report_listener(report), &jobs, e) < 0 ||
	    job_options_load_targets(o, &jobs, e) < 0 || job_open(&jobs.request, &job, e) < 0 ||
	    job_prepare(job, e) < 0 || ask(o, job, e) < 0 || job_execute(job, e) < 0)
		return -1;
	return report_end(report, conclude(job, e), e);
}

const struct command cmd_write = {
	.name = "write",
	.operands = "IMAGE TARGET...",
	.summary = "verify an image, write it, read it back (the default)",
	.details =
		"IMAGE is a file, - (standard input) or an http(s):// URL; raw, gzip, xz, zstd,\n"
		"bzip2 or lz4. TARGET is a block device or a regular file.",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_TRUST | OPTIONS_IMAGE | OPTIONS_BOARD |
		  OPTIONS_BOARDS | OPTIONS_TARGET | OPTIONS_YES,
	.n_operands_min = 2,
	.n_operands_max = OPERANDS_MANY,
	.watches_signals = true,
	.run = run,
};
