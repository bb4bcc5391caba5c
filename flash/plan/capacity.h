/* A quick search for media that claim more bytes than they have, and wrap or lose what is written
 * behind their end, before anything else is written to them.
 *
 * Marks are written to a few places and looked for. Found for sure are media that
 * - lose what is written behind their end, wherever that is (also those that answer reads there
 *   with what they read before), or
 * - wrap at a power of two of at least 1 MiB (address lines that are missing), or
 * - wrap at another multiple of CAPACITY_UNIT_BYTES, up to CAPACITY_SURE_BYTES, or of any size on a
 *   medium that claims at most twice as much.
 * What wraps elsewhere is found when the image is read back, if it reaches so far. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/sink/sink.h"

enum {
	CAPACITY_MIN_BYTES = 16 << 20, /* media that claim less are not probed */
	CAPACITY_MARK_BYTES = 4096,    /* the largest sector; each place is a multiple of it */
	/* In these SD and MMC cards state their size (SD Physical Layer, CSD version 2.0). */
	CAPACITY_UNIT_BYTES = 512 << 10,
	CAPACITY_N_HIGH = 64,    /* marks in the upper half */
	CAPACITY_N_LOOKS = 1024, /* reads at the start, about half a second of a slow medium */
	CAPACITY_N_MARKS_MAX = 1 + CAPACITY_N_HIGH + 44, /* the end, and 2^20 to 2^63 */
};
#define CAPACITY_SURE_BYTES ((uint64_t)CAPACITY_N_HIGH * CAPACITY_N_LOOKS * CAPACITY_UNIT_BYTES)

/* Where a medium is probed. The differences between marks in the upper half and looks are all
 * multiples of the unit in a row, so that one of them is a multiple of the size that a medium wraps
 * at; and each power of two wraps onto byte 0. */
struct capacity_places {
	uint64_t marks[CAPACITY_N_MARKS_MAX]; /* bytes; falling, each once; the first is the end */
	size_t n_marks;
	size_t n_looks; /* at byte 0 and the next multiples of CAPACITY_UNIT_BYTES: only read */
};

/* Pure. size_bytes is at least CAPACITY_MIN_BYTES. */
void capacity_places(uint64_t size_bytes, struct capacity_places *out);

/* Probe s, whose sectors are at most CAPACITY_MARK_BYTES: mark, flush, look, and put back what was
 * there, also after a failure. Byte 0 is never written. Does nothing to a medium of less than
 * CAPACITY_MIN_BYTES. nonce is drawn anew each time, so that no mark of an earlier run counts.
 * cancel may be NULL; it is heeded between places, but not while these are put back.
 *
 * Fails with ERR_DIFFERS, naming the size that is claimed and the lowest byte that was found not
 * to be kept ("is counterfeit or broken"; what is kept ends there, or before), or a byte that is
 * not what it was after it was put back; with ERR_CANCELLED; with the sink's errors otherwise.
 * Where something could not be put back, the first such byte is named. */
int capacity_probe(struct sink *s, uint64_t nonce, const struct cancel *cancel, struct err *e);
