/* lkflash write: verify an image, write it to targets, read it back, and only then make it boot. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"
#include "provision/cli/ask.h"
#include "provision/cli/command.h"
#include "provision/cli/describe.h"
#include "provision/cli/job_options.h"
#include "provision/cli/report.h"

/* One target of several. */
struct work {
	struct job_request request;
	struct job *job; /* owned; NULL when it was refused */
	bool is_started;
	bool is_failed;
	struct err failure; /* when is_failed */
};

struct works {
	struct work *items; /* owned */
	size_t n_items;
};

static void works_release(struct works *w)
{
	for (size_t i = 0; i < w->n_items; i++)
		job_free(w->items[i].job);
	free(w->items);
}

static void fail(struct work *w)
{
	w->is_failed = true;
	if (w->failure.code == ERR_CANCELLED && !w->is_started)
		(void)err_hint(&w->failure, "the target was not touched");
	const struct event ev = {
		.kind = EVENT_FAILED,
		.code = w->failure.code,
		.target = w->request.target,
		.text = w->failure.text,
	};
	event_emit(w->request.listener, &ev);
}

/* Prepare every target, before any is touched, so that one question can show them all. */
static void prepare(struct works *w)
{
	for (size_t i = 0; i < w->n_items; i++)
		if (job_prepare(&w->items[i].request, &w->items[i].job, &w->items[i].failure) < 0)
			fail(&w->items[i]);
}

/* ---- The question ------------------------------------------------------------------------------
 */

static void put_target(const struct work *w, struct buf *out)
{
	buf_printf(out, "  %s: ", w->request.target);
	describe_target(job_facts(w->job), out);
	buf_append_text(out, "\n    on it now: ");
	describe_content(job_signatures(w->job), out);
	buf_append_text(out, "\n");
}

/* What is written, the same for all targets. */
static void put_image(const struct work *w, struct buf *out)
{
	const struct manifest *m = image_manifest(job_image(w->job));

	buf_append_text(out, "This will be written:\n  ");
	buf_append_clean(out, w->request.image.where);
	buf_printf(out, "\n    for board %s: ", job_board(w->job)->id);
	if (m) {
		buf_printf(out, "%s %s, signed by ", m->name, m->version);
		buf_append_clean(out, image_verdict(job_image(w->job))->signers[0]);
	} else {
		buf_append_text(out, "not signed");
	}
	buf_append_text(out, "\n");
}

/* What is lost, for all targets that were not refused; "" when there is none. */
static int question(const struct works *w, struct buf *out, const char **out_text, struct err *e)
{
	for (size_t i = 0; i < w->n_items; i++) {
		if (!w->items[i].job)
			continue;
		if (out->n_bytes == 0) {
			put_image(&w->items[i], out);
			buf_append_text(out, "This will be erased:\n");
		}
		put_target(&w->items[i], out);
	}
	if (out->n_bytes > 0)
		buf_append_text(out, "Erase and write?");
	return buf_text(out, out_text, e);
}

/* Ask once, when there is somebody to ask. Fails with ERR_REFUSED for any answer but yes. */
static int ask(const struct options *o, const struct works *w, struct err *e)
{
	CLEANUP(buf_release) struct buf out = {0};
	const char *text = NULL;
	bool is_yes = false;

	if (o->is_yes || !ask_is_possible())
		return 0;
	if (question(w, &out, &text, e) < 0)
		return -1;
	if (!text[0])
		return 0;
	if (ask_yes(text, o->cancel, &is_yes, e) < 0)
		return -1;
	if (!is_yes)
		return err_set(e, ERR_REFUSED,
			       "not written, for the answer was not yes; nothing was touched");
	return 0;
}

/* ---- The verb ----------------------------------------------------------------------------------
 */

/* Refuse what gives its bytes once, and would be shared out among the targets. */
static int check_rereadable(const char *where, size_t n_targets, struct err *e)
{
	bool is_stdin = where && strcmp(where, "-") == 0;
	struct stat st;

	if (!where || n_targets < 2 ||
	    (!is_stdin && (stat(where, &st) < 0 || S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ||
			   S_ISDIR(st.st_mode))))
		return 0;
	return err_set(e, ERR_USAGE,
		       "%s can be read once, but there are %zu targets; write from a file",
		       is_stdin ? "standard input" : where, n_targets);
}

/* A target named twice is a slip: perhaps the second was to be another. */
static int check_distinct(const struct options *o, struct err *e)
{
	for (size_t i = 1; i < o->n_operands; i++)
		for (size_t k = i + 1; k < o->n_operands; k++)
			if (strcmp(o->operands[i], o->operands[k]) == 0)
				return err_set(e, ERR_USAGE,
					       "target %s is named twice; name each once",
					       o->operands[i]);
	return 0;
}

static int start(const struct options *o, const struct job_request *r, struct works *out,
		 struct err *e)
{
	size_t n_targets = o->n_operands - 1;

	assert(n_targets > 0); /* cmd_write.n_operands_min */
	if (check_distinct(o, e) < 0 || check_rereadable(r->image.where, n_targets, e) < 0 ||
	    check_rereadable(r->image.manifest_where, n_targets, e) < 0 ||
	    check_rereadable(r->image.bmap_where, n_targets, e) < 0 ||
	    check_rereadable(r->image.sums_where, n_targets, e) < 0)
		return -1;
	out->items = calloc(n_targets, sizeof *out->items);
	if (!out->items)
		return err_errno(e, "preparing");
	out->n_items = n_targets;
	for (size_t i = 0; i < n_targets; i++) {
		out->items[i].request = *r;
		out->items[i].request.target = o->operands[i + 1];
	}
	return 0;
}

/* Each target by itself: one that fails does not stop the next. */
static void execute_all(struct works *w, const struct cancel *cancel)
{
	for (size_t i = 0; i < w->n_items; i++) {
		struct work *item = &w->items[i];
		if (!item->job)
			continue;
		item->is_started = cancel_check(cancel, &item->failure) == 0;
		if (!item->is_started || job_execute(item->job, &item->failure) < 0)
			fail(item);
		job_free(TAKE(item->job));
	}
}

/* What all targets together came to. The failures have been told. */
static int conclude(const struct works *w, struct err *e)
{
	size_t n_failed = 0;

	for (size_t i = 0; i < w->n_items; i++) {
		if (!w->items[i].is_failed)
			continue;
		n_failed++;
		if (e->code != ERR_CANCELLED)
			e->code = w->items[i].failure.code;
	}
	e->text[0] = '\0';
	if (n_failed > 0 && w->n_items > 1 && e->code != ERR_CANCELLED)
		e->code = ERR_PARTIAL;
	return n_failed > 0 ? -1 : 0;
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(report_freep) struct report *report = NULL;
	CLEANUP(job_options_release) struct job_options jobs = {0};
	CLEANUP(works_release) struct works works = {0};

	if (report_new(o, &report, e) < 0 ||
	    job_options_load(o, o->operands[0], report_listener(report), &jobs, e) < 0 ||
	    job_options_load_boards(o, &jobs, e) < 0 || start(o, &jobs.request, &works, e) < 0)
		return -1;
	prepare(&works);
	if (ask(o, &works, e) < 0)
		return -1;
	execute_all(&works, o->cancel);
	return conclude(&works, e);
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
