/* What sinks on a descriptor share. See fd_sink.h. */
#include "flash/sink/fd_sink.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "flash/base/cleanup.h"
#include "flash/base/clock.h"
#include "flash/base/log.h"
#include "flash/base/units.h"

/* At once, because the calls cannot be interrupted, and each has its own time to stall. */
enum { ZEROING_BYTES = 64 << 20, CLEANING_BYTES = 64 << 20 };

_Static_assert(offsetof(struct fd_sink, base) == 0, "base comes first");

/* Add what to do about error, an errno, if result is a failure. */
static int explain(const struct fd_sink *f, int error, int result, struct err *e)
{
	if (result < 0 && (error == ENOSPC || error == EDQUOT) && f->full_hint)
		return err_hint(e, "%s", f->full_hint);
	return result;
}

/* ---- Writing --------------------------------------------------------------------------------
 */

/* Wait for the write that was begun first. */
static int finish_write(struct fd_sink *f, struct err *e)
{
	const struct ioq_op *op = &line_at(&f->writes, 0)->op;

	if (ioq_wait(f->queue, op, f->base.options.cancel, e) < 0)
		return -1;
	struct piece p = line_pop(&f->writes);
	chunk_free(p.chunk);
	return explain(f, p.op.error, ioq_result(&p.op, e), e);
}

static int finish_all_writes(struct fd_sink *f, struct err *e)
{
	while (f->writes.n_pieces > 0)
		if (finish_write(f, e) < 0)
			return -1;
	return 0;
}

static int wait_range(struct fd_sink *f, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	while (line_overlaps(&f->writes, offset_bytes, size_bytes))
		if (finish_write(f, e) < 0)
			return -1;
	return 0;
}

/* Begin to write one piece: of c, or, where that is NULL, of bytes that stay. */
static int write_piece(struct fd_sink *f, const struct chunk *c, const uint8_t *bytes,
		       size_t n_bytes, uint64_t offset_bytes, struct err *e)
{
	struct piece p = {
		.op = {.kind = IOQ_WRITE,
		       .fd = f->fd,
		       .bytes = (uint8_t *)bytes, /* only read from */
		       .n_bytes = n_bytes,
		       .offset_bytes = offset_bytes,
		       .unit_bytes = 1},
	};

	while (!line_has_room(&f->writes, n_bytes))
		if (finish_write(f, e) < 0)
			return -1;
	/* The kernel may do them in any order. */
	if (wait_range(f, offset_bytes, n_bytes, e) < 0)
		return -1;
	p.chunk = c ? chunk_share(c) : NULL;
	return line_push(&f->writes, f->queue, &p, e);
}

