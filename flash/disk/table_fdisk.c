/* Partition tables through libfdisk, which this file alone knows. See table.h. */
#include <ctype.h>
#include <errno.h>
#include <libfdisk/libfdisk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/log.h"
#include "flash/base/units.h"
#include "flash/disk/table_ends.h"
#include "flash/disk/table_grow.h"
#include "flash/disk/table_sector.h"
#include "flash/disk/table_spec.h"

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

static const uint64_t attribute_legacy_boot = UINT64_C(1) << 2; /* UEFI 2.10, table 5.8 */
static const uint64_t attribute_grow = UINT64_C(1)
				       << 59; /* Discoverable Partitions Specification */

static void read_flags(const struct medium *m, struct fdisk_partition *from,
		       struct table_partition *to)
{
	uint64_t attributes = 0;

	if (fdisk_is_labeltype(m->fdisk, FDISK_DISKLABEL_DOS)) {
		to->is_bootable = fdisk_partition_is_bootable(from) == 1;
		return;
	}
	if (fdisk_gpt_get_partition_attrs(m->fdisk, to->number - 1, &attributes) < 0)
		return;
	to->is_bootable = (attributes & attribute_legacy_boot) != 0;
	to->does_grow = (attributes & attribute_grow) != 0;
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
	read_flags(m, from, to);
	return 0;
}

static void fdisk_unref_tablep(struct fdisk_table **list)
{
	fdisk_unref_table(*list);
}

