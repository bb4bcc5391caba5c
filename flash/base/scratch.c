/* A folder of our own. See scratch.h. */
#include "flash/base/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"

enum { FOLDERS_OPEN_MAX = 16 }; /* at once, however deep they are */

int scratch_new(const char *parent, char **out_path, struct err *e)
{
	CLEANUP(freep) char *path = NULL;

	if (asprintf(&path, "%s/lkflash.XXXXXX", parent) < 0) {
		path = NULL;
		return err_errno(e, "making a folder in %s", parent);
	}
	if (!mkdtemp(path))
		return err_errno(e, "making a folder in %s", parent);
	*out_path = TAKE(path);
	return 0;
}

static int forget(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	(void)remove(path);
	return 0;
}

void scratch_free(char *path)
{
	int error = errno; /* of what we are cleaning up after */

	if (path)
		(void)nftw(path, forget, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(path);
	errno = error;
}
