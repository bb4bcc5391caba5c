/* A pipe, terminal or other descriptor that gives its bytes once, as a source. See source.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/source.h"

struct pipe_source {
	struct source base;
	int fd;                      /* owned */
	bool is_at_end;              /* a FIFO may get another writer, whose bytes are not ours */
	const struct cancel *cancel; /* borrowed */
};

static int pipe_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		     struct err *e)
{
	struct pipe_source *p = (struct pipe_source *)s;
	ssize_t n = p->is_at_end ? 0 : -1;

	while (n < 0) {
		if (cancel_wait_readable(p->cancel, p->fd, e) < 0)
			return -1;
		n = read(p->fd, bytes, n_bytes);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_errno(e, "reading the pipe");
	}
	p->is_at_end = n == 0;
	*out_n_bytes = (size_t)n;
	return 0;
}

static void pipe_free(struct source *s)
{
	closep(&((struct pipe_source *)s)->fd);
	free(s);
}

static const struct source_ops pipe_ops = {
	.name = "pipe",
	.read = pipe_read,
	.free = pipe_free,
};

int source_pipe_new(int fd, const struct cancel *cancel, struct source **out, struct err *e)
{
	CLEANUP(closep) int owned_fd = fd;
	struct pipe_source *p = calloc(1, sizeof *p);

	if (!p)
		return err_errno(e, "opening a pipe");
	p->base.ops = &pipe_ops;
	p->base.size_bytes = SIZE_UNKNOWN;
	p->fd = TAKE_FD(owned_fd);
	p->cancel = cancel;
	*out = (struct source *)p;
	return 0;
}
