/* A queue of reads and writes. See ioq.h. */
#include "flash/sink/ioq.h"

#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/clock.h"
#include "flash/base/log.h"
#include "flash/base/units.h"
#include "flash/sink/patience.h"

enum {
	RING_ENTRIES = 64,  /* handed over at once; there may be more under way */
	HAND_OVER_MS = 100, /* when the kernel had no room */
};

struct ioq {
	struct io_uring ring;
	bool has_ring;
	unsigned stall_timeout_ms;
	size_t n_under_way;
	struct rate writing;
	uint64_t measured_ns;     /* when a write was last seen to be under way, and ... */
	uint64_t n_written_bytes; /* ... what was done since */
	struct err failure;       /* why nothing works any more; ERR_NONE: all is well */
};

/* ---- The end of an operation ---------------------------------------------------------------- */

static size_t n_asked_bytes(const struct ioq_op *op)
{
	return (size_t)align_up(op->n_bytes, op->unit_bytes) - op->n_done_bytes;
}

/* Take what the kernel answered: a count, or a negative errno. Returns whether op must go on. */
static bool is_continued(struct ioq_op *op, ssize_t answer)
{
	op->must_block = answer == -EAGAIN; /* or it would be asked for again and again */
	if (answer == -EINTR || answer == -EAGAIN)
		return true;
	if (answer < 0) {
		op->error = (int)-answer;
	} else {
		op->n_done_bytes += (size_t)answer;
		/* Not from the middle of a unit, where a file or device ends: that is no place to
		 * read from directly. */
		if (answer > 0 && op->n_done_bytes < op->n_bytes &&
		    op->n_done_bytes % op->unit_bytes == 0)
			return true;
	}
	op->is_done = true;
	return false;
}

/* "writing at byte 4096" */
static void format_doing(const struct ioq_op *op, char *text, size_t text_bytes)
{
	(void)snprintf(text, text_bytes, "%s at byte %llu",
		       op->kind == IOQ_READ ? "reading" : "writing",
		       (unsigned long long)(op->offset_bytes + op->n_done_bytes));
}

static int describe(const struct ioq_op *op, const char *problem, struct err *e)
{
	char doing[64];

	format_doing(op, doing, sizeof doing);
	return err_set(e, ERR_IO, "%s: %s", doing, problem);
}

int ioq_result(const struct ioq_op *op, struct err *e)
{
	if (op->error != 0)
		return describe(op, strerror(op->error), e);
	if (op->n_done_bytes < op->n_bytes)
		return describe(op, "the medium ends there", e);
	return 0;
}

/* ---- A failure of the queue ------------------------------------------------------------------ */

/* From now on every call fails with *e. */
static int fail(struct ioq *q, const struct err *e)
{
	q->failure = *e;
	return -1;
}

int ioq_check(const struct ioq *q, struct err *e)
{
	if (q->failure.code == ERR_NONE)
		return 0;
	*e = q->failure;
	return -1;
}

/* ---- One by one ----------------------------------------------------------------------------- */

static ssize_t do_now(const struct ioq_op *op)
{
	uint8_t *bytes = op->bytes + op->n_done_bytes;
	off_t offset = (off_t)(op->offset_bytes + op->n_done_bytes);
	ssize_t n = 0;

	switch (op->kind) {
	case IOQ_READ:
		n = pread(op->fd, bytes, n_asked_bytes(op), offset);
		break;
	case IOQ_WRITE:
		n = pwrite(op->fd, bytes, n_asked_bytes(op), offset);
		break;
	}
	return n < 0 ? -errno : n;
}

static int do_all_now(struct ioq *q, struct ioq_op *op)
{
	while (is_continued(op, do_now(op)))
		;
	if (op->kind == IOQ_WRITE) {
		q->writing.n_bytes += op->n_done_bytes;
		q->writing.busy_ns += clock_now_ns() - op->begun_ns;
	}
	return 0;
}

/* ---- Through the ring ----------------------------------------------------------------------- */

/* Returns false when the ring is full of what the kernel did not take. */
static bool put_in(struct ioq *q, struct ioq_op *op)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);
	uint64_t offset_bytes = op->offset_bytes + op->n_done_bytes;

	if (!sqe)
		return false;
	switch (op->kind) {
	case IOQ_READ:
		io_uring_prep_read(sqe, op->fd, op->bytes + op->n_done_bytes,
				   (unsigned)n_asked_bytes(op), offset_bytes);
		break;
	case IOQ_WRITE:
		io_uring_prep_write(sqe, op->fd, op->bytes + op->n_done_bytes,
				    (unsigned)n_asked_bytes(op), offset_bytes);
		break;
	}
	if (op->must_block)
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	io_uring_sqe_set_data(sqe, op);
	return true;
}

/* Hand over what was put in. What the kernel has no room for now stays in the ring, for the next
 * time; any other error is one that no kernel should give. */
static int hand_over(struct ioq *q, struct err *e)
{
	int n = io_uring_sq_ready(&q->ring) == 0 ? 0 : io_uring_submit(&q->ring);

	if (n >= 0 || n == -EINTR || n == -EAGAIN || n == -EBUSY)
		return 0;
	(void)err_set(e, ERR_IO, "handing an operation to the kernel: %s", strerror(-n));
	return fail(q, e);
}

