/* One image for several targets. See job.h. */
#include "provision/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "flash/base/cleanup.h"
#include "flash/copy.h"
#include "flash/plan/execute.h"
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

static void emit_text(const struct job *j, const struct target *t, enum event_kind kind,
		      const char *text)
{
	const struct event ev = {
		.kind = kind, .code = t->failure.code, .target = t->path, .text = text};

	event_emit(j->request->listener, &ev);
}

static void fail(const struct job *j, struct target *t)
{
	t->is_failed = true;
	target_let_go(t);
	emit_text(j, t, EVENT_FAILED, t->failure.text);
}

/* ---- Preparing ---------------------------------------------------------------------------------
 */

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
	j->reading = (struct cancel_scope){{-1}, -1};
	j->targets = calloc(r->n_targets, sizeof *j->targets);
	if (!j->targets)
		return err_errno(e, "%s", r->image.where);
	for (size_t i = 0; i < r->n_targets; i++)
		j->targets[i].path = r->targets[i];
	if (cancel_scope_init(&j->reading, r->image.source.cancel, e) < 0)
		return -1;
	j->image_request = r->image;
	j->image_request.source.cancel = &j->reading.cancel;
	if (image_open(&j->image_request, &j->selection.image, e) < 0 || select_board(j, e) < 0)
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
			fail(j, &j->targets[i]);
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
		if (!t->is_failed &&
		    target_open(t, &r->policy, &r->image, &j->selection, &t->failure) < 0)
			fail(j, t);
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

/* How to go on after a write that failed: by the same command, unless the image itself is at fault.
 */
static const char *way_on(enum err_code code)
{
	return code == ERR_UNTRUSTED ? "get the image again and write that"
				     : "run the same command again";
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
	emit_text(j, t, EVENT_STARTED, text);
	for (size_t i = 0; i < n_overrides; i++)
		emit_text(j, t, EVENT_OVERRIDE, overrides[i]);
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
		emit_text(j, t, EVENT_NOTE, e.text);
}

/* Memory is short. */
static void fail_unexecuted(struct job *j)
{
	for (size_t i = 0; i < j->request->n_targets; i++) {
		struct target *t = &j->targets[i];
		if (t->is_failed)
			continue;
		(void)err_set(&t->failure, ERR_IO, "writing %s: out of memory", t->path);
		fail(j, t);
	}
}

/* The targets that are executed, n of each. */
struct running {
	struct job *job;
	struct target **targets;      /* owned */
	struct execution *executions; /* owned */
	struct execution **in_order;  /* owned; where these are */
	size_t n;
};

static void running_release(struct running *r)
{
	free(r->targets);
	free(r->executions);
	free(r->in_order);
}

static int check_target(const struct job *j, const struct target *t, const struct execution *x,
			struct err *e)
{
	/* Only after a write that went well: *e is empty then. */
	if (e->code != ERR_NONE)
		return err_hint(e, "%s; %s", target_state_text(x->state), way_on(e->code));
	if (target_check_written(t, j->selection.board, j->request->listener, e) < 0)
		return -1;
	return raise_floors(j, e);
}

static void finish_target(void *context, size_t i, struct err *failure)
{
	const struct running *r = context;
	struct job *j = r->job;
	struct target *t = r->targets[i];

	t->failure = *failure;
	int result = check_target(j, t, &r->executions[i], &t->failure);
	note_in_journal(j, t, result < 0 ? &t->failure : NULL);
	if (result < 0) {
		(void)err_wrap(&t->failure, "writing %s", t->path);
		fail(j, t);
		return;
	}
	target_let_go(t);
	emit_text(j, t, EVENT_DONE, guarantee_name(image_guarantee(j->selection.image)));
}

static void add_target(struct running *r, struct target *t)
{
	const struct job *j = r->job;
	struct execution *x = &r->executions[r->n];

	*x = (struct execution){
		.plan = t->plan,
		.image = j->selection.image,
		.sink = t->sink,
		.moved = t->moved,
		.cancel = j->request->cancel,
		.target = t->path,
	};
	r->targets[r->n] = t;
	r->in_order[r->n++] = x;
	t->is_started = true;
	emit_start(j, t);
}

/* All that were not refused, unless we were asked to stop before. */
static void add_targets(struct running *r)
{
	struct job *j = r->job;

	for (size_t i = 0; i < j->request->n_targets; i++) {
		struct target *t = &j->targets[i];
		if (t->is_failed)
			continue;
		if (cancel_check(j->request->cancel, &t->failure) == 0) {
			add_target(r, t);
			continue;
		}
		(void)err_hint(&t->failure, "the target was not touched");
		fail(j, t);
	}
}

/* None can be executed. */
static void fail_all(struct running *r, const struct err *why)
{
	for (size_t i = 0; i < r->n; i++) {
		struct err failure = *why;
		finish_target(r, i, &failure);
	}
}

void job_execute(struct job *j)
{
	size_t n = j->request->n_targets;
	CLEANUP(running_release)
	struct running r = {
		.job = j,
		.targets = calloc(n, sizeof *r.targets),
		.executions = calloc(n, sizeof *r.executions),
		.in_order = calloc(n, sizeof *r.in_order),
	};
	struct err e = {0};

	if (r.targets && r.executions && r.in_order)
		add_targets(&r);
	else
		fail_unexecuted(j);
	const struct copy c = {
		.image = j->selection.image,
		.targets = r.in_order,
		.n_targets = r.n,
		.listener = j->request->listener,
		.on_finished = finish_target,
		.context = &r,
		.reading = &j->reading,
	};
	if (r.n > 0 && copy_run(&c, &e) < 0)
		fail_all(&r, &e);
}
