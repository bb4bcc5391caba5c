/* Facts about a target. See facts.h. */
#include "flash/disk/facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/disk/facts_block.h"
#include "flash/disk/facts_uses.h"
#include "flash/disk/sysfs.h"

void facts_free(struct facts *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_uses; i++) {
		free(f->uses[i].what);
		free(f->uses[i].by);
	}
	free(f->uses);
	free(f->path);
	free(f->real_path);
	free(f->disk_path);
	free(f->model);
	free(f->serial);
	free(f->transport);
	free(f->by_id);
	free(f);
}

/* A struct where every text that callers print is there. */
static struct facts *facts_new(const char *path)
{
	CLEANUP(facts_freep) struct facts *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->path = strdup(path);
	f->model = strdup("");
	f->serial = strdup("");
	f->transport = strdup("");
	f->by_id = strdup("");
	if (!f->path || !f->model || !f->serial || !f->transport || !f->by_id)
		return NULL;
	return TAKE(f);
}

static int gather_file(struct facts *f, const char *root, const struct stat *st, struct err *e)
{
	f->kind = TARGET_FILE;
	f->device = st->st_dev;
	f->inode = st->st_ino;
	f->size_bytes = (uint64_t)st->st_size;
	f->sector_bytes = 512;
	/* Missing rights are found, and told better, when the file is opened. */
	f->is_read_only = access(f->real_path, W_OK) < 0 && errno == EROFS;
	return facts_add_file_uses(f, root, e);
}

/* Where a file that is not there would be made: its folder with links resolved, "sdz" in /dev too.
 * NULL with errno when there is no memory. */
static char *real_path_of_missing(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	CLEANUP(freep)
	char *folder = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
	CLEANUP(freep) char *real_folder = folder ? realpath(folder, NULL) : NULL;
	char *real = NULL;

	if (!real_folder)
		return strdup(path);
	const char *joint = strcmp(real_folder, "/") == 0 ? "" : "/";
	return asprintf(&real, "%s%s%s", real_folder, joint, name) < 0 ? NULL : real;
}

static int gather_missing(struct facts *f, struct err *e)
{
	f->kind = TARGET_MISSING;
	f->sector_bytes = 512;
	f->real_path = real_path_of_missing(f->path);
	return f->real_path ? 0 : err_errno(e, "looking at %s", f->path);
}

static int gather(struct facts *f, const char *root, struct err *e)
{
	struct stat st;

	if (stat(f->path, &st) < 0)
		return errno == ENOENT ? gather_missing(f, e)
				       : err_errno(e, "looking at %s", f->path);
	f->real_path = realpath(f->path, NULL);
	if (!f->real_path)
		return err_errno(e, "looking at %s", f->path);
	if (S_ISBLK(st.st_mode))
		return facts_describe_block(f, root, st.st_rdev, e);
	if (S_ISREG(st.st_mode))
		return gather_file(f, root, &st, e);
	f->kind = S_ISDIR(st.st_mode) ? TARGET_FOLDER : TARGET_OTHER;
	return 0;
}

int facts_gather(const char *path, const char *root, struct facts **out, struct err *e)
{
	CLEANUP(facts_freep) struct facts *f = facts_new(path);

	if (!f)
		return err_errno(e, "looking at %s", path);
	if (gather(f, root, e) < 0)
		return -1;
	*out = TAKE(f);
	return 0;
}

/* Is st of what f describes? */
static bool is_described(const struct facts *f, const struct stat *st)
{
	switch (f->kind) {
	case TARGET_BLOCK:
		return S_ISBLK(st->st_mode) && st->st_rdev == f->device;
	case TARGET_FILE:
		return S_ISREG(st->st_mode) && st->st_dev == f->device && st->st_ino == f->inode;
	case TARGET_MISSING:
	case TARGET_FOLDER:
	case TARGET_OTHER:
		break;
	}
	return false;
}

int facts_check_open(const struct facts *f, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "looking at %s", f->path);
	if (!is_described(f, &st))
		return err_set(e, ERR_REFUSED,
			       "%s became another one while it was looked at; start again",
			       f->path);
	return 0;
}

/* ---- Listing -------------------------------------------------------------------------------- */

/* Could the disk be a target? Some block devices never are, some only once something is attached.
 */
static bool is_disk(const char *folder, const char *name)
{
	static const char *const never[] = {"ram", "sr", "fd", "dm-", "md", "mtdblock"};
	static const char *const when_attached[] = {"loop", "zram", "nbd"};

	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (parse_has_prefix(name, never[i]))
			return false;
	/* The boot areas of an eMMC, and one path of a multipath NVMe disk. */
	if (parse_has_suffix(name, "boot0") || parse_has_suffix(name, "boot1") ||
	    sysfs_flag(folder, "hidden"))
		return false;
	for (size_t i = 0; i < sizeof when_attached / sizeof *when_attached; i++)
		if (parse_has_prefix(name, when_attached[i]))
			return sysfs_flag(folder, "size");
	return true;
}

int facts_list_disks(const char *root, char ***out_paths, struct err *e)
{
	CLEANUP(sysfs_names_freep) char **names = NULL;
	CLEANUP(freep) char *blocks = sysfs_join(root, "sys/block");
	size_t n_disks = 0;

	if (!blocks)
		return err_errno(e, "listing disks");
	if (!sysfs_exists(blocks, "."))
		return err_errno(e, "listing disks: reading %s", blocks);
	if (sysfs_names(blocks, ".", &names, e) < 0)
		return -1;
	size_t n_names = 0;
	while (names[n_names])
		n_names++;
	CLEANUP(sysfs_names_freep) char **paths = calloc(n_names + 1, sizeof *paths);
	if (!paths)
		return err_errno(e, "listing disks");
	for (size_t i = 0; i < n_names; i++) {
		CLEANUP(freep) char *folder = sysfs_join(blocks, names[i]);
		if (!folder)
			return err_errno(e, "listing disks");
		if (!is_disk(folder, names[i]))
			continue;
		paths[n_disks] = sysfs_node(folder);
		if (!paths[n_disks++])
			return err_errno(e, "listing disks");
	}
	*out_paths = TAKE(paths);
	return 0;
}

void facts_free_paths(char **paths)
{
	sysfs_names_free(paths);
}
