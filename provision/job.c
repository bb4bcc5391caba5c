/* One image for several targets. See job.h. */
#include "provision/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "flash/base/cleanup.h"
#include "flash/copy.h"
#include "flash/trust/floor.h"
#include "provision/journal.h"
#include "provision/overlap.h"

struct job {
	const struct job_request *request; /* borrowed */
	struct selection selection;        /* its image is owned, the board is the registry's */
	struct target *targets;            /* owned, n_targets of the request */
	/* The request's, but that reading ends as well when no target wants more. */
	struct image_request image_request;
	struct cancel_scope reading; /* owned */
};

void job_free(struct job *j)
{
	if (!j)
		return;
	for (size_t i = 0; j->targets && i < j->request->n_targets; i++)
		target_release(&j->targets[i]);
	free(j->targets);
	image_free(j->selection.image);
	cancel_scope_release(&j->reading);
	free(j);
}

const struct image *job_image(const struct job *j)
{
	return j->selection.image;
}

const struct board *job_board(const struct job *j)
{
	return j->selection.board;
}

size_t job_n_targets(const struct job *j)
{
	return j->request->n_targets;
}

const struct target *job_target(const struct job *j, size_t i)
{
	return &j->targets[i];
}

static void emit_text(const struct listener *l, const struct target *t, enum event_kind kind,
		      const char *text)
{
	const struct event ev = {
		.kind = kind, .code = t->failure.code, .target = t->path, .text = text};

	event_emit(l, &ev);
}

static void fail(const struct listener *l, struct target *t)
{
	t->is_failed = true;
	target_let_go(t);
	emit_text(l, t, EVENT_FAILED, t->failure.text);
}

/* ---- Preparing ---------------------------------------------------------------------------------
 */

/* What is on a target can only be held against digests that are known beforehand. */
static int check_delta(const struct job *j, struct err *e)
{
	const struct job_request *r = j->request;

	if (!r->policy.is_delta)
		return 0;
	if (r->n_targets > 1 && !image_can_be_read_again(j->selection.image))
		return err_set(e, ERR_USAGE,
			       "%s can be read only once, but with --delta each of %zu targets "
			       "wants other parts of it; write from a file",
			       r->image.where, r->n_targets);
	if (image_manifest(j->selection.image))
		return 0;
	return err_set(e, ERR_USAGE,
		       "--delta needs a signed image: without signed digests nothing tells what is "
		       "right on the target already; write all of it without --delta, or sign the "
		       "image (`lkflash sign`)");
}

static int select_board(struct job *j, struct err *e)
{
	const struct job_request *r = j->request;
	const struct manifest *m = image_manifest(j->selection.image);

	if (selection_board(r->registry, m, r->board_id, &j->selection.board, e) < 0 ||
	    selection_check_floor(r->state_dir, m, e) < 0)
		return -1;
	return r->policy.is_plan_only ? 0 : selection_check_state(r->state_dir, m, e);
}

int job_open(const struct job_request *r, struct job **out, struct err *e)
{
	CLEANUP(job_freep) struct job *j = calloc(1, sizeof *j);

	if (!j)
		return err_errno(e, "%s", r->image.where);
	j->request = r;
	j->reading = (struct cancel_scope){.cancel.fd = -1, .event_fd = -1};
	j->targets = calloc(r->n_targets, sizeof *j->targets);
	if (!j->targets)
		return err_errno(e, "%s", r->image.where);
	for (size_t i = 0; i < r->n_targets; i++)
		j->targets[i].path = r->targets[i];
	if (cancel_scope_init(&j->reading, r->image.source.cancel, e) < 0)
		return -1;
	j->image_request = r->image;
	j->image_request.source.cancel = &j->reading.cancel;
	if (image_open(&j->image_request, &j->selection.image, e) < 0 || check_delta(j, e) < 0 ||
	    select_board(j, e) < 0)
		return -1;
	*out = TAKE(j);
	return 0;
}

/* A target named twice is a slip: perhaps the second was to be another. */
static int check_distinct(const struct job *j, struct err *e)
{
	for (size_t i = 0; i < j->request->n_targets; i++)
		for (size_t k = i + 1; k < j->request->n_targets; k++)
			if (overlap_check_targets(j->targets[i].facts, j->targets[k].facts, e) < 0)
				return -1;
	return 0;
}

