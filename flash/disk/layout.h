/* Where everything goes on a medium: sizes and wishes in, places out. Pure.
 *
 * What overlaps, lies in the table or ends behind the medium is ERR_USAGE, and the text names both
 * parties with their bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/table.h"

enum { LAYOUT_ALIGN_BYTES = 1 << 20 }; /* where a partition starts unless it says otherwise */

/* A partition, as it is wanted; layout_make sets the last two. */
struct layout_partition {
	const char *name;            /* borrowed; for messages */
	uint64_t wanted_start_bytes; /* 0: behind the one before, at LAYOUT_ALIGN_BYTES; blobs in
				      * the way are refused, not stepped over */
	uint64_t wanted_bytes;       /* 0: need_bytes or minimum_bytes, whichever is more, in MiB */
	uint64_t minimum_bytes;
	uint64_t need_bytes; /* what its content takes; more than wanted_bytes is refused */
	bool is_rest;        /* takes what is left, up to TABLE_GRAIN_BYTES; the last one only; at
			      * least what it would take without that */
	uint64_t start_bytes;
	uint64_t size_bytes;
};

/* Bytes at a fixed place outside of partitions. One with holes is several. */
struct layout_blob {
	const char *name; /* borrowed; for messages */
	uint64_t offset_bytes;
	uint64_t size_bytes; /* 0: nothing is there */
};

struct layout {
	enum table_kind kind; /* TABLE_MBR or TABLE_GPT */
	uint32_t sector_bytes;
	unsigned gpt_entries;       /* 0: TABLE_GPT_ENTRIES */
	uint64_t medium_size_bytes; /* 0: the smallest that holds all, which layout_make sets */
	struct layout_partition *partitions; /* borrowed; [i] is partition i + 1 of the table */
	size_t n_partitions;
	const struct layout_blob *blobs; /* borrowed */
	size_t n_blobs;
};

/* Place the partitions of l. One sector less than the smallest medium is ERR_USAGE that says how
 * many bytes it takes; so is what the table cannot tell (five partitions of an MBR, or one that
 * passes its 2^32 sectors), a start or size that is no whole number of sectors, and a partition
 * without a size. On failure start_bytes and size_bytes mean nothing. */
int layout_make(struct layout *l, struct err *e);

/* The bytes the table takes at the start: 512 of an MBR, header and entries of a GPT. The boot code
 * in the first TABLE_BOOT_CODE_BYTES does not belong to it: blobs may be there. */
uint64_t layout_table_bytes(const struct layout *l);
