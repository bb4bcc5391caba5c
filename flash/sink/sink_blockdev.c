/* A whole block device, held exclusively and written past the page cache. See sink.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/log.h"
#include "flash/base/units.h"
#include "flash/sink/fd_sink.h"
#include "flash/sink/reopen.h"
#include "flash/sink/sink.h"

static int blockdev_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes,
			    struct err *e)
{
	const struct helper_job job = {HELPER_DISCARD, offset_bytes,
				       align_down(size_bytes, s->sector_bytes)};
	int error = 0;

	if (job.size_bytes != 0 && fd_sink_hint((struct fd_sink *)s, &job, &error, e) < 0)
		return -1;
	/* Only a hint: a device that fails here fails at the writes as well, or does not matter. */
	if (error != 0)
		log_debug("discarding %llu bytes at byte %llu: %s",
			  (unsigned long long)job.size_bytes, (unsigned long long)offset_bytes,
			  strerror(error));
	return 0;
}

static const struct sink_ops blockdev_ops = {
	.name = "blockdev",
	.write = fd_sink_write,
	.discard = blockdev_discard,
	.flush = fd_sink_flush,
	.read_ask = fd_sink_read_ask,
	.read_take = fd_sink_read_take,
	.free = fd_sink_free,
};

static bool is_read_only(int fd)
{
	int answer = 0;

	return ioctl(fd, BLKROGET, &answer) == 0 && answer != 0;
}

static int say_read_only(const char *path, struct err *e)
{
	return err_set(
		e, ERR_REFUSED,
		"%s is read-only; move its write-protect switch, or lift the protection with "
		"blockdev --setrw",
		path);
}

/* Why open() failed. A read-only device may be refused as EACCES, which says too little. */
static int explain_open(const char *path, int error, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (error == EBUSY)
		return err_set(e, ERR_REFUSED,
			       "%s is in use by the system or another program; stop what uses it",
			       path);
	if (error == EROFS || (fd >= 0 && is_read_only(fd)))
		return say_read_only(path, e);
	errno = error;
	(void)err_errno(e, "opening %s", path);
	if ((error == EACCES || error == EPERM) && geteuid() != 0)
		(void)err_hint(e, "run as root");
	return -1;
}

/* Ask the kernel for sizes. */
static int learn_sizes(struct fd_sink *f, const char *path, struct err *e)
{
	uint64_t size_bytes = 0;
	int sector_bytes = 0;
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ERR_REFUSED, "%s is not a block device; name a disk", path);
	if (ioctl(f->fd, BLKGETSIZE64, &size_bytes) < 0 ||
	    ioctl(f->fd, BLKSSZGET, &sector_bytes) < 0)
		return err_errno(e, "asking %s for its size", path);
	if (sector_bytes < 512 || sector_bytes > CHUNK_ALIGN_BYTES ||
	    (sector_bytes & (sector_bytes - 1)) != 0)
		return err_set(e, ERR_REFUSED,
			       "%s has sectors of %d bytes; 512 to %d can be written", path,
			       sector_bytes, CHUNK_ALIGN_BYTES);
	f->base.sector_bytes = (uint32_t)sector_bytes;
	f->read_unit_bytes = (size_t)sector_bytes;
	f->base.size_bytes = align_down(size_bytes, (uint64_t)sector_bytes);
	return 0;
}

int sink_blockdev_open(const char *path, enum sink_mode mode, const struct sink_options *o,
		       struct sink **out, struct err *e)
{
	struct fd_sink *f = NULL;

	if (fd_sink_new(&blockdev_ops, o, &f, e) < 0)
		return err_wrap(e, "opening %s", path);
	CLEANUP(sink_freep) struct sink *s = (struct sink *)f;
	f->fd = open(path,
		     (mode == SINK_WRITE ? O_RDWR : O_RDONLY) | O_EXCL | O_DIRECT | O_CLOEXEC);
	if (f->fd < 0)
		return explain_open(path, errno, e);
	if (learn_sizes(f, path, e) < 0)
		return -1;
	if (mode == SINK_WRITE && is_read_only(f->fd))
		return say_read_only(path, e);
	s->probe_fd = reopen_fd(f->fd, O_RDONLY);
	if (s->probe_fd < 0)
		return err_errno(e, "opening %s", path);
	if (mode == SINK_WRITE && fd_sink_start(f, e) < 0)
		return err_wrap(e, "opening %s", path);
	*out = TAKE(s);
	return 0;
}
