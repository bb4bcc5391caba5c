/* An image is made, as it was settled. See build.h. */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"
#include "provision/build/build_private.h"

enum { COPY_BYTES = 1 << 20 };

/* An image under way. */
struct making {
	const struct build *b;
	struct fdio_temp *file; /* owned */
	uint64_t done_bytes;    /* of what has content */
	uint64_t total_bytes;
};

static void making_release(struct making *m)
{
	fdio_temp_free(m->file);
}

/* ---- Telling ---- */

static void tell(const struct making *m, enum event_kind kind, enum phase phase, const char *text)
{
	const struct event ev = {
		.kind = kind,
		.phase = phase,
		.done_bytes = m->done_bytes,
		.total_bytes = m->total_bytes,
		.target = m->b->r.out_path,
		.text = text,
	};

	event_emit(m->b->r.listener, &ev);
}

static int advance(struct making *m, uint64_t n_bytes, struct err *e)
{
	m->done_bytes += n_bytes;
	tell(m, EVENT_PROGRESS, PHASE_WRITE, NULL);
	return cancel_check(m->b->r.cancel, e);
}

/* What a partition counts for. */
static uint64_t weight_of(const struct build_part *p)
{
	return p->tree ? tree_content_bytes(p->tree) : p->need_bytes;
}

static uint64_t total_of(const struct build *b)
{
	uint64_t total_bytes = 0;

	for (size_t i = 0; i < b->n_parts; i++)
		total_bytes += weight_of(&b->parts[i]);
	for (size_t i = 0; i < b->n_pieces; i++)
		total_bytes += b->pieces[i].bytes.n_bytes;
	return total_bytes;
}

/* ---- Partitions ---- */

/* A label of a name: a FAT's is upper case and has 11 bytes, an ext4's 16. */
static void make_label(const struct build_part *p, char label[MKFS_LABEL_BYTES])
{
	bool is_fat = strcmp(p->file_system, "vfat") == 0;
	size_t n_bytes = strnlen(p->name, is_fat ? 11 : MKFS_LABEL_BYTES - 1);

	for (size_t i = 0; i < n_bytes; i++)
		label[i] = p->name[i];
	for (size_t i = 0; is_fat && i < n_bytes; i++)
		label[i] = (char)toupper((unsigned char)label[i]);
	while (n_bytes > 0 && label[n_bytes - 1] == ' ')
		n_bytes--;
	label[n_bytes] = '\0';
}

static int make_file_system(struct making *m, size_t i, struct err *e)
{
	const struct build_part *p = &m->b->parts[i];
	char label[MKFS_LABEL_BYTES];
	struct mkfs_request r = {
		.path = m->file->temp_path,
		.offset_bytes = m->b->places[i].start_bytes,
		.size_bytes = m->b->places[i].size_bytes,
		.tree = p->tree,
		.label = label,
		.time_s = m->b->r.time_s,
		.does_grow = p->wish->does_grow,
		.scratch_folder = m->b->r.scratch_folder,
		.cancel = m->b->r.cancel,
	};

	make_label(p, label);
	memcpy(r.uuid, p->fs_uuid, sizeof r.uuid);
	if (p->mkfs->make(&r, e) < 0)
		return err_wrap(e, "partition %s", p->name);
	return advance(m, weight_of(p), e);
}

/* The next piece of at most n_most bytes, which is put at to_bytes. */
static int copy_piece(struct making *m, int fd, uint8_t *piece, uint64_t n_most, uint64_t to_bytes,
		      struct err *e)
{
	size_t n_bytes = 0;

	if (fdio_read(fd, piece, (size_t)min_u64(n_most, COPY_BYTES), &n_bytes, e) < 0)
		return -1;
	if (n_bytes == 0)
		return err_set(e, ERR_IO, "it became shorter while it was read");
	if (!bytes_are_zero(piece, n_bytes) &&
	    fdio_pwrite(m->file->fd, piece, n_bytes, to_bytes, e) < 0)
		return -1;
	return advance(m, n_bytes, e);
}

/* As many bytes as were settled: it may have grown since, and the next partition is behind it. */
static int copy_image(struct making *m, size_t i, struct err *e)
{
	const struct build_part *p = &m->b->parts[i];
	CLEANUP(closep) int fd = open(p->image_path, O_RDONLY | O_CLOEXEC);
	CLEANUP(freep) uint8_t *piece = malloc(COPY_BYTES);
	const uint64_t end_bytes = m->done_bytes + p->need_bytes;
	const uint64_t at_bytes = m->b->places[i].start_bytes;

	if (fd < 0 || !piece)
		return err_errno(e, "opening %s", p->image_path);
	while (m->done_bytes < end_bytes) {
		uint64_t left_bytes = end_bytes - m->done_bytes;
		uint64_t to_bytes = at_bytes + p->need_bytes - left_bytes;
		if (copy_piece(m, fd, piece, left_bytes, to_bytes, e) < 0)
			return err_wrap(e, "copying %s", p->image_path);
	}
	return 0;
}

