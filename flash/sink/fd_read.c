/* Direct reads of the sinks on a descriptor. See fd_sink.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "flash/base/units.h"
#include "flash/sink/fd_sink.h"
#include "flash/sink/reopen.h"

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
		if (line_push(&f->reads, f->queue, &p, e) < 0)
			return -1;
		n_done += n_piece;
	}
	return 0;
}

/* What was read already takes its place in the line too. */
static void add_done(struct fd_sink *f, uint64_t offset_bytes, uint8_t *buffer, size_t n_bytes)
{
	struct piece *p = line_at(&f->reads, f->reads.n_pieces++);

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

int fd_sink_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e)
{
	struct fd_sink *f = (struct fd_sink *)s;
	uint8_t *buffer = NULL;

	if (ioq_check(f->queue, e) < 0 || fd_sink_settle(f, e) < 0)
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
	uint8_t *buffer = line_at(&f->reads, 0)->op.bytes;
	size_t n_pieces = 0;
	int result = 0;

	do
		if (ioq_wait(f->queue, &line_at(&f->reads, n_pieces)->op, s->options.cancel, e) <
		    0) {
			/* It stalled, and will not do anything any more. */
			if (e->code == ERR_IO)
				s->failure = *e;
			return -1;
		}
	while (!line_at(&f->reads, n_pieces++)->is_last);
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
