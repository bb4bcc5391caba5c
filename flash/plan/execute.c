/* Doing a plan, step by step. See execute.h. */
#include "flash/plan/execute.h"

#include <stdlib.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/plan/capacity.h"
#include "flash/plan/mend.h"
#include "flash/plan/moved.h"
#include "flash/plan/read_back.h"
#include "flash/plan/run.h"
#include "flash/plan/scan.h"

/* A disk sector, at the least; a file is on some disk, too. */
enum { SECTOR_MIN_BYTES = 512 };

const char *target_state_text(enum target_state state)
{
	switch (state) {
	case STATE_UNTOUCHED:
		return "the target was not touched";
	case STATE_MARKED:
		return "the target may hold marks of the capacity probe, and is else as it was";
	case STATE_INCOMPLETE:
		return "the target is incomplete and will not boot";
	case STATE_COMMITTING:
		return "the target holds the image, but its first chunk is in doubt";
	case STATE_COMPLETE:
		return "the target is complete";
	}
	return "";
}

/* ---- What is there already ---------------------------------------------------------------------
 */

static void on_scanned(void *context, uint64_t done_bytes)
{
	const struct run *r = context;

	run_emit(r, EVENT_PROGRESS, PHASE_SCAN, done_bytes, r->image_bytes);
}

/* The chunks that the moved table changes are not those that the index tells of. */
static int scan_moved(struct run *r, uint8_t *is_wanted, struct err *e)
{
	const struct table_ends *m = r->x->moved;
	const struct index *x = image_index(r->x->image);
	CLEANUP(chunk_freep) struct chunk *tail = NULL;
	bool is_there = false;

	if (!m)
		return 0;
	for (uint64_t i = 0; i < x->n_chunks; i++) {
		CLEANUP(chunk_freep) struct chunk *c = NULL;
		CLEANUP(chunk_freep) struct chunk *moved = NULL;
		if (!moved_touches(m, i << x->chunk_log2, index_chunk_bytes(x, i)))
			continue;
		if (r->x->feed->ops->again(r->x->feed, i, &c, e) < 0 ||
		    moved_chunk(m, c, image_seed(r->x->image), &moved, e) < 0 ||
		    mend_is_on_medium(r, moved, &is_there, e) < 0)
			return -1;
		is_wanted[i] = !is_there;
	}
	if (moved_tail(m, image_seed(r->x->image), &tail, e) < 0 ||
	    mend_is_on_medium(r, tail, &is_there, e) < 0)
		return -1;
	r->is_tail_wanted = !is_there;
	return 0;
}

static int do_scan(struct run *r, const struct step *s, struct err *e)
{
	const struct index *x = image_index(r->x->image);
	CLEANUP(freep) uint8_t *is_wanted = calloc(1, (size_t)x->n_chunks);
	const struct scan scanning = {
		.sink = r->x->sink,
		.index = x,
		.is_hole_zeroed = r->x->plan->unmapped == UNMAPPED_ZERO,
		.cancel = r->x->cancel,
		.context = r,
		.on_progress = on_scanned,
	};

	(void)s;
	run_emit(r, EVENT_PHASE, PHASE_SCAN, 0, x->image_size_bytes);
	if (!is_wanted)
		return err_errno(e, "looking at what is there");
	if (scan(&scanning, is_wanted, e) < 0 || scan_moved(r, is_wanted, e) < 0)
		return err_wrap(e, "looking at what is there");
	r->is_scanned = true;
	r->is_any_wanted = r->is_tail_wanted;
	for (uint64_t i = 0; i < x->n_chunks; i++)
		r->is_any_wanted |= is_wanted[i] != 0;
	/* While anything is being written the target must not boot. */
	is_wanted[0] = r->is_any_wanted;
	return r->x->feed->ops->want(r->x->feed, is_wanted, e);
}

