/* What was done to which target, one JSON object a line, in the state folder. */
#pragma once

#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/facts.h"
#include "flash/image/verified.h"

struct journal_entry {
	int64_t time_s;            /* seconds since 1970 */
	const struct facts *facts; /* borrowed, as all here */
	const struct image *image;
	const char *where; /* of the image */
	const char *board_id;
	const char *const *overrides; /* flags that lifted a check */
	size_t n_overrides;
	const struct err *failure; /* NULL: it is written and was read back */
};

/* Append a line to journal.jsonl in state_dir, which is made if it is missing, and make it durable.
 * Lines of several processes never mix, and a line that was cut short by a power cut stays alone.
 * Fails with ERR_IO, then nothing is appended, and ERR_USAGE when state_dir is no folder. */
int journal_append(const char *state_dir, const struct journal_entry *entry, struct err *e);
