/* What several targets came to. See tally.h. */
#include "provision/cli/tally.h"

#include "provision/cli/event_text.h"

void tally_release(struct tally *t)
{
	buf_release(&t->failed);
}

void tally_count(struct tally *t, const struct event *ev)
{
	if (!ev->target)
		return;
	if (ev->kind == EVENT_DONE)
		t->n_done++;
	if (ev->kind != EVENT_FAILED)
		return;
	buf_append_text(&t->failed, t->n_failed > 0 ? ", " : "");
	buf_append_clean(&t->failed, ev->target);
	t->n_failed++;
}

void tally_put(struct tally *t, bool has_color, struct buf *out)
{
	size_t n_targets = t->n_done + t->n_failed;
	const char *color = t->n_failed > 0 ? TEXT_RED : TEXT_GREEN;

	if (n_targets < 2)
		return;
	buf_append_text(out, has_color ? color : "");
	buf_printf(out, "%zu of %zu targets done", t->n_done, n_targets);
	if (t->n_failed > 0) {
		buf_append_text(out, "; ");
		buf_append(out, t->failed.bytes, t->failed.n_bytes);
		buf_append_text(out, " failed");
	}
	buf_append_text(out, has_color ? TEXT_PLAIN : "");
}
