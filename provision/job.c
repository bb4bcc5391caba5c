/* One image for one target. See job.h. */
#include "provision/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/disk/table.h"
#include "flash/plan/execute.h"
#include "flash/trust/floor.h"
#include "provision/journal.h"
#include "provision/outcome.h"
#include "provision/overlap.h"
#include "provision/selection.h"

enum { N_OVERRIDES_MAX = 4 };

struct job {
	const struct job_request *request; /* borrowed */
	struct image *image;               /* owned, as all that follow */
	const struct board *board;         /* borrowed from the registry */
	struct facts *facts;
	struct sink *sink;
	struct signatures signatures;
	struct layout_seen seen;
	struct table_moved *moved; /* NULL: the table stays */
	struct plan *plan;
	bool is_started; /* a file that was not there goes away again unless this is set */
	const char *overrides[N_OVERRIDES_MAX]; /* static texts */
	size_t n_overrides;
};

void job_free(struct job *j)
{
	if (!j)
		return;
	if (j->sink && j->sink->is_blank && !j->is_started && !j->request->is_plan_only)
		(void)unlink(j->request->target);
	plan_free(j->plan);
	table_moved_free(j->moved);
	layout_seen_release(&j->seen);
	signatures_release(&j->signatures);
	sink_free(j->sink);
	facts_free(j->facts);
	image_free(j->image);
	free(j);
}

const struct plan *job_plan(const struct job *j)
{
	return j->plan;
}

const struct facts *job_facts(const struct job *j)
{
	return j->facts;
}

const struct signatures *job_signatures(const struct job *j)
{
	return &j->signatures;
}

const struct image *job_image(const struct job *j)
{
	return j->image;
}

const struct board *job_board(const struct job *j)
{
	return j->board;
}

/* ---- Preparing ---------------------------------------------------------------------------------
 */

static int job_new(const struct job_request *r, struct job **out, struct err *e)
{
	CLEANUP(job_freep) struct job *j = calloc(1, sizeof *j);

	if (!j)
		return err_errno(e, "%s", r->target);
	j->request = r;
	if (image_open(&r->image, &j->image, e) < 0)
		return -1;
	if (image_guarantee(j->image) != GUARANTEE_SIGNATURE)
		j->overrides[j->n_overrides++] = "--allow-unsigned";
	*out = TAKE(j);
	return 0;
}

/* Gather the facts afresh and refuse what they forbid. */
static int check_facts(struct job *j, struct err *e)
{
	const char *lifted = NULL;

	facts_free(TAKE(j->facts));
	if (facts_gather(j->request->target, "", &j->facts, e) < 0 ||
	    overlap_check(j->facts, &j->request->image, e) < 0 ||
	    refusal_check(j->facts, &j->request->refusal, image_size_bytes(j->image), &lifted, e) <
		    0)
		return -1;
	if (lifted && j->n_overrides < N_OVERRIDES_MAX &&
	    (j->n_overrides == 0 || j->overrides[j->n_overrides - 1] != lifted))
		j->overrides[j->n_overrides++] = lifted;
	return 0;
}

static int open_sink(struct job *j, struct err *e)
{
	enum sink_mode mode = j->request->is_plan_only ? SINK_LOOK : SINK_WRITE;

	if (j->facts->kind == TARGET_BLOCK)
		return sink_blockdev_open(j->request->target, mode, &j->sink, e);
	return sink_file_open(j->request->target, mode, image_size_bytes(j->image), &j->sink, e);
}

/* Hold the target to the end, and ask for its facts once more, now that no answer can go stale. */
static int open_target(struct job *j, struct err *e)
{
	if (open_sink(j, e) < 0)
		return err_wrap(e, "target %s", j->request->target);
	if (j->sink->is_blank)
		return 0;
	if (check_facts(j, e) < 0 || facts_check_open(j->facts, j->sink->probe_fd, e) < 0)
		return err_wrap(e, "target %s", j->request->target);
	return 0;
}

static int check_sector(const struct job *j, struct err *e)
{
	const struct table *t = j->seen.table;
	bool is_told = t->kind != TABLE_NONE || image_manifest(j->image);

	if (!is_told || j->facts->kind != TARGET_BLOCK || t->sector_bytes == j->facts->sector_bytes)
		return 0;
	return err_set(e, ERR_REFUSED,
		       "the image is made for sectors of %" PRIu32 " bytes, but %s has %" PRIu32
		       "; get an image made, and signed with --sector, for that size",
		       t->sector_bytes, j->request->target, j->facts->sector_bytes);
}

static int make_plan(struct job *j, struct err *e)
{
	const struct plan_input in = {
		.image_size_bytes = image_size_bytes(j->image),
		.medium_size_bytes = j->sink->size_bytes,
		.sector_bytes = j->sink->sector_bytes > 512 ? j->sink->sector_bytes : 512,
		.chunk_bytes = image_chunk_bytes(j->image),
		.index = image_manifest(j->image) ? image_index(j->image) : NULL,
		.stale = &j->signatures,
		.moved_gpt_offset_bytes = j->moved ? j->moved->tail_offset_bytes : 0,
		.unmapped = j->request->unmapped,
		.is_blank = j->sink->is_blank,
	};
	return plan_make(&in, &j->plan, e);
}

