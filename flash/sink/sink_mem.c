/* A sink in memory, for tests and for images that are built. See sink.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/sink/sink.h"

enum { READS_MAX = SINK_DEPTH_BYTES >> 12 }; /* pages, the smallest buffers */

/* The memory is a file without a name, so that what probes descriptors can look at it. */
struct sink_mem {
	struct sink base;
	/* Asked for and not taken, from number `first` on: base.n_reads of them. */
	struct mem_read {
		uint64_t offset_bytes;
		size_t n_bytes;
	} reads[READS_MAX];
	size_t first;
	uint8_t *bytes; /* owned; mapped, base.size_bytes long; NULL until it is */
};

_Static_assert(offsetof(struct sink_mem, base) == 0, "base comes first");

static int mem_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (size_bytes != 0 &&
	    fallocate(s->probe_fd, mode, (off_t)offset_bytes, (off_t)size_bytes) < 0)
		return err_errno(e, "zeroing %llu bytes at byte %llu",
				 (unsigned long long)size_bytes, (unsigned long long)offset_bytes);
	return 0;
}

static int mem_write(struct sink *s, const struct chunk *c, struct err *e)
{
	struct sink_mem *m = (struct sink_mem *)s;

	if (chunk_kind(c) == CHUNK_ZERO)
		return mem_discard(s, chunk_offset_bytes(c), chunk_size_bytes(c), e);
	memcpy(m->bytes + chunk_offset_bytes(c), chunk_bytes(c), chunk_size_bytes(c));
	return 0;
}

static int mem_flush(struct sink *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

static int mem_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e)
{
	struct sink_mem *m = (struct sink_mem *)s;

	(void)e;
	m->reads[(m->first + s->n_reads) % READS_MAX] =
		(struct mem_read){.offset_bytes = offset_bytes, .n_bytes = n_bytes};
	return 0;
}

static int mem_read_take(struct sink *s, uint8_t **out_bytes, struct err *e)
{
	struct sink_mem *m = (struct sink_mem *)s;
	struct mem_read r = m->reads[m->first];

	m->first = (m->first + 1) % READS_MAX;
	if (pool_take(sink_pool(s), out_bytes, e) < 0)
		return -1;
	memcpy(*out_bytes, m->bytes + r.offset_bytes, r.n_bytes);
	return 0;
}

static void mem_free(struct sink *s)
{
	struct sink_mem *m = (struct sink_mem *)s;

	if (m->bytes)
		(void)munmap(m->bytes, s->size_bytes);
	closep(&s->probe_fd);
	sink_release(s);
	free(m);
}

static const struct sink_ops mem_ops = {
	.name = "memory",
	.write = mem_write,
	.discard = mem_discard,
	.flush = mem_flush,
	.read_ask = mem_read_ask,
	.read_take = mem_read_take,
	.free = mem_free,
};

int sink_mem_new(uint64_t size_bytes, uint8_t **out_bytes, struct sink **out, struct err *e)
{
	struct sink_mem *m = calloc(1, sizeof *m);

	if (!m)
		return err_errno(e, "making a memory sink");
	m->base.probe_fd = -1;
	m->base.ops = &mem_ops;
	CLEANUP(sink_freep) struct sink *s = (struct sink *)m;
	if (sink_init(s, &mem_ops, NULL, e) < 0)
		return -1;
	s->size_bytes = size_bytes;
	s->is_blank = true;
	s->probe_fd = memfd_create("lkflash-sink", MFD_CLOEXEC);
	if (s->probe_fd < 0 || ftruncate(s->probe_fd, (off_t)size_bytes) < 0)
		return err_errno(e, "making a memory sink of %llu bytes",
				 (unsigned long long)size_bytes);
	void *bytes = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->probe_fd, 0);
	if (bytes == MAP_FAILED)
		return err_errno(e, "making a memory sink of %llu bytes",
				 (unsigned long long)size_bytes);
	m->bytes = bytes;
	*out_bytes = m->bytes;
	*out = TAKE(s);
	return 0;
}
