/* The shape of a FAT, and what fits into it. See fat.h. */
#include "flash/disk/fat.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"

enum {
	N_FATS = 2,
	LABEL_ENTRIES = 1,          /* the volume's label is an entry of the root folder */
	DOT_ENTRIES = 2,            /* "." and "..", of every other folder */
	LONG_ENTRY_CHARACTERS = 13, /* of a name in one entry. "Long Directory Entries" */
	/* mkfs.fat may make the FATs a few sectors longer than they need be. */
	SPARE_CLUSTERS = 32,
	ROOT_SECTORS = FAT_ROOT_ENTRIES * FAT_ENTRY_BYTES / FAT_SECTOR_BYTES,
};

/* ---- Shape ---------------------------------------------------------------------------------- */

/* How many clusters there are at least. The FATs are counted as if all of the medium were data. */
static uint64_t clusters_of(uint64_t n_sectors, unsigned bits, unsigned sectors_per_cluster)
{
	const uint64_t at_most = n_sectors / sectors_per_cluster + 2;
	const uint64_t sector_bits = UINT64_C(8) * FAT_SECTOR_BYTES;
	const uint64_t fat_sectors = (at_most * bits + sector_bits - 1) / sector_bits + 1;
	const uint64_t fixed_sectors =
		bits == 32 ? FAT32_RESERVED_SECTORS : FAT_RESERVED_SECTORS + ROOT_SECTORS;
	const uint64_t used_sectors = fixed_sectors + N_FATS * fat_sectors;

	return n_sectors > used_sectors ? (n_sectors - used_sectors) / sectors_per_cluster : 0;
}

/* Larger clusters keep the FATs of large media small. As Microsoft's format does: same document,
 * "FAT Volume Initialization". */
static unsigned sectors_per_cluster_max(uint64_t size_bytes)
{
	if (size_bytes <= 8 * GIB)
		return 8;
	if (size_bytes <= 16 * GIB)
		return 16;
	return size_bytes <= 32 * GIB ? 32 : 64;
}

/* The type's clusters, from one sector upwards, until there are fewer than limit of them. */
static struct fat_shape shape_below(uint64_t n_sectors, unsigned bits, uint64_t limit)
{
	struct fat_shape s = {.bits = bits, .sectors_per_cluster = 1};

	while (n_sectors / s.sectors_per_cluster >= limit && s.sectors_per_cluster < 64)
		s.sectors_per_cluster *= 2;
	s.n_clusters = clusters_of(n_sectors, bits, s.sectors_per_cluster);
	return s;
}

struct fat_shape fat_shape_of(uint64_t size_bytes)
{
	const uint64_t n_sectors = size_bytes / FAT_SECTOR_BYTES;

	for (unsigned per = sectors_per_cluster_max(size_bytes); per > 0; per /= 2) {
		uint64_t n_clusters = clusters_of(n_sectors, 32, per);
		if (n_clusters >= FAT32_CLUSTERS_MIN + SPARE_CLUSTERS)
			return (struct fat_shape){32, per, n_clusters};
	}
	struct fat_shape fat16 = shape_below(n_sectors, 16, FAT32_CLUSTERS_MIN);
	if (fat16.n_clusters >= FAT16_CLUSTERS_MIN + SPARE_CLUSTERS)
		return fat16;
	return shape_below(n_sectors, 12, FAT16_CLUSTERS_MIN);
}

/* ---- What a tree takes ---------------------------------------------------------------------- */

/* Of a folder, for one name: its short entry, and those of its long name. */
static uint64_t entries_of(const char *name)
{
	return 1 + (strlen(name) + LONG_ENTRY_CHARACTERS - 1) / LONG_ENTRY_CHARACTERS;
}

/* Is path directly in folder ("" is the root)? */
static bool is_in(const char *path, const char *folder)
{
	size_t n_bytes = strlen(folder);

	if (n_bytes == 0)
		return !strchr(path, '/');
	return strncmp(path, folder, n_bytes) == 0 && path[n_bytes] == '/' &&
	       !strchr(path + n_bytes + 1, '/');
}

/* Entries in the folder whose content starts at entry first of the sorted tree. */
static uint64_t folder_entries(const struct tree *t, const char *folder, size_t first)
{
	const size_t n_bytes = strlen(folder);
	uint64_t n_entries = n_bytes > 0 ? DOT_ENTRIES : LABEL_ENTRIES;

	for (size_t i = first; i < t->n_entries; i++) {
		const char *path = t->entries[i].path;
		if (n_bytes > 0 && (strncmp(path, folder, n_bytes) != 0 || path[n_bytes] != '/'))
			break;
		if (is_in(path, folder))
			n_entries += entries_of(basename(path));
	}
	return n_entries;
}

static uint64_t clusters_for(uint64_t n_bytes, uint64_t cluster_bytes)
{
	return (n_bytes + cluster_bytes - 1) / cluster_bytes;
}

