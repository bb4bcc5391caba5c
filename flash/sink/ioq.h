/* Reads and writes that go on while the caller does something else: through io_uring, or,
 * where the kernel has none or does not let us, one by one with the same results. Short transfers
 * and interrupted ones are continued. One thread at a time uses a queue. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/sink/rate.h"

enum {
	/* Of one operation: 128 pages, which a disk's driver takes as one request wherever they lie
	 * (BLK_MAX_SEGMENTS of linux/blkdev.h). The kernel does not split what must not wait; it
	 * would give it to a helping thread. */
	IOQ_PIECE_BYTES = 512 << 10,
};

enum ioq_kind {
	IOQ_READ,
	IOQ_WRITE,
};

/* The caller's; must stay where it is until is_done. */
struct ioq_op {
	enum ioq_kind kind;
	int fd;
	uint8_t *bytes; /* borrowed; a read has room for n_bytes rounded up to unit_bytes */
	size_t n_bytes;
	uint64_t offset_bytes;
	size_t unit_bytes; /* reads are asked for in multiples of it, a power of two */
	/* Set by the queue. */
	size_t n_done_bytes;
	int error; /* an errno, or 0 */
	bool is_done;
	uint64_t begun_ns;
	bool must_block; /* the kernel would not begin without a helping thread */
};

struct ioq;

/* An operation that is waited for and neither succeeds nor fails within stall_timeout_ms, while no
 * other does, is given up; 0: never. is_one_by_one: without io_uring; then no wait can end early,
 * for it is the kernel that waits. Fails with ERR_IO when memory is short. */
int ioq_new(unsigned stall_timeout_ms, bool is_one_by_one, struct ioq **out, struct err *e);

bool ioq_is_one_by_one(const struct ioq *q);

/* Fails with what made every call fail from then on, if something did: ERR_IO. */
int ioq_check(const struct ioq *q, struct err *e);

/* Begin op, of at most IOQ_PIECE_BYTES. Operations under way may end in any order. Fails with
 * ERR_IO after a stall; op->is_done tells whether the kernel has it then. */
int ioq_begin(struct ioq *q, struct ioq_op *op, struct err *e);

/* Wait until op, which was begun, is done. Fails with ERR_CANCELLED (cancel may be NULL) and
 * with ERR_IO when it stalled, naming the byte and the time; then op is still under way. After
 * ERR_IO every call fails. Whether op succeeded is for ioq_result to tell. */
int ioq_wait(struct ioq *q, const struct ioq_op *op, const struct cancel *cancel, struct err *e);

/* Of an op that is done: ERR_IO naming the byte when it failed, or when the medium ended before
 * all was read ("writing at byte 4096: Input/output error"). */
int ioq_result(const struct ioq_op *op, struct err *e);

/* How fast writes were done while there was always one under way. */
const struct rate *ioq_write_rate(const struct ioq *q);

/* Wait until everything is done. Fails as ioq_wait does, and from then on every call does: until
 * the process ends, the kernel may use the bytes of what is still under way, and nobody may free
 * them.
 */
int ioq_settle(struct ioq *q, const struct cancel *cancel, struct err *e);

/* Settles, if that did not fail before. */
void ioq_free(struct ioq *q);
static inline void ioq_freep(struct ioq **q)
{
	ioq_free(*q);
}
