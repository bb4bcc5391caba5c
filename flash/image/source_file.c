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
	uint64_t end_bytes; /* where reading ends */
	char *path;         /* owned; for messages */
};

static int file_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		     struct err *e)
{
	struct file_source *f = (struct file_source *)s;
	size_t n = 0;

	/* What is appended from now on is not part of the image; past the end there is nothing. */
	if (f->offset_bytes < f->end_bytes)
		n = min_u64(n_bytes, f->end_bytes - f->offset_bytes);
	if (fdio_pread(f->fd, bytes, n, f->offset_bytes, &n, e) < 0)
		return err_wrap(e, "%s", f->path);
	f->offset_bytes += n;
	*out_n_bytes = n;
	return 0;
}

static int file_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e)
{
	struct file_source *f = (struct file_source *)s;

	(void)e;
	f->offset_bytes = offset_bytes;
	f->end_bytes = min_u64(end_bytes, s->size_bytes);
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

static int file_clone(const struct source *s, struct source **out, struct err *e);

static const struct source_ops file_ops = {
	.name = "file",
	.read = file_read,
	.seek = file_seek,
	.clone = file_clone,
	.free = file_free,
};

/* Owns given_fd, also when it fails. */
static int file_new(int given_fd, const char *path, uint64_t size_bytes, struct source **out,
		    struct err *e)
{
	CLEANUP(closep) int fd = given_fd;
	CLEANUP(file_freep) struct file_source *f = calloc(1, sizeof *f);

	if (!f)
		return err_errno(e, "opening %s", path);
	f->base.ops = &file_ops;
	f->base.size_bytes = size_bytes;
	f->end_bytes = size_bytes;
	f->fd = TAKE_FD(fd);
	f->path = strdup(path);
	if (!f->path)
		return err_errno(e, "opening %s", path);
	*out = (struct source *)TAKE(f);
	return 0;
}

/* The descriptors share their position in the file, but it is only read from where we say. */
static int file_clone(const struct source *s, struct source **out, struct err *e)
{
	const struct file_source *f = (const struct file_source *)s;
	CLEANUP(closep) int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (fd < 0)
		return err_errno(e, "opening %s again", f->path);
	return file_new(TAKE_FD(fd), f->path, s->size_bytes, out, e);
}

static int seekable_new(int given_fd, const char *path, struct source **out, struct err *e)
{
	CLEANUP(closep) int fd = given_fd;
	/* fstat tells no size of a block device. */
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return err_errno(e, "opening %s", path);
	/* Only a hint: where it is not understood, reading works as well. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return file_new(TAKE_FD(fd), path, (uint64_t)size, out, e);
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
		return seekable_new(TAKE_FD(fd), path, out, e);
	if (source_pipe_new(TAKE_FD(fd), cancel, out, e) < 0)
		return err_wrap(e, "opening %s", path);
	return 0;
}
