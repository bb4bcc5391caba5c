/* Reading what goes into a file system from a folder of this machine. See tree.h. */
#include "flash/disk/tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"

enum { ATTRIBUTE_LIST_MAX_BYTES = 65536, ATTRIBUTE_MAX_BYTES = 65536 }; /* of Linux (limits.h) */

/* A file that has other names, of which the first was added as path. */
struct linked {
	dev_t device;
	ino_t inode;
	char *path; /* owned */
};

struct reader {
	struct tree *t;
	const char *folder;
	int64_t time_s;
	struct linked *linked; /* owned */
	size_t n_linked;
};

static void reader_release(struct reader *r)
{
	for (size_t i = 0; i < r->n_linked; i++)
		free(r->linked[i].path);
	free(r->linked);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* ---- One file ------------------------------------------------------------------------------- */

static int read_attribute(const char *source_path, const char *name, struct tree_entry *entry,
			  struct err *e)
{
	CLEANUP(freep) uint8_t *value = malloc(ATTRIBUTE_MAX_BYTES);

	if (!value)
		return err_set(e, ERR_IO, "out of memory");
	ssize_t n_bytes = lgetxattr(source_path, name, value, ATTRIBUTE_MAX_BYTES);
	if (n_bytes < 0)
		return err_errno(e, "reading attribute %s of %s", name, source_path);
	return tree_entry_add_attribute(entry, name, value, (size_t)n_bytes, e);
}

static int read_attributes(const char *source_path, struct tree_entry *entry, struct err *e)
{
	CLEANUP(freep) char *names = malloc(ATTRIBUTE_LIST_MAX_BYTES);

	if (!names)
		return err_set(e, ERR_IO, "out of memory");
	ssize_t n_bytes = llistxattr(source_path, names, ATTRIBUTE_LIST_MAX_BYTES);
	if (n_bytes < 0 && errno == ENOTSUP)
		return 0;
	if (n_bytes < 0)
		return err_errno(e, "listing attributes of %s", source_path);
	for (const char *name = names; name < names + n_bytes; name += strlen(name) + 1) {
		const bool is_taken =
			parse_has_prefix(name, "user.") || strcmp(name, "security.capability") == 0;
		if (is_taken && read_attribute(source_path, name, entry, e) < 0)
			return -1;
	}
	return 0;
}

static int read_symlink(const char *source_path, struct tree_entry *entry, struct err *e)
{
	char target[4096]; /* PATH_MAX, with its NUL */
	ssize_t n_bytes = readlink(source_path, target, sizeof target);

	if (n_bytes < 0 || (size_t)n_bytes == sizeof target)
		return err_errno(e, "reading link %s", source_path);
	entry->link = strndup(target, (size_t)n_bytes);
	return entry->link ? 0 : err_set(e, ERR_IO, "out of memory");
}

static int read_file(const char *source_path, const struct stat *st, struct tree_entry *entry,
		     struct err *e)
{
	if (access(source_path, R_OK) < 0)
		return err_errno(e, "reading %s", source_path);
	entry->source_path = strdup(source_path);
	if (!entry->source_path)
		return err_set(e, ERR_IO, "out of memory");
	entry->size_bytes = (uint64_t)st->st_size;
	return 0;
}

static int set_kind(const char *source_path, const struct stat *st, struct tree_entry *entry,
		    struct err *e)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR:
		entry->kind = TREE_FOLDER;
		return 0;
	case S_IFREG:
		entry->kind = TREE_FILE;
		return read_file(source_path, st, entry, e);
	case S_IFLNK:
		entry->kind = TREE_SYMLINK;
		return read_symlink(source_path, entry, e);
	case S_IFIFO:
		entry->kind = TREE_FIFO;
		return 0;
	case S_IFCHR:
	case S_IFBLK:
		entry->kind = S_ISCHR(st->st_mode) ? TREE_CHARACTER_DEVICE : TREE_BLOCK_DEVICE;
		entry->major = major(st->st_rdev);
		entry->minor = minor(st->st_rdev);
		return 0;
	default:
		return err_set(e, ERR_USAGE,
			       "%s is a socket, which no file system keeps; remove it",
			       source_path);
	}
}

/* ---- Names of one file ---------------------------------------------------------------------- */

