/* Growing the last partition of a GPT; for the table files of this folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/disk/table.h"

/* Let the partition that ends last, if it is marked so, end at the last multiple of
 * TABLE_GRAIN_BYTES before the backup GPT on a medium of medium_size_bytes: its entry in head
 * changes, and the CRCs. Where the backup is, and what else the header tells, stays. False, with
 * head as it was, when that partition is not marked or would not become larger, and when the GPT is
 * damaged. */
bool table_grow(uint8_t *head, size_t head_bytes, uint64_t medium_size_bytes, uint32_t sector_bytes,
		struct table_growth *out);
