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
#include "flash/sink/reopen.h"
#include "flash/sink/sink.h"

enum { ZEROS_BYTES = 64 << 10 };

struct sink_file {
	struct sink base;
	int fd;             /* owned; -1: looked at, and not there */
	int read_fd;        /* owned; opened after the last write or flush; -1: not yet */
	char *created_path; /* owned; a file that we made, to be removed unless it opens well */
};

_Static_assert(offsetof(struct sink_file, base) == 0, "base comes first");

static void forget_reader(struct sink_file *f)
{
	closep(&f->read_fd);
	f->read_fd = -1;
}

static int explain_write(struct err *e)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return err_hint(e, "free some space there, or choose another folder");
	return -1;
}

static int write_bytes(const struct sink_file *f, uint64_t offset_bytes, const uint8_t *bytes,
		       size_t n_bytes, struct err *e)
{
	if (fdio_pwrite(f->fd, bytes, n_bytes, offset_bytes, e) < 0)
		return explain_write(e);
	return 0;
}

static bool punch(const struct sink_file *f, uint64_t offset_bytes, uint64_t size_bytes)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	return size_bytes == 0 ||
	       fallocate(f->fd, mode, (off_t)offset_bytes, (off_t)size_bytes) == 0;
}

static int zero_range(const struct sink_file *f, uint64_t offset_bytes, uint64_t size_bytes,
		      struct err *e)
{
	static const uint8_t zeros[ZEROS_BYTES];

