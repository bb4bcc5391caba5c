/* One digest over everything that goes into an image. See inputs_digest.h. */
#include "provision/build/inputs_digest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

enum { PIECE_BYTES = 1 << 20 };

/* What a piece is, and how many bytes of it follow. */
static int put_head(struct digest *d, const char *what, uint64_t n_bytes, struct err *e)
{
	uint8_t length[8];

	put_le64(length, n_bytes);
	if (digest_update(d, what, strlen(what) + 1, e) < 0)
		return -1;
	return digest_update(d, length, sizeof length, e);
}

int inputs_digest_bytes(struct digest *d, const char *what, struct span bytes, struct err *e)
{
	if (put_head(d, what, bytes.n_bytes, e) < 0)
		return -1;
	return bytes.n_bytes > 0 ? digest_update(d, bytes.bytes, bytes.n_bytes, e) : 0;
}

int inputs_digest_text(struct digest *d, const char *what, const char *text, struct err *e)
{
	return inputs_digest_bytes(d, what, (struct span){(const uint8_t *)text, strlen(text)}, e);
}

int inputs_digest_u64(struct digest *d, const char *what, uint64_t value, struct err *e)
{
	uint8_t bytes[8];

	put_le64(bytes, value);
	return inputs_digest_bytes(d, what, (struct span){bytes, sizeof bytes}, e);
}

static int put_content(struct digest *d, int fd, uint64_t size_bytes, uint8_t *piece,
		       const struct cancel *c, struct err *e)
{
	uint64_t done_bytes = 0;
	size_t n_bytes = 0;

	do {
		if (cancel_check(c, e) < 0 || fdio_read(fd, piece, PIECE_BYTES, &n_bytes, e) < 0 ||
		    digest_update(d, piece, n_bytes, e) < 0)
			return -1;
		done_bytes += n_bytes;
	} while (n_bytes > 0 && done_bytes <= size_bytes);
	if (done_bytes != size_bytes)
		return err_set(e, ERR_IO, "it changed while it was read");
	return 0;
}

int inputs_digest_file(struct digest *d, const char *what, const char *path, uint64_t size_bytes,
		       const struct cancel *c, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(freep) uint8_t *piece = malloc(PIECE_BYTES);

	if (fd < 0 || !piece)
		return err_errno(e, "opening %s", path);
	if (put_head(d, what, size_bytes, e) < 0 || put_content(d, fd, size_bytes, piece, c, e) < 0)
		return err_wrap(e, "reading %s", path);
	return 0;
}

/* ---- Trees ---- */

static int put_attributes(struct digest *d, const struct tree_entry *entry, struct err *e)
{
	if (inputs_digest_u64(d, "attributes", entry->n_attributes, e) < 0)
		return -1;
	for (size_t i = 0; i < entry->n_attributes; i++) {
		const struct tree_attribute *a = &entry->attributes[i];
		const struct span value = {a->value, a->n_bytes};
		if (inputs_digest_bytes(d, a->name, value, e) < 0)
			return -1;
	}
	return 0;
}

static int put_entry(struct digest *d, const struct tree_entry *entry, const struct cancel *c,
		     struct err *e)
{
	const uint64_t numbers[] = {entry->kind,
				    entry->mode,
				    entry->uid,
				    entry->gid,
				    entry->major,
				    entry->minor,
				    (uint64_t)entry->mtime_s};

	if (inputs_digest_text(d, "path", entry->path, e) < 0 ||
	    inputs_digest_text(d, "link", entry->link ? entry->link : "", e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (inputs_digest_u64(d, "number", numbers[i], e) < 0)
			return -1;
	if (put_attributes(d, entry, e) < 0)
		return -1;
	if (entry->kind != TREE_FILE)
		return 0;
	if (entry->source_path)
		return inputs_digest_file(d, "content", entry->source_path, entry->size_bytes, c,
					  e);
	return inputs_digest_bytes(d, "content", entry->content, e);
}

int inputs_digest_tree(struct digest *d, const char *what, const struct tree *t, struct err *e)
{
	if (inputs_digest_u64(d, what, t->n_entries, e) < 0)
		return -1;
	for (size_t i = 0; i < t->n_entries; i++)
		if (put_entry(d, &t->entries[i], t->cancel, e) < 0)
			return -1;
	return 0;
}
