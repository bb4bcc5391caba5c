/* A pool of aligned buffers. See pool.h. */
#include "flash/image/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/chunk.h"

/* What stands at the start of a buffer that nobody uses. */
struct unused {
	struct unused *next;
};

struct pool {
	pthread_mutex_t lock; /* of the members below */
	struct unused *unused;
	uint64_t n_mapped;
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

void pool_free(struct pool *p)
{
	if (!p)
		return;
	while (p->unused) {
		struct unused *next = p->unused->next;
		(void)munmap(p->unused, p->buffer_bytes);
		p->unused = next;
	}
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

size_t pool_buffer_bytes(const struct pool *p)
{
	return p->buffer_bytes;
}

/* A buffer that was given back, or NULL. */
static uint8_t *take_unused(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	struct unused *u = p->unused;
	if (u)
		p->unused = u->next;
	(void)pthread_mutex_unlock(&p->lock);
	return (uint8_t *)u;
}

int pool_take(struct pool *p, uint8_t **out, struct err *e)
{
	uint8_t *buffer = take_unused(p);

	if (!buffer) {
		buffer = mmap(NULL, p->buffer_bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (buffer == MAP_FAILED)
			return err_errno(e, "a buffer of %zu bytes", p->buffer_bytes);
		(void)pthread_mutex_lock(&p->lock);
		p->n_mapped++;
		(void)pthread_mutex_unlock(&p->lock);
	}
	*out = buffer;
	return 0;
}

void pool_give(struct pool *p, uint8_t *buffer)
{
	struct unused *u = (struct unused *)buffer;

	if (!u)
		return;
	(void)pthread_mutex_lock(&p->lock);
	u->next = p->unused;
	p->unused = u;
	(void)pthread_mutex_unlock(&p->lock);
}

uint64_t pool_peak_bytes(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	uint64_t n_mapped = p->n_mapped;
	(void)pthread_mutex_unlock(&p->lock);
	return n_mapped * p->buffer_bytes;
}
