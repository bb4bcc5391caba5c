/* One target of a job. See target.h. */
#include "provision/target.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "provision/outcome.h"
#include "provision/overlap.h"

void target_let_go(struct target *t)
{
	if (t->is_made && t->execution.state == STATE_UNTOUCHED)
		(void)unlink(t->path);
	t->is_made = false;
	sink_free(TAKE(t->sink));
}

void target_release(struct target *t)
{
	target_let_go(t);
	plan_free(t->plan);
	table_ends_free(t->moved);
	table_free(t->table);
	signatures_release(&t->signatures);
	facts_free(t->facts);
}

int target_look(struct target *t, const struct target_policy *p, const struct image_request *where,
		const struct image *image, struct err *e)
{
	facts_free(TAKE(t->facts));
	if (facts_gather(t->path, "", &t->facts, e) < 0 || overlap_check(t->facts, where, e) < 0 ||
	    refusal_check(t->facts, &p->refusal, image_size_bytes(image), &t->lifted, e) < 0)
		return err_wrap(e, "target %s", t->path);
	return 0;
}

static int open_sink(struct target *t, const struct target_policy *p, const struct image *image,
		     const struct cancel *cancel, struct err *e)
{
	enum sink_mode mode = p->is_plan_only ? SINK_LOOK : SINK_WRITE;
	const struct sink_options o = {
		.pool = image_pool(image),
		.stall_timeout_ms = p->stall_timeout_ms,
		.cancel = cancel,
	};
	int result =
		t->facts->kind == TARGET_BLOCK
			? sink_blockdev_open(t->path, mode, &o, &t->sink, e)
			: sink_file_open(t->path, mode, image_size_bytes(image), &o, &t->sink, e);

	if (result < 0)
		return err_wrap(e, "target %s", t->path);
	t->is_made = t->sink->is_blank && !p->is_plan_only;
	return 0;
}

/* Did another thing get the name before it was opened? */
static int look_again(struct target *t, const struct target_policy *p,
		      const struct image_request *where, const struct image *image, struct err *e)
{
	if (t->sink->is_blank)
		return 0;
	if (target_look(t, p, where, image, e) < 0)
		return -1;
	if (facts_check_open(t->facts, t->sink->probe_fd, e) < 0)
		return err_wrap(e, "target %s", t->path);
	return 0;
}

static int check_sector(const struct target *t, const struct image *image, struct err *e)
{
	const struct table *table = t->table;
	bool is_told = table->kind != TABLE_NONE || image_manifest(image);

	if (!is_told || t->facts->kind != TARGET_BLOCK ||
	    table->sector_bytes == t->facts->sector_bytes)
		return 0;
	return err_set(e, ERR_REFUSED,
		       "the image is made for sectors of %" PRIu32 " bytes, but %s has %" PRIu32
		       "; get an image made, and signed with --sector, for that size",
		       table->sector_bytes, t->path, t->facts->sector_bytes);
}

/* Move the GPT to the end of the target, and let t->table tell what grows with that. */
static int move_gpt(struct target *t, const struct selection *s, struct err *e)
{
	if (selection_move_gpt(s, t->table, t->sink->size_bytes, &t->moved, e) < 0)
		return -1;
	for (size_t i = 0; t->moved && i < t->table->n_partitions; i++)
		if (t->table->partitions[i].number == t->moved->growth.number)
			t->table->partitions[i].size_bytes = t->moved->growth.to_bytes;
	return 0;
}

static int find_signatures(struct target *t, struct err *e)
{
	if (t->sink->is_blank)
		return 0;
	if (probe_signatures(t->sink->probe_fd, t->sink->size_bytes, t->facts->sector_bytes,
			     &t->signatures, e) < 0)
		return err_wrap(e, "target %s", t->path);
	return 0;
}

bool target_is_probed(const struct facts *f, enum capacity_probe probe)
{
	/* What this machine makes itself has what it claims. */
	static const char *const made[] = {"loop", "nbd", "zram"};

	switch (probe) {
	case CAPACITY_PROBE_ALWAYS:
		return true;
	case CAPACITY_PROBE_NEVER:
		return false;
	case CAPACITY_PROBE_AUTO:
		break;
	}
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		if (strcmp(f->transport, made[i]) == 0)
			return false;
	return f->kind == TARGET_BLOCK && (f->is_removable || f->is_hotplug);
}

static int make_plan(struct target *t, const struct target_policy *p, const struct image *image,
		     struct err *e)
{
	const struct plan_input in = {
		.image_size_bytes = image_size_bytes(image),
		.medium_size_bytes = t->sink->size_bytes,
		.sector_bytes = t->sink->sector_bytes > 512 ? t->sink->sector_bytes : 512,
		.chunk_bytes = image_chunk_bytes(image),
		.index = image_manifest(image) ? image_index(image) : NULL,
		.stale = &t->signatures,
		.moved_gpt_offset_bytes = t->moved ? t->moved->tail_offset_bytes : 0,
		.growth = t->moved ? t->moved->growth : (struct table_growth){0},
		.unmapped = p->unmapped,
		.is_blank = t->sink->is_blank,
		.is_delta = p->is_delta,
		.is_capacity_probed = target_is_probed(t->facts, p->capacity_probe),
	};
	return plan_make(&in, &t->plan, e);
}

int target_open(struct target *t, const struct target_policy *p, const struct image_request *where,
		const struct selection *s, const struct cancel *cancel, struct err *e)
{
	if (selection_look(s, t->facts->size_bytes, &t->table, e) < 0 ||
	    check_sector(t, s->image, e) < 0 || open_sink(t, p, s->image, cancel, e) < 0 ||
	    look_again(t, p, where, s->image, e) < 0 || move_gpt(t, s, e) < 0 ||
	    find_signatures(t, e) < 0 || make_plan(t, p, s->image, e) < 0)
		return -1;
	t->execution = (struct execution){
		.plan = t->plan,
		.image = s->image,
		.sink = t->sink,
		.moved = t->moved,
		.cancel = cancel,
		.target = t->path,
		.n_retries = p->n_retries,
	};
	return 0;
}

/* A file can lose its name while it is open: then what was written goes with the descriptor. */
static int check_still_there(const struct target *t, struct err *e)
{
	struct stat written;
	struct stat named;

	if (t->facts->kind == TARGET_BLOCK)
		return 0;
	if (fstat(t->sink->probe_fd, &written) < 0)
		return err_errno(e, "looking at what was written");
	if (stat(t->path, &named) < 0 || named.st_dev != written.st_dev ||
	    named.st_ino != written.st_ino)
		return err_set(e, ERR_IO,
			       "the file was removed or replaced while it was written; run the "
			       "same command again");
	return 0;
}

int target_check_written(const struct target *t, const struct board *b, struct err *e)
{
	const struct event ev = {.kind = EVENT_PHASE, .phase = PHASE_PROBE, .target = t->path};

	event_emit(t->execution.listener, &ev);
	if (outcome_check(t->sink, t->table, b, e) < 0)
		return err_hint(e, "%s", "the target holds the image, but do not use it");
	return check_still_there(t, e);
}
