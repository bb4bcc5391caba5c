/* Reading back by fingerprint. See read_back.h. */
#include "flash/plan/read_back.h"

#include <stdlib.h>

#include "flash/base/bytes.h"
#include "flash/base/units.h"

void written_list_release(struct written_list *l)
{
	free(l->items);
	*l = (struct written_list){0};
}

static int add(struct written_list *l, const struct written *w, struct err *e)
{
	if (l->n_items == l->n_room) {
		size_t n_room = l->n_room ? l->n_room * 2 : 64;
		struct written *grown = reallocarray(l->items, n_room, sizeof *grown);
		if (!grown)
			return err_errno(e, "noting what was written");
		l->items = grown;
		l->n_room = n_room;
	}
	l->items[l->n_items++] = *w;
	return 0;
}

struct written written_of(const struct chunk *c)
{
	return (struct written){
		.offset_bytes = chunk_offset_bytes(c),
		.size_bytes = chunk_size_bytes(c),
		.is_zero = chunk_kind(c) != CHUNK_DATA,
		.fingerprint = chunk_fingerprint(c),
	};
}

int written_add(struct written_list *l, const struct chunk *c, struct err *e)
{
	const struct written w = written_of(c);

	return add(l, &w, e);
}

int written_add_zeros(struct written_list *l, uint64_t from_bytes, uint64_t to_bytes,
		      size_t piece_bytes, struct err *e)
{
	while (from_bytes < to_bytes) {
		const struct written w = {
			.offset_bytes = from_bytes,
			.size_bytes = min_u64(to_bytes - from_bytes, piece_bytes),
			.is_zero = true,
		};
		if (add(l, &w, e) < 0)
			return -1;
		from_bytes += w.size_bytes;
	}
	return 0;
}

bool written_is_found(const struct written *w, const uint8_t *bytes, uint64_t seed)
{
	size_t n_bytes = (size_t)w->size_bytes;

	if (w->is_zero)
		return bytes_are_zero(bytes, n_bytes);
	return fingerprint_is_same(fingerprint_of(bytes, n_bytes, seed), w->fingerprint);
}

/* Ask for as many pieces from *next on as may be under way. */
static int ask(const struct read_back *r, size_t *next, struct err *e)
{
	while (*next < r->list->n_items) {
		const struct written *w = &r->list->items[*next];
		if (!sink_has_read_room(r->sink))
			return 0;
		if (sink_read_ask(r->sink, w->offset_bytes, (size_t)w->size_bytes, e) < 0)
			return -1;
		(*next)++;
	}
	return 0;
}

/* What w->on_mismatch is to know, after the pieces that were asked for behind it are dropped. */
static int tell_mismatch(const struct read_back *r, const struct written *w,
			 const uint8_t *found_bytes, size_t *next, struct err *e)
{
	sink_read_drop(r->sink);
	*next = (size_t)(w - r->list->items) + 1;
	return r->on_mismatch(r->context, w, found_bytes, e);
}

/* The piece that was asked for first. */
static int check(const struct read_back *r, const struct written *w, size_t *next, struct err *e)
{
	uint8_t *bytes = NULL;
	int result = 0;

	if (sink_read_take(r->sink, &bytes, e) < 0)
		return tell_mismatch(r, w, NULL, next, e);
	if (!written_is_found(w, bytes, r->seed))
		result = tell_mismatch(r, w, bytes, next, e);
	pool_give(sink_pool(r->sink), bytes);
	return result;
}

int read_back(const struct read_back *r, struct err *e)
{
	size_t next = 0;

	for (size_t i = 0; i < r->list->n_items; i++) {
		const struct written *w = &r->list->items[i];
		if (r->on_piece(r->context, w, e) < 0 || ask(r, &next, e) < 0 ||
		    check(r, w, &next, e) < 0) {
			sink_read_drop(r->sink);
			return -1;
		}
	}
	return 0;
}