static int write_data(struct fd_sink *f, const struct chunk *c, struct err *e)
{
	/* The chunk's zeros behind its bytes fill the last sector. */
	size_t n_bytes = (size_t)align_up(chunk_size_bytes(c), f->base.sector_bytes);

	for (size_t n_done = 0; n_done < n_bytes;) {
		size_t n_piece = (size_t)min_u64(n_bytes - n_done, IOQ_PIECE_BYTES);
		if (write_piece(f, c, chunk_bytes(c) + n_done, n_piece,
				chunk_offset_bytes(c) + n_done, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

/* ---- Zeros ----------------------------------------------------------------------------------
 */

static int map_zeros(struct fd_sink *f, struct err *e)
{
	if (f->zeros)
		return 0;
	void *zeros = mmap(NULL, IOQ_PIECE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (zeros == MAP_FAILED)
		return err_errno(e, "making room for zeros");
	f->zeros = zeros;
	return 0;
}

static int write_zeros(struct fd_sink *f, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	if (map_zeros(f, e) < 0)
		return -1;
	for (uint64_t n_done = 0; n_done < size_bytes;) {
		size_t n_piece = (size_t)min_u64(size_bytes - n_done, IOQ_PIECE_BYTES);
		if (write_piece(f, NULL, f->zeros, n_piece, offset_bytes + n_done, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

/* Let the device zero a range. It forgets what was there, but only if the range reads as zeros
 * then; else the kernel refuses. (BLKZEROOUT would leave the range allocated.) */
static int zero_range(struct fd_sink *f, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	const struct helper_job job = {HELPER_ZERO, offset_bytes, size_bytes};
	int error = 0;

	/* Alone, while we do not know how fast it is. */
	if (!rate_is_known(&f->zeroing) && finish_all_writes(f, e) < 0)
		return -1;
	uint64_t begun_ns = clock_now_ns();
	if (helper_do(f->helper, &job, f->base.options.cancel, &error, e) < 0)
		return -1;
	f->has_no_zeroing = error != 0;
	if (error != 0)
		log_debug("zeroing %llu bytes at byte %llu: %s; writing zeros instead",
			  (unsigned long long)size_bytes, (unsigned long long)offset_bytes,
			  strerror(error));
	if (!rate_is_known(&f->zeroing)) {
		f->zeroing.n_bytes += size_bytes;
		f->zeroing.busy_ns += clock_now_ns() - begun_ns;
	}
	return 0;
}

static bool is_zeroing_worth(const struct fd_sink *f)
{
	return !f->has_no_zeroing && !rate_is_slower(&f->zeroing, ioq_write_rate(f->queue));
}

/* Write the zeros that were taken. What is done is forgotten piece by piece, so that whoever is
 * stopped in between can go on. */
static int settle_zeros(struct fd_sink *f, struct err *e)
{
	while (f->zeros_size_bytes > 0) {
		uint64_t offset_bytes = f->zeros_offset_bytes;
		uint64_t n_piece = min_u64(f->zeros_size_bytes, ZEROING_BYTES);
		bool is_zeroed = is_zeroing_worth(f);
		if (cancel_check(f->base.options.cancel, e) < 0 ||
		    wait_range(f, offset_bytes, n_piece, e) < 0)
			return -1;
		if (is_zeroed && zero_range(f, offset_bytes, n_piece, e) < 0)
			return -1;
		if ((!is_zeroed || f->has_no_zeroing) &&
		    write_zeros(f, offset_bytes, n_piece, e) < 0)
			return -1;
		f->zeros_offset_bytes += n_piece;
		f->zeros_size_bytes -= n_piece;
	}
	return 0;
}

static int take_zeros(struct fd_sink *f, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	bool is_next = offset_bytes == f->zeros_offset_bytes + f->zeros_size_bytes;

	if ((!is_next || f->zeros_size_bytes >= ZEROING_BYTES) && settle_zeros(f, e) < 0)
		return -1;
	if (f->zeros_size_bytes == 0)
		f->zeros_offset_bytes = offset_bytes;
	f->zeros_size_bytes += size_bytes;
	return 0;
}

int fd_sink_settle(struct fd_sink *f, struct err *e)
{
	if (settle_zeros(f, e) == 0 && finish_all_writes(f, e) == 0)
		return 0;
	if (e->code != ERR_CANCELLED && f->base.failure.code == ERR_NONE)
		f->base.failure = *e;
	return -1;
}

static int check_started(const struct fd_sink *f, struct err *e)
{
	if (!f->helper)
		return err_set(e, ERR_USAGE, "the target was opened to be looked at only");
	return 0;
}

int fd_sink_hint(struct fd_sink *f, const struct helper_job *job, int *out_error, struct err *e)
{
	if (check_started(f, e) < 0 || wait_range(f, job->offset_bytes, job->size_bytes, e) < 0)
		return -1;
	return helper_do(f->helper, job, NULL, out_error, e);
}

/* ---- The operations -------------------------------------------------------------------------
 */

static void note_dirty(struct fd_sink *f, uint64_t from_bytes, uint64_t to_bytes)
{
	bool is_first = f->dirty_from_bytes == f->dirty_to_bytes;

	f->dirty_from_bytes = is_first ? from_bytes : min_u64(f->dirty_from_bytes, from_bytes);
	f->dirty_to_bytes = max_u64(f->dirty_to_bytes, to_bytes);
}

/* A page cache may hold minutes of writing, which is no stall: have it written back piece by piece.
 * Not every file system can, and then a flush does it all. */
static int clean(struct fd_sink *f, int *out_error, struct err *e)
{
	int error = 0;

	while (f->is_cached && error == 0 && f->dirty_from_bytes < f->dirty_to_bytes) {
		const struct helper_job job = {
			HELPER_CLEAN, f->dirty_from_bytes,
			min_u64(f->dirty_to_bytes - f->dirty_from_bytes, CLEANING_BYTES)};
		if (helper_do(f->helper, &job, f->base.options.cancel, &error, e) < 0)
			return -1;
		f->dirty_from_bytes += job.size_bytes;
	}
	f->dirty_from_bytes = 0;
	f->dirty_to_bytes = 0;
	*out_error = error == EINVAL || error == ESPIPE || error == ENOSYS ? 0 : error;
	return 0;
}

int fd_sink_write(struct sink *s, const struct chunk *c, struct err *e)
{
	struct fd_sink *f = (struct fd_sink *)s;

	if (check_started(f, e) < 0)
		return -1;
	note_dirty(f, chunk_offset_bytes(c), chunk_offset_bytes(c) + chunk_size_bytes(c));
	/* Whoever reads next opens the medium afresh. */
	closep(&f->read_fd);
	f->read_fd = -1;
	if (chunk_kind(c) == CHUNK_ZERO)
		return take_zeros(f, chunk_offset_bytes(c),
				  align_up(chunk_size_bytes(c), s->sector_bytes), e);
	if (settle_zeros(f, e) < 0)
		return -1;
	return write_data(f, c, e);
}

int fd_sink_flush(struct sink *s, struct err *e)
{
	struct fd_sink *f = (struct fd_sink *)s;
	const struct helper_job job = {.call = HELPER_FLUSH};
	int error = 0;

	closep(&f->read_fd);
	f->read_fd = -1;
	if (check_started(f, e) < 0 || fd_sink_settle(f, e) < 0 || clean(f, &error, e) < 0)
		return -1;
	if (error == 0 && helper_do(f->helper, &job, s->options.cancel, &error, e) < 0)
		return -1;
	if (error != 0)
		return explain(f, error, err_set(e, ERR_IO, "flushing: %s", strerror(error)), e);
	/* What was read before through the page cache must not answer for the medium. All is clean
	 * by now, so that all pages go. */
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

/* The kernel may still use the bytes of a chunk that stalled: it stays, on purpose. */
static void leave_behind(const struct chunk *c)
{
#ifdef __SANITIZE_ADDRESS__
	__lsan_ignore_object(c);
#else
	(void)c;
#endif
}

/* Let go of what is in the line, as far as it is done. */
static void drop_pieces(struct fd_sink *f)
{
	while (f->writes.n_pieces > 0) {
		struct piece p = line_pop(&f->writes);
		if (p.op.is_done)
			chunk_free(p.chunk);
		else
			leave_behind(p.chunk);
	}
	while (f->reads.n_pieces > 0) {
		struct piece first = line_pop(&f->reads);
		struct piece p = first;
		bool is_done = p.op.is_done;
		while (!p.is_last && f->reads.n_pieces > 0) {
			p = line_pop(&f->reads);
			is_done = is_done && p.op.is_done;
		}
		if (is_done)
			pool_give(sink_pool(&f->base), first.op.bytes);
	}
}

void fd_sink_free(struct sink *s)
{
	struct fd_sink *f = (struct fd_sink *)s;
	struct err ignored = {0};

	sink_hold_on(s);
	bool is_settled = f->queue && ioq_settle(f->queue, s->options.cancel, &ignored) == 0;
	if (f->helper)
		helper_settle(f->helper, s->options.cancel);

	drop_pieces(f);
	ioq_free(f->queue);
	helper_free(f->helper);
	if (f->zeros && is_settled)
		(void)munmap(f->zeros, IOQ_PIECE_BYTES);
	closep(&f->read_fd);
	closep(&s->probe_fd);
	closep(&f->fd);
	sink_release(s);
	free(f);
}

int fd_sink_new(const struct sink_ops *ops, const struct sink_options *o, struct fd_sink **out,
		struct err *e)
{
	struct fd_sink *f = calloc(1, sizeof *f);

	if (!f)
		return err_errno(e, "opening a target");
	f->fd = -1;
	f->read_fd = -1;
	f->single.is_done = true;
	CLEANUP(sink_freep) struct sink *s = (struct sink *)f;
	if (sink_init(s, ops, o, e) < 0 ||
	    ioq_new(s->options.stall_timeout_ms, false, &f->queue, e) < 0)
		return -1;
	*out = (struct fd_sink *)TAKE(s);
	return 0;
}

int fd_sink_start(struct fd_sink *f, struct err *e)
{
	return helper_new(f->fd, f->base.options.stall_timeout_ms, &f->helper, e);
}
