/* The journal. See journal.h. */
#include "provision/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/json.h"

static void put_image(struct buf *line, const struct journal_entry *entry)
{
	const struct manifest *m = image_manifest(entry->image);

	json_text(line, "image", entry->where);
	if (!entry->failure)
		json_text(line, "guarantee", guarantee_name(image_guarantee(entry->image)));
	if (!m)
		return;
	json_text(line, "name", m->name);
	json_text(line, "version", m->version);
	json_hex(line, "index_sha256", m->index_sha256, sizeof m->index_sha256);
}

static void put_entry(struct buf *line, const struct journal_entry *entry)
{
	json_open(line, NULL, '{');
	json_u64(line, "time", (uint64_t)entry->time_s);
	json_text(line, "target", entry->facts->path);
	json_text(line, "model", entry->facts->model);
	json_text(line, "serial", entry->facts->serial);
	json_u64(line, "size_bytes", entry->facts->size_bytes);
	json_text(line, "board", entry->board_id);
	put_image(line, entry);
	json_open(line, "overrides", '[');
	for (size_t i = 0; i < entry->n_overrides; i++)
		json_text(line, NULL, entry->overrides[i]);
	json_close(line, ']');
	json_u64(line, "code", entry->failure ? entry->failure->code : ERR_NONE);
	if (entry->failure)
		json_text(line, "text", entry->failure->text);
	json_close(line, '}');
	buf_append_text(line, "\n");
}

/* Does the file end within a line, after a power cut? */
static int is_line_open(int fd, uint64_t size_bytes, bool *out, struct err *e)
{
	char last = '\n';
	size_t n_bytes = 0;

	if (size_bytes > 0 && fdio_pread(fd, &last, 1, size_bytes - 1, &n_bytes, e) < 0)
		return -1;
	*out = last != '\n';
	return 0;
}

/* A whole line, durable, or none: what fitted of one that did not is taken back. */
static int append_line(int fd, const struct buf *line, struct err *e)
{
	struct stat before;
	bool is_open = false;
	struct err failure = {0};

	if (fstat(fd, &before) < 0)
		return err_errno(e, "looking at it");
	if (is_line_open(fd, (uint64_t)before.st_size, &is_open, e) < 0)
		return -1;
	if ((is_open && fdio_write(fd, "\n", 1, &failure) < 0) ||
	    fdio_write(fd, line->bytes, line->n_bytes, &failure) < 0) {
		*e = failure;
		return ftruncate(fd, before.st_size) < 0
			       ? err_hint(e, "and its last line is incomplete")
			       : -1;
	}
	if (fsync(fd) < 0)
		return err_errno(e, "making it durable");
	return 0;
}

int journal_append(const char *state_dir, const struct journal_entry *entry, struct err *e)
{
	CLEANUP(buf_release) struct buf line = {0};
	CLEANUP(freep) char *path = NULL;

	if (asprintf(&path, "%s/journal.jsonl", state_dir) < 0) {
		path = NULL;
		return err_errno(e, "journal");
	}
	put_entry(&line, entry);
	if (buf_check(&line, e) < 0 || fdio_mkdir(state_dir, 0700, e) < 0)
		return err_wrap(e, "journal");
	CLEANUP(closep)
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_errno(e, "journal %s", path);
	if (append_line(fd, &line, e) < 0)
		return err_wrap(e, "journal %s", path);
	return 0;
}
