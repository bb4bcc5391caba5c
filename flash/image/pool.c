/* A pool of aligned buffers. See pool.h. */
#include "flash/image/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/chunk.h"

/* Buffers are mapped several at once, where huge pages fit: a kernel that reads or writes them pins
 * each page. */
enum { SLAB_BYTES = 8 << 20, HUGE_PAGE_BYTES = 2 << 20 };

/* What stands at the start of a buffer that was given back. */
struct unused {
	struct unused *next;
};

struct pool {
	pthread_mutex_t lock;  /* of the members below */
	struct unused *unused; /* given back */
	uint8_t *slab;         /* owned; never used from here ... */
	uint8_t *slab_end;     /* ... to here */
	uint64_t n_used;
	uint64_t n_used_max;
	size_t buffer_bytes; /* never changes */
};

int pool_new(size_t buffer_bytes, struct pool **out, struct err *e)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!p)
		return err_errno(e, "buffers of %zu bytes", buffer_bytes);
	p->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	p->buffer_bytes = (size_t)align_up(buffer_bytes, CHUNK_ALIGN_BYTES);
	*out = p;
	return 0;
}

static void unmap(uint8_t *from, const uint8_t *to)
{
	if (from != to)
		(void)munmap(from, (size_t)(to - from));
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	while (p->unused) {
		struct unused *next = p->unused->next;
		(void)munmap(p->unused, p->buffer_bytes);
		p->unused = next;
	}
	unmap(p->slab, p->slab_end);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

size_t pool_buffer_bytes(const struct pool *p)
{
	return p->buffer_bytes;
}

/* Map buffers that begin at a huge page. Never more than a few are mapped and not used. */
static int map_slab(struct pool *p, struct err *e)
{
	size_t n = p->buffer_bytes < SLAB_BYTES ? SLAB_BYTES / p->buffer_bytes : 1;
	size_t slab_bytes = n * p->buffer_bytes;
	size_t room_bytes = slab_bytes + HUGE_PAGE_BYTES;
	uint8_t *room =
		mmap(NULL, room_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return err_errno(e, "a buffer of %zu bytes", p->buffer_bytes);
	uint8_t *slab = room + (align_up((uintptr_t)room, HUGE_PAGE_BYTES) - (uintptr_t)room);
	unmap(room, slab);
	unmap(slab + slab_bytes, room + room_bytes);
	(void)madvise(slab, slab_bytes, MADV_HUGEPAGE); /* only a hint */
	p->slab = slab;
	p->slab_end = slab + slab_bytes;
	return 0;
}

static int take(struct pool *p, uint8_t **out, struct err *e)
{
	struct unused *u = p->unused;

	if (u) {
		p->unused = u->next;
		*out = (uint8_t *)u;
		return 0;
	}
	if (p->slab == p->slab_end && map_slab(p, e) < 0)
		return -1;
	*out = p->slab;
	p->slab += p->buffer_bytes;
	return 0;
}

int pool_take(struct pool *p, uint8_t **out, struct err *e)
{
	(void)pthread_mutex_lock(&p->lock);
	int result = take(p, out, e);
	if (result == 0)
		p->n_used_max = max_u64(p->n_used_max, ++p->n_used);
	(void)pthread_mutex_unlock(&p->lock);
	return result;
}

void pool_give(struct pool *p, uint8_t *buffer)
{
	struct unused *u = (struct unused *)buffer;

	if (!u)
		return;
	(void)pthread_mutex_lock(&p->lock);
	u->next = p->unused;
	p->unused = u;
	p->n_used--;
	(void)pthread_mutex_unlock(&p->lock);
}

uint64_t pool_peak_bytes(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	uint64_t n_used_max = p->n_used_max;
	(void)pthread_mutex_unlock(&p->lock);
	return n_used_max * p->buffer_bytes;
}
