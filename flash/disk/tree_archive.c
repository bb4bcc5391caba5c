/* Tars as what goes into a file system, and the other way round. See tree.h. */
#include "flash/disk/tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"

enum { PIECE_BYTES = 1 << 18, TAR_END_BYTES = 1024 };

struct reader {
	struct archive *a; /* owned */
	struct tree *t;
	const char *path;      /* of the tar, for messages */
	char *folder;          /* owned; for contents */
	unsigned long n_files; /* in it */
	int64_t time_s;
};

static void reader_release(struct reader *r)
{
	(void)archive_read_free(r->a);
	free(r->folder);
}

static void entry_freep(struct archive_entry **entry)
{
	archive_entry_free(*entry);
}

static void write_freep(struct archive **a)
{
	(void)archive_write_free(*a);
}

static const char *text(const char *may_be_null)
{
	return may_be_null ? may_be_null : "";
}

/* What libarchive could not do with the tar at path. */
static int tar_error(struct archive *a, const char *path, struct err *e)
{
	const int number = archive_errno(a);
	const bool is_content = number < 0 || number == EILSEQ || number == EINVAL || number == 0;
	const char *what = archive_error_string(a);

	return err_set(e, is_content ? ERR_USAGE : ERR_IO, "reading %s as a tar: %s", path,
		       what ? what : "libarchive does not say why it failed");
}

/* ---- Reading -------------------------------------------------------------------------------- */

static int write_pieces(struct reader *r, int fd, const char *name, uint64_t *out_bytes,
			struct err *e)
{
	const void *piece = NULL;
	size_t n_bytes = 0;
	la_int64_t offset_bytes = 0;
	uint64_t end_bytes = 0;
	int result = ARCHIVE_OK;

	while ((result = archive_read_data_block(r->a, &piece, &n_bytes, &offset_bytes)) ==
	       ARCHIVE_OK) {
		if (cancel_check(r->t->cancel, e) < 0 ||
		    fdio_pwrite(fd, piece, n_bytes, (uint64_t)offset_bytes, e) < 0)
			return err_wrap(e, "unpacking %s", name);
		end_bytes = (uint64_t)offset_bytes + n_bytes;
	}
	if (result != ARCHIVE_EOF)
		return tar_error(r->a, r->path, e);
	*out_bytes = end_bytes;
	return 0;
}

/* The content of a file into one of our own, whose name no tar chooses. */
static int read_content(struct reader *r, struct archive_entry *from, struct tree_entry *out,
			struct err *e)
{
	const uint64_t n_bytes = (uint64_t)archive_entry_size(from);

	if (asprintf(&out->source_path, "%s/%08lu", r->folder, r->n_files++) < 0) {
		out->source_path = NULL;
		return err_set(e, ERR_IO, "out of memory");
	}
	CLEANUP(closep)
	int fd = open(out->source_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "making %s", out->source_path);
	if (write_pieces(r, fd, out->path, &out->size_bytes, e) < 0)
		return -1;
	/* A sparse file may end with a hole, which is in no piece. */
	if (out->size_bytes < n_bytes && ftruncate(fd, (off_t)n_bytes) < 0)
		return err_errno(e, "unpacking %s", out->path);
	out->size_bytes = max_u64(out->size_bytes, n_bytes);
	return 0;
}

static int read_attributes(struct archive_entry *from, struct tree_entry *out, struct err *e)
{
	const char *name = NULL;
	const void *value = NULL;
	size_t n_bytes = 0;

	(void)archive_entry_xattr_reset(from);
	while (archive_entry_xattr_next(from, &name, &value, &n_bytes) == ARCHIVE_OK) {
		if (tree_entry_add_attribute(out, text(name), value, n_bytes, e) < 0)
			return -1;
	}
	return 0;
}

static int copy_text(const char *from, char **out, struct err *e)
{
	*out = strdup(text(from));
	return *out ? 0 : err_set(e, ERR_IO, "out of memory");
}

