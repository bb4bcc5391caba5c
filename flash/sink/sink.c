/* What all sinks have in common: bounds, and failures that stay. See sink.h. */
#include "flash/sink/sink.h"

#include "flash/base/units.h"

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

/* A kernel reports a lost write once and forgets it, so we remember. */
static int remember(struct sink *s, int result, const struct err *e)
{
	if (result < 0)
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
	if (check_range(s, chunk_offset_bytes(c), chunk_size_bytes(c), e) < 0)
		return -1;
	if (chunk_kind(c) == CHUNK_SKIP)
		return 0;
	return remember(s, s->ops->write(s, c, e), e);
}

int sink_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	if (check_range(s, offset_bytes, size_bytes, e) < 0)
		return -1;
	return s->ops->discard(s, offset_bytes, size_bytes, e);
}

int sink_flush(struct sink *s, struct err *e)
{
	if (check_failure(s, e) < 0)
		return -1;
	return remember(s, s->ops->flush(s, e), e);
}

int sink_read_back(struct sink *s, uint64_t offset_bytes, void *bytes, size_t n_bytes,
		   struct err *e)
{
	if (check_range(s, offset_bytes, n_bytes, e) < 0)
		return -1;
	return s->ops->read_back(s, offset_bytes, bytes, n_bytes, e);
}

void sink_free(struct sink *s)
{
	if (s)
		s->ops->free(s);
}
