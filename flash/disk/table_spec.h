/* What is pure in making a table: checked before libfdisk is asked, and set right behind it; for
 * the table files of this folder. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/table.h"

/* The bytes t takes at the start of a medium. */
size_t table_spec_head_bytes(const struct table *t);

/* ERR_USAGE, with numbers, for what no such table can tell. That partitions overlap is found by
 * libfdisk. */
int table_spec_check(const struct table *t, uint64_t medium_size_bytes, struct err *e);

/* Let the first usable sector of the GPT in made be the first that a partition of t has: no tool
 * may put one over firmware in front of that. libfdisk can do so with 128 entries only. */
void table_spec_keep_front(const struct table *t, struct table_ends *made);