static bool is_done_already(const struct run *r)
{
	return r->is_scanned && !r->is_any_wanted;
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

/* The image's first chunk, as the medium shall hold it, to be kept until the commit. An image that
 * fails here has cost the target nothing. */
static int hold_first(struct run *r, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *c = NULL;

	if (r->first || is_done_already(r))
		return 0;
	if (r->x->feed->ops->next(r->x->feed, &c, e) < 0)
		return err_wrap(e, "image");
	if (!c)
		return err_set(e, ERR_UNTRUSTED, "the image is empty");
	if (moved_chunk(r->x->moved, c, image_seed(r->x->image), &r->first, e) < 0)
		return -1;
	r->image_end_bytes = chunk_size_bytes(c);
	r->x->written_bytes += chunk_size_bytes(c);
	return 0;
}

static int do_capacity(struct run *r, const struct step *s, struct err *e)
{
	(void)s;
	if (is_done_already(r))
		return 0;
	run_emit(r, EVENT_PHASE, PHASE_CHECK, 0, 0);
	r->x->state = STATE_MARKED;
	int result = capacity_probe(r->x->sink, image_seed(r->x->image), r->x->cancel, e);
	/* Whatever it finds, it puts back what was there, unless the medium fails. */
	if (result == 0 || e->code != ERR_IO)
		r->x->state = STATE_UNTOUCHED;
	return result;
}

static int do_wipe(struct run *r, const struct step *s, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *zeros = NULL;

	if (s->offset_bytes == 0 && is_done_already(r))
		return 0;
	run_emit(r, EVENT_PHASE, PHASE_WIPE, 0, s->size_bytes);
	if (chunk_zero_new(s->offset_bytes, s->size_bytes, &zeros, e) < 0)
		return -1;
	r->x->state = is_done_already(r) ? STATE_COMPLETE : STATE_INCOMPLETE;
	if (sink_write(r->x->sink, zeros, e) < 0)
		return err_wrap(e, "wiping %s", s->reason);
	return 0;
}

/* A hole, as the user wants it. */
static int write_hole(struct run *r, const struct chunk *c, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *zeros = NULL;

	switch (r->x->plan->unmapped) {
	case UNMAPPED_KEEP:
		return 0;
	case UNMAPPED_DISCARD:
		return sink_discard(r->x->sink, chunk_offset_bytes(c), chunk_size_bytes(c), e);
	case UNMAPPED_ZERO:
		break;
	}
	if (chunk_zero_new(chunk_offset_bytes(c), chunk_size_bytes(c), &zeros, e) < 0 ||
	    sink_write(r->x->sink, zeros, e) < 0)
		return -1;
	return written_add(&r->written, zeros, e);
}

static int write_chunk(struct run *r, const struct chunk *c, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *moved = NULL;

	if (moved_chunk(r->x->moved, c, image_seed(r->x->image), &moved, e) < 0)
		return -1;
	r->x->state = STATE_INCOMPLETE;
	r->image_end_bytes = chunk_offset_bytes(c) + chunk_size_bytes(c);
	if (chunk_kind(moved) == CHUNK_SKIP)
		return write_hole(r, moved, e);
	if (sink_write(r->x->sink, moved, e) < 0)
		return -1;
	r->x->written_bytes += chunk_size_bytes(c);
	return written_add(&r->written, moved, e);
}

static int write_next(struct run *r, bool *out_is_end, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *c = NULL;

	if (cancel_check(r->x->cancel, e) < 0)
		return -1;
	if (r->x->feed->ops->next(r->x->feed, &c, e) < 0)
		return err_wrap(e, "image");
	*out_is_end = !c;
	if (!c && !r->is_scanned)
		r->image_bytes = r->image_end_bytes;
	if (!c)
		return 0;
	/* The text names the byte; it may be one of an earlier chunk, which was still under way. */
	if (write_chunk(r, c, e) < 0)
		return -1;
	run_emit(r, EVENT_PROGRESS, PHASE_WRITE, r->image_end_bytes, r->image_bytes);
	return 0;
}

static int do_write(struct run *r, const struct step *s, struct err *e)
{
	bool is_end = false;

	if (is_done_already(r))
		return 0;
	run_emit(r, EVENT_PHASE, PHASE_WRITE, s->offset_bytes, r->image_bytes);
	while (!is_end)
		if (write_next(r, &is_end, e) < 0)
			return -1;
	return 0;
}

static int do_move_gpt(struct run *r, const struct step *s, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *tail = NULL;

	(void)s;
	if (r->is_scanned && !r->is_tail_wanted)
		return 0;
	if (moved_tail(r->x->moved, image_seed(r->x->image), &tail, e) < 0)
		return -1;
	r->x->state = STATE_INCOMPLETE;
	if (sink_write(r->x->sink, tail, e) < 0)
		return err_wrap(e, "moving the backup partition table");
	return written_add(&r->written, tail, e);
}

static int do_flush(struct run *r, const struct step *s, struct err *e)
{
	(void)s;
	run_emit(r, EVENT_PHASE, PHASE_FLUSH, 0, 0);
	if (sink_flush(r->x->sink, e) < 0)
		return -1;
	return cancel_check(r->x->cancel, e);
}

/* ---- Reading back ------------------------------------------------------------------------------
 */

/* What was wiped must be found wiped: the first chunk, onto which a medium that wraps has put
 * others by now, and what is behind the image's last sector, up to the moved table. */
static int add_wipe(struct run *r, const struct step *s, struct err *e)
{
	uint64_t image_end_bytes = align_up(r->image_bytes, r->x->sink->sector_bytes);
	uint64_t tail_bytes = r->x->moved ? r->x->moved->tail_offset_bytes : UINT64_MAX;
	uint64_t to_bytes = min_u64(s->offset_bytes + s->size_bytes, tail_bytes);
	size_t piece_bytes = image_chunk_bytes(r->x->image);

	if (s->offset_bytes == 0 && is_done_already(r))
		return 0; /* nor was it wiped */
	if (s->offset_bytes == 0 &&
	    written_add_zeros(&r->written, 0, min_u64(to_bytes, image_end_bytes), piece_bytes, e) <
		    0)
		return -1;
	return written_add_zeros(&r->written, max_u64(s->offset_bytes, image_end_bytes), to_bytes,
				 piece_bytes, e);
}

static int add_wipes(struct run *r, struct err *e)
{
	const struct plan *p = r->x->plan;

	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_WIPE && add_wipe(r, &p->steps[i], e) < 0)
			return -1;
	return 0;
}

