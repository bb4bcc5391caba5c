/* Files and bytes that are held in memory. See maps.h. */
#include "provision/build/maps.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"

struct held {
	struct held *next;
	void *bytes;
	size_t n_mapped; /* 0: bytes are from malloc */
};

struct payload_maps {
	struct held *first; /* owned */
};

int maps_new(struct payload_maps **out, struct err *e)
{
	struct payload_maps *m = calloc(1, sizeof *m);

	if (!m)
		return err_errno(e, "holding files in memory");
	*out = m;
	return 0;
}

static void held_free(struct held *h)
{
	if (h->n_mapped > 0)
		(void)munmap(h->bytes, h->n_mapped);
	else
		free(h->bytes);
	free(h);
}

void maps_free(struct payload_maps *m)
{
	if (!m)
		return;
	while (m->first) {
		struct held *h = m->first;
		m->first = h->next;
		held_free(h);
	}
	free(m);
}

static int open_regular(const char *path, int *out_fd, size_t *out_n_bytes, struct err *e)
{
	/* A FIFO must be refused, not waited for. */
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s is no regular file", path);
	if (st.st_size == 0)
		return err_set(e, ERR_USAGE, "%s is empty", path);
	*out_n_bytes = (size_t)st.st_size;
	*out_fd = TAKE_FD(fd);
	return 0;
}

static void hold(struct payload_maps *m, struct held *h)
{
	h->next = m->first;
	m->first = h;
}

int maps_file(struct payload_maps *m, const char *path, struct span *out, struct err *e)
{
	CLEANUP(closep) int fd = -1;
	CLEANUP(freep) struct held *h = calloc(1, sizeof *h);
	size_t n_bytes = 0;

	if (!h)
		return err_errno(e, "%s", path);
	if (open_regular(path, &fd, &n_bytes, e) < 0)
		return -1;
	void *bytes = mmap(NULL, n_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return err_errno(e, "mapping %s", path);
	*h = (struct held){.bytes = bytes, .n_mapped = n_bytes};
	hold(m, TAKE(h));
	*out = (struct span){bytes, n_bytes};
	return 0;
}

int maps_take(struct payload_maps *m, uint8_t *bytes, struct err *e)
{
	struct held *h = calloc(1, sizeof *h);

	if (!h) {
		free(bytes);
		return err_errno(e, "holding bytes in memory");
	}
	h->bytes = bytes;
	hold(m, h);
	return 0;
}
