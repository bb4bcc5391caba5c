/* What was given as a root file system. See root_source.h. */
#include "provision/build/root_source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "provision/build/payload.h"

enum {
	HEAD_BYTES = 2048,
	SECTOR_BYTES = 512,
	SQUASHFS_MAGIC = 0x73717368, /* linux/magic.h, at the start; little endian since 4.0 */
	EROFS_AT = 1024,             /* fs/erofs/erofs_fs.h, EROFS_SUPER_OFFSET */
	EXT_AT = 1024 + 56,          /* fs/ext4/ext4.h, s_magic in the superblock at 1024 */
	EXT_MAGIC = 0xef53,
};
static const uint32_t EROFS_MAGIC = 0xe0f5e1e2; /* linux/magic.h */

const char *root_source_file_system(const uint8_t *head, size_t head_bytes)
{
	if (head_bytes >= 4 && le32(head) == SQUASHFS_MAGIC)
		return "squashfs";
	if (head_bytes >= EROFS_AT + 4 && le32(head + EROFS_AT) == EROFS_MAGIC)
		return "erofs";
	if (head_bytes >= EXT_AT + 2 && le16(head + EXT_AT) == EXT_MAGIC)
		return "ext4";
	return NULL;
}

/* How long the file system says that it is, by its head: bytes_used of a squashfs, blkszbits and
 * blocks of an erofs, s_blocks_count_lo and s_log_block_size of an ext4 (same headers). */
static uint64_t claimed_bytes(const uint8_t head[HEAD_BYTES], const char *file_system)
{
	if (strcmp(file_system, "squashfs") == 0)
		return le64(head + 40);
	if (strcmp(file_system, "erofs") == 0)
		return (uint64_t)le32(head + EROFS_AT + 36) << (head[EROFS_AT + 12] & 31);
	return (uint64_t)le32(head + 1024 + 4) << (10 + (le32(head + 1024 + 24) & 15));
}

static int load_tar(const char *path, const struct payload_request *p, struct root_source *r,
		    struct err *e)
{
	if (tree_read_tar(&r->tree, path, p->scratch_folder, p->time_s, e) == 0)
		return 0;
	if (e->code == ERR_USAGE)
		return err_hint(e, "a folder, a tar, or an image of squashfs, erofs or ext4 is "
				   "taken");
	return -1;
}

static int load_file(int fd, const char *path, const struct payload_request *p,
		     struct root_source *r, struct err *e)
{
	uint8_t head[HEAD_BYTES] = {0};
	size_t n_bytes = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (fdio_pread(fd, head, sizeof head, 0, &n_bytes, e) < 0)
		return err_wrap(e, "%s", path);
	const uint64_t size_bytes = (uint64_t)st.st_size;
	r->file_system = root_source_file_system(head, n_bytes);
	if (!r->file_system)
		return load_tar(path, p, r, e);
	if (size_bytes % SECTOR_BYTES != 0)
		return err_set(e, ERR_USAGE,
			       "%s is an image of %s, but its %llu bytes are no multiple of %d; is "
			       "it cut short",
			       path, r->file_system, (unsigned long long)size_bytes, SECTOR_BYTES);
	if (claimed_bytes(head, r->file_system) > size_bytes)
		return err_set(e, ERR_USAGE,
			       "%s is an image of %s of %llu bytes, and has only %llu; it is cut "
			       "short: copy it again",
			       path, r->file_system,
			       (unsigned long long)claimed_bytes(head, r->file_system),
			       (unsigned long long)size_bytes);
	r->image_bytes = size_bytes;
	return 0;
}

static int load(const char *path, const struct payload_request *p, struct root_source *r,
		struct err *e)
{
	/* A FIFO must be refused, not waited for. */
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (S_ISDIR(st.st_mode))
		return tree_read_folder(&r->tree, path, p->time_s, e);
	if (S_ISREG(st.st_mode))
		return load_file(fd, path, p, r, e);
	return err_set(e, ERR_USAGE, "%s is neither a folder nor a file", path);
}

int root_source_load(const char *path, const struct payload_request *p, struct root_source *out,
		     struct err *e)
{
	CLEANUP(root_source_release) struct root_source r = {.tree.cancel = p->cancel};

	if (load(path, p, &r, e) < 0 || tree_sort(&r.tree, e) < 0)
		return -1;
	*out = r;
	r = (struct root_source){0};
	return 0;
}

void root_source_release(struct root_source *r)
{
	tree_release(&r->tree);
}
