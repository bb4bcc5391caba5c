/* Bytes in memory as a source. See source.h. */
#include <stdlib.h>
#include <string.h>

#include "flash/base/units.h"
#include "flash/image/source.h"

struct mem_source {
	struct source base;
	const uint8_t *bytes; /* borrowed */
	uint64_t offset_bytes;
	uint64_t end_bytes; /* where reading ends */
};

static int mem_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		    struct err *e)
{
	struct mem_source *m = (struct mem_source *)s;
	size_t n = min_u64(n_bytes, m->end_bytes - m->offset_bytes);

	(void)e;
	if (n > 0)
		memcpy(bytes, m->bytes + m->offset_bytes, n);
	m->offset_bytes += n;
	*out_n_bytes = n;
	return 0;
}

static int mem_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e)
{
	struct mem_source *m = (struct mem_source *)s;

	(void)e;
	m->end_bytes = min_u64(end_bytes, s->size_bytes);
	m->offset_bytes = min_u64(offset_bytes, m->end_bytes);
	return 0;
}

static int mem_clone(const struct source *s, struct source **out, struct err *e)
{
	return source_mem_new(((const struct mem_source *)s)->bytes, (size_t)s->size_bytes, out, e);
}

static void mem_free(struct source *s)
{
	free(s);
}

static const struct source_ops mem_ops = {
	.name = "memory",
	.read = mem_read,
	.seek = mem_seek,
	.clone = mem_clone,
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
	m->end_bytes = n_bytes;
	*out = (struct source *)m;
	return 0;
}
