/* The steps that write an image to a target. See plan.h. */
#include "flash/plan/plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "flash/base/cleanup.h"
#include "flash/base/json.h"
#include "flash/base/units.h"

const char *step_name(enum step_kind kind)
{
	switch (kind) {
	case STEP_SCAN:
		return "scan";
	case STEP_CAPACITY:
		return "capacity";
	case STEP_WIPE:
		return "wipe";
	case STEP_WRITE:
		return "write";
	case STEP_MOVE_GPT:
		return "move-gpt";
	case STEP_FLUSH:
		return "flush";
	case STEP_READ_BACK:
		return "read-back";
	case STEP_COMMIT:
		return "commit";
	case STEP_PROBE:
		return "probe";
	}
	return "";
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	free(p->steps);
	free(p);
}

/* Append a step; there is room for it. */
__attribute__((format(printf, 5, 6))) static void add(struct plan *p, enum step_kind kind,
						      uint64_t offset_bytes, uint64_t size_bytes,
						      const char *fmt, ...)
{
	struct step *s = &p->steps[p->n_steps++];
	va_list ap;

	s->kind = kind;
	s->offset_bytes = offset_bytes;
	s->size_bytes = size_bytes;
	va_start(ap, fmt);
	(void)vsnprintf(s->reason, sizeof s->reason, fmt, ap);
	va_end(ap);
}

/* Where s is to be wiped, in whole sectors, so that no probe finds it again; all before done_bytes
 * is wiped already. What a scan is to leave alone is not: it may be the image's own. */
static void wipe_range(const struct plan_input *in, const struct signature *s, uint64_t done_bytes,
		       uint64_t *out_from_bytes, uint64_t *out_to_bytes)
{
	uint64_t from_bytes = align_down(s->offset_bytes, in->sector_bytes);
	uint64_t to_bytes = min_u64(align_up(s->offset_bytes + s->size_bytes, in->sector_bytes),
				    in->medium_size_bytes);

	if (in->is_delta)
		done_bytes = max_u64(done_bytes, align_up(in->image_size_bytes, in->sector_bytes));
	if (in->is_delta && in->moved_gpt_offset_bytes)
		to_bytes = min_u64(to_bytes, in->moved_gpt_offset_bytes);
	*out_from_bytes = max_u64(from_bytes, done_bytes);
	*out_to_bytes = to_bytes;
}

static void add_wipes(struct plan *p, const struct plan_input *in, uint64_t head_bytes)
{
	uint64_t done_bytes = head_bytes;

	add(p, STEP_WIPE, 0, head_bytes, "old boot code and partition table%s",
	    in->is_delta ? ", unless all is right" : "");
	for (size_t i = 0; i < in->stale->n_items; i++) {
		const struct signature *s = &in->stale->items[i];
		uint64_t from_bytes = 0;
		uint64_t to_bytes = 0;
		wipe_range(in, s, done_bytes, &from_bytes, &to_bytes);
		if (from_bytes >= to_bytes)
			continue;
		add(p, STEP_WIPE, from_bytes, to_bytes - from_bytes, "old %s%s%s", s->type,
		    s->label[0] ? " " : "", s->label);
		done_bytes = to_bytes;
	}
}

/* What comes before anything is written. */
static void add_looks(struct plan *p, const struct plan_input *in)
{
	if (in->is_delta && !in->is_blank)
		add(p, STEP_SCAN, 0, in->image_size_bytes, "what is right already is left alone");
	if (in->is_capacity_probed && !in->is_blank)
		add(p, STEP_CAPACITY, 0, in->medium_size_bytes,
		    "marks, put back at once, tell whether it has the size that it claims");
}

static void add_write(struct plan *p, const struct plan_input *in, uint64_t head_bytes)
{
	static const char *const holes[] = {
		[UNMAPPED_KEEP] = "kept as they are",
		[UNMAPPED_ZERO] = "zeroed",
		[UNMAPPED_DISCARD] = "discarded",
	};
	uint64_t n_of_kind[] = {0, 0, 0};

	if (in->image_size_bytes == SIZE_UNKNOWN) {
		add(p, STEP_WRITE, head_bytes, SIZE_UNKNOWN, "the image, until its end");
		return;
	}
	if (in->image_size_bytes <= head_bytes) {
		add(p, STEP_WRITE, 0, 0, "nothing: the image ends with its first chunk");
		return;
	}
	uint64_t size_bytes = in->image_size_bytes - head_bytes;
	for (uint64_t i = 1; in->index && i < in->index->n_chunks; i++)
		n_of_kind[in->index->entries[i].kind]++;
	if (in->index)
		add(p, STEP_WRITE, head_bytes, size_bytes,
		    "chunks: %" PRIu64 " with data, %" PRIu64 " zeros, %" PRIu64 " holes (%s)",
		    n_of_kind[CHUNK_DATA], n_of_kind[CHUNK_ZERO], n_of_kind[CHUNK_SKIP],
		    holes[in->unmapped]);
	else
		add(p, STEP_WRITE, head_bytes, size_bytes, "the image");
}

