/* Tars that shall become a root file system, and the tar that is made of what was read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/scratch.h"
#include "flash/disk/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No path that was taken leaves the tree. */
static void check_paths(const struct tree *t)
{
	for (size_t i = 0; i < t->n_entries; i++) {
		const char *path = t->entries[i].path;
		if (path[0] == '/' || strncmp(path, "../", 3) == 0 || strstr(path, "/../"))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(tree_release) struct tree t = {0};
	CLEANUP(closep) int fd = memfd_create("tar", MFD_CLOEXEC);
	CLEANUP(scratch_freep) char *folder = NULL;
	char in[32];
	char out[256];
	struct err e;

	(void)snprintf(in, sizeof in, "/proc/self/fd/%d", fd);
	if (fd < 0 || fdio_pwrite(fd, data, size, 0, &e) < 0 ||
	    scratch_new("/tmp", &folder, &e) < 0)
		abort();
	(void)snprintf(out, sizeof out, "%s/out", folder);
	const int result = tree_read_tar(&t, in, folder, 0, &e);
	check_paths(&t);
	/* What is large is large in holes: writing it would be all zeros. */
	if (result == 0 && tree_content_bytes(&t) < 1 << 22)
		(void)tree_write_tar(&t, out, 0, &e);
	return 0;
}