static int read_id(const struct medium *m, struct table *t, struct err *e)
{
	CLEANUP(freep) char *id = NULL;

	if (fdisk_get_disklabel_id(m->fdisk, &id) < 0)
		return err_set(e, ERR_UNTRUSTED, "the disk's identifier cannot be read");
	copy_lower(t->id, sizeof t->id, id);
	if (t->kind == TABLE_GPT)
		t->gpt_entries = (unsigned)fdisk_get_npartitions(m->fdisk);
	return 0;
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
	if (t->kind != TABLE_NONE &&
	    (read_id(&m, t, e) < 0 || read_partitions(&m, medium_size_bytes, t, e) < 0))
		return -1;
	*out = TAKE(t);
	return 0;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* Write the table to the medium in memory, and take its bytes from there. */
static int write_ends(const struct medium *m, const struct table_ends_where *w,
		      struct table_ends **out, struct err *e)
{
	int result = fdisk_write_disklabel(m->fdisk);

	if (result < 0) {
		errno = -result;
		return err_errno(e, "writing a partition table");
	}
	return table_ends_read(m->fd, w, out, e);
}

/* Entries, and the boot code that may follow them, must stay as they are. */
static bool is_same_behind_header(const uint8_t *head, const struct table_ends *moved,
				  uint32_t sector_bytes)
{
	size_t from_bytes = 2 * (size_t)sector_bytes;

	return moved->head_bytes <= from_bytes ||
	       memcmp(head + from_bytes, moved->head + from_bytes,
		      moved->head_bytes - from_bytes) == 0;
}

/* Move the GPT in head, which nothing else changes any more. */
static int move_gpt(const uint8_t *head, const struct table_ends_where *w, struct table_ends **out,
		    struct err *e)
{
	CLEANUP(medium_release) struct medium m = {.fd = -1};
	CLEANUP(table_ends_freep) struct table_ends *moved = NULL;

	if (medium_init(&m, head, w->head_bytes, w->medium_size_bytes, w->sector_bytes, e) < 0)
		return -1;
	if (!fdisk_is_labeltype(m.fdisk, FDISK_DISKLABEL_GPT))
		return err_set(e, ERR_UNTRUSTED, "there is no good GPT to move");
	if (write_ends(&m, w, &moved, e) < 0)
		return err_wrap(e, "moving a GPT");
	if (!is_same_behind_header(head, moved, w->sector_bytes))
		return err_set(e, ERR_UNTRUSTED,
			       "the GPT cannot be moved without changing more than its header");
	*out = TAKE(moved);
	return 0;
}

int table_move_gpt(const uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes,
		   uint32_t sector_bytes, struct table_ends **out, struct err *e)
{
	CLEANUP(freep) uint8_t *grown = calloc(1, head_bytes ? head_bytes : 1);
	const struct table_ends_where where = {TABLE_GPT, head_bytes, medium_size_bytes,
					       sector_bytes};
	struct table_growth growth = {0};

	if (!grown)
		return err_errno(e, "moving a GPT");
	memcpy(grown, head, head_bytes);
	(void)table_grow(grown, head_bytes, medium_size_bytes, sector_bytes, &growth);
	if (move_gpt(grown, &where, out, e) < 0)
		return -1;
	(*out)->growth = growth;
	return 0;
}

/* ---- Making --------------------------------------------------------------------------------- */

static void fdisk_unref_partitionp(struct fdisk_partition **p)
{
	fdisk_unref_partition(*p);
}

static void fdisk_unref_parttypep(struct fdisk_parttype **p)
{
	fdisk_unref_parttype(*p);
}

/* An empty table. libfdisk keeps partitions out of the first MiB unless told otherwise, each kind
 * at another time. */
static int make_label(const struct medium *m, const struct table *t, struct err *e)
{
	bool is_gpt = t->kind == TABLE_GPT;

	(void)fdisk_set_first_lba(m->fdisk, 1);
	int result = fdisk_create_disklabel(m->fdisk, is_gpt ? "gpt" : "dos");
	if (result == 0 && is_gpt && t->gpt_entries != TABLE_GPT_ENTRIES)
		result = fdisk_gpt_set_npartitions(m->fdisk, t->gpt_entries);
	if (result == 0)
		result = fdisk_set_disklabel_id_from_string(m->fdisk, t->id);
	if (!is_gpt)
		(void)fdisk_set_first_lba(m->fdisk, 1);
	if (result == 0)
		return 0;
	return err_set(e, ERR_USAGE, "making an empty %s with the identifier %s: %s",
		       table_kind_name(t->kind), t->id, strerror(-result));
}

static struct fdisk_parttype *type_of(const struct medium *m, const struct table_partition *p)
{
	struct fdisk_label *label = fdisk_get_label(m->fdisk, NULL);

	return fdisk_label_parse_parttype(label, p->type);
}

/* p, as libfdisk wants it; NULL when its type makes no sense. */
static struct fdisk_partition *describe(const struct medium *m, const struct table *t,
					const struct table_partition *p)
{
	CLEANUP(fdisk_unref_partitionp) struct fdisk_partition *to = fdisk_new_partition();
	CLEANUP(fdisk_unref_parttypep) struct fdisk_parttype *type = type_of(m, p);

	if (!to || !type || fdisk_partition_set_partno(to, p->number - 1) < 0 ||
	    fdisk_partition_set_start(to, p->start_bytes / t->sector_bytes) < 0 ||
	    fdisk_partition_set_size(to, p->size_bytes / t->sector_bytes) < 0 ||
	    fdisk_partition_size_explicit(to, 1) < 0 || fdisk_partition_set_type(to, type) < 0)
		return NULL;
	if (t->kind == TABLE_GPT && (fdisk_partition_set_name(to, p->name) < 0 ||
				     fdisk_partition_set_uuid(to, p->uuid) < 0))
		return NULL;
	return TAKE(to);
}

static int set_flags(const struct medium *m, const struct table *t, const struct table_partition *p)
{
	uint64_t attributes =
		(p->is_bootable ? attribute_legacy_boot : 0) | (p->does_grow ? attribute_grow : 0);

	if (t->kind == TABLE_GPT)
		return fdisk_gpt_set_partition_attrs(m->fdisk, p->number - 1, attributes);
	return p->is_bootable
		       ? fdisk_toggle_partition_flag(m->fdisk, p->number - 1, DOS_FLAG_ACTIVE)
		       : 0;
}

static int make_partition(const struct medium *m, const struct table *t,
			  const struct table_partition *p, struct err *e)
{
	CLEANUP(fdisk_unref_partitionp) struct fdisk_partition *from = describe(m, t, p);
	int result = from ? fdisk_add_partition(m->fdisk, from, NULL) : -EINVAL;

	if (result == 0)
		result = set_flags(m, t, p);
	if (result == 0)
		return 0;
	return err_set(e, ERR_USAGE,
		       "partition %u of type \"%s\" at bytes %llu to %llu does not fit the %s: %s",
		       p->number, p->type, (unsigned long long)p->start_bytes,
		       (unsigned long long)(p->start_bytes + p->size_bytes - 1),
		       table_kind_name(t->kind), strerror(-result));
}

int table_make(const struct table *t, uint64_t medium_size_bytes, struct table_ends **out,
	       struct err *e)
{
	CLEANUP(medium_release) struct medium m = {.fd = -1};
	CLEANUP(table_ends_freep) struct table_ends *made = NULL;
	const struct table_ends_where where = {t->kind, table_spec_head_bytes(t), medium_size_bytes,
					       t->sector_bytes};

	if (table_spec_check(t, medium_size_bytes, e) < 0 ||
	    medium_init(&m, NULL, 0, medium_size_bytes, t->sector_bytes, e) < 0 ||
	    make_label(&m, t, e) < 0)
		return -1;
	for (size_t i = 0; i < t->n_partitions; i++)
		if (make_partition(&m, t, &t->partitions[i], e) < 0)
			return -1;
	if (write_ends(&m, &where, &made, e) < 0)
		return -1;
	table_spec_keep_front(t, made);
	*out = TAKE(made);
	return 0;
}
