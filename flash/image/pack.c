/* The one-file form of a signed image. See pack.h. */
#include "flash/image/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"

enum {
	N_SECTIONS = 3, /* MANI, SIGN, INDX */
	COPY_BYTES = 1 << 20,
	/* zstd seekable format, "Seek Table Format": a skippable frame of entries and a footer. */
	SKIPPABLE_HEADER_BYTES = 8,
	SEEK_ENTRY_BYTES = 8, /* compressed and plain size of a frame */
	SEEK_FOOTER_BYTES = 9,
};

static const uint32_t seek_table_magic = 0x184d2a5e;
static const uint32_t seek_footer_magic = 0x8f92eab1;

struct pack {
	char *path;             /* owned; where the file will be */
	int payload_fd;         /* owned; the frames, in a file without a name */
	uint64_t payload_bytes; /* of frames */
	int level;
	uint8_t *frame; /* owned; room for the largest frame so far */
	size_t frame_capacity_bytes;
	struct buf seek_entries; /* one a frame */
};

static int open_payload(const char *path, int *out_fd, struct err *e)
{
	CLEANUP(fdio_temp_freep) struct fdio_temp *t = NULL;

	if (fdio_temp_new(path, 0600, &t, e) < 0)
		return -1;
	/* Freed, it loses its name, but lives on in this descriptor. */
	*out_fd = TAKE_FD(t->fd);
	return 0;
}

int pack_new(const char *path, int level, struct pack **out, struct err *e)
{
	CLEANUP(pack_freep) struct pack *p = calloc(1, sizeof *p);

	if (!p)
		return err_errno(e, "packing %s", path);
	p->payload_fd = -1;
	p->level = level;
	p->path = strdup(path);
	if (!p->path)
		return err_errno(e, "packing %s", path);
	if (open_payload(path, &p->payload_fd, e) < 0)
		return -1;
	*out = TAKE(p);
	return 0;
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	closep(&p->payload_fd);
	free(p->path);
	free(p->frame);
	buf_release(&p->seek_entries);
	free(p);
}

static void append_seek_entry(struct buf *entries, size_t frame_bytes, size_t plain_bytes)
{
	uint8_t entry[SEEK_ENTRY_BYTES];

	put_le32(entry, (uint32_t)frame_bytes);
	put_le32(entry + 4, (uint32_t)plain_bytes);
	buf_append(entries, entry, sizeof entry);
}

static int reserve_frame(struct pack *p, size_t plain_bytes, struct err *e)
{
	size_t needed_bytes = codec_zstd_bound(plain_bytes);

	if (needed_bytes <= p->frame_capacity_bytes)
		return 0;
	free(p->frame);
	p->frame = malloc(needed_bytes);
	p->frame_capacity_bytes = p->frame ? needed_bytes : 0;
	return p->frame ? 0 : err_errno(e, "packing %s", p->path);
}

int pack_store(void *context, const uint8_t *bytes, size_t n_bytes, struct index_entry *entry,
	       struct err *e)
{
	struct pack *p = context;

	if (reserve_frame(p, n_bytes, e) < 0)
		return -1;
	size_t frame_bytes = p->frame_capacity_bytes;
	if (codec_zstd_encode(bytes, n_bytes, p->level, p->frame, &frame_bytes, e) < 0 ||
	    digest_sha256(p->frame, frame_bytes, entry->stored_sha256, e) < 0)
		return -1;
	if (fdio_write(p->payload_fd, p->frame, frame_bytes, e) < 0)
		return err_wrap(e, "%s", p->path);
	entry->codec = CHUNK_CODEC_ZSTD;
	entry->stored_bytes = (uint32_t)frame_bytes;
	entry->stored_offset_bytes = p->payload_bytes;
	p->payload_bytes += frame_bytes;
	append_seek_entry(&p->seek_entries, frame_bytes, n_bytes);
	return buf_check(&p->seek_entries, e);
}

/* ---- The seek table ---- */

/* Without its frame's header. The sections count as frames that hold nothing: a seeker adds up what
 * is in front of a frame. */
static size_t seek_table_bytes(const struct pack *p)
{
	return (size_t)N_SECTIONS * SEEK_ENTRY_BYTES + p->seek_entries.n_bytes + SEEK_FOOTER_BYTES;
}

void pack_end(const struct pack *p, struct index *x)
{
	x->payload_size_bytes = p->payload_bytes + SKIPPABLE_HEADER_BYTES + seek_table_bytes(p);
}

static void append_section_entries(struct buf *out, const struct buf *sections)
{
	const uint8_t *section = sections->bytes;

	for (unsigned i = 0; i < N_SECTIONS; i++) {
		size_t n_bytes = SKIPPABLE_HEADER_BYTES + (size_t)le32(section + 4);
		append_seek_entry(out, n_bytes, 0);
		section += n_bytes;
	}
	assert(section == sections->bytes + sections->n_bytes);
}

static int make_seek_table(const struct pack *p, const struct buf *sections, struct buf *out,
			   struct err *e)
{
	size_t n_entries = N_SECTIONS + p->seek_entries.n_bytes / SEEK_ENTRY_BYTES;
	uint8_t header[SKIPPABLE_HEADER_BYTES];
	uint8_t footer[SEEK_FOOTER_BYTES];

	put_le32(header, seek_table_magic);
	put_le32(header + 4, (uint32_t)seek_table_bytes(p));
	buf_append(out, header, sizeof header);
	append_section_entries(out, sections);
	buf_append(out, p->seek_entries.bytes, p->seek_entries.n_bytes);
	put_le32(footer, (uint32_t)n_entries);
	footer[4] = 0; /* no checksums; the frames have their own */
	put_le32(footer + 5, seek_footer_magic);
	buf_append(out, footer, sizeof footer);
	return buf_check(out, e);
}

/* ---- Putting it together ---- */

static int copy_payload(const struct pack *p, int to_fd, const struct cancel *cancel, struct err *e)
{
	CLEANUP(freep) uint8_t *bytes = malloc(COPY_BYTES);

	if (!bytes)
		return err_errno(e, "packing %s", p->path);
	for (uint64_t done_bytes = 0; done_bytes < p->payload_bytes;) {
		size_t n_bytes = (size_t)min_u64(COPY_BYTES, p->payload_bytes - done_bytes);
		size_t n_read = 0;
		if (cancel_check(cancel, e) < 0 ||
		    fdio_pread(p->payload_fd, bytes, n_bytes, done_bytes, &n_read, e) < 0 ||
		    fdio_write(to_fd, bytes, n_read, e) < 0)
			return -1;
		if (n_read < n_bytes)
			return err_set(e, ERR_IO, "the packed chunks are cut short");
		done_bytes += n_bytes;
	}
	return 0;
}

int pack_commit(struct pack *p, const struct buf *sections, const struct cancel *cancel,
		struct err *e)
{
	CLEANUP(fdio_temp_freep) struct fdio_temp *t = NULL;
	CLEANUP(buf_release) struct buf seek_table = {0};

	if (make_seek_table(p, sections, &seek_table, e) < 0 ||
	    fdio_temp_new(p->path, 0644, &t, e) < 0)
		return -1;
	if (fdio_write(t->fd, sections->bytes, sections->n_bytes, e) < 0 ||
	    copy_payload(p, t->fd, cancel, e) < 0 ||
	    fdio_write(t->fd, seek_table.bytes, seek_table.n_bytes, e) < 0)
		return err_wrap(e, "%s", p->path);
	return fdio_temp_commit(t, e);
}
