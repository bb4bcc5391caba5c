/* A squashfs, by mksquashfs.
 *
 * It reads a tar, which says everything of the tree without root: owners, device nodes, attributes,
 * links. gzip is the compressor that every kernel with squashfs has, and U-Boot and GRUB too. The
 * order of blocks does not depend on the number of processors (-reproducible). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "flash/base/cleanup.h"
#include "flash/base/scratch.h"
#include "flash/base/spawn.h"
#include "flash/disk/mkfs.h"

enum { NUMBER_BYTES = 24 };

static const char packages[] = "squashfs-tools";

static int check_time(const char *what, int64_t time_s, struct err *e)
{
	if (time_s >= 0 && time_s <= UINT32_MAX)
		return 0;
	return err_set(e, ERR_USAGE,
		       "%s has the time %" PRId64 "; squashfs knows 0 to %" PRIu32
		       ", from 1970 to 2106; touch it",
		       what, time_s, UINT32_MAX);
}

static int check_times(const struct mkfs_request *r, struct err *e)
{
	for (size_t i = 0; i < r->tree->n_entries; i++) {
		const struct tree_entry *entry = &r->tree->entries[i];
		if (entry->mtime_s != TREE_NO_TIME &&
		    check_time(entry->path, entry->mtime_s, e) < 0)
			return -1;
	}
	return check_time("the image", r->time_s, e);
}

static int start(const struct mkfs_request *r, const char *tar, struct err *e)
{
	/* Not by -mkfs-time: it refuses to have both, and ours may be set. The root folder, which
	 * is not in the tar, has that time too. */
	char clock[NUMBER_BYTES + 24];
	const char *const environment[] = {clock, NULL};
	const char *const argv[] = {
		"mksquashfs",
		"-",
		r->path,
		"-tar",
		"-comp",
		"gzip",
		"-b",
		"131072",
		"-xattrs",
		"-reproducible",
		"-root-mode",
		"755",
		"-root-uid",
		"0",
		"-root-gid",
		"0",
		"-noappend",
		"-no-recovery",
		"-quiet",
		"-no-progress",
		"-exit-on-error",
		NULL,
	};
	const struct spawn s = {
		.argv = argv,
		.environment = environment,
		.input_path = tar,
		.packages = packages,
		.cancel = r->cancel,
	};

	(void)snprintf(clock, sizeof clock, "SOURCE_DATE_EPOCH=%" PRId64, r->time_s);
	return spawn_run(&s, e);
}

static int make(const struct mkfs_request *r, struct err *e)
{
	CLEANUP(scratch_freep) char *stage = NULL;
	CLEANUP(freep) char *tar = NULL;

	if (check_times(r, e) < 0 || scratch_new(r->scratch_folder, &stage, e) < 0)
		return -1;
	if (asprintf(&tar, "%s/tree.tar", stage) < 0) {
		tar = NULL;
		return err_set(e, ERR_IO, "out of memory");
	}
	return tree_write_tar(r->tree, tar, r->time_s, e) < 0 ? -1 : start(r, tar, e);
}

static const char *const programs[] = {"mksquashfs", NULL};

const struct mkfs_kind mkfs_squashfs = {
	.name = "squashfs",
	.programs = programs,
	.packages = packages,
	.is_image = true,
	.make = make,
};
