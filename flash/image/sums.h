/* SHA256SUMS files, as sha256sum writes them. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/trust/digest.h"

enum { SUMS_MAX_BYTES = 1 << 20 };

/* The digest listed for the file called name (its last path component). Fails with ERR_UNTRUSTED
 * when a line is malformed, or name is not listed, or is listed with two digests. */
int sums_find(const void *text, size_t text_bytes, const char *name, uint8_t out[SHA256_BYTES],
	      struct err *e);
