/* The kernel's description of block devices. See sysfs.h. */
#include "flash/disk/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/parse.h"

static const char white_space[] = " \t\r\n";

char *sysfs_join(const char *folder, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* The same without memory that could run out: then a disk in use would look idle. */
static bool put_path(char path[PATH_MAX], const char *folder, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < PATH_MAX;
}

bool sysfs_text(const char *folder, const char *name, char text[SYSFS_TEXT_BYTES])
{
	char path[PATH_MAX];
	CLEANUP(closep)
	int fd = put_path(path, folder, name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size_t n_bytes = 0;
	struct err e;

	text[0] = '\0';
	if (fd < 0 || fdio_read(fd, text, SYSFS_TEXT_BYTES - 1, &n_bytes, &e) < 0)
		n_bytes = 0;
	text[n_bytes] = '\0';
	/* A serial number may begin or end in anything, NUL included. */
	size_t n_before = strspn(text, white_space);
	memmove(text, text + n_before, strlen(text + n_before) + 1);
	for (size_t n = strlen(text); n > 0 && strchr(white_space, text[n - 1]); n--)
		text[n - 1] = '\0';
	return fd >= 0 && text[0];
}

bool sysfs_u64(const char *folder, const char *name, uint64_t *out)
{
	char text[SYSFS_TEXT_BYTES];

	return sysfs_text(folder, name, text) && parse_u64(text, out);
}

bool sysfs_flag(const char *folder, const char *name)
{
	char text[SYSFS_TEXT_BYTES];

	return sysfs_text(folder, name, text) && strcmp(text, "0") != 0;
}

bool sysfs_exists(const char *folder, const char *name)
{
	char path[PATH_MAX];

	return put_path(path, folder, name) && access(path, F_OK) == 0;
}

static int is_not_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int sysfs_names(const char *folder, const char *name, char ***out, struct err *e)
{
	CLEANUP(freep) char *path = sysfs_join(folder, name);
	struct dirent **entries = NULL;

	if (!path)
		return err_errno(e, "reading %s", name);
	int n = scandir(path, &entries, is_not_dots, versionsort);
	if (n < 0 && errno != ENOENT)
		return err_errno(e, "reading %s", path);
	n = n < 0 ? 0 : n;
	CLEANUP(sysfs_names_freep) char **names = calloc((size_t)n + 1, sizeof *names);
	bool is_complete = names;
	for (int i = 0; i < n; i++) {
		if (is_complete)
			is_complete = (names[i] = strdup(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	if (!is_complete)
		return err_set(e, ERR_IO, "reading %s: no memory", path);
	*out = TAKE(names);
	return 0;
}

void sysfs_names_free(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

int sysfs_block_folder(const char *root, dev_t device, char **out, struct err *e)
{
	CLEANUP(freep) char *link = NULL;

	if (asprintf(&link, "%s/sys/dev/block/%u:%u", root, major(device), minor(device)) < 0) {
		link = NULL;
		return err_errno(e, "looking up a block device");
	}
	char *folder = realpath(link, NULL);
	if (!folder)
		return err_errno(e, "reading %s", link);
	*out = folder;
	return 0;
}

bool sysfs_parse_device(const char *text, dev_t *out)
{
	const char *colon = strchr(text, ':');
	char major_text[16] = "";
	uint64_t major_number = 0;
	uint64_t minor_number = 0;

	if (!colon || (size_t)(colon - text) >= sizeof major_text)
		return false;
	memcpy(major_text, text, (size_t)(colon - text));
	if (!parse_u64(major_text, &major_number) || !parse_u64(colon + 1, &minor_number) ||
	    major_number > UINT_MAX || minor_number > UINT_MAX)
		return false;
	*out = makedev((unsigned)major_number, (unsigned)minor_number);
	return true;
}

bool sysfs_device(const char *folder, dev_t *out)
{
	char text[SYSFS_TEXT_BYTES];

	return sysfs_text(folder, "dev", text) && sysfs_parse_device(text, out);
}

char *sysfs_node(const char *folder)
{
	char *path = NULL;
	const char *slash = strrchr(folder, '/');

	if (asprintf(&path, "/dev/%s", slash ? slash + 1 : folder) < 0)
		return NULL;
	/* A node in a folder of its own, as /dev/cciss/c0d0, has "!" for "/" here. */
	for (char *p = strchr(path, '!'); p; p = strchr(p, '!'))
		*p = '/';
	return path;
}

bool sysfs_device_by_node(const char *root, const char *path, dev_t *out)
{
	const char *name = parse_has_prefix(path, "/dev/") ? path + strlen("/dev/") : "";
	char folder[PATH_MAX];
	struct stat st;

	if (*name && put_path(folder, root, "sys/class/block/")) {
		char *end = folder + strlen(folder);
		size_t n_room = sizeof folder - strlen(folder);
		bool fits = (size_t)snprintf(end, n_room, "%s", name) < n_room;
		for (char *p = strchr(end, '/'); p; p = strchr(p, '/'))
			*p = '!';
		if (fits && sysfs_device(folder, out))
			return true;
	}
	/* Not the kernel's own name for it: /dev/mapper/vg-root, /dev/disk/by-label/data. */
	if (path[0] != '/' || stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	*out = st.st_rdev;
	return true;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void sysfs_unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && is_octal(from[2]) &&
		    is_octal(from[3])) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}