/* On some media, mending one piece spoils another: only a pass that mends nothing proves that all
 * is right. */
static int read_back_until_right(struct run *r, struct err *e)
{
	const struct read_back reading = {
		.sink = r->x->sink,
		.list = &r->written,
		.seed = image_seed(r->x->image),
		.context = r,
		.on_piece = run_on_piece,
		.on_mismatch = mend_piece,
	};

	for (unsigned n_passes = 0; n_passes <= r->x->n_retries; n_passes++) {
		r->n_mended = 0;
		run_emit(r, EVENT_PHASE, PHASE_READ_BACK, 0, r->image_bytes);
		if (read_back(&reading, e) < 0)
			return -1;
		if (r->n_mended == 0)
			return 0;
	}
	return err_set(e, ERR_DIFFERS,
		       "in each of %u passes chunks differed that had been right before, %u in the "
		       "last: %s; the medium is bad: replace it",
		       r->x->n_retries + 1, r->n_mended, r->difference.text);
}

static int do_read_back(struct run *r, const struct step *s, struct err *e)
{
	(void)s;
	if (add_wipes(r, e) < 0)
		return -1;
	return r->written.n_items ? read_back_until_right(r, e) : 0;
}

/* ---- Committing --------------------------------------------------------------------------------
 */

/* [from_bytes, to_bytes) of the first chunk; nothing when that is empty. */
static int commit_part(struct run *r, size_t from_bytes, size_t to_bytes, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *part = NULL;

	if (from_bytes >= to_bytes)
		return 0;
	if (chunk_slice_new(r->first, from_bytes, to_bytes, image_seed(r->x->image), &part, e) < 0)
		return -1;
	return mend_write_checked(r, part, e);
}