/* What kind it is, and what only that kind has. */
static int read_kind(struct reader *r, struct archive_entry *from, struct tree_entry *out,
		     struct err *e)
{
	if (archive_entry_hardlink(from)) {
		out->kind = TREE_HARD_LINK;
		return copy_text(archive_entry_hardlink(from), &out->link, e);
	}
	switch (archive_entry_filetype(from)) {
	case AE_IFREG:
		out->kind = TREE_FILE;
		return read_content(r, from, out, e);
	case AE_IFDIR:
		out->kind = TREE_FOLDER;
		return 0;
	case AE_IFLNK:
		out->kind = TREE_SYMLINK;
		return copy_text(archive_entry_symlink(from), &out->link, e);
	case AE_IFIFO:
		out->kind = TREE_FIFO;
		return 0;
	case AE_IFCHR:
	case AE_IFBLK:
		out->kind = archive_entry_filetype(from) == AE_IFCHR ? TREE_CHARACTER_DEVICE
								     : TREE_BLOCK_DEVICE;
		out->major = (unsigned)archive_entry_rdevmajor(from);
		out->minor = (unsigned)archive_entry_rdevminor(from);
		return 0;
	default:
		return err_set(e, ERR_USAGE, "%s is neither file, folder, link, device nor FIFO",
			       out->path);
	}
}

static int read_owner(struct archive_entry *from, struct tree_entry *out, struct err *e)
{
	const la_int64_t uid = archive_entry_uid(from);
	const la_int64_t gid = archive_entry_gid(from);

	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return err_set(e, ERR_USAGE, "%s belongs to %lld:%lld, which is no user of Linux",
			       out->path, (long long)uid, (long long)gid);
	out->uid = (uint32_t)uid;
	out->gid = (uint32_t)gid;
	return 0;
}

static int read_entry(struct reader *r, struct archive_entry *from, struct err *e)
{
	CLEANUP(tree_entry_release) struct tree_entry out = {0};

	if (copy_text(archive_entry_pathname(from), &out.path, e) < 0)
		return -1;
	out.mode = archive_entry_perm(from);
	const int64_t mtime_s = archive_entry_mtime(from);
	out.mtime_s = mtime_s < r->time_s ? mtime_s : r->time_s;
	if (read_owner(from, &out, e) < 0 || read_attributes(from, &out, e) < 0 ||
	    read_kind(r, from, &out, e) < 0)
		return -1;
	return tree_put_entry(r->t, &out, e);
}

static int read_entries(struct reader *r, struct err *e)
{
	CLEANUP(entry_freep) struct archive_entry *entry = archive_entry_new();
	int result = ARCHIVE_OK;

	if (!entry)
		return err_set(e, ERR_IO, "out of memory");
	/* A warning is about a name in another character set, or an attribute it does not know. */
	while ((result = archive_read_next_header2(r->a, entry)) == ARCHIVE_OK ||
	       result == ARCHIVE_WARN) {
		if (cancel_check(r->t->cancel, e) < 0 || read_entry(r, entry, e) < 0)
			return err_wrap(e, "%s", r->path);
	}
	return result == ARCHIVE_EOF ? 0 : tar_error(r->a, r->path, e);
}

