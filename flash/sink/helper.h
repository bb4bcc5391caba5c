/* A process of its own that makes the calls nobody can interrupt (flush, zero, discard): while one
 * hangs in the kernel its caller can neither be told nor be killed, and a thread, io_uring's own
 * included, would keep the whole program from ending. One thread at a time uses a helper. */
#pragma once

#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"

enum helper_call {
	HELPER_FLUSH,   /* fsync */
	HELPER_CLEAN,   /* write a range back from the page cache; a flush makes it durable */
	HELPER_ZERO,    /* punch a hole that reads as zeros */
	HELPER_DISCARD, /* BLKDISCARD */
};

/* One call. Ranges do not matter to a flush. */
struct helper_job {
	enum helper_call call;
	uint64_t offset_bytes;
	uint64_t size_bytes;
};

struct helper;

/* On the medium that fd is open on for writing, through a descriptor of its own, which holds no
 * lock and does not keep others from using the medium. A call that takes longer than
 * stall_timeout_ms is given up; 0: never. Fails with ERR_IO. */
int helper_new(int fd, unsigned stall_timeout_ms, struct helper **out, struct err *e);

/* Do a job and wait for it, and before that for the last one, if somebody was stopped (cancel may
 * be NULL). *out_error is what the call ended with, or for a flush an earlier one, or a
 * cleaning, that nobody waited for: an errno, or 0. Fails with ERR_CANCELLED, and with ERR_IO when
 * the call was given up, naming the byte and the time; after that every call fails. */
int helper_do(struct helper *h, const struct helper_job *job, const struct cancel *cancel,
	      int *out_error, struct err *e);

/* Wait for a job that zeroes or discards, if somebody was stopped; not for what was given up, nor
 * for a flush. When that fails, or ends because of cancel (may be NULL), no call works any more. */
void helper_settle(struct helper *h, const struct cancel *cancel);

/* Settles. The process ends when it is done with what it does. */
void helper_free(struct helper *h);
static inline void helper_freep(struct helper **h)
{
	helper_free(*h);
}
