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

static int null_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e)
{
	(void)s;
	(void)offset_bytes;
	(void)n_bytes;
	(void)e;
	return 0;
}

static int null_read_take(struct sink *s, uint8_t **out_bytes, struct err *e)
{
	if (pool_take(sink_pool(s), out_bytes, e) < 0)
		return -1;
	memset(*out_bytes, 0, pool_buffer_bytes(sink_pool(s)));
	return 0;
}

static void null_free(struct sink *s)
{
	sink_release(s);
	free(s);
}

static const struct sink_ops null_ops = {
	.name = "null",
	.write = null_write,
	.discard = null_discard,
	.flush = null_flush,
	.read_ask = null_read_ask,
	.read_take = null_read_take,
	.free = null_free,
};

int sink_null_new(uint64_t size_bytes, struct sink **out, struct err *e)
{
	CLEANUP(freep) struct sink *s = calloc(1, sizeof *s);

	if (!s)
		return err_errno(e, "making a null sink");
	if (sink_init(s, &null_ops, NULL, e) < 0)
		return -1;
	s->size_bytes = size_bytes;
	s->is_blank = true;
	*out = TAKE(s);
	return 0;
}
