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
#include "flash/base/log.h"
#include "flash/base/units.h"
#include "flash/sink/patience.h"
#include "flash/sink/reopen.h"

enum { ZEROING_BYTES = 64 << 20 }; /* at once, because the call cannot be interrupted */

_Static_assert(SINK_DEPTH_BYTES >> INDEX_CHUNK_LOG2_MIN <= FD_SINK_PIECES_MAX, "small chunks fit");
_Static_assert((SINK_DEPTH_MIN << INDEX_CHUNK_LOG2_MAX) / IOQ_PIECE_BYTES <= FD_SINK_PIECES_MAX,
	       "large ones");
_Static_assert(offsetof(struct fd_sink, base) == 0, "base comes first");

/* Add what to do about error, an errno, if result is a failure. */
static int explain(const struct fd_sink *f, int error, int result, struct err *e)
{
	if (result < 0 && (error == ENOSPC || error == EDQUOT) && f->full_hint)
		return err_hint(e, "%s", f->full_hint);
	return result;
}

/* ---- Pieces under way -----------------------------------------------------------------------
 */

static struct piece *piece_at(struct piece_line *line, size_t i)
{
	return &line->pieces[(line->first + i) % FD_SINK_PIECES_MAX];
}

/* Begin a piece behind all others; there is room. */
static int line_push(struct fd_sink *f, struct piece_line *line, const struct piece *p,
		     struct err *e)
{
	struct piece *placed = piece_at(line, line->n_pieces);

	*placed = *p;
	line->n_pieces++;
	line->n_bytes += p->op.n_bytes;
	return ioq_begin(f->queue, &placed->op, e);
}

/* The first piece, which is done. */
static struct piece line_pop(struct piece_line *line)
{
	struct piece p = *piece_at(line, 0);

	line->first = (line->first + 1) % FD_SINK_PIECES_MAX;
	line->n_pieces--;
	line->n_bytes -= p.op.n_bytes;
	return p;
}

static bool line_has_room(const struct piece_line *line, size_t n_bytes)
{
	return line->n_pieces == 0 ||
	       (line->n_pieces < FD_SINK_PIECES_MAX && line->n_bytes + n_bytes <= SINK_DEPTH_BYTES);
}

static bool line_overlaps(struct piece_line *line, uint64_t offset_bytes, uint64_t size_bytes)
{
	for (size_t i = 0; i < line->n_pieces; i++) {
		const struct ioq_op *op = &piece_at(line, i)->op;
		if (op->offset_bytes < offset_bytes + size_bytes &&
		    offset_bytes < op->offset_bytes + op->n_bytes)
			return true;
	}
	return false;
}

/* ---- Writing --------------------------------------------------------------------------------
 */

