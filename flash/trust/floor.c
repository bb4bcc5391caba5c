/* Floors in the state folder. See floor.h.
 *
 * One file a number: "rollback/<group>" and "clock", decimal digits and a newline. They are
 * replaced as a whole under a lock on the file "lock", so that two processes that raise the same
 * floor never lower it. */
#include "flash/trust/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/parse.h"

enum {
	FLOOR_MAX_BYTES = 32, /* the longest number has 20 digits */
	FOLDER_MODE = 0700,
	FILE_MODE = 0600,
};

/* The caller's; NULL with *e filled on failure. */
static char *path_of(const char *folder, const char *under, const char *name, struct err *e)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s%s", folder, under, name) < 0) {
		(void)err_set(e, ERR_IO, "out of memory");
		return NULL;
	}
	return path;
}

static char *path_of_group(const char *folder, const char *group, struct err *e)
{
	if (!parse_is_name(group)) {
		(void)err_set(e, ERR_REFUSED, "a rollback group cannot be called \"%s\"", group);
		return NULL;
	}
	return path_of(folder, "rollback/", group, e);
}

static int read_number(const char *path, uint64_t *out, struct err *e)
{
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	if (access(path, F_OK) < 0 && errno == ENOENT) {
		*out = 0;
		return 0;
	}
	if (fdio_load(path, FLOOR_MAX_BYTES, &bytes, &n_bytes, e) < 0) {
		if (e->code == ERR_USAGE) /* too large to be a number */
			e->code = ERR_REFUSED;
		return -1;
	}
	if (n_bytes > 0 && bytes[n_bytes - 1] == '\n')
		bytes[--n_bytes] = '\0';
	if (strlen((char *)bytes) != n_bytes || !parse_u64((char *)bytes, out))
		return err_set(e, ERR_REFUSED,
			       "%s does not hold a number; put the right one into it", path);
	return 0;
}

static int lock_folder(const char *folder, int *out_fd, struct err *e)
{
	CLEANUP(freep) char *path = path_of(folder, "", "lock", e);

	if (!path)
		return -1;
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return err_errno(e, "opening %s", path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(e, "locking %s", path);
	*out_fd = TAKE_FD(fd);
	return 0;
}

static int raise_number(const char *folder, const char *path, uint64_t value, struct err *e)
{
	CLEANUP(closep) int lock_fd = -1;
	uint64_t floor = 0;
	char text[FLOOR_MAX_BYTES];

	if (lock_folder(folder, &lock_fd, e) < 0 || read_number(path, &floor, e) < 0)
		return -1;
	if (floor >= value)
		return 0;
	int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)value);
	return fdio_save(path, text, (size_t)n, FILE_MODE, e);
}

int floor_check_folder(const char *folder, struct err *e)
{
	CLEANUP(closep) int lock_fd = -1;

	if (fdio_mkdir(folder, FOLDER_MODE, e) < 0 || lock_folder(folder, &lock_fd, e) < 0)
		return err_wrap(e, "state folder");
	return 0;
}

int floor_security_version(const char *folder, const char *group, uint64_t *out, struct err *e)
{
	CLEANUP(freep) char *path = path_of_group(folder, group, e);

	if (!path || read_number(path, out, e) < 0)
		return err_wrap(e, "reading the security version floor of %s", group);
	return 0;
}

int floor_raise_security_version(const char *folder, const char *group, uint64_t version,
				 struct err *e)
{
	CLEANUP(freep) char *path = path_of_group(folder, group, e);
	CLEANUP(freep) char *rollback = path ? path_of(folder, "rollback", "", e) : NULL;

	if (!path || !rollback || fdio_mkdir(rollback, FOLDER_MODE, e) < 0 ||
	    raise_number(folder, path, version, e) < 0)
		return err_wrap(e, "raising the security version floor of %s", group);
	return 0;
}

int floor_clock(const char *folder, uint64_t *out_s, struct err *e)
{
	CLEANUP(freep) char *path = path_of(folder, "", "clock", e);

	if (!path || read_number(path, out_s, e) < 0)
		return err_wrap(e, "reading the clock's floor");
	return 0;
}

int floor_raise_clock(const char *folder, uint64_t time_s, struct err *e)
{
	CLEANUP(freep) char *path = path_of(folder, "", "clock", e);

	if (!path || fdio_mkdir(folder, FOLDER_MODE, e) < 0 ||
	    raise_number(folder, path, time_s, e) < 0)
		return err_wrap(e, "raising the clock's floor");
	return 0;
}
