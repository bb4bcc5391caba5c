/* A regular file or block device as a source. See source.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"
#include "flash/image/source.h"

struct file_source {
	struct source base;
	int fd; /* owned */
	uint64_t offset_bytes;
	char *path; /* owned; for messages */
};

static int file_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		     struct err *e)
{
	struct file_source *f = (struct file_source *)s;
	size_t n = 0;

	/* What is appended from now on is not part of the image; past the end there is nothing. */
	if (f->offset_bytes < s->size_bytes)
		n = min_u64(n_bytes, s->size_bytes - f->offset_bytes);
	if (fdio_pread(f->fd, bytes, n, f->offset_bytes, &n, e) < 0)
		return err_wrap(e, "%s", f->path);
	f->offset_bytes += n;
	*out_n_bytes = n;
	return 0;
}

static int file_seek(struct source *s, uint64_t offset_bytes, struct err *e)
{
	(void)e;
	((struct file_source *)s)->offset_bytes = offset_bytes;
	return 0;
}

static void file_free(struct source *s)
{
	struct file_source *f = (struct file_source *)s;

	closep(&f->fd);
	free(f->path);
	free(f);
}

static void file_freep(struct file_source **f)
{
	if (*f)
		file_free((struct source *)*f);
}

static const struct source_ops file_ops = {
	.name = "file",
	.read = file_read,
	.seek = file_seek,
	.free = file_free,
};

/* Owns given_fd, also when it fails. */
static int file_new(int given_fd, const char *path, struct source **out, struct err *e)
{
	CLEANUP(closep) int fd = given_fd;
	CLEANUP(file_freep) struct file_source *f = calloc(1, sizeof *f);

	if (!f)
		return err_errno(e, "opening %s", path);
	f->base.ops = &file_ops;
	f->fd = TAKE_FD(fd);
	f->path = strdup(path);
	/* fstat tells no size of a block device. */
	off_t size = lseek(f->fd, 0, SEEK_END);
	if (!f->path || size < 0)
		return err_errno(e, "opening %s", path);
	f->base.size_bytes = (uint64_t)size;
	/* Only a hint: where it is not understood, reading works as well. */
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*out = (struct source *)TAKE(f);
	return 0;
}

int source_file_open(const char *path, const struct cancel *cancel, struct source **out,
		     struct err *e)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its writer, which cancel could not end. */
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "%s is a folder; name a file in it", path);
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return file_new(TAKE_FD(fd), path, out, e);
	if (source_pipe_new(TAKE_FD(fd), cancel, out, e) < 0)
		return err_wrap(e, "opening %s", path);
	return 0;
}
