/* Makes a file system in a file, as build does, for others to look at.
 *
 *     mkfs_tree KIND SOURCE FILE OFFSET SIZE [grow]     SOURCE is a folder or a tar, or - for
 * nothing; SIZE in bytes or "need"; FILE becomes that long, and full of zeros elsewhere mkfs_tree
 * KIND SOURCE                             prints how many bytes it needs
 *
 * TIME, LABEL and SCRATCH of the environment say the time, the label and where other files may be.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/base/scratch.h"
#include "flash/disk/mkfs.h"

static const char *variable(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static int64_t time_s(void)
{
	return strtoll(variable("TIME", "1577836800"), NULL, 10);
}

static int read_source(struct tree *t, const char *source, const char *scratch, struct err *e)
{
	struct stat st;

	if (strcmp(source, "-") == 0)
		return 0;
	if (stat(source, &st) < 0)
		return err_errno(e, "%s", source);
	return S_ISDIR(st.st_mode) ? tree_read_folder(t, source, time_s(), e)
				   : tree_read_tar(t, source, scratch, time_s(), e);
}

static int make_file(const char *path, uint64_t n_bytes, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, (off_t)n_bytes) < 0)
		return err_errno(e, "making %s", path);
	return 0;
}

/* arguments: FILE OFFSET SIZE [grow] */
static int make(const struct mkfs_kind *kind, const struct tree *t, const char *scratch,
		char **arguments, struct err *e)
{
	struct mkfs_request r = {
		.path = arguments[0],
		.tree = t,
		.label = variable("LABEL", "root"),
		.uuid = {0xaa, 0xbb, 0xcc, 0xdd, 0, 1, 0x80, 3, 0x80, 5, 6, 7, 8, 9, 10, 11},
		.time_s = time_s(),
		.does_grow = !kind->is_image && arguments[3] != NULL,
		.scratch_folder = scratch,
	};

	if (kind->is_image)
		return make_file(r.path, 0, e) < 0 ? -1 : kind->make(&r, e);
	if (!parse_size(arguments[1], &r.offset_bytes))
		return err_set(e, ERR_USAGE, "%s is no offset", arguments[1]);
	if (strcmp(arguments[2], "need") == 0)
		r.size_bytes = kind->need_bytes(t);
	else if (!parse_size(arguments[2], &r.size_bytes))
		return err_set(e, ERR_USAGE, "%s is no size", arguments[2]);
	/* One MiB behind it, in which nothing may be written. */
	if (make_file(r.path, r.offset_bytes + r.size_bytes + (1 << 20), e) < 0)
		return -1;
	return kind->make(&r, e);
}

static int run(int argc, char **argv, struct err *e)
{
	CLEANUP(scratch_freep) char *scratch = NULL;
	CLEANUP(tree_release) struct tree t = {0};
	const struct mkfs_kind *kind = NULL;

	if (argc < 3 || mkfs_by_name(argv[1], &kind, e) < 0)
		return argc < 3 ? err_set(e, ERR_USAGE, "mkfs_tree KIND SOURCE ...") : -1;
	if (kind->is_image ? argc != 4 : argc != 3 && argc != 6 && argc != 7)
		return err_set(e, ERR_USAGE, "mkfs_tree %s: wrong number of arguments", argv[1]);
	if (scratch_new(variable("SCRATCH", "/tmp"), &scratch, e) < 0 ||
	    read_source(&t, argv[2], scratch, e) < 0)
		return -1;
	if (argc > 3)
		return make(kind, &t, scratch, argv + 3, e);
	(void)printf("%" PRIu64 "\n", kind->need_bytes(&t));
	return 0;
}

int main(int argc, char **argv)
{
	struct err e = {0};

	if (run(argc, argv, &e) == 0)
		return 0;
	(void)fprintf(stderr, "mkfs_tree: %s\n", e.text);
	return (int)e.code;
}
