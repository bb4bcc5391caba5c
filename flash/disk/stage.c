/* Laying content of a tree out as files. See stage.h. */
#include "flash/disk/stage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

int stage_bytes(struct span content, const char *path, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, "opening %s", path);
	if (fdio_write(fd, content.bytes, content.n_bytes, e) < 0)
		return err_wrap(e, "writing %s", path);
	return 0;
}

int stage_file(const struct tree_entry *entry, const char *path, struct err *e)
{
	CLEANUP(freep) char *source = NULL;

	if (!entry->source_path)
		return stage_bytes(entry->content, path, e);
	source = realpath(entry->source_path, NULL);
	if (!source)
		return err_errno(e, "%s", entry->source_path);
	if (symlink(source, path) < 0)
		return err_errno(e, "linking %s as %s", source, path);
	return 0;
}
