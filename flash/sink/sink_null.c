/* A sink that takes everything and keeps nothing. See sink.h. */
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/sink/sink.h"

static int null_write(struct sink *s, const struct chunk *c, struct err *e)
{
	(void)s;
	(void)c;
	(void)e;
	return 0;
}

static int null_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	(void)s;
	(void)offset_bytes;
	(void)size_bytes;
	(void)e;
	return 0;
}

static int null_flush(struct sink *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

static int null_read_back(struct sink *s, uint64_t offset_bytes, void *bytes, size_t n_bytes,
			  struct err *e)
{
	(void)s;
	(void)offset_bytes;
	(void)e;
	memset(bytes, 0, n_bytes);
	return 0;
}

static void null_free(struct sink *s)
{
	free(s);
}

static const struct sink_ops null_ops = {
	.name = "null",
	.write = null_write,
	.discard = null_discard,
	.flush = null_flush,
	.read_back = null_read_back,
	.free = null_free,
};

int sink_null_new(uint64_t size_bytes, struct sink **out, struct err *e)
{
	struct sink *s = calloc(1, sizeof *s);

	if (!s)
		return err_errno(e, "making a null sink");
	s->ops = &null_ops;
	s->size_bytes = size_bytes;
	s->sector_bytes = 1;
	s->is_blank = true;
	s->probe_fd = -1;
	*out = s;
	return 0;
}