/* Wait for the write that was begun first. */
static int finish_write(struct fd_sink *f, struct err *e)
{
	const struct ioq_op *op = &piece_at(&f->writes, 0)->op;

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
	return line_push(f, &f->writes, &p, e);
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
	uint64_t begun_ns = patience_now_ns();
	if (helper_do(f->helper, &job, f->base.options.cancel, &error, e) < 0)
		return -1;
	f->has_no_zeroing = error != 0;
	if (error != 0)
		log_debug("zeroing %llu bytes at byte %llu: %s; writing zeros instead",
			  (unsigned long long)size_bytes, (unsigned long long)offset_bytes,
			  strerror(error));
	if (!rate_is_known(&f->zeroing)) {
		f->zeroing.n_bytes += size_bytes;
		f->zeroing.busy_ns += patience_now_ns() - begun_ns;
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

/* ---- Reading --------------------------------------------------------------------------------
 */

static int open_reader(struct fd_sink *f, struct err *e)
{
	if (f->read_fd >= 0)
		return 0;
	f->read_fd = reopen_fd(f->fd, O_RDONLY | O_DIRECT);
	if (f->read_fd < 0 && errno == EINVAL) {
		/* No direct reads on this file system: dropping its cache is the next best. */
		(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
		f->read_fd = reopen_fd(f->fd, O_RDONLY);
	}
	if (f->read_fd < 0)
		return err_errno(e, "opening for reading back");
	return 0;
}

static struct ioq_op read_op(const struct fd_sink *f, uint64_t offset_bytes, uint8_t *bytes,
			     size_t n_bytes)
{
	return (struct ioq_op){
		.kind = IOQ_READ,
		.fd = f->read_fd,
		.bytes = bytes,
		.n_bytes = n_bytes,
		.offset_bytes = offset_bytes,
		.unit_bytes = f->read_unit_bytes,
	};
}

/* Begin to read into buffer, which the line gives back from then on, whatever becomes of it. */
static int ask_pieces(struct fd_sink *f, uint64_t offset_bytes, uint8_t *buffer, size_t n_bytes,
		      struct err *e)
{
	for (size_t n_done = 0; n_done < n_bytes;) {
		size_t n_piece = (size_t)min_u64(n_bytes - n_done, IOQ_PIECE_BYTES);
		struct piece p = {
			.op = read_op(f, offset_bytes + n_done, buffer + n_done, n_piece),
			.is_last = n_done + n_piece == n_bytes,
		};
		if (line_push(f, &f->reads, &p, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

/* What was read already takes its place in the line too. */
static void add_done(struct fd_sink *f, uint64_t offset_bytes, uint8_t *buffer, size_t n_bytes)
{
	struct piece *p = piece_at(&f->reads, f->reads.n_pieces++);

	*p = (struct piece){.op = read_op(f, offset_bytes, buffer, n_bytes), .is_last = true};
	p->op.n_done_bytes = n_bytes;
	p->op.is_done = true;
	f->reads.n_bytes += n_bytes;
}

static int read_now(struct fd_sink *f, uint64_t offset_bytes, uint8_t *bytes, size_t n_bytes,
		    struct err *e)
{
	for (size_t n_done = 0; n_done < n_bytes;) {
		size_t n_piece = (size_t)min_u64(n_bytes - n_done, IOQ_PIECE_BYTES);
		f->single = read_op(f, offset_bytes + n_done, bytes + n_done, n_piece);
		/* Not to be stopped: whoever is would free the bytes. */
		if (ioq_begin(f->queue, &f->single, e) < 0 ||
		    ioq_wait(f->queue, &f->single, NULL, e) < 0 || ioq_result(&f->single, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

/* A direct read that starts in the middle of a unit: of all units it touches, which may be one more
 * than a buffer has room for. */
static int read_units(struct fd_sink *f, uint64_t offset_bytes, uint8_t *buffer, uint8_t *rest,
		      size_t n_bytes, struct err *e)
{
	uint64_t start_bytes = align_down(offset_bytes, f->read_unit_bytes);
	size_t n_before = (size_t)(offset_bytes - start_bytes);
	size_t n_first =
		(size_t)min_u64(n_before + n_bytes, pool_buffer_bytes(sink_pool(&f->base)));
	size_t n_rest = n_before + n_bytes - n_first;

	if (read_now(f, start_bytes, buffer, n_first, e) < 0)
		return -1;
	memmove(buffer, buffer + n_before, n_first - n_before);
	if (n_rest > 0 && read_now(f, start_bytes + n_first, rest, n_rest, e) < 0)
		return -1;
	memcpy(buffer + n_first - n_before, rest, n_rest);
	return 0;
}

static int ask_unaligned(struct fd_sink *f, uint64_t offset_bytes, uint8_t *buffer, size_t n_bytes,
			 struct err *e)
{
	struct pool *pool = sink_pool(&f->base);
	uint8_t *rest = NULL;
	int result = pool_take(pool, &rest, e);

	if (result == 0)
		result = read_units(f, offset_bytes, buffer, rest, n_bytes, e);
	if (result == 0)
		add_done(f, offset_bytes, buffer, n_bytes);
	if (f->single.is_done)
		pool_give(pool, rest);
	if (f->single.is_done && result < 0)
		pool_give(pool, buffer);
	return result;
}

static int ask_with(struct fd_sink *f, uint64_t offset_bytes, uint8_t *buffer, size_t n_bytes,
		    struct err *e)
{
	if (f->fd >= 0 && offset_bytes % f->read_unit_bytes != 0)
		return ask_unaligned(f, offset_bytes, buffer, n_bytes, e);
	if (f->fd >= 0)
		return ask_pieces(f, offset_bytes, buffer, n_bytes, e);
	memset(buffer, 0, n_bytes);
	add_done(f, offset_bytes, buffer, n_bytes);
	return 0;
}

/* A write that failed is found out by whoever waits for it; it is the sink's failure all the same.
 */
static int settle_writes(struct fd_sink *f, struct err *e)
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

int fd_sink_write(struct sink *s, const struct chunk *c, struct err *e)
{
	struct fd_sink *f = (struct fd_sink *)s;

	if (check_started(f, e) < 0)
		return -1;
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
	if (check_started(f, e) < 0 || settle_writes(f, e) < 0 ||
	    helper_do(f->helper, &job, s->options.cancel, &error, e) < 0)
		return -1;
	if (error != 0)
		return explain(f, error, err_set(e, ERR_IO, "flushing: %s", strerror(error)), e);
	/* What was read before through the page cache must not answer for the medium. All is clean
	 * by now, so that all pages go. */
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

int fd_sink_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e)
{
	struct fd_sink *f = (struct fd_sink *)s;
	uint8_t *buffer = NULL;

	if (settle_writes(f, e) < 0)
		return -1;
	if (f->fd >= 0 && open_reader(f, e) < 0)
		return -1;
	if (pool_take(sink_pool(s), &buffer, e) < 0)
		return -1;
	return ask_with(f, offset_bytes, buffer, n_bytes, e);
}

int fd_sink_read_take(struct sink *s, uint8_t **out_bytes, struct err *e)
{
	struct fd_sink *f = (struct fd_sink *)s;
	uint8_t *buffer = piece_at(&f->reads, 0)->op.bytes;
	size_t n_pieces = 0;
	int result = 0;

	do
		if (ioq_wait(f->queue, &piece_at(&f->reads, n_pieces)->op, s->options.cancel, e) <
		    0)
			return -1;
	while (!piece_at(&f->reads, n_pieces++)->is_last);
	for (; n_pieces > 0; n_pieces--) {
		struct piece p = line_pop(&f->reads);
		if (result == 0)
			result = ioq_result(&p.op, e);
	}
	if (result == 0)
		*out_bytes = buffer;
	else
		pool_give(sink_pool(s), buffer);
	return result;
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
		struct piece first = line_pop(&f->reads), p = first;
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
	bool is_settled = f->queue && ioq_settle(f->queue, &ignored) == 0;

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