static int make_part(struct making *m, size_t i, struct err *e)
{
	const struct build_part *p = &m->b->parts[i];

	if (p->mkfs)
		return make_file_system(m, i, e);
	if (p->image_path)
		return copy_image(m, i, e);
	if (p->bytes.n_bytes > 0 && fdio_pwrite(m->file->fd, p->bytes.bytes, p->bytes.n_bytes,
						m->b->places[i].start_bytes, e) < 0)
		return err_wrap(e, "partition %s", p->name);
	return advance(m, weight_of(p), e);
}

/* ---- What is outside of partitions ---- */

static int write_pieces(struct making *m, struct err *e)
{
	for (size_t i = 0; i < m->b->n_pieces; i++) {
		const struct build_piece *piece = &m->b->pieces[i];
		if (fdio_pwrite(m->file->fd, piece->bytes.bytes, piece->bytes.n_bytes,
				piece->offset_bytes, e) < 0)
			return err_wrap(e, "%s", piece->name);
		if (advance(m, piece->bytes.n_bytes, e) < 0)
			return -1;
	}
	return 0;
}

static void describe_part(const struct build *b, size_t i, struct table_partition *out)
{
	const struct build_part *p = &b->parts[i];

	*out = (struct table_partition){
		.number = (unsigned)i + 1,
		.start_bytes = b->places[i].start_bytes,
		.size_bytes = b->places[i].size_bytes,
		.is_bootable = build_is_bootable(b, p),
		.does_grow = build_does_grow(b, p),
	};
	memcpy(out->type, p->type, sizeof p->type);
	memcpy(out->uuid, p->uuid, sizeof p->uuid);
	if (b->table == TABLE_GPT)
		memcpy(out->name, p->name, sizeof p->name);
}

static unsigned entries_of(const struct build *b)
{
	const unsigned wanted = b->r.board->build->gpt_entries;

	if (b->table != TABLE_GPT)
		return 0;
	return wanted > 0 ? wanted : TABLE_GPT_ENTRIES;
}

static int write_table(struct making *m, struct err *e)
{
	const struct build *b = m->b;
	CLEANUP(table_ends_freep) struct table_ends *ends = NULL;
	struct table_partition partitions[BUILD_PARTS_MAX];
	struct table t = {
		.kind = b->table,
		.sector_bytes = BUILD_SECTOR_BYTES,
		.gpt_entries = entries_of(b),
		.partitions = partitions,
		.n_partitions = b->n_parts,
	};

	memcpy(t.id, b->disk_id, sizeof t.id);
	for (size_t i = 0; i < b->n_parts; i++)
		describe_part(b, i, &partitions[i]);
	if (table_make(&t, b->layout.medium_size_bytes, &ends, e) < 0)
		return err_wrap(e, "partition table");
	/* The boot code in front of it is a method's, or nobody's. */
	if (fdio_pwrite(m->file->fd, ends->head + TABLE_BOOT_CODE_BYTES,
			ends->head_bytes - TABLE_BOOT_CODE_BYTES, TABLE_BOOT_CODE_BYTES, e) < 0 ||
	    fdio_pwrite(m->file->fd, ends->tail, ends->tail_bytes, ends->tail_offset_bytes, e) < 0)
		return err_wrap(e, "partition table");
	return 0;
}

/* ---- The file ---- */

/* A program that fills the disk says so in its own words, late; a file system that is too small
 * for all files is told at once. */
static int check_room(const struct making *m, struct err *e)
{
	struct statvfs fs;
	uint64_t free_bytes = 0;

	if (fstatvfs(m->file->fd, &fs) < 0)
		return err_errno(e, "asking for room");
	if (!checked_mul(fs.f_bavail, fs.f_frsize, &free_bytes) || m->total_bytes <= free_bytes)
		return 0;
	return err_set(e, ERR_IO,
		       "it takes %" PRIu64 " bytes, and its file system has %" PRIu64
		       " left; make room, or name another folder",
		       m->total_bytes, free_bytes);
}

static int make_content(struct making *m, struct err *e)
{
	const struct build *b = m->b;

	if (ftruncate(m->file->fd, (off_t)b->layout.medium_size_bytes) < 0)
		return err_errno(e, "making it %" PRIu64 " bytes long",
				 b->layout.medium_size_bytes);
	tell(m, EVENT_PHASE, PHASE_WRITE, NULL);
	for (size_t i = 0; i < b->n_parts; i++)
		if (make_part(m, i, e) < 0)
			return -1;
	if (write_pieces(m, e) < 0 || write_table(m, e) < 0)
		return -1;
	return cancel_check(b->r.cancel, e);
}

int build_make(struct build *b, struct err *e)
{
	CLEANUP(making_release) struct making m = {.b = b, .total_bytes = total_of(b)};

	tell(&m, EVENT_STARTED, PHASE_CHECK, b->r.board->id);
	if (fdio_temp_new(b->r.out_path, 0644, &m.file, e) < 0)
		return -1;
	if (check_room(&m, e) < 0 || make_content(&m, e) < 0)
		return err_wrap(e, "building %s", b->r.out_path);
	tell(&m, EVENT_PHASE, PHASE_FLUSH, NULL);
	return fdio_temp_commit(m.file, e);
}