static int open_archive(struct reader *r, struct err *e)
{
	r->a = archive_read_new();
	if (!r->a || archive_read_support_format_tar(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_gzip(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_lz4(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(r->a) != ARCHIVE_OK)
		return err_set(e, ERR_IO, "preparing to read %s: libarchive cannot", r->path);
	if (archive_read_open_filename(r->a, r->path, PIECE_BYTES) != ARCHIVE_OK)
		return tar_error(r->a, r->path, e);
	return 0;
}

int tree_read_tar(struct tree *t, const char *path, const char *scratch_folder, int64_t time_s,
		  struct err *e)
{
	CLEANUP(reader_release) struct reader r = {.t = t, .path = path, .time_s = time_s};

	if (asprintf(&r.folder, "%s/tar.XXXXXX", scratch_folder) < 0) {
		r.folder = NULL;
		return err_set(e, ERR_IO, "out of memory");
	}
	if (!mkdtemp(r.folder))
		return err_errno(e, "making a folder in %s", scratch_folder);
	if (open_archive(&r, e) < 0 || read_entries(&r, e) < 0)
		return -1;
	return tree_sort(t, e);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static __LA_MODE_T file_type(enum tree_kind kind)
{
	switch (kind) {
	case TREE_FOLDER:
		return AE_IFDIR;
	case TREE_SYMLINK:
		return AE_IFLNK;
	case TREE_CHARACTER_DEVICE:
		return AE_IFCHR;
	case TREE_BLOCK_DEVICE:
		return AE_IFBLK;
	case TREE_FIFO:
		return AE_IFIFO;
	case TREE_FILE:
	case TREE_HARD_LINK:
		break;
	}
	return AE_IFREG;
}

static void describe(const struct tree_entry *from, int64_t time_s, struct archive_entry *out)
{
	archive_entry_copy_pathname(out, from->path);
	archive_entry_set_filetype(out, file_type(from->kind));
	archive_entry_set_perm(out, (__LA_MODE_T)from->mode);
	archive_entry_set_uid(out, from->uid);
	archive_entry_set_gid(out, from->gid);
	archive_entry_set_mtime(out, from->mtime_s == TREE_NO_TIME ? time_s : from->mtime_s, 0);
	archive_entry_set_rdevmajor(out, from->major);
	archive_entry_set_rdevminor(out, from->minor);
	archive_entry_set_size(out, from->kind == TREE_FILE ? (la_int64_t)from->size_bytes : 0);
	if (from->kind == TREE_SYMLINK)
		archive_entry_copy_symlink(out, from->link);
	if (from->kind == TREE_HARD_LINK)
		archive_entry_copy_hardlink(out, from->link);
	for (size_t i = 0; i < from->n_attributes; i++)
		archive_entry_xattr_add_entry(out, from->attributes[i].name,
					      from->attributes[i].value,
					      from->attributes[i].n_bytes);
}

static int write_bytes(struct archive *a, const void *bytes, size_t n_bytes, const char *name,
		       struct err *e)
{
	if (archive_write_data(a, bytes, n_bytes) == (la_ssize_t)n_bytes)
		return 0;
	return err_set(e, ERR_IO, "packing %s: %s", name, text(archive_error_string(a)));
}

static int write_source(struct archive *a, const struct tree_entry *from, struct err *e)
{
	CLEANUP(closep) int fd = open(from->source_path, O_RDONLY | O_CLOEXEC);
	CLEANUP(freep) uint8_t *piece = malloc(PIECE_BYTES);
	uint64_t n_done_bytes = 0;

	if (fd < 0 || !piece)
		return err_errno(e, "reading %s", from->source_path);
	while (n_done_bytes < from->size_bytes) {
		const uint64_t n_left_bytes = from->size_bytes - n_done_bytes;
		size_t n_bytes = 0;

		if (fdio_read(fd, piece, (size_t)min_u64(PIECE_BYTES, n_left_bytes), &n_bytes, e) <
		    0)
			return err_wrap(e, "%s", from->source_path);
		if (n_bytes == 0)
			return err_set(e, ERR_IO, "%s became shorter while it was read",
				       from->source_path);
		if (write_bytes(a, piece, n_bytes, from->path, e) < 0)
			return -1;
		n_done_bytes += n_bytes;
	}
	return 0;
}

static int write_entry(struct archive *a, const struct tree_entry *from, int64_t time_s,
		       struct err *e)
{
	CLEANUP(entry_freep) struct archive_entry *out = archive_entry_new();

	if (!out)
		return err_set(e, ERR_IO, "out of memory");
	describe(from, time_s, out);
	if (archive_write_header(a, out) != ARCHIVE_OK)
		return err_set(e, ERR_IO, "packing %s: %s", from->path,
			       text(archive_error_string(a)));
	if (from->kind != TREE_FILE || from->size_bytes == 0)
		return 0;
	return from->source_path
		       ? write_source(a, from, e)
		       : write_bytes(a, from->content.bytes, from->content.n_bytes, from->path, e);
}

int tree_write_tar(const struct tree *t, const char *path, int64_t time_s, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CLEANUP(write_freep) struct archive *a = archive_write_new();

	if (fd < 0)
		return err_errno(e, "making %s", path);
	if (!a || archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
	    archive_write_set_options(a, "hdrcharset=BINARY") != ARCHIVE_OK ||
	    archive_write_open_fd(a, fd) != ARCHIVE_OK)
		return err_set(e, ERR_IO, "writing %s: libarchive cannot", path);
	for (size_t i = 0; i < t->n_entries; i++) {
		if (write_entry(a, &t->entries[i], time_s, e) < 0)
			return -1;
	}
	if (archive_write_close(a) != ARCHIVE_OK)
		return err_set(e, ERR_IO, "writing %s: %s", path, text(archive_error_string(a)));
	return 0;
}
