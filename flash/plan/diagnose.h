/* What a range that does not read back as it was written looks like: says what kind of bad medium
 * it is. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/image/fingerprint.h"

/* What was written where, one each piece; read back by its fingerprint. */
struct written {
	uint64_t offset_bytes;
	uint64_t size_bytes;
	bool is_zero; /* else DATA with this fingerprint */
	struct fingerprint fingerprint;
};

struct mismatch {
	const struct written *wanted;
	const uint8_t *wanted_bytes; /* wanted->size_bytes; NULL: zeros when wanted->is_zero, else
				      * they cannot be had again */
	const uint8_t *found_bytes;  /* wanted->size_bytes of them */
	const struct written *all;   /* n_all of them: what else was written in this run; may hold
				      * *wanted itself */
	size_t n_all;
	uint64_t seed; /* of the fingerprints */
};

/* Append for people, without a full stop: the first byte that differs and how many from there to
 * the last one that does, or where the wanted bytes are not known the whole range; then what the
 * found bytes look like. The first of these that fits:
 *
 * - "reads as zeros" or "reads as 0xff bytes": sectors of 512 bytes that were lost
 * - "one flipped bit: bit 3 of byte 38797400", or up to DIAGNOSE_FLIPPED_MAX of them
 * - "reads as the content of byte 1048576: the medium wraps, as counterfeit ones do": the whole
 *   piece is another one
 * - "reads as zeros" or "reads as 0xff bytes": all bytes that differ
 * - "reads as other bytes"
 *
 * Bytes are counted from the start of the medium, bits from the lowest. */
void diagnose(const struct mismatch *m, struct buf *out);

enum { DIAGNOSE_FLIPPED_MAX = 8 }; /* more are no longer told as flipped bits */
