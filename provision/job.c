/* One image for several targets. See job.h. */
#include "provision/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "flash/base/cleanup.h"
#include "flash/plan/execute.h"
#include "flash/trust/floor.h"
#include "provision/journal.h"
#include "provision/overlap.h"

struct job {
	const struct job_request *request; /* borrowed */
	struct selection selection;        /* its image is owned, the board is the registry's */
	struct target *targets;            /* owned, n_targets of the request */
};

void job_free(struct job *j)
{
	if (!j)
		return;
	for (size_t i = 0; j->targets && i < j->request->n_targets; i++)
		target_release(&j->targets[i]);
	free(j->targets);
	image_free(j->selection.image);
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

static int check_sources(const struct job_request *r, struct err *e)
{
	const char *const sources[] = {r->image.where, r->image.manifest_where, r->image.bmap_where,
				       r->image.sums_where};

	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (check_rereadable(sources[i], r->n_targets, e) < 0)
			return -1;
	return 0;
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
	j->targets = calloc(r->n_targets, sizeof *j->targets);
	if (!j->targets)
		return err_errno(e, "%s", r->image.where);
	for (size_t i = 0; i < r->n_targets; i++)
		j->targets[i].path = r->targets[i];
	if (check_sources(r, e) < 0 || image_open(&r->image, &j->selection.image, e) < 0 ||
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

static int write_target(struct job *j, struct target *t, struct err *e)
{
	struct execution x = {
		.plan = t->plan,
		.image = j->selection.image,
		.sink = t->sink,
		.moved = t->moved,
		.listener = j->request->listener,
		.cancel = j->request->cancel,
		.target = t->path,
	};

	if (execute(&x, e) < 0)
		return err_hint(e, "%s; %s", target_state_text(x.state), way_on(e->code));
	if (target_check_written(t, j->selection.board, j->request->listener, e) < 0)
		return -1;
	return raise_floors(j, e);
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

static void execute_target(struct job *j, struct target *t)
{
	if (cancel_check(j->request->cancel, &t->failure) < 0) {
		(void)err_hint(&t->failure, "the target was not touched");
		fail(j, t);
		return;
	}
	t->is_started = true;
	emit_start(j, t);
	int result = write_target(j, t, &t->failure);
	note_in_journal(j, t, result < 0 ? &t->failure : NULL);
	if (result < 0) {
		(void)err_wrap(&t->failure, "writing %s", t->path);
		fail(j, t);
		return;
	}
	target_let_go(t);
	emit_text(j, t, EVENT_DONE, guarantee_name(image_guarantee(j->selection.image)));
}

/* The image once more, for the next target. */
static int read_again(struct job *j, struct err *e)
{
	const struct manifest *seen = image_manifest(j->selection.image);
	CLEANUP(image_freep) struct image *again = NULL;

	if (image_open(&j->request->image, &again, e) < 0)
		return -1;
	const struct manifest *found = image_manifest(again);
	if (!seen != !found || (seen && memcmp(seen->index_sha256, found->index_sha256,
					       sizeof seen->index_sha256) != 0))
		return err_set(e, ERR_UNTRUSTED, "%s was replaced by another image meanwhile",
			       j->request->image.where);
	image_free(j->selection.image);
	j->selection.image = TAKE(again);
	return 0;
}

void job_execute(struct job *j)
{
	bool is_read = false;

	for (size_t i = 0; i < j->request->n_targets; i++) {
		struct target *t = &j->targets[i];
		if (t->is_failed)
			continue;
		if (is_read && read_again(j, &t->failure) < 0)
			fail(j, t);
		else
			execute_target(j, t);
		is_read = true;
	}
}
