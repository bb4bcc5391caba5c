/* Writing again what does not read back. See mend.h. */
#include "flash/plan/mend.h"

#include <inttypes.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/plan/moved.h"

/* The chunk that w tells of, made once more. Fails when the image can be read only once. */
static int make_again(const struct run *r, const struct written *w, struct chunk **out,
		      struct err *e)
{
	const struct table_ends *m = r->x->moved;
	CLEANUP(chunk_freep) struct chunk *c = NULL;

	if (w->is_zero)
		return chunk_zero_new(w->offset_bytes, w->size_bytes, out, e);
	if (m && w->offset_bytes == m->tail_offset_bytes)
		return moved_tail(m, image_seed(r->x->image), out, e);
	if (r->x->feed->ops->again(r->x->feed, run_number_of(r, w->offset_bytes), &c, e) < 0)
		return -1;
	return moved_chunk(m, c, image_seed(r->x->image), out, e);
}

/* ERR_DIFFERS, and what it looks like. c is what should be there, NULL where that is not known. */
static int say_differs(const struct run *r, const struct written *w, const struct chunk *c,
		       const uint8_t *found_bytes, struct err *e)
{
	CLEANUP(buf_release) struct buf text = {0};
	const char *words = "";
	const struct mismatch m = {
		.wanted = w,
		.wanted_bytes = c ? chunk_bytes(c) : NULL,
		.found_bytes = found_bytes,
		.all = r->written.items,
		.n_all = r->written.n_items,
		.seed = image_seed(r->x->image),
	};

	diagnose(&m, &text);
	if (buf_text(&text, &words, e) < 0)
		return -1;
	return err_set(e, ERR_DIFFERS, "reading back: chunk %" PRIu64 " at byte %" PRIu64 ": %s",
		       run_number_of(r, w->offset_bytes), w->offset_bytes, words);
}

/* Read w back now. *out_is_found tells whether it fits; else *e says why not. */
static int check_now(const struct run *r, const struct written *w, const struct chunk *c,
		     bool *out_is_found, struct err *e)
{
	struct sink *s = r->x->sink;
	uint8_t *bytes = NULL;

	*out_is_found = false;
	if (sink_read_ask(s, w->offset_bytes, (size_t)w->size_bytes, e) < 0)
		return -1;
	if (sink_read_take(s, &bytes, e) < 0) {
		(void)err_wrap(e, "reading back");
		return e->code == ERR_CANCELLED ? -1 : 0;
	}
	*out_is_found = written_is_found(w, bytes, image_seed(r->x->image));
	if (!*out_is_found)
		(void)say_differs(r, w, c, bytes, e);
	pool_give(sink_pool(s), bytes);
	return 0;
}

static void note_retry(const struct run *r, unsigned n_done, const struct err *why)
{
	CLEANUP(buf_release) struct buf text = {0};
	struct err ignored = {0};
	struct event ev = {
		.kind = EVENT_NOTE,
		.code = why->code,
		.target = r->x->target,
		.text = why->text,
	};

	buf_printf(&text, "%s; writing it again, try %u of %u", why->text, n_done + 1,
		   r->x->n_retries);
	(void)buf_text(&text, &ev.text, &ignored);
	event_emit(r->x->listener, &ev);
}

static int say_bad(const struct run *r, struct err *e)
{
	if (r->x->n_retries > 0)
		(void)err_hint(e, "written %u more times in vain", r->x->n_retries);
	return err_hint(e, "the medium is bad: replace it");
}

/* Write c, of which w is the record, once more. *e says what was wrong before, and afterwards what
 * is wrong still unless *out_is_found. */
static int write_again(const struct run *r, const struct written *w, const struct chunk *c,
		       bool *out_is_found, struct err *e)
{
	struct err failure = {0};

	if (sink_write(r->x->sink, c, &failure) < 0 || sink_flush(r->x->sink, &failure) < 0) {
		e->code = failure.code;
		return err_hint(e, "writing it again failed: %s", failure.text);
	}
	return check_now(r, w, c, out_is_found, e);
}

/* The same until it reads back right, but not for ever. */
static int write_until_right(const struct run *r, const struct written *w, const struct chunk *c,
			     struct err *e)
{
	bool is_found = false;

	for (unsigned n_done = 0; n_done < r->x->n_retries; n_done++) {
		note_retry(r, n_done, e);
		if (write_again(r, w, c, &is_found, e) < 0)
			return -1;
		if (is_found)
			return 0;
	}
	return say_bad(r, e);
}

int mend_say_differs(const struct run *r, const struct written *w, const uint8_t *found_bytes,
		     struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *c = NULL;
	struct err ignored = {0};

	if (make_again(r, w, &c, &ignored) < 0)
		c = NULL;
	return say_differs(r, w, c, found_bytes, e);
}

int mend_piece(void *context, const struct written *w, const uint8_t *found_bytes, struct err *e)
{
	struct run *r = context;
	CLEANUP(chunk_freep) struct chunk *c = NULL;
	struct err why_not = {0};

	if (!found_bytes && e->code == ERR_CANCELLED)
		return -1;
	/* It stalled: nothing can be written to it either. */
	if (r->x->sink->failure.code != ERR_NONE)
		return err_wrap(e, "reading back");
	if (make_again(r, w, &c, &why_not) < 0)
		c = NULL;
	if (found_bytes)
		(void)say_differs(r, w, c, found_bytes, e);
	else
		(void)err_wrap(e, "reading back");
	if (c && !w->is_zero && !fingerprint_is_same(chunk_fingerprint(c), w->fingerprint))
		return err_hint(e, "it cannot be written again, for the image has changed");
	if (!c)
		return err_hint(e, "it cannot be written again: %s", why_not.text);
	r->n_mended++;
	r->difference = *e;
	return write_until_right(r, w, c, e);
}

int mend_is_on_medium(const struct run *r, const struct chunk *c, bool *out, struct err *e)
{
	const struct written w = written_of(c);
	struct err difference = {0};
	int result = check_now(r, &w, c, out, &difference);

	if (result < 0)
		*e = difference;
	return result;
}

int mend_write_checked(const struct run *r, const struct chunk *c, struct err *e)
{
	const struct written w = written_of(c);
	bool is_found = false;

	if (sink_write(r->x->sink, c, e) < 0 || sink_flush(r->x->sink, e) < 0 ||
	    check_now(r, &w, c, &is_found, e) < 0)
		return -1;
	return is_found ? 0 : write_until_right(r, &w, c, e);
}
