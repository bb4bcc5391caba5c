/* What an image says about itself, for its manifest. See image_table.h. */
#include "provision/image_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"
#include "flash/disk/table.h"

enum { SECTOR_BYTES_DEFAULT = 512, PARTITIONS_MAX = 128 };

/* A box of logical partitions, which overlap it. */
static bool is_extended(const struct table_partition *p)
{
	return strcmp(p->type, "0x05") == 0 || strcmp(p->type, "0x0f") == 0 ||
	       strcmp(p->type, "0x85") == 0;
}

/* A GPT name is any text, and often empty; a manifest's is not. */
static void name_partition(const struct table_partition *p, char out[MANIFEST_NAME_BYTES])
{
	size_t n_bytes = strnlen(p->name, MANIFEST_NAME_BYTES - 1);

	memcpy(out, p->name, n_bytes);
	out[n_bytes] = '\0';
	for (char *c = out; *c; c++) {
		const char one[] = {*c, '\0'};
		if (*c != '.' && !parse_is_name(one))
			*c = '-';
	}
	if (!parse_is_name(out))
		(void)snprintf(out, MANIFEST_NAME_BYTES, "p%u", p->number);
}

static bool overlap(const struct manifest_partition *a, const struct manifest_partition *b)
{
	return a->start_bytes < b->start_bytes + b->size_bytes &&
	       b->start_bytes < a->start_bytes + a->size_bytes;
}

static int append_partition(const struct table_partition *from, uint64_t image_size_bytes,
			    struct manifest *m, struct err *note)
{
	struct manifest_partition *p = &m->partitions[m->n_partitions];
	uint64_t end_bytes = 0;

	*p = (struct manifest_partition){.start_bytes = from->start_bytes,
					 .size_bytes = from->size_bytes};
	name_partition(from, p->name);
	if (p->size_bytes == 0 || !checked_add(p->start_bytes, p->size_bytes, &end_bytes) ||
	    end_bytes > image_size_bytes)
		return err_set(note, ERR_USAGE, "partition %u is not within the image",
			       from->number);
	for (size_t i = 0; i < m->n_partitions; i++)
		if (overlap(&m->partitions[i], p))
			return err_set(note, ERR_USAGE, "partition %u overlaps another",
				       from->number);
	m->n_partitions++;
	return 0;
}

/* All of them or none: half a list would be taken for a whole one. */
static int take_partitions(const struct table *t, uint64_t image_size_bytes, struct manifest *m,
			   struct err *note, struct err *e)
{
	if (t->n_partitions == 0)
		return 0;
	m->partitions = calloc(t->n_partitions, sizeof *m->partitions);
	if (!m->partitions)
		return err_errno(e, "reading the partitions of the image");
	int status = 0;
	if (t->n_partitions > PARTITIONS_MAX)
		status = err_set(note, ERR_USAGE, "there are %zu, more than %d", t->n_partitions,
				 PARTITIONS_MAX);
	for (size_t i = 0; i < t->n_partitions && status == 0; i++)
		if (!is_extended(&t->partitions[i]))
			status = append_partition(&t->partitions[i], image_size_bytes, m, note);
	if (status < 0)
		m->n_partitions = 0;
	return 0;
}

static int choose_sector(const struct survey *s, uint64_t asked_bytes, struct manifest *m,
			 struct err *e)
{
	uint32_t gpt_bytes = table_gpt_sector_bytes(s->head, s->head_bytes);

	if (asked_bytes != 0 && asked_bytes != 512 && asked_bytes != 4096)
		return err_set(e, ERR_USAGE, "sectors have 512 or 4096 bytes, not %llu",
			       (unsigned long long)asked_bytes);
	if (asked_bytes != 0 && gpt_bytes != 0 && asked_bytes != gpt_bytes)
		return err_set(e, ERR_USAGE,
			       "the image has a GPT made for sectors of %u bytes, not %llu; make "
			       "the image again for these",
			       gpt_bytes, (unsigned long long)asked_bytes);
	m->sector_bytes = asked_bytes ? (uint32_t)asked_bytes : gpt_bytes;
	if (m->sector_bytes == 0)
		m->sector_bytes = SECTOR_BYTES_DEFAULT;
	return 0;
}

int image_table_take(const struct survey *s, uint64_t sector_bytes, struct manifest *m,
		     struct err *note, struct err *e)
{
	CLEANUP(table_freep) struct table *t = NULL;
	uint64_t size_bytes = s->index->image_size_bytes;

	*note = (struct err){0};
	if (choose_sector(s, sector_bytes, m, e) < 0)
		return -1;
	if (table_parse(s->head, s->head_bytes, size_bytes, m->sector_bytes, &t, note) < 0)
		return 0;
	return take_partitions(t, size_bytes, m, note, e);
}
