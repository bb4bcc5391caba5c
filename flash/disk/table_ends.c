/* A table's bytes, taken from a medium in memory. See table.h and table_ends.h. */
#include "flash/disk/table_ends.h"

#include <stdlib.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"
#include "flash/disk/table_sector.h"

void table_ends_free(struct table_ends *t)
{
	if (!t)
		return;
	free(t->head);
	free(t->tail);
	free(t);
}

/* Copy n_bytes of the medium into fresh memory. */
static int read_bytes(int fd, uint64_t offset_bytes, size_t n_bytes, uint8_t **out, struct err *e)
{
	CLEANUP(freep) uint8_t *bytes = calloc(1, n_bytes ? n_bytes : 1);
	size_t n_read = 0;

	if (!bytes)
		return err_errno(e, "reading a partition table");
	if (fdio_pread(fd, bytes, n_bytes, offset_bytes, &n_read, e) < 0)
		return err_wrap(e, "reading a partition table");
	*out = TAKE(bytes);
	return 0;
}

/* The backup: its entries, and its header in the last sector. */
static int read_backup(int fd, uint64_t medium_size_bytes, uint32_t sector_bytes,
		       struct table_ends *t, struct err *e)
{
	const uint64_t end_bytes = align_down(medium_size_bytes, sector_bytes);
	CLEANUP(freep) uint8_t *header = NULL;

	if (read_bytes(fd, end_bytes - sector_bytes, sector_bytes, &header, e) < 0)
		return -1;
	if (!checked_mul(le64(header + GPT_ENTRIES_LBA_AT), sector_bytes, &t->tail_offset_bytes) ||
	    t->tail_offset_bytes < t->head_bytes || t->tail_offset_bytes >= end_bytes ||
	    end_bytes - t->tail_offset_bytes > TABLE_HEAD_BYTES)
		return err_set(e, ERR_UNTRUSTED,
			       "the backup GPT does not fit behind the partitions");
	t->tail_bytes = (size_t)(end_bytes - t->tail_offset_bytes);
	return read_bytes(fd, t->tail_offset_bytes, t->tail_bytes, &t->tail, e);
}

int table_ends_read(int fd, const struct table_ends_where *w, struct table_ends **out,
		    struct err *e)
{
	CLEANUP(table_ends_freep) struct table_ends *t = calloc(1, sizeof *t);

	if (!t)
		return err_errno(e, "reading a partition table");
	t->head_bytes = w->head_bytes;
	t->tail_offset_bytes = align_down(w->medium_size_bytes, w->sector_bytes);
	if (read_bytes(fd, 0, t->head_bytes, &t->head, e) < 0)
		return -1;
	if (w->kind == TABLE_GPT &&
	    read_backup(fd, w->medium_size_bytes, w->sector_bytes, t, e) < 0)
		return -1;
	*out = TAKE(t);
	return 0;
}
