/* What is on a medium, through libblkid, which this file alone knows. See probe.h. */
#include <blkid/blkid.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"
#include "flash/disk/probe.h"

enum {
	BLKID_SECTOR_BYTES = 512,     /* of partition starts, whatever the medium has */
	MAX_SIGNATURES_IN_AREA = 512, /* a ZFS member has four labels of some dozen each */
	MAX_TABLES = 16,              /* of one medium, one in front of the other */
};

/* What the probing of a medium needs at every step. */
struct medium {
	int fd; /* borrowed */
	uint64_t size_bytes;
	uint32_t sector_bytes;
};

/* A range of the medium: all of it, or one partition. */
struct area {
	uint64_t start_bytes;
	uint64_t size_bytes;
};

struct areas {
	struct area *items; /* owned */
	size_t n_items;
};

static void areas_release(struct areas *a)
{
	free(a->items);
}

static void probe_freep(blkid_probe *probe)
{
	blkid_free_probe(*probe);
}

void signatures_release(struct signatures *s)
{
	free(s->items);
	*s = (struct signatures){0};
}

/* libblkid does not always leave a reason in errno. */
static int fail(uint64_t offset_bytes, struct err *e)
{
	errno = errno ? errno : EIO;
	return err_errno(e, "probing at byte %llu", (unsigned long long)offset_bytes);
}

/* A probe of one area, with nothing switched on yet. */
static int probe_new(const struct medium *m, const struct area *a, blkid_probe *out, struct err *e)
{
	CLEANUP(probe_freep) blkid_probe probe = blkid_new_probe();

	if (!probe ||
	    blkid_probe_set_device(probe, m->fd, (blkid_loff_t)a->start_bytes,
				   (blkid_loff_t)a->size_bytes) != 0 ||
	    blkid_probe_set_sectorsize(probe, m->sector_bytes) < 0 ||
	    blkid_probe_enable_superblocks(probe, 0) < 0)
		return fail(a->start_bytes, e);
	*out = TAKE(probe);
	return 0;
}

static const char *value_of(blkid_probe probe, const char *name)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? value : NULL;
}

/* ---- Signatures of one area ----------------------------------------------------------------- */

/* What a probe found last, as a signature. False when it does not say where its magic is. */
static bool describe(blkid_probe probe, const struct area *a, struct signature *out)
{
	bool is_table = value_of(probe, "TYPE") == NULL;
	const char *type = value_of(probe, is_table ? "PTTYPE" : "TYPE");
	const char *offset = value_of(probe, is_table ? "PTMAGIC_OFFSET" : "SBMAGIC_OFFSET");
	const char *label = value_of(probe, "LABEL");
	const char *magic = NULL;

	*out = (struct signature){.area_bytes = a->start_bytes};
	if (!type || !offset || !parse_u64(offset, &out->offset_bytes) ||
	    blkid_probe_lookup_value(probe, is_table ? "PTMAGIC" : "SBMAGIC", &magic,
				     &out->size_bytes) < 0)
		return false;
	out->offset_bytes += a->start_bytes;
	(void)snprintf(out->type, sizeof out->type, "%s", type);
	(void)snprintf(out->label, sizeof out->label, "%s", label ? label : "");
	return true;
}

static bool is_known(const struct signatures *all, const struct signature *s)
{
	for (size_t i = 0; i < all->n_items; i++)
		if (all->items[i].offset_bytes == s->offset_bytes &&
		    strcmp(all->items[i].type, s->type) == 0)
			return true;
	return false;
}

static int add_signature(struct signatures *all, const struct signature *s, struct err *e)
{
	if (is_known(all, s))
		return 0;
	struct signature *items = realloc(all->items, (all->n_items + 1) * sizeof *items);
	if (!items)
		return fail(0, e);
	all->items = items;
	items[all->n_items++] = *s;
	return 0;
}

/* One after the other: what was found is hidden from libblkid, which then looks again, and finds
 * what the first one stood in front of. */
static int probe_area(const struct medium *m, const struct area *a, bool with_tables,
		      struct signatures *all, struct err *e)
{
	CLEANUP(probe_freep) blkid_probe probe = NULL;
	struct signature found;

	if (probe_new(m, a, &probe, e) < 0)
		return -1;
	if (blkid_probe_enable_superblocks(probe, 1) < 0 ||
	    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_TYPE |
							     BLKID_SUBLKS_LABEL |
							     BLKID_SUBLKS_BADCSUM) < 0 ||
	    blkid_probe_enable_partitions(probe, with_tables) < 0 ||
	    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT) < 0)
		return fail(0, e);
	for (unsigned n = 0; n < MAX_SIGNATURES_IN_AREA; n++) {
		int result = blkid_do_probe(probe);
		if (result < 0)
			return fail(a->start_bytes, e);
		if (result > 0)
			return 0;
		if (!describe(probe, a, &found))
			continue;
		if (add_signature(all, &found, e) < 0)
			return -1;
		if (blkid_do_wipe(probe, true) < 0) /* a dry run: hides it, writes nothing */
			return fail(0, e);
	}
	return 0;
}

/* ---- Partitions ----------------------------------------------------------------------------- */

