/* The line of a target at work on a terminal. See bar.h. */
#include "provision/cli/bar.h"

#include <string.h>

#include "flash/base/cleanup.h"
#include "provision/cli/event_text.h"

enum {
	PHASE_COLUMNS = 12, /* "reading back" */
	BAR_MIN_COLUMNS = 8,
	BAR_MAX_COLUMNS = 50,
	TOTAL_COLUMNS = 12, /* " of 3.00 GiB" */
	COLUMNS_MIN = 24,   /* on anything narrower lines will wrap */
	BLANKS = 2,         /* between pieces */
};

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80; /* of a UTF-8 sequence */
}

static void put_name(struct buf *out, const char *target, size_t width)
{
	CLEANUP(buf_release) struct buf clean = {0};
	struct err ignored = {0};
	const char *name = NULL;

	buf_append_clean(&clean, target);
	if (buf_text(&clean, &name, &ignored) < 0)
		return;
	size_t n_bytes = strlen(name);
	if (n_bytes <= width) {
		buf_printf(out, "%-*s", (int)width, name);
		return;
	}
	name += n_bytes - (width - 2);
	while (is_continuation(*name))
		name++;
	buf_printf(out, "..%-*s", (int)width - 2, name);
}

/* [####......] of n_columns in all. */
static void put_bar(struct buf *out, int percent, size_t n_columns)
{
	size_t n_cells = n_columns - 2;
	size_t n_full = n_cells * (size_t)percent / 100;

	buf_append_text(out, "[");
	for (size_t i = 0; i < n_cells; i++)
		buf_append_text(out, i < n_full ? "#" : ".");
	buf_append_text(out, "]");
}

/* A piece behind the bar, right-aligned in a width it seldom outgrows, so that nothing jumps. */
struct piece {
	const char *text;
	size_t width;
};

static size_t width_of(const struct piece *p)
{
	size_t n_columns = strlen(p->text);

	return BLANKS + (n_columns > p->width ? n_columns : p->width);
}

/* How many of the pieces fit behind *used columns, which grows by theirs. */
static size_t count_fitting(const struct piece *pieces, size_t n_pieces, size_t columns,
			    size_t *used)
{
	size_t n_fit = 0;

	while (n_fit < n_pieces && *used + width_of(&pieces[n_fit]) < columns)
		*used += width_of(&pieces[n_fit++]);
	return n_fit;
}

void bar_put(struct buf *out, const struct bar *b, size_t name_columns, size_t columns)
{
	struct progress_text t = text_of_progress(b->progress);
	const struct piece pieces[] = {{t.percent, 4}, {t.done, 8}, {t.rate, 10}, {t.left, 10}};
	size_t width = columns > COLUMNS_MIN ? columns : COLUMNS_MIN;
	size_t name_width = name_columns < width / 4 ? name_columns : width / 4;
	size_t used = name_width + BLANKS + PHASE_COLUMNS;
	size_t n_fit = count_fitting(pieces, sizeof pieces / sizeof *pieces, width, &used);
	size_t room = width - used - 1 > BLANKS ? width - used - 1 - BLANKS : 0;
	bool has_bar = *t.percent && room >= BAR_MIN_COLUMNS;
	bool has_total = has_bar && room >= TOTAL_COLUMNS + 2 * BAR_MIN_COLUMNS;
	size_t bar_columns = has_total ? room - TOTAL_COLUMNS : room;

	put_name(out, b->target, name_width);
	buf_printf(out, "  %-*s", PHASE_COLUMNS, phase_words(b->phase));
	if (has_bar) {
		buf_append_text(out, "  ");
		put_bar(out, progress_percent(b->progress),
			bar_columns < BAR_MAX_COLUMNS ? bar_columns : BAR_MAX_COLUMNS);
	}
	while (n_fit > 0 && *pieces[n_fit - 1].text == '\0')
		n_fit--;
	for (size_t i = 0; i < n_fit; i++) {
		buf_printf(out, "  %*s", (int)pieces[i].width, pieces[i].text);
		if (has_total && pieces[i].text == t.done)
			buf_printf(out, "%-*s", TOTAL_COLUMNS, t.total);
	}
}