/* The path under which the file was added before; NULL when this is the first of its names. */
static const char *find_linked(const struct reader *r, const struct stat *st)
{
	for (size_t i = 0; i < r->n_linked; i++) {
		if (r->linked[i].device == st->st_dev && r->linked[i].inode == st->st_ino)
			return r->linked[i].path;
	}
	return NULL;
}

static int remember_linked(struct reader *r, const struct stat *st, const char *path, struct err *e)
{
	struct linked *grown = reallocarray(r->linked, r->n_linked + 1, sizeof *grown);
	CLEANUP(freep) char *copy = strdup(path);

	if (grown)
		r->linked = grown;
	if (!grown || !copy)
		return err_set(e, ERR_IO, "out of memory");
	r->linked[r->n_linked++] = (struct linked){st->st_dev, st->st_ino, TAKE(copy)};
	return 0;
}

static int add_linked(struct reader *r, struct tree_entry *entry, const char *first, struct err *e)
{
	entry->kind = TREE_HARD_LINK;
	entry->link = strdup(first);
	if (!entry->link)
		return err_set(e, ERR_IO, "out of memory");
	return tree_add_entry(r->t, entry, e);
}

/* ---- Folders -------------------------------------------------------------------------------- */

static int add(struct reader *r, const char *path, struct err *e)
{
	CLEANUP(tree_entry_release) struct tree_entry entry = {.path = strdup(path)};
	CLEANUP(freep) char *source_path = NULL;
	struct stat st;

	if (asprintf(&source_path, "%s/%s", r->folder, path) < 0) {
		source_path = NULL;
		return err_set(e, ERR_IO, "out of memory");
	}
	if (!entry.path)
		return err_set(e, ERR_IO, "out of memory");
	if (lstat(source_path, &st) < 0)
		return err_errno(e, "reading %s", source_path);
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		const char *first = find_linked(r, &st);
		if (first)
			return add_linked(r, &entry, first, e);
		if (remember_linked(r, &st, path, e) < 0)
			return -1;
	}
	entry.mode = st.st_mode & TREE_MODE_MASK;
	entry.mtime_s = st.st_mtim.tv_sec < r->time_s ? st.st_mtim.tv_sec : r->time_s;
	if (set_kind(source_path, &st, &entry, e) < 0 ||
	    read_attributes(source_path, &entry, e) < 0)
		return -1;
	return tree_add_entry(r->t, &entry, e);
}

/* Everything directly in the folder at path, "" for the uppermost one. */
static int add_children(struct reader *r, const char *path, struct err *e)
{
	CLEANUP(freep) char *source_path = NULL;
	CLEANUP(closedirp) DIR *dir = NULL;

	if (asprintf(&source_path, "%s/%s", r->folder, path) < 0) {
		source_path = NULL;
		return err_set(e, ERR_IO, "out of memory");
	}
	dir = opendir(source_path);
	if (!dir)
		return err_errno(e, "reading folder %s", source_path);
	errno = 0;
	for (struct dirent *d = readdir(dir); d; d = readdir(dir)) {
		CLEANUP(freep) char *child = NULL;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (asprintf(&child, "%s%s%s", path, *path ? "/" : "", d->d_name) < 0) {
			child = NULL;
			return err_set(e, ERR_IO, "out of memory");
		}
		if (add(r, child, e) < 0)
			return -1;
		errno = 0;
	}
	return errno ? err_errno(e, "reading folder %s", source_path) : 0;
}

int tree_read_folder(struct tree *t, const char *folder, int64_t time_s, struct err *e)
{
	CLEANUP(tree_release) struct tree fresh = {0};
	CLEANUP(reader_release)
	struct reader r = {.t = &fresh, .folder = folder, .time_s = time_s};

	if (add_children(&r, "", e) < 0)
		return -1;
	/* Folders that were found are read in turn: the list of entries is the list of work. */
	for (size_t i = 0; i < fresh.n_entries; i++) {
		if (cancel_check(t->cancel, e) < 0)
			return -1;
		if (fresh.entries[i].kind != TREE_FOLDER)
			continue;
		CLEANUP(freep) char *path = strdup(fresh.entries[i].path);
		if (!path)
			return err_set(e, ERR_IO, "out of memory");
		if (add_children(&r, path, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < fresh.n_entries; i++) {
		if (tree_add_entry(t, &fresh.entries[i], e) < 0)
			return err_wrap(e, "reading folder %s", folder);
	}
	return tree_sort(t, e);
}