/* Take all answers that are there. Returns how many. */
static size_t take_answers(struct ioq *q)
{
	struct io_uring_cqe *cqe = NULL;
	size_t n = 0;

	for (; io_uring_peek_cqe(&q->ring, &cqe) == 0; n++) {
		struct ioq_op *op = io_uring_cqe_get_data(cqe);
		bool goes_on = is_continued(op, cqe->res);
		io_uring_cqe_seen(&q->ring, cqe);
		if (goes_on && !put_in(q, op)) {
			op->error = EBUSY;
			op->is_done = true;
		}
		if (op->is_done)
			q->n_under_way--;
		if (op->is_done && op->kind == IOQ_WRITE)
			q->n_written_bytes += op->n_done_bytes;
	}
	return n;
}

/* All answers were taken, and op is still under way: if it was at the last measurement too, then
 * the device was never idle since. */
static void measure(struct ioq *q, const struct ioq_op *op)
{
	uint64_t at_ns = clock_now_ns();

	if (op->kind != IOQ_WRITE)
		return;
	if (op->begun_ns <= q->measured_ns) {
		q->writing.n_bytes += q->n_written_bytes;
		q->writing.busy_ns += at_ns - q->measured_ns;
	}
	q->measured_ns = at_ns;
	q->n_written_bytes = 0;
}

/* op, or with NULL everything, is not waited for any longer. */
static int give_up(struct ioq *q, const struct ioq_op *op, struct err *e)
{
	char doing[64] = "ending what was begun";

	if (op)
		format_doing(op, doing, sizeof doing);
	(void)patience_lost(q->stall_timeout_ms, doing, e);
	return fail(q, e);
}

/* Sleep until there is an answer, or end_ms; not for long when something is to be handed over once
 * more. */
static int wait_for_answer(struct ioq *q, uint64_t end_ms, const struct cancel *cancel,
			   struct err *e)
{
	if (io_uring_sq_ready(&q->ring) > 0)
		end_ms = min_u64(end_ms, patience_end_ms(HAND_OVER_MS));
	if (patience_wait(q->ring.ring_fd, end_ms, cancel, e) == 0)
		return 0;
	return e->code == ERR_CANCELLED ? -1 : fail(q, e);
}

/* Wait until op, or with NULL everything, is done. Every answer gives more time. */
static int wait_until(struct ioq *q, const struct ioq_op *op, const struct cancel *cancel,
		      struct err *e)
{
	uint64_t end_ms = patience_end_ms(q->stall_timeout_ms);

	while (op ? !op->is_done : q->n_under_way > 0) {
		size_t n_answers = take_answers(q);
		if (op && !op->is_done)
			measure(q, op);
		if (hand_over(q, e) < 0)
			return -1;
		if (n_answers > 0) {
			end_ms = patience_end_ms(q->stall_timeout_ms);
			continue;
		}
		if (patience_is_over(end_ms))
			return give_up(q, op, e);
		if (wait_for_answer(q, end_ms, cancel, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- The queue ------------------------------------------------------------------------------ */

/* Returns an errno, or 0. */
static int ring_init(struct io_uring *ring)
{
	int error = -io_uring_queue_init(RING_ENTRIES, ring, 0);

	/* Reads and writes of one buffer came just before it (Linux 5.6): rings are there since
	 * 5.1, and would fail each. */
	if (error != 0 || (ring->features & IORING_FEAT_RW_CUR_POS) != 0)
		return error;
	io_uring_queue_exit(ring);
	return ENOSYS;
}

int ioq_new(unsigned stall_timeout_ms, bool is_one_by_one, struct ioq **out, struct err *e)
{
	CLEANUP(freep) struct ioq *q = calloc(1, sizeof *q);

	if (!q)
		return err_errno(e, "making a queue");
	q->stall_timeout_ms = stall_timeout_ms;
	/* Old kernels, seccomp, kernel.io_uring_disabled, locked memory: all the same to us. */
	int error = is_one_by_one ? 0 : ring_init(&q->ring);
	q->has_ring = !is_one_by_one && error == 0;
	if (error != 0)
		log_debug("no io_uring (%s): reading and writing one by one", strerror(error));
	*out = TAKE(q);
	return 0;
}

const struct rate *ioq_write_rate(const struct ioq *q)
{
	return &q->writing;
}

bool ioq_is_one_by_one(const struct ioq *q)
{
	return !q->has_ring;
}

void ioq_free(struct ioq *q)
{
	struct err ignored = {0};

	if (!q)
		return;
	(void)ioq_settle(q, NULL, &ignored);
	/* Does not wait for what is under way; the kernel keeps its own hold on that. */
	if (q->has_ring)
		io_uring_queue_exit(&q->ring);
	free(q);
}

int ioq_begin(struct ioq *q, struct ioq_op *op, struct err *e)
{
	op->n_done_bytes = 0;
	op->error = 0;
	op->must_block = false;
	op->begun_ns = clock_now_ns();
	op->is_done = true; /* unless the kernel has it */
	if (ioq_check(q, e) < 0)
		return -1;
	if (!q->has_ring)
		return do_all_now(q, op);
	if (!put_in(q, op)) {
		op->error = EBUSY;
		return 0;
	}
	op->is_done = false;
	q->n_under_way++;
	return hand_over(q, e);
}

int ioq_wait(struct ioq *q, const struct ioq_op *op, const struct cancel *cancel, struct err *e)
{
	if (op->is_done)
		return 0;
	return ioq_check(q, e) < 0 ? -1 : wait_until(q, op, cancel, e);
}

int ioq_settle(struct ioq *q, const struct cancel *cancel, struct err *e)
{
	if (q->n_under_way == 0)
		return 0;
	if (ioq_check(q, e) < 0)
		return -1;
	if (wait_until(q, NULL, cancel, e) == 0)
		return 0;
	q->failure = *e;
	return -1;
}