/* Keep a partition that begins on the medium. */
static int add_area(const struct medium *m, blkid_partition from, struct areas *areas,
		    struct err *e)
{
	blkid_loff_t start = blkid_partition_get_start(from);
	blkid_loff_t size = blkid_partition_get_size(from);
	struct area a = {0};

	if (start < 0 || size <= 0 ||
	    !checked_mul((uint64_t)start, BLKID_SECTOR_BYTES, &a.start_bytes) ||
	    !checked_mul((uint64_t)size, BLKID_SECTOR_BYTES, &a.size_bytes) ||
	    a.start_bytes >= m->size_bytes)
		return 0;
	a.size_bytes = min_u64(a.size_bytes, m->size_bytes - a.start_bytes);
	for (size_t i = 0; i < areas->n_items; i++)
		if (areas->items[i].start_bytes == a.start_bytes &&
		    areas->items[i].size_bytes == a.size_bytes)
			return 0; /* seen in the other copy of a GPT */
	struct area *items = realloc(areas->items, (areas->n_items + 1) * sizeof *items);
	if (!items)
		return fail(0, e);
	areas->items = items;
	items[areas->n_items++] = a;
	return 0;
}

/* A probe that stands at table n of the medium, in the order in which libblkid finds them; NULL
 * when there are not so many. */
static int find_table(const struct medium *m, unsigned n, blkid_probe *out, struct err *e)
{
	const struct area whole = {.size_bytes = m->size_bytes};
	CLEANUP(probe_freep) blkid_probe probe = NULL;
	int result = 0;

	if (probe_new(m, &whole, &probe, e) < 0)
		return -1;
	if (blkid_probe_enable_partitions(probe, 1) < 0 ||
	    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT) < 0)
		return fail(0, e);
	for (unsigned i = 0; i < n && result == 0; i++) {
		result = blkid_do_probe(probe);
		if (result == 0 && blkid_do_wipe(probe, true) < 0)
			return fail(0, e);
	}
	if (result == 0)
		result = blkid_do_probe(probe);
	if (result < 0)
		return fail(0, e);
	*out = result == 0 ? TAKE(probe) : NULL;
	return 0;
}

/* The partitions of all tables: a GPT whose head was overwritten still has its backup. Asking for
 * partitions ends a probe, so each table gets one of its own. */
static int find_areas(const struct medium *m, struct areas *areas, struct err *e)
{
	for (unsigned n = 0; n < MAX_TABLES; n++) {
		CLEANUP(probe_freep) blkid_probe probe = NULL;
		if (find_table(m, n, &probe, e) < 0)
			return -1;
		if (!probe)
			return 0;
		blkid_partlist list = blkid_probe_get_partitions(probe);
		int n_partitions = list ? blkid_partlist_numof_partitions(list) : 0;
		for (int i = 0; i < n_partitions; i++)
			if (add_area(m, blkid_partlist_get_partition(list, i), areas, e) < 0)
				return -1;
	}
	return 0;
}

/* ---- Together ------------------------------------------------------------------------------- */

static int by_offset(const void *a, const void *b)
{
	const struct signature *left = a;
	const struct signature *right = b;

	return (left->offset_bytes > right->offset_bytes) -
	       (left->offset_bytes < right->offset_bytes);
}

int probe_signatures(int fd, uint64_t size_bytes, uint32_t sector_bytes, struct signatures *out,
		     struct err *e)
{
	const struct medium m = {.fd = fd, .size_bytes = size_bytes, .sector_bytes = sector_bytes};
	const struct area whole = {.size_bytes = size_bytes};
	CLEANUP(signatures_release) struct signatures found = {0};
	CLEANUP(areas_release) struct areas areas = {0};

	if (size_bytes == 0) {
		*out = found;
		return 0;
	}
	if (probe_area(&m, &whole, true, &found, e) < 0)
		return -1;
	if (find_areas(&m, &areas, e) < 0)
		return -1;
	for (size_t i = 0; i < areas.n_items; i++)
		if (probe_area(&m, &areas.items[i], false, &found, e) < 0)
			return -1;
	if (found.n_items > 0)
		qsort(found.items, found.n_items, sizeof *found.items, by_offset);
	*out = found;
	found = (struct signatures){0};
	return 0;
}

int probe_file_system(int fd, uint64_t offset_bytes, uint64_t size_bytes,
		      char type[SIGNATURE_TYPE_BYTES], struct err *e)
{
	const struct medium m = {.fd = fd, .size_bytes = size_bytes, .sector_bytes = 512};
	const struct area a = {.start_bytes = offset_bytes, .size_bytes = size_bytes};
	CLEANUP(probe_freep) blkid_probe probe = NULL;

	if (probe_new(&m, &a, &probe, e) < 0)
		return -1;
	if (blkid_probe_enable_superblocks(probe, 1) < 0 ||
	    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE) < 0)
		return fail(offset_bytes, e);
	int result = blkid_do_probe(probe);
	if (result < 0)
		return fail(offset_bytes, e);
	const char *name = result == 0 ? value_of(probe, "TYPE") : NULL;
	(void)snprintf(type, SIGNATURE_TYPE_BYTES, "%s", name ? name : "");
	return 0;
}
