/* Events as text. See render.h. */
#include "provision/cli/render.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/units.h"
#include "provision/cli/bar.h"
#include "provision/cli/event_json.h"
#include "provision/cli/line.h"
#include "provision/cli/progress.h"
#include "provision/cli/tally.h"

enum {
	REDRAW_EVERY_MS = 100, /* ten times a second; faster is only flicker */
	LINE_EVERY_MS = 2000,
	LINE_EVERY_PERCENT = 10,
	LINE_UNKNOWN_EVERY_MS = 10000, /* where percents cannot be told */
};

/* A target at work. */
struct row {
	char *target; /* owned; "" for what concerns all */
	enum phase phase;
	uint64_t started_ms;
	uint64_t image_bytes; /* the most any phase had to do */
	struct progress progress;
	uint64_t line_ms; /* when something about it was last printed */
	int line_percent;
};

struct render {
	struct render_style style;
	struct row *rows; /* owned */
	size_t n_rows;
	size_t n_drawn_lines; /* bars on the screen, the cursor being below them */
	uint64_t drawn_ms;
	struct tally tally;
};

int render_new(const struct render_style *style, struct render **out, struct err *e)
{
	struct render *r = calloc(1, sizeof *r);

	if (!r)
		return err_errno(e, "showing progress");
	r->style = *style;
	*out = r;
	return 0;
}

void render_free(struct render *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_rows; i++)
		free(r->rows[i].target);
	free(r->rows);
	tally_release(&r->tally);
	free(r);
}

void render_resize(struct render *r, unsigned columns, unsigned rows)
{
	r->style.columns = columns;
	r->style.rows = rows;
}

static struct row *row_add(struct render *r, const char *target, uint64_t now_ms)
{
	char *name = strdup(target);
	struct row *rows = name ? realloc(r->rows, (r->n_rows + 1) * sizeof *rows) : NULL;

	if (!rows) {
		free(name);
		return NULL;
	}
	r->rows = rows;
	rows[r->n_rows] = (struct row){.target = name, .started_ms = now_ms, .line_ms = now_ms};
	return &rows[r->n_rows++];
}

static struct row *row_find(struct render *r, const char *target)
{
	for (size_t i = 0; i < r->n_rows; i++)
		if (strcmp(r->rows[i].target, target) == 0)
			return &r->rows[i];
	return NULL;
}

static void row_remove(struct render *r, struct row *row)
{
	struct row *end = r->rows + r->n_rows;

	free(row->target);
	memmove(row, row + 1, (size_t)(end - row - 1) * sizeof *row);
	r->n_rows--;
}

static size_t widest_target(const struct render *r)
{
	size_t widest = 0;

	for (size_t i = 0; i < r->n_rows; i++) {
		size_t n_columns = strlen(r->rows[i].target);
		widest = n_columns > widest ? n_columns : widest;
	}
	return widest;
}

/* The cursor to where the bars begin; what is printed next goes over them, line by line, so that
 * nothing flickers. */
static void go_up(struct render *r, struct buf *out)
{
	if (r->n_drawn_lines > 0)
		buf_printf(out, "\x1b[%zuA\r", r->n_drawn_lines);
	r->n_drawn_lines = 0;
}

static void draw_bars(struct render *r, uint64_t now_ms, struct buf *out)
{
	size_t n_lines = r->style.rows > 1 ? r->style.rows - 1 : 1;
	size_t n_shown = r->n_rows < n_lines ? r->n_rows : n_lines;
	size_t name_columns = widest_target(r);

	for (size_t i = 0; i < n_shown; i++) {
		struct bar b = {r->rows[i].target, r->rows[i].phase, &r->rows[i].progress};
		bar_put(out, &b, name_columns, r->style.columns);
		buf_append_text(out, "\x1b[K\n");
	}
	buf_append_text(out, "\x1b[J");
	r->n_drawn_lines = n_shown;
	r->drawn_ms = now_ms;
}

/* Does ev say anything about how far its target is? */
static bool is_about_work(enum event_kind kind)
{
	return kind == EVENT_STARTED || kind == EVENT_PHASE || kind == EVENT_PROGRESS;
}

/* Remember what ev says. NULL when it belongs to no target at work (or memory is short). */
static struct row *track(struct render *r, const struct event *ev, uint64_t now_ms)
{
	const char *target = ev->target ? ev->target : "";
	struct row *row = row_find(r, target);

