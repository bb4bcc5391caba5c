/* What a FAT of a given size looks like, and what it can hold. Pure.
 *
 * The type follows from the number of clusters and from nothing else (Microsoft, "FAT: General
 * Overview of On-Disk Format", 1.03, "FAT Type Determination"): a file system that says FAT32 but
 * has fewer than 65525 clusters is read as FAT16 by firmware, and as it likes by everything else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/tree.h"

enum {
	FAT_SECTOR_BYTES = 512,
	FAT16_CLUSTERS_MIN = 4085,   /* fewer: FAT12. "FAT Type Determination" */
	FAT32_CLUSTERS_MIN = 65525,  /* fewer: FAT16 */
	FAT_RESERVED_SECTORS = 1,    /* the boot sector */
	FAT32_RESERVED_SECTORS = 32, /* and room for its copy and FSInfo */
	FAT_ROOT_ENTRIES = 512, /* of FAT12 and FAT16, where the root folder has a fixed size */
	FAT_ENTRY_BYTES = 32,
};

struct fat_shape {
	unsigned bits; /* 12, 16 or 32 */
	unsigned sectors_per_cluster;
	uint64_t n_clusters; /* at least; a few more when the FATs happen to come out shorter */
};

/* The shape for a file system of size_bytes; n_clusters is 0 when it is too small for any. Clusters
 * are as large as the type allows, and at most 4 KiB up to 8 GiB. */
struct fat_shape fat_shape_of(uint64_t size_bytes);

/* Refuse what a FAT cannot hold, or mtools not put there: links and devices, names with other
 * characters than those of ASCII that are allowed, or of DOS devices, names that differ only in
 * case, files of 4 GiB and more, a root folder with more than FAT_ROOT_ENTRIES. ERR_USAGE names it.
 * t is sorted. */
int fat_check_tree(const struct tree *t, struct err *e);

/* Has a FAT of size_bytes room for t? t is sorted. */
bool fat_holds(const struct tree *t, uint64_t size_bytes);

/* The smallest size, in whole KiB, in which t has room. t is sorted. A larger one may have larger
 * clusters, and so no room for many small files. */
uint64_t fat_need_bytes(const struct tree *t);
