/* Partition tables through libfdisk, which this file alone knows. See table.h. */
#include <ctype.h>
#include <errno.h>
#include <libfdisk/libfdisk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/log.h"
#include "flash/base/units.h"
#include "flash/disk/table.h"
#include "flash/disk/table_sector.h"

/* ---- A medium in memory --------------------------------------------------------------------- */

struct medium {
	int fd; /* owned; a file without a name, as large as the medium; only the head takes room */
	struct fdisk_context *fdisk; /* owned; has read what is there */
};

static void medium_release(struct medium *m)
{
	fdisk_unref_context(m->fdisk);
	closep(&m->fd);
}

/* libfdisk wants to tell things that we find out by ourselves, and ask what we must not answer. */
static int on_ask(struct fdisk_context *fdisk, struct fdisk_ask *ask, void *context)
{
	(void)fdisk;
	(void)context;
	switch ((enum fdisk_asktype)fdisk_ask_get_type(ask)) {
	case FDISK_ASKTYPE_WARNX:
	case FDISK_ASKTYPE_WARN:
	case FDISK_ASKTYPE_INFO:
		log_debug("libfdisk: %s", fdisk_ask_print_get_mesg(ask));
		return 0;
	case FDISK_ASKTYPE_NONE:
	case FDISK_ASKTYPE_NUMBER:
	case FDISK_ASKTYPE_OFFSET:
	case FDISK_ASKTYPE_YESNO:
	case FDISK_ASKTYPE_STRING:
	case FDISK_ASKTYPE_MENU:
		break;
	}
	return -EINVAL;
}