	if (punch(f, offset_bytes, size_bytes))
		return 0;
	/* A file system without holes, or one that cannot make them now: zeros do as well. */
	for (uint64_t n_done = 0; n_done < size_bytes;) {
		size_t n_piece = (size_t)min_u64(size_bytes - n_done, sizeof zeros);
		if (write_bytes(f, offset_bytes + n_done, zeros, n_piece, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

static int file_write(struct sink *s, const struct chunk *c, struct err *e)
{
	struct sink_file *f = (struct sink_file *)s;

	forget_reader(f);
	if (chunk_kind(c) == CHUNK_ZERO)
		return zero_range(f, chunk_offset_bytes(c), chunk_size_bytes(c), e);
	return write_bytes(f, chunk_offset_bytes(c), chunk_bytes(c), (size_t)chunk_size_bytes(c),
			   e);
}

static int file_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	struct sink_file *f = (struct sink_file *)s;

	(void)e;
	forget_reader(f);
	(void)punch(f, offset_bytes, size_bytes); /* only a hint */
	return 0;
}

static int file_flush(struct sink *s, struct err *e)
{
	struct sink_file *f = (struct sink_file *)s;

	forget_reader(f);
	if (fsync(f->fd) < 0) {
		(void)err_errno(e, "flushing");
		return explain_write(e);
	}
	/* Clean by now, so that all pages go. */
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

static int open_reader(struct sink_file *f, struct err *e)
{
	if (f->read_fd >= 0)
		return 0;
	f->read_fd = reopen_fd(f->fd, O_RDONLY | O_DIRECT);
	if (f->read_fd < 0 && errno == EINVAL) {
		/* No direct reads on this file system: dropping its cache is the next best. */
		(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
		f->read_fd = reopen_fd(f->fd, O_RDONLY);
	}
	if (f->read_fd < 0)
		return err_errno(e, "opening for reading back");
	return 0;
}

/* A direct read that starts in the middle of a block, through a buffer. */
static int read_unaligned(const struct sink_file *f, uint64_t offset_bytes, void *bytes,
			  size_t n_bytes, struct err *e)
{
	uint64_t start_bytes = align_down(offset_bytes, CHUNK_ALIGN_BYTES);
	size_t n_before = (size_t)(offset_bytes - start_bytes);
	CLEANUP(freep)
	uint8_t *room = aligned_alloc(CHUNK_ALIGN_BYTES,
				      (size_t)align_up(n_before + n_bytes, CHUNK_ALIGN_BYTES));

	if (!room)
		return err_errno(e, "reading back");
	if (reopen_read(f->read_fd, start_bytes, room, n_before + n_bytes, CHUNK_ALIGN_BYTES, e) <
	    0)
		return -1;
	memcpy(bytes, room + n_before, n_bytes);
	return 0;
}

static int file_read_back(struct sink *s, uint64_t offset_bytes, void *bytes, size_t n_bytes,
			  struct err *e)
{
	struct sink_file *f = (struct sink_file *)s;

	if (f->fd < 0) {
		memset(bytes, 0, n_bytes);
		return 0;
	}
	if (open_reader(f, e) < 0)
		return -1;
	if (offset_bytes % CHUNK_ALIGN_BYTES != 0)
		return read_unaligned(f, offset_bytes, bytes, n_bytes, e);
	return reopen_read(f->read_fd, offset_bytes, bytes, n_bytes, CHUNK_ALIGN_BYTES, e);
}

static void file_free(struct sink *s)
{
	struct sink_file *f = (struct sink_file *)s;

	if (f->created_path)
		(void)unlink(f->created_path);
	closep(&f->read_fd);
	closep(&s->probe_fd);
	closep(&f->fd);
	free(f->created_path);
	free(f);
}

static const struct sink_ops file_ops = {
	.name = "file",
	.write = file_write,
	.discard = file_discard,
	.flush = file_flush,
	.read_back = file_read_back,
	.free = file_free,
};

static int say_irregular(const char *path, struct err *e)
{
	return err_set(e, ERR_REFUSED, "%s is not a regular file", path);
}

/* Open the file, or make one that will be removed if the rest fails. */
static int open_or_create(struct sink_file *f, const char *path, enum sink_mode mode,
			  uint64_t create_bytes, struct err *e)
{
	const int flags = (mode == SINK_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;

	f->fd = open(path, flags);
	f->base.is_blank = f->fd < 0 && errno == ENOENT;
	if (f->base.is_blank && create_bytes == SIZE_UNKNOWN)
		return err_set(e, ERR_USAGE,
			       "%s does not exist, and how large to make it is not known; make it "
			       "first: truncate -s SIZE %s",
			       path, path);
	if (f->base.is_blank && mode == SINK_LOOK)
		return 0;
	if (f->base.is_blank) {
		f->created_path = strdup(path);
		if (!f->created_path)
			return err_errno(e, "creating %s", path);
		f->fd = open(path, flags | O_CREAT | O_EXCL, 0666);
		if (f->fd < 0)
			free(TAKE(f->created_path));
	}
	if (f->fd < 0 && errno == EISDIR)
		return say_irregular(path, e);
	if (f->fd < 0)
		return err_errno(e, "opening %s", path);
	return 0;
}

static int lock_and_measure(struct sink_file *f, const char *path, uint64_t create_bytes,
			    struct err *e)
{
	struct stat st;

	if (flock(f->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return err_set(e, ERR_REFUSED,
			       "%s is being written by another lkflash; wait until that is done",
			       path);
	if (f->created_path && ftruncate(f->fd, (off_t)create_bytes) < 0)
		return err_errno(e, "creating %s with %llu bytes", path,
				 (unsigned long long)create_bytes);
	if (f->created_path && fdio_sync_folder(path, e) < 0)
		return -1;
	if (fstat(f->fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (!S_ISREG(st.st_mode))
		return say_irregular(path, e);
	f->base.size_bytes = (uint64_t)st.st_size;
	f->base.probe_fd = reopen_fd(f->fd, O_RDONLY);
	if (f->base.probe_fd < 0)
		return err_errno(e, "opening %s", path);
	return 0;
}

int sink_file_open(const char *path, enum sink_mode mode, uint64_t create_bytes, struct sink **out,
		   struct err *e)
{
	struct sink_file *f = calloc(1, sizeof *f);

	if (!f)
		return err_errno(e, "opening %s", path);
	f->base.ops = &file_ops;
	f->base.size_bytes = create_bytes;
	f->base.sector_bytes = 1;
	f->base.probe_fd = -1;
	f->read_fd = -1;
	f->fd = -1;
	CLEANUP(sink_freep) struct sink *s = (struct sink *)f;
	if (open_or_create(f, path, mode, create_bytes, e) < 0)
		return -1;
	if (f->fd >= 0 && lock_and_measure(f, path, create_bytes, e) < 0)
		return -1;
	free(TAKE(f->created_path));
	*out = TAKE(s);
	return 0;
}
