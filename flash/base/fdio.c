/* Whole ranges of descriptors and whole small files. See fdio.h. */
#include "flash/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"

int fdio_read(int fd, void *bytes, size_t n_bytes, size_t *out_n_bytes, struct err *e)
{
	size_t n_done = 0;

	while (n_done < n_bytes) {
		ssize_t n = read(fd, (char *)bytes + n_done, n_bytes - n_done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "reading");
		if (n == 0)
			break;
		n_done += (size_t)n;
	}
	*out_n_bytes = n_done;
	return 0;
}

int fdio_pread(int fd, void *bytes, size_t n_bytes, uint64_t offset_bytes, size_t *out_n_bytes,
	       struct err *e)
{
	size_t n_done = 0;

	while (n_done < n_bytes) {
		ssize_t n = pread(fd, (char *)bytes + n_done, n_bytes - n_done,
				  (off_t)(offset_bytes + n_done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "reading at byte %llu",
					 (unsigned long long)(offset_bytes + n_done));
		if (n == 0)
			break;
		n_done += (size_t)n;
	}
	*out_n_bytes = n_done;
	return 0;
}

int fdio_write(int fd, const void *bytes, size_t n_bytes, struct err *e)
{
	size_t n_done = 0;

	while (n_done < n_bytes) {
		ssize_t n = write(fd, (const char *)bytes + n_done, n_bytes - n_done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "writing");
		n_done += (size_t)n;
	}
	return 0;
}

int fdio_pwrite(int fd, const void *bytes, size_t n_bytes, uint64_t offset_bytes, struct err *e)
{
	size_t n_done = 0;

	while (n_done < n_bytes) {
		ssize_t n = pwrite(fd, (const char *)bytes + n_done, n_bytes - n_done,
				   (off_t)(offset_bytes + n_done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "writing at byte %llu",
					 (unsigned long long)(offset_bytes + n_done));
		n_done += (size_t)n;
	}
	return 0;
}

int fdio_load(const char *path, size_t max_bytes, uint8_t **out_bytes, size_t *out_n_bytes,
	      struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (st.st_size > 0 && (uint64_t)st.st_size > max_bytes)
		return err_set(e, ERR_USAGE, "%s has %lld bytes, more than the %zu allowed", path,
			       (long long)st.st_size, max_bytes);
	/* Regular files tell their size; a pipe or /proc file gets all the room it may fill. */
	size_t room_bytes = st.st_size > 0 ? (size_t)st.st_size : max_bytes;
	CLEANUP(freep) uint8_t *bytes = malloc(room_bytes + 1);
	size_t n_bytes = 0;
	if (!bytes)
		return err_errno(e, "%s", path);
	if (fdio_read(fd, bytes, room_bytes + 1, &n_bytes, e) < 0)
		return err_wrap(e, "%s", path);
	if (n_bytes > room_bytes)
		return err_set(e, ERR_USAGE, "%s is larger than the %zu bytes allowed", path,
			       room_bytes);
	bytes[n_bytes] = '\0';
	*out_bytes = TAKE(bytes);
	*out_n_bytes = n_bytes;
	return 0;
}

int fdio_sync_folder(const char *path, struct err *e)
{
	CLEANUP(freep) char *folder = strdup(path);
	if (!folder)
		return err_errno(e, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	CLEANUP(closep)
	int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_errno(e, "making the folder of %s durable", path);
	return 0;
}

/* The rename would put a file where a device, pipe or folder is: root can lose /dev/null so. */
static int check_replaceable(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s is there and no regular file; name another", path);
	return 0;
}

int fdio_temp_new(const char *path, mode_t mode, struct fdio_temp **out, struct err *e)
{
	CLEANUP(fdio_temp_freep) struct fdio_temp *t = calloc(1, sizeof *t);

	if (!t)
		return err_errno(e, "%s", path);
	t->fd = -1;
	if (check_replaceable(path, e) < 0)
		return -1;
	t->path = strdup(path);
	if (!t->path || asprintf(&t->temp_path, "%s.XXXXXX", path) < 0) {
		t->temp_path = NULL;
		return err_errno(e, "%s", path);
	}
	t->fd = mkostemp(t->temp_path, O_CLOEXEC);
	if (t->fd < 0) {
		(void)err_errno(e, "creating %s", path);
		free(TAKE(t->temp_path));
		return -1;
	}
	if (fchmod(t->fd, mode) < 0)
		return err_errno(e, "creating %s", path);
	*out = TAKE(t);
	return 0;
}

int fdio_temp_commit(struct fdio_temp *t, struct err *e)
{
	if (fsync(t->fd) < 0)
		return err_errno(e, "making %s durable", t->path);
	if (rename(t->temp_path, t->path) < 0)
		return err_errno(e, "renaming %s to %s", t->temp_path, t->path);
	free(TAKE(t->temp_path));
	return fdio_sync_folder(t->path, e);
}

void fdio_temp_free(struct fdio_temp *t)
{
	if (!t)
		return;
	if (t->temp_path)
		(void)unlink(t->temp_path);
	closep(&t->fd);
	free(t->temp_path);
	free(t->path);
	free(t);
}

int fdio_save(const char *path, const void *bytes, size_t n_bytes, mode_t mode, struct err *e)
{
	CLEANUP(fdio_temp_freep) struct fdio_temp *t = NULL;

	if (fdio_temp_new(path, mode, &t, e) < 0)
		return -1;
	if (fdio_write(t->fd, bytes, n_bytes, e) < 0)
		return err_wrap(e, "%s", path);
	return fdio_temp_commit(t, e);
}

int fdio_mkdir(const char *path, mode_t mode, struct err *e)
{
	CLEANUP(freep) char *partial = strdup(path);
	struct stat st;

	if (!partial)
		return err_errno(e, "%s", path);
	for (char *p = partial + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(partial, mode); /* the last one tells whether it worked */
		*p = '/';
	}
	if (mkdir(partial, mode) < 0 && errno != EEXIST)
		return err_errno(e, "making the folder %s", path);
	if (stat(partial, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "%s is not a folder", path);
	return 0;
}