static uint64_t clusters_needed(const struct tree *t, const struct fat_shape *s)
{
	const uint64_t cluster_bytes = (uint64_t)s->sectors_per_cluster * FAT_SECTOR_BYTES;
	uint64_t n_clusters = 0;

	if (s->bits == 32)
		n_clusters +=
			clusters_for(folder_entries(t, "", 0) * FAT_ENTRY_BYTES, cluster_bytes);
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct tree_entry *entry = &t->entries[i];
		uint64_t n_bytes = entry->kind == TREE_FOLDER
					   ? folder_entries(t, entry->path, i + 1) * FAT_ENTRY_BYTES
					   : entry->size_bytes;
		n_clusters += clusters_for(n_bytes, cluster_bytes);
	}
	return n_clusters;
}

bool fat_holds(const struct tree *t, uint64_t size_bytes)
{
	const struct fat_shape s = fat_shape_of(size_bytes);

	return s.n_clusters > 0 && s.n_clusters >= clusters_needed(t, &s);
}

uint64_t fat_need_bytes(const struct tree *t)
{
	uint64_t size_bytes = align_up(tree_content_bytes(t), KIB) + 8 * KIB;

	for (;;) {
		const struct fat_shape s = fat_shape_of(size_bytes);
		const uint64_t needed = clusters_needed(t, &s);
		if (s.n_clusters > 0 && s.n_clusters >= needed)
			return size_bytes;
		const uint64_t missing = (needed - s.n_clusters) * s.sectors_per_cluster;
		size_bytes += max_u64(align_down(missing * FAT_SECTOR_BYTES, KIB), KIB);
	}
}

/* ---- What a tree may hold ------------------------------------------------------------------- */

/* Names of devices to DOS, which mtools refuses without a word and Windows cannot open: Microsoft,
 * "Naming Files, Paths, and Namespaces". */
static bool is_device_name(const char *name)
{
	static const char *const devices[] = {"con", "prn", "aux", "nul"};
	const bool is_numbered =
		strncasecmp(name, "com", 3) == 0 || strncasecmp(name, "lpt", 3) == 0;

	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		if (strcasecmp(name, devices[i]) == 0)
			return true;
	return is_numbered && name[3] >= '1' && name[3] <= '9' && name[4] == '\0';
}

/* Of a long name. "Long Directory Entries": what a short name allows, and six more. Of these mtools
 * takes [ for the start of a pattern; and it takes each byte of UTF-8 for a character, so that
 * another name would be in the FAT. */
static bool is_name_allowed(const char *name)
{
	size_t n_bytes = strlen(name);

	for (const char *p = name; *p; p++)
		if (*p < ' ' || *p > '~' || strchr("\"*/:<>?[\\|", *p))
			return false;
	return n_bytes > 0 && name[n_bytes - 1] != '.' && name[n_bytes - 1] != ' ' &&
	       !is_device_name(name);
}

static int check_entry(const struct tree_entry *entry, struct err *e)
{
	switch (entry->kind) {
	case TREE_FOLDER:
	case TREE_FILE:
		break;
	case TREE_SYMLINK:
	case TREE_HARD_LINK:
		return err_set(e, ERR_USAGE,
			       "%s is a link, which a FAT cannot hold; put a file there instead",
			       entry->path);
	case TREE_CHARACTER_DEVICE:
	case TREE_BLOCK_DEVICE:
	case TREE_FIFO:
		return err_set(e, ERR_USAGE,
			       "%s is a device or pipe, which a FAT cannot hold; leave it out",
			       entry->path);
	}
	if (!is_name_allowed(basename(entry->path)))
		return err_set(
			e, ERR_USAGE,
			"%s: a name in a FAT must be of printable ASCII characters but "
			"\"*:<>?[\\|, not end in a dot or space, and not be that of a device "
			"such as con or aux; rename it",
			entry->path);
	if (entry->kind == TREE_FILE && entry->size_bytes > UINT32_MAX)
		return err_set(e, ERR_USAGE,
			       "%s has %llu bytes, and a file in a FAT has at most 4294967295; "
			       "put it into the root file system",
			       entry->path, (unsigned long long)entry->size_bytes);
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_case(const struct tree *t, struct err *e)
{
	CLEANUP(freep) const char **paths = calloc(t->n_entries + 1, sizeof *paths);

	if (!paths)
		return err_errno(e, "checking %zu names", t->n_entries);
	for (size_t i = 0; i < t->n_entries; i++)
		paths[i] = t->entries[i].path;
	qsort(paths, t->n_entries, sizeof *paths, compare_paths);
	for (size_t i = 1; i < t->n_entries; i++)
		if (strcasecmp(paths[i - 1], paths[i]) == 0)
			return err_set(e, ERR_USAGE,
				       "%s and %s are the same name in a FAT; rename one",
				       paths[i - 1], paths[i]);
	return 0;
}

int fat_check_tree(const struct tree *t, struct err *e)
{
	const uint64_t n_root_entries = folder_entries(t, "", 0);

	for (size_t i = 0; i < t->n_entries; i++)
		if (check_entry(&t->entries[i], e) < 0)
			return -1;
	if (n_root_entries > FAT_ROOT_ENTRIES)
		return err_set(
			e, ERR_USAGE,
			"the root folder takes %llu entries, and that of a small FAT has %d; "
			"put files into folders",
			(unsigned long long)n_root_entries, FAT_ROOT_ENTRIES);
	return check_case(t, e);
}
