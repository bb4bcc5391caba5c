/* Bytes in memory as a source. See source.h. */
#include <stdlib.h>
#include <string.h>

#include "flash/base/units.h"
#include "flash/image/source.h"

struct mem_source {
	struct source base;
	const uint8_t *bytes; /* borrowed */
	uint64_t offset_bytes;
};

static int mem_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		    struct err *e)
{
	struct mem_source *m = (struct mem_source *)s;
	size_t n = min_u64(n_bytes, s->size_bytes - m->offset_bytes);

	(void)e;
	if (n > 0)
		memcpy(bytes, m->bytes + m->offset_bytes, n);
	m->offset_bytes += n;
	*out_n_bytes = n;
	return 0;
}

static int mem_seek(struct source *s, uint64_t offset_bytes, struct err *e)
{
	(void)e;
	((struct mem_source *)s)->offset_bytes = min_u64(offset_bytes, s->size_bytes);
	return 0;
}

static void mem_free(struct source *s)
{
	free(s);
}

static const struct source_ops mem_ops = {
	.name = "memory",
	.read = mem_read,
	.seek = mem_seek,
	.free = mem_free,
};

int source_mem_new(const void *bytes, size_t n_bytes, struct source **out, struct err *e)
{
	struct mem_source *m = calloc(1, sizeof *m);

	if (!m)
		return err_errno(e, "opening %zu bytes of memory", n_bytes);
	m->base.ops = &mem_ops;
	m->base.size_bytes = n_bytes;
	m->bytes = bytes;
	*out = (struct source *)m;
	return 0;
}