	if (!row && is_about_work(ev->kind))
		row = row_add(r, target, now_ms);
	if (!row || !is_about_work(ev->kind))
		return row;
	row->phase = ev->phase;
	if (ev->kind == EVENT_PROGRESS)
		progress_update(&row->progress, ev->done_bytes, ev->total_bytes, now_ms);
	else
		progress_begin(&row->progress, ev->done_bytes, ev->total_bytes, now_ms);
	if (ev->phase == PHASE_WRITE || ev->phase == PHASE_READ_BACK)
		row->image_bytes = max_u64(row->image_bytes, ev->done_bytes);
	return row;
}

static bool is_line_due(const struct row *row, uint64_t passed_ms)
{
	int percent = progress_percent(&row->progress);

	if (percent < 0)
		return passed_ms >= LINE_UNKNOWN_EVERY_MS;
	return passed_ms >= LINE_EVERY_MS && percent >= row->line_percent + LINE_EVERY_PERCENT;
}

/* Is anything to be printed for ev? Progress comes too often to show all of it. */
static bool is_due(const struct render *r, const struct row *row, const struct event *ev,
		   uint64_t now_ms)
{
	if (r->style.kind == RENDER_ERRORS)
		return ev->kind == EVENT_FAILED;
	if (ev->kind == EVENT_MEMORY)
		return r->style.kind == RENDER_JSON;
	if (ev->kind != EVENT_PROGRESS)
		return true;
	if (!row)
		return false;
	switch (r->style.kind) {
	case RENDER_LINES:
		return is_line_due(row, now_ms - row->line_ms);
	case RENDER_BARS:
		return now_ms - r->drawn_ms >= REDRAW_EVERY_MS;
	case RENDER_JSON:
		return now_ms - row->line_ms >= REDRAW_EVERY_MS ||
		       ev->done_bytes == ev->total_bytes;
	case RENDER_ERRORS:
		break;
	}
	return false;
}

static void mark_printed(struct row *row, uint64_t now_ms)
{
	int percent = progress_percent(&row->progress);

	row->line_ms = now_ms;
	row->line_percent = percent < 0 ? 0 : percent - percent % LINE_EVERY_PERCENT;
}

static void put_line(const struct render *r, const struct row *row, const struct event *ev,
		     uint64_t now_ms, struct buf *out)
{
	struct line_facts facts = {.has_color = r->style.has_color};

	if (row) {
		facts.progress = &row->progress;
		facts.image_bytes = row->image_bytes;
		facts.took_ms = now_ms - row->started_ms;
	}
	line_put(out, ev, &facts);
	buf_append_text(out, r->style.kind == RENDER_BARS ? "\x1b[K\n" : "\n");
}

static bool is_bar_enough(enum event_kind kind)
{
	return kind == EVENT_PHASE || kind == EVENT_PROGRESS;
}

static void print(struct render *r, const struct row *row, const struct event *ev, uint64_t now_ms,
		  struct buf *out)
{
	switch (r->style.kind) {
	case RENDER_JSON:
		event_json(ev, out);
		break;
	case RENDER_BARS:
		go_up(r, out);
		if (!is_bar_enough(ev->kind))
			put_line(r, row, ev, now_ms, out);
		break;
	case RENDER_LINES:
	case RENDER_ERRORS:
		put_line(r, row, ev, now_ms, out);
		break;
	}
}

void render_event(struct render *r, const struct event *ev, uint64_t now_ms, struct buf *out)
{
	struct row *row = track(r, ev, now_ms);
	bool is_printed = is_due(r, row, ev, now_ms);
	struct event shown = *ev;

	tally_count(&r->tally, ev);
	/* Who tells of a failure need not know how far the target had come. */
	if (row && ev->kind == EVENT_FAILED)
		shown.phase = row->phase;
	if (is_printed)
		print(r, row, &shown, now_ms, out);
	if (is_printed && row)
		mark_printed(row, now_ms);
	if (row && (ev->kind == EVENT_DONE || ev->kind == EVENT_FAILED))
		row_remove(r, row);
	if (is_printed && r->style.kind == RENDER_BARS)
		draw_bars(r, now_ms, out);
}

void render_end(struct render *r, struct buf *out)
{
	size_t n_bytes = out->n_bytes;

	if (r->style.kind == RENDER_JSON ||
	    (r->style.kind == RENDER_ERRORS && r->tally.n_failed == 0))
		return;
	tally_put(&r->tally, r->style.has_color, out);
	if (out->n_bytes > n_bytes)
		buf_append_text(out, "\n");
}