int job_prepare(const struct job_request *r, struct job **out, struct err *e)
{
	CLEANUP(job_freep) struct job *j = NULL;

	if (job_new(r, &j, e) < 0 ||
	    selection_board(r->registry, image_manifest(j->image), r->board_id, &j->board, e) < 0 ||
	    selection_check_floor(r->state_dir, image_manifest(j->image), e) < 0)
		return -1;
	if (!r->is_plan_only &&
	    selection_check_state(r->state_dir, image_manifest(j->image), e) < 0)
		return -1;
	/* Facts before the target is opened tell a device from a file, and why a busy one is busy.
	 */
	if (check_facts(j, e) < 0)
		return err_wrap(e, "target %s", r->target);
	if (selection_look(j->image, j->board, j->facts->size_bytes, &j->seen, e) < 0 ||
	    check_sector(j, e) < 0 || open_target(j, e) < 0 ||
	    selection_move_gpt(&j->seen, j->sink->size_bytes, &j->moved, e) < 0)
		return -1;
	if (!j->sink->is_blank && probe_signatures(j->sink->probe_fd, j->sink->size_bytes,
						   j->facts->sector_bytes, &j->signatures, e) < 0)
		return err_wrap(e, "target %s", r->target);
	if (make_plan(j, e) < 0)
		return -1;
	*out = TAKE(j);
	return 0;
}

/* ---- Executing ---------------------------------------------------------------------------------
 */

static void emit_text(const struct job *j, enum event_kind kind, enum err_code code,
		      const char *text)
{
	const struct event ev = {
		.kind = kind, .code = code, .target = j->request->target, .text = text};

	event_emit(j->request->listener, &ev);
}

/* Look at the target as a machine will, and hold it against image and board. */
static int probe_target(const struct job *j, struct err *e)
{
	const struct event ev = {
		.kind = EVENT_PHASE, .phase = PHASE_PROBE, .target = j->request->target};

	event_emit(j->request->listener, &ev);
	return outcome_check(j->sink, j->seen.table, j->board, e);
}

/* A file can lose its name while it is open: then what was written goes with the descriptor. */
static int check_still_there(const struct job *j, struct err *e)
{
	struct stat written;
	struct stat named;

	if (j->facts->kind == TARGET_BLOCK)
		return 0;
	if (fstat(j->sink->probe_fd, &written) < 0)
		return err_errno(e, "looking at what was written");
	if (stat(j->request->target, &named) < 0 || named.st_dev != written.st_dev ||
	    named.st_ino != written.st_ino)
		return err_set(e, ERR_IO,
			       "the file was removed or replaced while it was written; run the "
			       "same command again");
	return 0;
}

/* A good commit: older images of the group are refused from now on. */
static int raise_floors(const struct job *j, struct err *e)
{
	const struct manifest *m = image_manifest(j->image);
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

static int write_target(struct job *j, struct err *e)
{
	struct execution x = {
		.plan = j->plan,
		.image = j->image,
		.sink = j->sink,
		.moved = j->moved,
		.listener = j->request->listener,
		.cancel = j->request->cancel,
		.target = j->request->target,
	};

	if (execute(&x, e) < 0)
		return err_hint(e, "%s; %s", target_state_text(x.state), way_on(e->code));
	if (probe_target(j, e) < 0)
		return err_hint(e, "%s", "the target holds the image, but do not use it");
	if (check_still_there(j, e) < 0)
		return -1;
	return raise_floors(j, e);
}

static void emit_start(const struct job *j)
{
	const struct manifest *m = image_manifest(j->image);
	char text[2 * MANIFEST_NAME_BYTES] = "unsigned image";

	if (m)
		(void)snprintf(text, sizeof text, "%s %s", m->name, m->version);
	emit_text(j, EVENT_STARTED, ERR_NONE, text);
	for (size_t i = 0; i < j->n_overrides; i++)
		emit_text(j, EVENT_OVERRIDE, ERR_NONE, j->overrides[i]);
}

static int note_in_journal(const struct job *j, const struct err *failure, struct err *e)
{
	const struct journal_entry entry = {
		.time_s = time(NULL),
		.facts = j->facts,
		.image = j->image,
		.where = j->request->image.where,
		.board_id = j->board->id,
		.overrides = j->overrides,
		.n_overrides = j->n_overrides,
		.failure = failure,
	};
	return journal_append(j->request->state_dir, &entry, e);
}

int job_execute(struct job *j, struct err *e)
{
	struct err journal_failure = {0};

	j->is_started = true;
	emit_start(j);
	int result = write_target(j, e);
	if (note_in_journal(j, result < 0 ? e : NULL, &journal_failure) < 0)
		emit_text(j, EVENT_NOTE, journal_failure.code, journal_failure.text);
	if (result < 0)
		return err_wrap(e, "writing %s", j->request->target);
	emit_text(j, EVENT_DONE, ERR_NONE, guarantee_name(image_guarantee(j->image)));
	return 0;
}
