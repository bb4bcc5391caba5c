/* Taking what a table is from a medium in memory; for the table files of this folder. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/table.h"

struct table_ends_where {
	enum table_kind kind;
	size_t head_bytes; /* how much of the start is wanted */
	uint64_t medium_size_bytes;
	uint32_t sector_bytes;
};

/* The bytes of the table that was written to fd; the caller's. Fails with ERR_UNTRUSTED when the
 * backup of a GPT is not where it must be. */
int table_ends_read(int fd, const struct table_ends_where *w, struct table_ends **out,
		    struct err *e);
