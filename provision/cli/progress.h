/* How far a phase is, how fast it goes and how long it will take. Pure: the clock is passed in. */
#pragma once

#include <stdint.h>

/* Zero-initialise; then progress_begin for each phase, which need not begin at 0. */
struct progress {
	uint64_t total_bytes; /* SIZE_UNKNOWN for a pipe; 0 when it cannot be told */
	uint64_t done_bytes;
	uint64_t now_ms; /* of the last update */
	struct progress_mark {
		uint64_t at_ms;
		uint64_t done_bytes;
	} marks[2]; /* the rate is taken from the first, which is 2 to 4 s behind */
};

void progress_begin(struct progress *p, uint64_t done_bytes, uint64_t total_bytes, uint64_t now_ms);
void progress_update(struct progress *p, uint64_t done_bytes, uint64_t total_bytes,
		     uint64_t now_ms);

/* 0 to 99: nothing is at 100 % before it is durable and read back, which no phase can tell.
 * -1 when the total is not known. */
int progress_percent(const struct progress *p);

/* Bytes a second lately; 0 before it can be told. */
uint64_t progress_rate(const struct progress *p);

/* Seconds until the phase is over, rounded up; UINT64_MAX when it cannot be told. */
uint64_t progress_left_s(const struct progress *p);
