/* What all sinks have in common: bounds, and failures that stay. See sink.h. */
#include "flash/sink/sink.h"

#include <assert.h>
#include <string.h>

#include "flash/base/units.h"

enum { OWN_BUFFER_BYTES = 1 << 20 };

/* ERR_REFUSED unless [offset_bytes, offset_bytes + size_bytes) is on the medium. */
static int check_range(const struct sink *s, uint64_t offset_bytes, uint64_t size_bytes,
		       struct err *e)
{
	uint64_t end_bytes = 0;

	if (offset_bytes % s->sector_bytes != 0)
		return err_set(e, ERR_USAGE,
			       "byte %llu is not at the start of a sector of %u bytes",
			       (unsigned long long)offset_bytes, s->sector_bytes);
	if (!checked_add(offset_bytes, size_bytes, &end_bytes) || end_bytes > s->size_bytes)
		return err_set(e, ERR_REFUSED,
			       "%llu bytes at byte %llu do not fit into a target of %llu bytes",
			       (unsigned long long)size_bytes, (unsigned long long)offset_bytes,
			       (unsigned long long)s->size_bytes);
	return 0;
}

/* What is asked for must be what the medium holds then. */
static int check_change(const struct sink *s, uint64_t offset_bytes, uint64_t size_bytes,
			struct err *e)
{
	if (s->n_reads > 0)
		return err_set(e, ERR_USAGE, "changing a target of which %zu reads are under way",
			       s->n_reads);
	return check_range(s, offset_bytes, size_bytes, e);
}

/* A kernel reports a lost write once and forgets it, so we remember. */
static int remember(struct sink *s, int result, const struct err *e)
{
	if (result < 0 && e->code != ERR_CANCELLED)
		s->failure = *e;
	return result;
}

static int check_failure(const struct sink *s, struct err *e)
{
	if (s->failure.code == ERR_NONE)
		return 0;
	*e = s->failure;
	return err_wrap(e, "the target failed before");
}

int sink_write(struct sink *s, const struct chunk *c, struct err *e)
{
	if (check_failure(s, e) < 0)
		return -1;
	if (check_change(s, chunk_offset_bytes(c), chunk_size_bytes(c), e) < 0)
		return -1;
	if (chunk_kind(c) == CHUNK_SKIP || chunk_size_bytes(c) == 0)
		return 0;
	return remember(s, s->ops->write(s, c, e), e);
}

int sink_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	if (check_failure(s, e) < 0)
		return -1;
	if (check_change(s, offset_bytes, size_bytes, e) < 0)
		return -1;
	return remember(s, s->ops->discard(s, offset_bytes, size_bytes, e), e);
}

int sink_flush(struct sink *s, struct err *e)
{
	if (check_failure(s, e) < 0)
		return -1;
	return remember(s, s->ops->flush(s, e), e);
}

/* ---- Reading --------------------------------------------------------------------------------- */

struct pool *sink_pool(const struct sink *s)
{
	return s->options.pool ? s->options.pool : s->own_pool;
}

bool sink_has_read_room(const struct sink *s)
{
	return s->n_reads < SINK_DEPTH_MIN ||
	       (s->n_reads + 1) * pool_buffer_bytes(sink_pool(s)) <= SINK_DEPTH_BYTES;
}

int sink_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e)
{
	if (check_range(s, offset_bytes, n_bytes, e) < 0)
		return -1;
	if (n_bytes == 0 || n_bytes > pool_buffer_bytes(sink_pool(s)) || !sink_has_read_room(s))
		return err_set(e, ERR_USAGE,
			       "asking for %zu bytes with buffers of %zu and %zu reads under way",
			       n_bytes, pool_buffer_bytes(sink_pool(s)), s->n_reads);
	if (s->ops->read_ask(s, offset_bytes, n_bytes, e) < 0)
		return -1;
	s->n_reads++;
	return 0;
}

int sink_read_take(struct sink *s, uint8_t **out_bytes, struct err *e)
{
	if (s->n_reads == 0)
		return err_set(e, ERR_USAGE, "no read is under way");
	int result = s->ops->read_take(s, out_bytes, e);
	if (result == 0 || e->code != ERR_CANCELLED)
		s->n_reads--;
	return result;
}

void sink_hold_on(struct sink *s)
{
	if (!s->options.cancel)
		return;
	s->holding_on = (struct cancel){.fd = s->options.cancel->fd, .grace_ms = SINK_GRACE_MS};
	s->options.cancel = &s->holding_on;
}

void sink_read_drop(struct sink *s)
{
	const struct cancel *cancel = s->options.cancel;
	struct err ignored = {0};
	uint8_t *bytes = NULL;

	sink_hold_on(s);
	for (; s->n_reads > 0 && ignored.code != ERR_CANCELLED; bytes = NULL)
		if (sink_read_take(s, &bytes, &ignored) == 0)
			pool_give(sink_pool(s), bytes);
	s->options.cancel = cancel;
}

/* Ask for what is left of n_bytes, of which *n_asked were asked for, as far as there is room. */
static int ask_more(struct sink *s, uint64_t offset_bytes, size_t n_bytes, size_t *n_asked,
		    struct err *e)
{
	while (*n_asked < n_bytes && sink_has_read_room(s)) {
		size_t n = (size_t)min_u64(n_bytes - *n_asked, pool_buffer_bytes(sink_pool(s)));
		if (sink_read_ask(s, offset_bytes + *n_asked, n, e) < 0)
			return -1;
		*n_asked += n;
	}
	return 0;
}

/* Take the next of the reads of n_bytes, of which *n_taken were taken. */
static int take_next(struct sink *s, uint8_t *bytes, size_t n_bytes, size_t *n_taken, struct err *e)
{
	size_t n = (size_t)min_u64(n_bytes - *n_taken, pool_buffer_bytes(sink_pool(s)));
	uint8_t *buffer = NULL;

	if (sink_read_take(s, &buffer, e) < 0)
		return -1;
	assert(buffer);
	memcpy(bytes + *n_taken, buffer, n);
	pool_give(sink_pool(s), buffer);
	*n_taken += n;
	return 0;
}

int sink_read_back(struct sink *s, uint64_t offset_bytes, void *bytes, size_t n_bytes,
		   struct err *e)
{
	size_t n_asked = 0;
	size_t n_taken = 0;

	if (s->n_reads > 0)
		return err_set(e, ERR_USAGE, "reading while %zu reads are under way", s->n_reads);
	if (check_range(s, offset_bytes, n_bytes, e) < 0)
		return -1;
	while (n_taken < n_bytes) {
		if (ask_more(s, offset_bytes, n_bytes, &n_asked, e) == 0 &&
		    take_next(s, bytes, n_bytes, &n_taken, e) == 0)
			continue;
		sink_read_drop(s);
		return -1;
	}
	return 0;
}

/* ---- The base ------------------------------------------------------------------------------- */

int sink_init(struct sink *s, const struct sink_ops *ops, const struct sink_options *o,
	      struct err *e)
{
	s->ops = ops;
	s->sector_bytes = 1;
	s->probe_fd = -1;
	if (o)
		s->options = *o;
	return s->options.pool ? 0 : pool_new(OWN_BUFFER_BYTES, &s->own_pool, e);
}

void sink_release(struct sink *s)
{
	pool_free(s->own_pool);
	s->own_pool = NULL;
}

void sink_free(struct sink *s)
{
	if (s)
		s->ops->free(s);
}
