/* Files and bytes that are held in memory. See maps.h. */
#include "provision/build/maps.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

/* Larger is no file that a FAT could hold. */
#define FILE_MAX_BYTES UINT32_MAX

struct held {
	struct held *next;
	uint8_t *bytes; /* owned */
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
	if (st.st_size > FILE_MAX_BYTES)
		return err_set(e, ERR_USAGE,
			       "%s has %llu bytes, and a boot partition takes no file of more than "
			       "%llu; make it smaller",
			       path, (unsigned long long)st.st_size,
			       (unsigned long long)FILE_MAX_BYTES);
	*out_n_bytes = (size_t)st.st_size;
	*out_fd = TAKE_FD(fd);
	return 0;
}

int maps_file(struct payload_maps *m, const char *path, struct span *out, struct err *e)
{
	CLEANUP(closep) int fd = -1;
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	size_t n_read = 0;

	if (open_regular(path, &fd, &n_bytes, e) < 0)
		return -1;
	bytes = malloc(n_bytes);
	if (!bytes)
		return err_errno(e, "reading %s", path);
	if (fdio_read(fd, bytes, n_bytes, &n_read, e) < 0)
		return err_wrap(e, "reading %s", path);
	if (n_read < n_bytes)
		return err_set(e, ERR_IO, "%s became shorter while it was read", path);
	*out = (struct span){bytes, n_bytes};
	return maps_take(m, TAKE(bytes), e);
}

int maps_take(struct payload_maps *m, uint8_t *bytes, struct err *e)
{
	struct held *h = calloc(1, sizeof *h);

	if (!h) {
		free(bytes);
		return err_errno(e, "holding bytes in memory");
	}
	*h = (struct held){m->first, bytes};
	m->first = h;
	return 0;
}