/* Look at all before any is opened: facts tell a device from a file, and why a busy one is busy.
 * *out_n_good is how many are not refused. */
static int look_at_targets(struct job *j, size_t *out_n_good, struct err *e)
{
	const struct job_request *r = j->request;
	size_t n_good = 0;

	for (size_t i = 0; i < r->n_targets; i++)
		j->targets[i].is_failed =
			target_look(&j->targets[i], &r->policy, &r->image, j->selection.image,
				    &j->targets[i].failure) < 0;
	if (check_distinct(j, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n_targets; i++) {
		if (j->targets[i].is_failed)
			fail(r->listener, &j->targets[i]);
		else
			n_good++;
	}
	*out_n_good = n_good;
	return 0;
}

int job_prepare(struct job *j, struct err *e)
{
	const struct job_request *r = j->request;
	size_t n_good = 0;

	if (look_at_targets(j, &n_good, e) < 0)
		return -1;
	if (n_good > 0 && selection_read_head(&j->selection, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n_targets; i++) {
		struct target *t = &j->targets[i];
		if (!t->is_failed && target_open(t, &r->policy, &r->image, &j->selection, r->cancel,
						 &t->failure) < 0)
			fail(r->listener, t);
	}
	return 0;
}

/* ---- Executing ---------------------------------------------------------------------------------
 */

/* A good commit: older images of the group are refused from now on. */
static int raise_floors(const struct job *j, struct err *e)
{
	const struct manifest *m = image_manifest(j->selection.image);
	const char *state_dir = j->request->state_dir;

	if (!m)
		return 0;
	if (m->rollback_group[0] &&
	    floor_raise_security_version(state_dir, m->rollback_group, m->security_version, e) < 0)
		return err_wrap(e, "the target is written and verified, but its security version "
				   "cannot be kept");
	if (m->build_time_s && floor_raise_clock(state_dir, m->build_time_s, e) < 0)
		return err_wrap(e, "the target is written and verified, but the time it proves "
				   "cannot be kept");
	return 0;
}

enum { N_OVERRIDES_MAX = 2 };

/* The flags without which the image would not go to t. */
static size_t list_overrides(const struct job *j, const struct target *t,
			     const char *out[N_OVERRIDES_MAX])
{
	size_t n_overrides = 0;

	if (image_guarantee(j->selection.image) != GUARANTEE_SIGNATURE)
		out[n_overrides++] = "--allow-unsigned";
	if (t->lifted)
		out[n_overrides++] = t->lifted;
	return n_overrides;
}

static void emit_start(const struct job *j, const struct target *t)
{
	const struct manifest *m = image_manifest(j->selection.image);
	const char *overrides[N_OVERRIDES_MAX];
	size_t n_overrides = list_overrides(j, t, overrides);
	char text[2 * MANIFEST_NAME_BYTES] = "unsigned image";

	if (m)
		(void)snprintf(text, sizeof text, "%s %s", m->name, m->version);
	emit_text(j->request->listener, t, EVENT_STARTED, text);
	for (size_t i = 0; i < n_overrides; i++)
		emit_text(j->request->listener, t, EVENT_OVERRIDE, overrides[i]);
}

/* A journal that cannot be written is told, but the target is as good. */
static void note_in_journal(const struct job *j, const struct target *t, const struct err *failure)
{
	const char *overrides[N_OVERRIDES_MAX];
	const struct journal_entry entry = {
		.time_s = time(NULL),
		.facts = t->facts,
		.image = j->selection.image,
		.where = j->request->image.where,
		.board_id = j->selection.board->id,
		.overrides = overrides,
		.n_overrides = list_overrides(j, t, overrides),
		.failure = failure,
	};
	struct err e = {0};

	if (journal_append(j->request->state_dir, &entry, &e) < 0)
		emit_text(t->execution.listener, t, EVENT_NOTE, e.text);
}

/* How to go on after a write that failed: by the same command, unless image or medium is at fault.
 */
static const char *way_on(const struct job *j, const struct target *t, enum err_code code)
{
	bool is_part_there = t->execution.state == STATE_INCOMPLETE &&
			     image_manifest(j->selection.image) && !j->request->policy.is_delta;

	if (code == ERR_DIFFERS)
		return "";
	if (code == ERR_UNTRUSTED)
		return "; get the image again and write that";
	return is_part_there ? "; run the same command again, with --delta to write only what is "
			       "missing"
			     : "; run the same command again";
}

/* What is left to be done when all steps of t's plan but the last are: look at it as a machine
 * will.
 */
static int conclude(const struct job *j, const struct target *t, struct err *failure)
{
	if (failure->code != ERR_NONE)
		return err_hint(failure, "%s%s", target_state_text(t->execution.state),
				way_on(j, t, failure->code));
	if (target_check_written(t, j->selection.board, failure) < 0)
		return -1;
	return raise_floors(j, failure);
}

static void emit_done(const struct job *j, const struct target *t)
{
	const struct event ev = {
		.kind = EVENT_DONE,
		.target = t->path,
		.text = guarantee_name(image_guarantee(j->selection.image)),
		.done_bytes = t->execution.written_bytes,
		.total_bytes = image_size_bytes(j->selection.image),
	};
	event_emit(t->execution.listener, &ev);
}

/* The targets that are not refused. */
struct batch {
	struct job *job;
	struct execution **executions; /* owned; n_targets of them, as of the next */
	struct target **targets;       /* owned */
	size_t n_targets;
};

static void batch_release(struct batch *b)
{
	free(b->executions);
	free(b->targets);
}

/* Target number i of the batch is at its end, while others go on. */
static void on_finished(void *context, size_t i, const struct err *failure)
{
	const struct batch *b = context;
	struct target *t = b->targets[i];

	t->failure = *failure;
	int result = conclude(b->job, t, &t->failure);
	note_in_journal(b->job, t, result < 0 ? &t->failure : NULL);
	if (result < 0) {
		(void)err_wrap(&t->failure, "writing %s", t->path);
		fail(t->execution.listener, t);
		return;
	}
	target_let_go(t);
	emit_done(b->job, t);
}

static int gather(struct job *j, struct batch *out, struct err *e)
{
	size_t n_targets = j->request->n_targets;

	out->executions = calloc(n_targets, sizeof(struct execution *));
	out->targets = calloc(n_targets, sizeof(struct target *));
	if (!out->executions || !out->targets)
		return err_errno(e, "writing to %zu targets", n_targets);
	for (size_t i = 0; i < n_targets; i++) {
		struct target *t = &j->targets[i];
		if (t->is_failed)
			continue;
		out->executions[out->n_targets] = &t->execution;
		out->targets[out->n_targets++] = t;
	}
	return 0;
}

/* None could be begun. */
static void fail_all(struct batch *b, const struct err *why)
{
	for (size_t i = 0; i < b->n_targets; i++) {
		struct err failure = *why;
		b->executions[i]->listener = b->job->request->listener;
		on_finished(b, i, &failure);
	}
}

static void emit_memory(const struct job *j, size_t n_targets)
{
	const struct image *image = j->selection.image;
	struct rusage used = {0};

	(void)getrusage(RUSAGE_SELF, &used);
	const struct event_memory memory = {
		.buffers_bytes = pool_peak_bytes(image_pool(image)),
		.bound_bytes = copy_bound_bytes(n_targets, image_chunk_bytes(image),
						pool_buffer_bytes(image_pool(image))),
		.process_bytes = (uint64_t)used.ru_maxrss << 10, /* getrusage(2): kilobytes */
	};
	const struct event ev = {.kind = EVENT_MEMORY, .memory = &memory};
	event_emit(j->request->listener, &ev);
}

int job_execute(struct job *j, struct err *e)
{
	CLEANUP(batch_release) struct batch b = {.job = j};
	struct err failure = {0};

	if (gather(j, &b, e) < 0)
		return -1;
	if (b.n_targets == 0)
		return 0;
	const struct copy copy = {
		.image = j->selection.image,
		.targets = b.executions,
		.n_targets = b.n_targets,
		.listener = j->request->listener,
		.on_finished = on_finished,
		.context = &b,
		.reading = &j->reading,
	};
	for (size_t i = 0; i < b.n_targets; i++)
		emit_start(j, b.targets[i]);
	if (copy_run(&copy, &failure) < 0)
		fail_all(&b, &failure);
	emit_memory(j, b.n_targets);
	return 0;
}