/* What starts the target comes last, and of that its first sector: a power cut may tear any longer
 * write, and a boot sector alone would start half a boot loader. */
static int commit_first(struct run *r, struct err *e)
{
	size_t n_bytes = (size_t)chunk_size_bytes(r->first);
	size_t last_bytes = (size_t)min_u64(COMMIT_LAST_BYTES, n_bytes);
	size_t sector_bytes = (size_t)max_u64(r->x->sink->sector_bytes, SECTOR_MIN_BYTES);
	size_t boot_bytes = (size_t)min_u64(sector_bytes, last_bytes);

	switch (chunk_kind(r->first)) {
	case CHUNK_DATA:
		if (commit_part(r, last_bytes, n_bytes, e) < 0)
			return -1;
		r->x->state = STATE_COMMITTING;
		if (commit_part(r, boot_bytes, last_bytes, e) < 0)
			return -1;
		return commit_part(r, 0, boot_bytes, e);
	case CHUNK_ZERO:
		return mend_write_checked(r, r->first, e);
	case CHUNK_SKIP:
		break;
	}
	return 0; /* it was wiped, and that is as good as anything */
}

static int do_commit(struct run *r, const struct step *s, struct err *e)
{
	sink_hold_on(r->x->sink);
	if (!is_done_already(r)) {
		run_emit(r, EVENT_PHASE, PHASE_COMMIT, 0, s->size_bytes);
		if (commit_first(r, e) < 0)
			return err_wrap(e, "committing");
		run_emit(r, EVENT_PROGRESS, PHASE_COMMIT, s->size_bytes, s->size_bytes);
	}
	r->x->state = STATE_COMPLETE;
	return 0;
}

static int do_nothing(struct run *r, const struct step *s, struct err *e)
{
	(void)r;
	(void)s;
	(void)e;
	return 0;
}

static int do_step(struct run *r, const struct step *s, struct err *e)
{
	static int (*const steps[])(struct run *, const struct step *, struct err *) = {
		[STEP_SCAN] = do_scan,           [STEP_CAPACITY] = do_capacity,
		[STEP_WIPE] = do_wipe,           [STEP_WRITE] = do_write,
		[STEP_MOVE_GPT] = do_move_gpt,   [STEP_FLUSH] = do_flush,
		[STEP_READ_BACK] = do_read_back, [STEP_COMMIT] = do_commit,
		[STEP_PROBE] = do_nothing,
	};

	if (s->kind != STEP_SCAN && hold_first(r, e) < 0)
		return -1;
	return steps[s->kind](r, s, e);
}

/* SIZE_UNKNOWN for a stream, even if all of it was read by now: what is told of progress must not
 * depend on who is faster. */
static uint64_t planned_bytes(const struct execution *x)
{
	for (size_t i = 0; i < x->plan->n_steps; i++)
		if (x->plan->steps[i].kind == STEP_WRITE &&
		    x->plan->steps[i].size_bytes == SIZE_UNKNOWN)
			return SIZE_UNKNOWN;
	return image_size_bytes(x->image);
}

int execute(struct execution *x, struct err *e)
{
	CLEANUP(run_release) struct run r = {.x = x, .image_bytes = planned_bytes(x)};

	x->state = STATE_UNTOUCHED;
	x->written_bytes = 0;
	if (cancel_check(x->cancel, e) < 0)
		return -1;
	for (size_t i = 0; i < x->plan->n_steps; i++)
		if (do_step(&r, &x->plan->steps[i], e) < 0)
			return -1;
	return 0;
}
