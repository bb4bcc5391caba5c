/* A whole block device, held exclusively and written past the page cache. See sink.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/log.h"
#include "flash/base/units.h"
#include "flash/sink/reopen.h"
#include "flash/sink/sink.h"

enum {
	PIECE_BYTES = 1 << 20,
	ZEROING_BYTES = 64 << 20, /* at once, because the call cannot be interrupted */
};

struct sink_blockdev {
	struct sink base;
	int fd;              /* owned; exclusive and direct */
	int read_fd;         /* owned; direct, opened after the last write or flush; -1: not yet */
	uint8_t *zeros;      /* owned; PIECE_BYTES of them; NULL until the device wants them */
	bool has_no_zeroing; /* the device cannot do it by itself */
};

_Static_assert(offsetof(struct sink_blockdev, base) == 0, "base comes first");

/* Whoever reads next opens the device afresh. */
static void forget_reader(struct sink_blockdev *b)
{
	closep(&b->read_fd);
	b->read_fd = -1;
}

static int write_pieces(const struct sink_blockdev *b, uint64_t offset_bytes, const uint8_t *bytes,
			size_t n_bytes, struct err *e)
{
	for (size_t n_done = 0; n_done < n_bytes;) {
		size_t n_piece = (size_t)min_u64(n_bytes - n_done, PIECE_BYTES);
		if (fdio_pwrite(b->fd, bytes + n_done, n_piece, offset_bytes + n_done, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

static int write_zeros(struct sink_blockdev *b, uint64_t offset_bytes, uint64_t size_bytes,
		       struct err *e)
{
	if (!b->zeros) {
		b->zeros = aligned_alloc(CHUNK_ALIGN_BYTES, PIECE_BYTES);
		if (!b->zeros)
			return err_errno(e, "making room for zeros");
		memset(b->zeros, 0, PIECE_BYTES);
	}
	for (uint64_t n_done = 0; n_done < size_bytes;) {
		size_t n_piece = (size_t)min_u64(size_bytes - n_done, PIECE_BYTES);
		if (fdio_pwrite(b->fd, b->zeros, n_piece, offset_bytes + n_done, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

/* What a kernel, driver or device says that does not have the command, as opposed to one that
 * failed: EREMOTEIO is SCSI's "illegal request". */
static bool is_unsupported(int error)
{
	return error == EOPNOTSUPP || error == ENOTTY || error == EINVAL || error == EREMOTEIO;
}

/* Punching a hole makes a device forget a range, but only if it then reads as zeros; else the
 * kernel refuses, and zeros are written. BLKZEROOUT would leave the range allocated. */
static int zero_range(struct sink_blockdev *b, uint64_t offset_bytes, uint64_t size_bytes,
		      struct err *e)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	for (uint64_t n_done = 0; n_done < size_bytes;) {
		uint64_t from_bytes = offset_bytes + n_done;
		uint64_t n_piece = min_u64(size_bytes - n_done, ZEROING_BYTES);
		if (!b->has_no_zeroing &&
		    fallocate(b->fd, mode, (off_t)from_bytes, (off_t)n_piece) < 0) {
			if (!is_unsupported(errno))
				return err_errno(e, "zeroing at byte %llu",
						 (unsigned long long)from_bytes);
			b->has_no_zeroing = true;
		}
		if (b->has_no_zeroing && write_zeros(b, from_bytes, n_piece, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

static int blockdev_write(struct sink *s, const struct chunk *c, struct err *e)
{
	struct sink_blockdev *b = (struct sink_blockdev *)s;
	/* The chunk's zeros behind its bytes, or zeros as well, fill the last sector. */
	uint64_t n_bytes = align_up(chunk_size_bytes(c), s->sector_bytes);

	forget_reader(b);
	if (chunk_kind(c) == CHUNK_ZERO)
		return zero_range(b, chunk_offset_bytes(c), n_bytes, e);
	return write_pieces(b, chunk_offset_bytes(c), chunk_bytes(c), (size_t)n_bytes, e);
}

static int blockdev_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes,
			    struct err *e)
{
	struct sink_blockdev *b = (struct sink_blockdev *)s;
	uint64_t range[2] = {offset_bytes, align_down(size_bytes, s->sector_bytes)};

	(void)e;
	forget_reader(b);
	/* Only a hint: a device that fails here fails at the writes as well, or does not matter. */
	if (range[1] != 0 && ioctl(b->fd, BLKDISCARD, range) < 0)
		log_debug("discarding %llu bytes at byte %llu: %s", (unsigned long long)range[1],
			  (unsigned long long)range[0], strerror(errno));
	return 0;
}

static int blockdev_flush(struct sink *s, struct err *e)
{
	struct sink_blockdev *b = (struct sink_blockdev *)s;

	forget_reader(b);
	if (fsync(b->fd) < 0)
		return err_errno(e, "flushing");
	/* What was read before through the page cache must not answer for the medium. */
	(void)posix_fadvise(s->probe_fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

static int blockdev_read_back(struct sink *s, uint64_t offset_bytes, void *bytes, size_t n_bytes,
			      struct err *e)
{
	struct sink_blockdev *b = (struct sink_blockdev *)s;

	if (b->read_fd < 0)
		b->read_fd = reopen_fd(b->fd, O_RDONLY | O_DIRECT);
	if (b->read_fd < 0)
		return err_errno(e, "opening for reading back");
	return reopen_read(b->read_fd, offset_bytes, bytes, n_bytes, s->sector_bytes, e);
}

static void blockdev_free(struct sink *s)
{
	struct sink_blockdev *b = (struct sink_blockdev *)s;

	closep(&b->read_fd);
	closep(&s->probe_fd);
	closep(&b->fd);
	free(b->zeros);
	free(b);
}

static const struct sink_ops blockdev_ops = {
	.name = "blockdev",
	.write = blockdev_write,
	.discard = blockdev_discard,
	.flush = blockdev_flush,
	.read_back = blockdev_read_back,
	.free = blockdev_free,
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
static int learn_sizes(struct sink_blockdev *b, const char *path, struct err *e)
{
	uint64_t size_bytes = 0;
	int sector_bytes = 0;
	struct stat st;

	if (fstat(b->fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ERR_REFUSED, "%s is not a block device; name a disk", path);
	if (ioctl(b->fd, BLKGETSIZE64, &size_bytes) < 0 ||
	    ioctl(b->fd, BLKSSZGET, &sector_bytes) < 0)
		return err_errno(e, "asking %s for its size", path);
	if (sector_bytes < 512 || sector_bytes > CHUNK_ALIGN_BYTES ||
	    (sector_bytes & (sector_bytes - 1)) != 0)
		return err_set(e, ERR_REFUSED,
			       "%s has sectors of %d bytes; 512 to %d can be written", path,
			       sector_bytes, CHUNK_ALIGN_BYTES);
	b->base.sector_bytes = (uint32_t)sector_bytes;
	b->base.size_bytes = align_down(size_bytes, (uint64_t)sector_bytes);
	return 0;
}

int sink_blockdev_open(const char *path, enum sink_mode mode, struct sink **out, struct err *e)
{
	struct sink_blockdev *b = calloc(1, sizeof *b);

	if (!b)
		return err_errno(e, "opening %s", path);
	b->base.ops = &blockdev_ops;
	b->base.probe_fd = -1;
	b->read_fd = -1;
	b->fd = open(path,
		     (mode == SINK_WRITE ? O_RDWR : O_RDONLY) | O_EXCL | O_DIRECT | O_CLOEXEC);
	CLEANUP(sink_freep) struct sink *s = (struct sink *)b;
	if (b->fd < 0)
		return explain_open(path, errno, e);
	if (learn_sizes(b, path, e) < 0)
		return -1;
	if (mode == SINK_WRITE && is_read_only(b->fd))
		return say_read_only(path, e);
	s->probe_fd = reopen_fd(b->fd, O_RDONLY);
	if (s->probe_fd < 0)
		return err_errno(e, "opening %s", path);
	*out = TAKE(s);
	return 0;
}
