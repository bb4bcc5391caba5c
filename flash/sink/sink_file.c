/* A regular file as a target. See sink.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"
#include "flash/sink/fd_sink.h"
#include "flash/sink/reopen.h"
#include "flash/sink/sink.h"

static int file_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	const struct helper_job job = {HELPER_ZERO, offset_bytes, size_bytes};
	int ignored = 0; /* only a hint */

	return size_bytes == 0 ? 0 : fd_sink_hint((struct fd_sink *)s, &job, &ignored, e);
}

static const struct sink_ops file_ops = {
	.name = "file",
	.write = fd_sink_write,
	.discard = file_discard,
	.flush = fd_sink_flush,
	.read_ask = fd_sink_read_ask,
	.read_take = fd_sink_read_take,
	.free = fd_sink_free,
};

static int say_irregular(const char *path, struct err *e)
{
	return err_set(e, ERR_REFUSED, "%s is not a regular file", path);
}

/* A file that we made does not stay unless it opens well. */
static void remove_created(char **path)
{
	if (*path)
		(void)unlink(*path);
	free(*path);
}

/* Make the file, and remember its path in *out_created. */
static int create(struct fd_sink *f, const char *path, int flags, char **out_created, struct err *e)
{
	CLEANUP(freep) char *created = strdup(path);

	if (!created)
		return err_errno(e, "creating %s", path);
	f->fd = open(path, flags | O_CREAT | O_EXCL, 0666);
	if (f->fd >= 0)
		*out_created = TAKE(created);
	return 0;
}

/* Open the file, or make one. */
static int open_or_create(struct fd_sink *f, const char *path, enum sink_mode mode,
			  char **out_created, struct err *e)
{
	const int flags = (mode == SINK_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;

	f->fd = open(path, flags);
	f->base.is_blank = f->fd < 0 && errno == ENOENT;
	if (f->base.is_blank && f->base.size_bytes == SIZE_UNKNOWN)
		return err_set(e, ERR_USAGE,
			       "%s does not exist, and how large to make it is not known; make it "
			       "first: truncate -s SIZE %s",
			       path, path);
	if (f->base.is_blank && mode == SINK_LOOK)
		return 0;
	if (f->base.is_blank && create(f, path, flags, out_created, e) < 0)
		return -1;
	if (f->fd < 0 && errno == EISDIR)
		return say_irregular(path, e);
	if (f->fd < 0)
		return err_errno(e, "opening %s", path);
	return 0;
}

static int lock_and_measure(struct fd_sink *f, const char *path, bool is_created, struct err *e)
{
	struct stat st;

	if (flock(f->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return err_set(e, ERR_REFUSED,
			       "%s is being written by another lkflash; wait until that is done",
			       path);
	if (is_created && ftruncate(f->fd, (off_t)f->base.size_bytes) < 0)
		return err_errno(e, "creating %s with %llu bytes", path,
				 (unsigned long long)f->base.size_bytes);
	if (is_created && fdio_sync_folder(path, e) < 0)
		return -1;
	if (fstat(f->fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (!S_ISREG(st.st_mode))
		return say_irregular(path, e);
	f->base.size_bytes = (uint64_t)st.st_size;
	f->base.probe_fd = reopen_fd(f->fd, O_RDONLY);
	/* Only opening must not wait: a queue that may not wait does not try again either. */
	if (f->base.probe_fd < 0 || fcntl(f->fd, F_SETFL, 0) < 0)
		return err_errno(e, "opening %s", path);
	return 0;
}

int sink_file_open(const char *path, enum sink_mode mode, uint64_t create_bytes,
		   const struct sink_options *o, struct sink **out, struct err *e)
{
	CLEANUP(remove_created) char *created = NULL;
	struct fd_sink *f = NULL;

	if (fd_sink_new(&file_ops, o, &f, e) < 0)
		return err_wrap(e, "opening %s", path);
	CLEANUP(sink_freep) struct sink *s = (struct sink *)f;
	s->size_bytes = create_bytes;
	f->is_cached = true;
	f->read_unit_bytes = CHUNK_ALIGN_BYTES;
	f->full_hint = "free some space there, or choose another folder";
	if (open_or_create(f, path, mode, &created, e) < 0)
		return -1;
	if (f->fd >= 0 && lock_and_measure(f, path, created != NULL, e) < 0)
		return -1;
	if (mode == SINK_WRITE && fd_sink_start(f, e) < 0)
		return err_wrap(e, "opening %s", path);
	free(TAKE(created));
	*out = TAKE(s);
	return 0;
}