static int medium_init(struct medium *m, const uint8_t *head, size_t head_bytes,
		       uint64_t medium_size_bytes, uint32_t sector_bytes, struct err *e)
{
	size_t n_bytes = (size_t)min_u64(head_bytes, medium_size_bytes);

	if (!table_sector_is_sane(head, n_bytes, medium_size_bytes, sector_bytes))
		return err_set(
			e, ERR_UNTRUSTED,
			"the entries of the GPT are in the wrong place, or more than %d bytes hold",
			TABLE_HEAD_BYTES);
	m->fd = memfd_create("lkflash-table", MFD_CLOEXEC);
	if (m->fd < 0 || ftruncate(m->fd, (off_t)medium_size_bytes) < 0)
		return err_errno(e, "laying a partition table into %llu bytes of memory",
				 (unsigned long long)medium_size_bytes);
	if (fdio_pwrite(m->fd, head, n_bytes, 0, e) < 0)
		return -1;
	m->fdisk = fdisk_new_context();
	if (!m->fdisk)
		return err_errno(e, "reading a partition table");
	if (fdisk_set_ask(m->fdisk, on_ask, NULL) < 0 ||
	    fdisk_save_user_sector_size(m->fdisk, sector_bytes, sector_bytes) < 0)
		return err_set(e, ERR_IO, "reading a partition table: no memory");
	int result = fdisk_assign_device_by_fd(m->fdisk, m->fd, "image", 0);
	if (result < 0) {
		errno = -result;
		return err_errno(e, "reading a partition table");
	}
	return 0;
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* Which table it is; what libfdisk takes for a table may be none. */
static int find_kind(const struct medium *m, const uint8_t *head, size_t head_bytes,
		     uint32_t sector_bytes, enum table_kind *out, struct err *e)
{
	if (fdisk_is_labeltype(m->fdisk, FDISK_DISKLABEL_GPT)) {
		*out = TABLE_GPT;
		return 0;
	}
	if (table_sector_is_protective(head, head_bytes))
		return err_set(e, ERR_UNTRUSTED,
			       "the GPT is damaged, larger than the medium, or not for sectors of "
			       "%u bytes",
			       sector_bytes);
	if (!table_sector_is_mbr(head, head_bytes) &&
	    table_sector_has_gpt_magic(head, head_bytes, sector_bytes))
		return err_set(e, ERR_UNTRUSTED, "the GPT has no protective MBR");
	*out = fdisk_is_labeltype(m->fdisk, FDISK_DISKLABEL_DOS) &&
			       table_sector_is_mbr(head, head_bytes) &&
			       !table_sector_is_boot_sector(head, head_bytes)
		       ? TABLE_MBR
		       : TABLE_NONE;
	return 0;
}

/* A copy in lower case, cut to fit. NULL is "". */
static void copy_lower(char *to, size_t to_bytes, const char *from)
{
	(void)snprintf(to, to_bytes, "%s", from ? from : "");
	for (char *p = to; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

static bool is_bootable(const struct medium *m, struct fdisk_partition *from)
{
	enum { ATTRIBUTE_LEGACY_BOOT = 1 << 2 }; /* UEFI 2.10, table 5.8 */
	uint64_t attributes = 0;

	if (fdisk_is_labeltype(m->fdisk, FDISK_DISKLABEL_DOS))
		return fdisk_partition_is_bootable(from) == 1;
	return fdisk_gpt_get_partition_attrs(m->fdisk, fdisk_partition_get_partno(from),
					     &attributes) == 0 &&
	       (attributes & ATTRIBUTE_LEGACY_BOOT) != 0;
}

static int read_partition(const struct medium *m, struct fdisk_partition *from,
			  uint64_t medium_size_bytes, struct table_partition *to, struct err *e)
{
	const uint64_t sector_bytes = fdisk_get_sector_size(m->fdisk);
	struct fdisk_parttype *type = fdisk_partition_get_type(from);
	uint64_t end_bytes = 0;

	to->number = (unsigned)fdisk_partition_get_partno(from) + 1;
	if (!checked_mul(fdisk_partition_get_start(from), sector_bytes, &to->start_bytes) ||
	    !checked_mul(fdisk_partition_get_size(from), sector_bytes, &to->size_bytes) ||
	    !checked_add(to->start_bytes, to->size_bytes, &end_bytes) ||
	    end_bytes > medium_size_bytes)
		return err_set(e, ERR_UNTRUSTED,
			       "partition %u passes the end of the medium at byte %llu", to->number,
			       (unsigned long long)medium_size_bytes);
	copy_lower(to->type, sizeof to->type, type ? fdisk_parttype_get_string(type) : NULL);
	if (fdisk_is_labeltype(m->fdisk, FDISK_DISKLABEL_DOS))
		(void)snprintf(to->type, sizeof to->type, "0x%02x",
			       type ? fdisk_parttype_get_code(type) : 0);
	else
		copy_lower(to->uuid, sizeof to->uuid, fdisk_partition_get_uuid(from));
	const char *name = fdisk_partition_get_name(from);
	(void)snprintf(to->name, sizeof to->name, "%s", name ? name : "");
	to->is_bootable = is_bootable(m, from);
	return 0;
}

static void fdisk_unref_tablep(struct fdisk_table **list)
{
	fdisk_unref_table(*list);
}

static int read_partitions(const struct medium *m, uint64_t medium_size_bytes, struct table *t,
			   struct err *e)
{
	CLEANUP(fdisk_unref_tablep) struct fdisk_table *list = NULL;

	if (fdisk_get_partitions(m->fdisk, &list) < 0)
		return err_set(e, ERR_UNTRUSTED, "the partitions cannot be read");
	size_t n_partitions = fdisk_table_get_nents(list);
	t->partitions = calloc(n_partitions + 1, sizeof *t->partitions);
	if (!t->partitions)
		return err_errno(e, "reading a partition table");
	for (size_t i = 0; i < n_partitions; i++)
		if (read_partition(m, fdisk_table_get_partition(list, i), medium_size_bytes,
				   &t->partitions[t->n_partitions++], e) < 0)
			return -1;
	return 0;
}

int table_parse(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes,
		uint32_t sector_bytes, struct table **out, struct err *e)
{
	CLEANUP(medium_release) struct medium m = {.fd = -1};
	CLEANUP(table_freep) struct table *t = calloc(1, sizeof *t);

	if (!t)
		return err_errno(e, "reading a partition table");
	t->sector_bytes = sector_bytes;
	if (medium_size_bytes < sector_bytes) { /* libfdisk takes that for a broken disk */
		*out = TAKE(t);
		return 0;
	}
	if (medium_init(&m, head, head_bytes, medium_size_bytes, sector_bytes, e) < 0)
		return -1;
	if (find_kind(&m, head, head_bytes, sector_bytes, &t->kind, e) < 0)
		return -1;
	if (t->kind != TABLE_NONE && read_partitions(&m, medium_size_bytes, t, e) < 0)
		return -1;
	*out = TAKE(t);
	return 0;
}

/* ---- Moving --------------------------------------------------------------------------------- */

/* Copy n_bytes of the medium in memory into fresh memory. */
static int read_medium(const struct medium *m, uint64_t offset_bytes, size_t n_bytes, uint8_t **out,
		       struct err *e)
{
	CLEANUP(freep) uint8_t *bytes = calloc(1, n_bytes ? n_bytes : 1);
	size_t n_read = 0;

	if (!bytes)
		return err_errno(e, "moving a GPT");
	if (fdio_pread(m->fd, bytes, n_bytes, offset_bytes, &n_read, e) < 0)
		return err_wrap(e, "moving a GPT");
	*out = TAKE(bytes);
	return 0;
}

/* The backup: its entries, and its header in the last sector. */
static int read_backup(const struct medium *m, uint64_t medium_size_bytes, uint32_t sector_bytes,
		       struct table_moved *moved, struct err *e)
{
	const uint64_t end_bytes = align_down(medium_size_bytes, sector_bytes);
	CLEANUP(freep) uint8_t *header = NULL;

	if (read_medium(m, end_bytes - sector_bytes, sector_bytes, &header, e) < 0)
		return -1;
	if (!checked_mul(le64(header + GPT_ENTRIES_LBA_AT), sector_bytes,
			 &moved->tail_offset_bytes) ||
	    moved->tail_offset_bytes < moved->head_bytes || moved->tail_offset_bytes >= end_bytes ||
	    end_bytes - moved->tail_offset_bytes > TABLE_HEAD_BYTES)
		return err_set(e, ERR_UNTRUSTED,
			       "the backup GPT does not fit behind the partitions");
	moved->tail_bytes = (size_t)(end_bytes - moved->tail_offset_bytes);
	return read_medium(m, moved->tail_offset_bytes, moved->tail_bytes, &moved->tail, e);
}

/* Entries, and the boot code that may follow them, must stay as they are. */
static bool is_same_behind_header(const uint8_t *head, const struct table_moved *moved,
				  uint32_t sector_bytes)
{
	size_t from_bytes = 2 * (size_t)sector_bytes;

	return moved->head_bytes <= from_bytes ||
	       memcmp(head + from_bytes, moved->head + from_bytes,
		      moved->head_bytes - from_bytes) == 0;
}

int table_move_gpt(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes,
		   uint32_t sector_bytes, struct table_moved **out, struct err *e)
{
	CLEANUP(medium_release) struct medium m = {.fd = -1};
	CLEANUP(table_moved_freep) struct table_moved *moved = calloc(1, sizeof *moved);

	if (!moved)
		return err_errno(e, "moving a GPT");
	if (medium_init(&m, head, head_bytes, medium_size_bytes, sector_bytes, e) < 0)
		return -1;
	if (!fdisk_is_labeltype(m.fdisk, FDISK_DISKLABEL_GPT))
		return err_set(e, ERR_UNTRUSTED, "there is no good GPT to move");
	int result = fdisk_write_disklabel(m.fdisk);
	if (result < 0) {
		errno = -result;
		return err_errno(e, "moving a GPT");
	}
	moved->head_bytes = head_bytes;
	if (read_medium(&m, 0, head_bytes, &moved->head, e) < 0)
		return -1;
	if (!is_same_behind_header(head, moved, sector_bytes))
		return err_set(e, ERR_UNTRUSTED,
			       "the GPT cannot be moved without changing more than its header");
	if (read_backup(&m, medium_size_bytes, sector_bytes, moved, e) < 0)
		return -1;
	*out = TAKE(moved);
	return 0;
}
