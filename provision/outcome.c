/* What a target shows after it was written. See outcome.h. */
#include "provision/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/check.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/disk/probe.h"

static int check_partition(const struct sink *s, const struct board_partition *wanted,
			   const struct table *t, struct err *e)
{
	const struct table_partition *p = boot_find_partition(wanted, t);
	char type[SIGNATURE_TYPE_BYTES] = "";

	if (!wanted->file_system)
		return 0;
	if (!p)
		return err_set(e, ERR_DIFFERS, "no %s is found on the target", wanted->name);
	if (probe_file_system(s->probe_fd, p->start_bytes, p->size_bytes, type, e) < 0)
		return -1;
	if (strcmp(type, wanted->file_system) != 0)
		return err_set(e, ERR_DIFFERS, "partition %u, the %s, should hold %s, but has %s",
			       p->number, wanted->name, wanted->file_system,
			       type[0] ? type : "no file system");
	return 0;
}

static bool is_same_partition(const struct table_partition *a, const struct table_partition *b)
{
	return a->number == b->number && a->start_bytes == b->start_bytes &&
	       a->size_bytes == b->size_bytes && strcmp(a->type, b->type) == 0 &&
	       strcmp(a->uuid, b->uuid) == 0;
}

static int check_same_table(const struct table *wanted, const struct table *found, struct err *e)
{
	if (wanted->kind != found->kind || wanted->n_partitions != found->n_partitions)
		return err_set(e, ERR_DIFFERS,
			       "the image has a %s table with %zu partitions, but the target shows "
			       "%s with %zu",
			       table_kind_name(wanted->kind), wanted->n_partitions,
			       table_kind_name(found->kind), found->n_partitions);
	for (size_t i = 0; i < wanted->n_partitions; i++)
		if (!is_same_partition(&wanted->partitions[i], &found->partitions[i]))
			return err_set(e, ERR_DIFFERS, "partition %u is another on the target",
				       wanted->partitions[i].number);
	return 0;
}

/* The table on the medium. All bytes were read back, so that a bad one is no matter of trust. */
static int read_table(struct sink *s, uint32_t sector_bytes, struct table **out, struct err *e)
{
	size_t head_bytes = (size_t)min_u64(TABLE_HEAD_BYTES, s->size_bytes);
	CLEANUP(freep) uint8_t *head = aligned_alloc(CHUNK_ALIGN_BYTES, TABLE_HEAD_BYTES);

	if (!head)
		return err_set(e, ERR_IO, "out of memory");
	if (sink_read_back(s, 0, head, head_bytes, e) < 0)
		return -1;
	if (table_parse(head, head_bytes, s->size_bytes, sector_bytes, out, e) == 0)
		return 0;
	if (e->code == ERR_UNTRUSTED)
		e->code = ERR_DIFFERS;
	return err_wrap(e, "the partition table on the target");
}

int outcome_check(struct sink *s, const struct table *wanted, const struct board *b, struct err *e)
{
	CLEANUP(table_freep) struct table *found = NULL;

	/* Nothing to be found again: every byte was read back. */
	if (wanted->kind == TABLE_NONE)
		return 0;
	if (read_table(s, wanted->sector_bytes, &found, e) < 0 ||
	    check_same_table(wanted, found, e) < 0)
		return -1;
	for (unsigned i = 0; i < b->n_partitions; i++)
		if (check_partition(s, &b->partitions[i], found, e) < 0)
			return -1;
	return 0;
}