static void add_move_gpt(struct plan *p, const struct plan_input *in)
{
	const struct table_growth *g = &in->growth;
	char grow_text[STEP_REASON_BYTES / 2] = "";
	char from_text[UNITS_TEXT_BYTES];
	char to_text[UNITS_TEXT_BYTES];

	if (g->number)
		(void)snprintf(grow_text, sizeof grow_text, "; partition %u grows from %s to %s",
			       g->number, units_format_bytes(g->from_bytes, from_text),
			       units_format_bytes(g->to_bytes, to_text));
	add(p, STEP_MOVE_GPT, in->moved_gpt_offset_bytes,
	    in->medium_size_bytes - in->moved_gpt_offset_bytes,
	    "backup partition table at the real end%s", grow_text);
	p->steps[p->n_steps - 1].growth = *g;
}

int plan_make(const struct plan_input *in, struct plan **out, struct err *e)
{
	enum { STEPS_BUT_WIPES = 10 };
	CLEANUP(plan_freep) struct plan *p = calloc(1, sizeof *p);
	uint64_t head_bytes =
		min_u64(in->chunk_bytes, min_u64(in->image_size_bytes, in->medium_size_bytes));
	uint64_t wipe_bytes = min_u64(in->chunk_bytes, in->medium_size_bytes);

	if (p)
		p->steps = calloc(in->stale->n_items + 1 + STEPS_BUT_WIPES, sizeof *p->steps);
	if (!p || !p->steps)
		return err_errno(e, "planning");
	p->unmapped = in->unmapped;
	p->is_gpt_moved = in->moved_gpt_offset_bytes != 0;
	add_looks(p, in);
	if (!in->is_blank) {
		add_wipes(p, in, wipe_bytes);
		add(p, STEP_FLUSH, 0, 0, "nothing bootable is left");
	}
	add_write(p, in, head_bytes);
	if (p->is_gpt_moved)
		add_move_gpt(p, in);
	add(p, STEP_FLUSH, 0, 0, "all but the first chunk is durable");
	add(p, STEP_READ_BACK, 0, in->image_size_bytes,
	    "all but the first chunk, past every cache");
	add(p, STEP_COMMIT, 0, head_bytes, "boot code and partition table, last");
	add(p, STEP_PROBE, 0, 0, "table and file systems are found again");
	*out = TAKE(p);
	return 0;
}

void plan_format(const struct plan *p, struct buf *out)
{
	char size_text[UNITS_TEXT_BYTES];

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct step *s = &p->steps[i];
		buf_printf(out, "%2zu  %-9s", i + 1, step_name(s->kind));
		if (s->size_bytes)
			buf_printf(out, "  %12s at byte %-14" PRIu64,
				   units_format_bytes(s->size_bytes, size_text), s->offset_bytes);
		else
			buf_printf(out, "  %36s", "");
		buf_append_text(out, "  ");
		buf_append_clean(out, s->reason); /* it may have a label of the medium in it */
		buf_append_text(out, "\n");
	}
}

void plan_format_json(const struct plan *p, const char *target, struct buf *out)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct step *s = &p->steps[i];
		json_open(out, NULL, '{');
		json_text(out, "event", "step");
		json_text(out, "target", target);
		json_text(out, "step", step_name(s->kind));
		json_u64(out, "offset_bytes", s->offset_bytes);
		if (s->size_bytes != SIZE_UNKNOWN)
			json_u64(out, "size_bytes", s->size_bytes);
		if (s->growth.number) {
			json_u64(out, "partition", s->growth.number);
			json_u64(out, "from_bytes", s->growth.from_bytes);
			json_u64(out, "to_bytes", s->growth.to_bytes);
		}
		json_text(out, "text", s->reason);
		json_close(out, '}');
		buf_append_text(out, "\n");
	}
}
