/* Why a target must not be written. Pure: facts in, reasons out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/facts.h"

struct refusal_policy {
	bool is_fixed_disk_allowed; /* --allow-fixed-disk */
};

/* 0 when f may be written with image_size_bytes (SIZE_UNKNOWN: size is not looked at; 0 as well)
 * under p; else ERR_REFUSED with the first reason that holds, in order of danger, and the way out:
 * what to do, or the flag that lifts this one check. *out_lifted (may be NULL) gets the flag that p
 * lifted and that would have refused, or NULL: to be recorded as an override. */
int refusal_check(const struct facts *f, const struct refusal_policy *p, uint64_t image_size_bytes,
		  const char **out_lifted, struct err *e);
