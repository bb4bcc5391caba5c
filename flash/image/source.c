/* What all sources share: peeking, reading in full, seeking, cloning. See source.h. */
#include "flash/image/source.h"

#include <assert.h>
#include <string.h>

#include "flash/base/units.h"

/* Up to n_bytes of what was peeked. */
static size_t take_peeked(struct source *s, void *bytes, size_t n_bytes)
{
	size_t n = min_u64(n_bytes, s->n_peeked - s->n_peeked_used);

	memcpy(bytes, s->peeked + s->n_peeked_used, n);
	s->n_peeked_used += n;
	return n;
}

int source_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes, struct err *e)
{
	size_t n = 0;

	if (n_bytes > 0)
		n = take_peeked(s, bytes, n_bytes);
	if (n == 0 && n_bytes > 0 && s->ops->read(s, bytes, n_bytes, &n, e) < 0)
		return -1;
	*out_n_bytes = n;
	return 0;
}

int source_read_full(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		     struct err *e)
{
	size_t n_done = 0;
	size_t n = 1;

	while (n_done < n_bytes && n > 0) {
		if (source_read(s, (uint8_t *)bytes + n_done, n_bytes - n_done, &n, e) < 0)
			return -1;
		n_done += n;
	}
	*out_n_bytes = n_done;
	return 0;
}

int source_peek(struct source *s, size_t n_bytes, const uint8_t **out_bytes, size_t *out_n_bytes,
		struct err *e)
{
	size_t n = 1;

	assert(n_bytes <= SOURCE_PEEK_BYTES);
	s->n_peeked -= s->n_peeked_used;
	memmove(s->peeked, s->peeked + s->n_peeked_used, s->n_peeked);
	s->n_peeked_used = 0;
	while (s->n_peeked < n_bytes && n > 0) {
		if (s->ops->read(s, s->peeked + s->n_peeked, n_bytes - s->n_peeked, &n, e) < 0)
			return -1;
		s->n_peeked += n;
	}
	*out_bytes = s->peeked;
	*out_n_bytes = min_u64(n_bytes, s->n_peeked);
	return 0;
}

bool source_can_seek(const struct source *s)
{
	return s->ops->seek != NULL;
}

int source_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e)
{
	if (!source_can_seek(s))
		return err_set(e, ERR_USAGE,
			       "a %s source can only be read from start to end; use a file",
			       s->ops->name);
	if (s->ops->seek(s, offset_bytes, end_bytes, e) < 0)
		return -1;
	s->n_peeked = 0;
	s->n_peeked_used = 0;
	return 0;
}

bool source_can_clone(const struct source *s)
{
	return s->ops->clone != NULL;
}

int source_clone(const struct source *s, struct source **out, struct err *e)
{
	if (!source_can_clone(s))
		return err_set(e, ERR_USAGE, "the bytes of a %s source come only once; use a file",
			       s->ops->name);
	return s->ops->clone(s, out, e);
}

void source_free(struct source *s)
{
	if (s)
		s->ops->free(s);
}
