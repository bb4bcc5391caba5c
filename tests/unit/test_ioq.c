/* Operations under way, through io_uring and one by one; the helper process; which way is slower.
 */
#include "flash/sink/ioq.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/sink/helper.h"
#include "flash/sink/rate.h"

enum { STALL_MS = 100, UNIT_BYTES = 4096, N_RING_TESTS = 6 };

/* Whether the tests below go through the ring; set by main, once. */
static bool is_one_by_one;

static struct ioq *queue(void)
{
	struct ioq *q = NULL;
	struct err e = {0};

	assert_int_equal(ioq_new(STALL_MS, is_one_by_one, &q, &e), 0);
	return q;
}

/* A file of n_bytes zeros that is gone when its descriptor is. */
static int file_of(size_t n_bytes)
{
	int fd = memfd_create("test-ioq", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n_bytes), 0);
	return fd;
}

static struct ioq_op op_of(enum ioq_kind kind, int fd, void *bytes, size_t n_bytes,
			   uint64_t offset_bytes)
{
	return (struct ioq_op){.kind = kind,
			       .fd = fd,
			       .bytes = bytes,
			       .n_bytes = n_bytes,
			       .offset_bytes = offset_bytes,
			       .unit_bytes = 1};
}

/* Begin op and wait for it. */
static void do_op(struct ioq *q, struct ioq_op *op)
{
	struct err e = {0};

	assert_int_equal(ioq_begin(q, op, &e), 0);
	assert_int_equal(ioq_wait(q, op, NULL, &e), 0);
	assert_true(op->is_done);
}

struct pipe_ends {
	int from;
	int to;
};

static struct pipe_ends pipe_of(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	return (struct pipe_ends){ends[0], ends[1]};
}

/* Features that the kernel is not to have. */
static unsigned hidden_features;

int __real_io_uring_queue_init(unsigned n_entries, struct io_uring *ring, unsigned flags);
int __wrap_io_uring_queue_init(unsigned n_entries, struct io_uring *ring, unsigned flags);
int __wrap_io_uring_queue_init(unsigned n_entries, struct io_uring *ring, unsigned flags)
{
	int error = __real_io_uring_queue_init(n_entries, ring, flags);

	ring->features &= ~hidden_features;
	return error;
}

static void ring_that_can_neither_read_nor_write_is_not_used(void **state)
{
	struct ioq *q = NULL;
	struct err e = {0};

	(void)state;
	hidden_features = IORING_FEAT_RW_CUR_POS; /* Linux 5.1 to 5.5 */
	int result = ioq_new(STALL_MS, false, &q, &e);
	hidden_features = 0;
	assert_int_equal(result, 0);
	assert_true(ioq_is_one_by_one(q));
	ioq_free(q);
}

/* ---- Both ways ------------------------------------------------------------------------------ */

static void what_was_written_is_read(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	CLEANUP(closep) int fd = file_of(2 * UNIT_BYTES);
	char text[] = "hello";
	char got[sizeof text] = "";
	struct ioq_op write = op_of(IOQ_WRITE, fd, text, sizeof text, UNIT_BYTES);
	struct ioq_op read = op_of(IOQ_READ, fd, got, sizeof got, UNIT_BYTES);
	struct err e = {0};

	(void)state;
	do_op(q, &write);
	assert_int_equal(ioq_result(&write, &e), 0);
	do_op(q, &read);
	assert_int_equal(ioq_result(&read, &e), 0);
	assert_string_equal(got, "hello");
}

static void many_are_under_way_at_once(void **state)
{
	enum { N_OPS = 200 }; /* more than the ring hands over at once */
	CLEANUP(ioq_freep) struct ioq *q = queue();
	CLEANUP(closep) int fd = file_of(N_OPS);
	struct ioq_op ops[N_OPS];
	uint8_t bytes[N_OPS];
	uint8_t got[N_OPS] = {0};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < N_OPS; i++) {
		bytes[i] = (uint8_t)(i + 1);
		ops[i] = op_of(IOQ_WRITE, fd, &bytes[i], 1, i);
		assert_int_equal(ioq_begin(q, &ops[i], &e), 0);
	}
	assert_int_equal(ioq_settle(q, NULL, &e), 0);
	assert_int_equal(pread(fd, got, N_OPS, 0), N_OPS);
	assert_memory_equal(got, bytes, N_OPS);
}

static void write_that_fails_names_the_byte(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	CLEANUP(closep) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char text[] = "hello";
	struct ioq_op write = op_of(IOQ_WRITE, fd, text, sizeof text, 2 * UNIT_BYTES);
	struct err e = {0};

	(void)state;
	do_op(q, &write);
	assert_int_equal(ioq_result(&write, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "writing at byte 8192: Bad file descriptor");
}

static void read_past_the_end_names_the_end(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	CLEANUP(closep) int fd = file_of(UNIT_BYTES + 10);
	uint8_t got[UNIT_BYTES];
	struct ioq_op read = op_of(IOQ_READ, fd, got, sizeof got, UNIT_BYTES);
	struct err e = {0};

	(void)state;
	do_op(q, &read);
	assert_int_equal(ioq_result(&read, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "reading at byte 4106: the medium ends there");
}

static void read_in_whole_units_ends_with_the_file(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	CLEANUP(closep) int fd = file_of(UNIT_BYTES + 10);
	uint8_t got[2 * UNIT_BYTES];
	struct ioq_op read = op_of(IOQ_READ, fd, got, UNIT_BYTES + 10, 0);
	struct err e = {0};

	(void)state;
	read.unit_bytes = UNIT_BYTES;
	do_op(q, &read);
	assert_int_equal(ioq_result(&read, &e), 0);
}

static void full_medium_is_told(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	CLEANUP(closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	char text[] = "hello";
	struct ioq_op write = op_of(IOQ_WRITE, fd, text, sizeof text, 0);
	struct err e = {0};

	(void)state;
	do_op(q, &write);
	assert_int_equal(write.error, ENOSPC);
	assert_int_equal(ioq_result(&write, &e), -1);
	assert_string_equal(e.text, "writing at byte 0: No space left on device");
}

static unsigned n_poll_failures;

int __real_poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms)
{
	if (n_poll_failures == 0)
		return __real_poll(fds, n_fds, timeout_ms);
	n_poll_failures--;
	errno = ENOMEM;
	return -1;
}

/* ---- Only through the ring: a pipe that nobody writes to is a device that does not answer ---- */

static void short_read_is_continued(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	struct pipe_ends p = pipe_of();
	CLEANUP(closep) int from = p.from;
	CLEANUP(closep) int to = p.to;
	char got[6] = "";
	struct ioq_op read = op_of(IOQ_READ, from, got, 5, 0);
	struct err e = {0};

	(void)state;
	assert_int_equal(write(to, "he", 2), 2);
	assert_int_equal(ioq_begin(q, &read, &e), 0);
	assert_int_equal(write(to, "llo", 3), 3);
	assert_int_equal(ioq_wait(q, &read, NULL, &e), 0);
	assert_int_equal(ioq_result(&read, &e), 0);
	assert_string_equal(got, "hello");
}

static void operation_goes_on_after_it_was_begun(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	struct pipe_ends p = pipe_of();
	CLEANUP(closep) int from = p.from;
	CLEANUP(closep) int to = p.to;
	char got[6] = "";
	struct ioq_op read = op_of(IOQ_READ, from, got, 5, 0);
	struct err e = {0};

	(void)state;
	assert_int_equal(ioq_begin(q, &read, &e), 0);
	assert_false(read.is_done);
	assert_int_equal(write(to, "hello", 5), 5);
	assert_int_equal(ioq_wait(q, &read, NULL, &e), 0);
	assert_string_equal(got, "hello");
}

static void silence_is_an_error_that_names_the_byte(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	struct pipe_ends p = pipe_of();
	CLEANUP(closep) int from = p.from;
	CLEANUP(closep) int to = p.to;
	char got[5];
	struct ioq_op read = op_of(IOQ_READ, from, got, 5, 0);
	struct err e = {0};

	(void)state;
	(void)to; /* open, and silent */
	assert_int_equal(ioq_begin(q, &read, &e), 0);
	assert_int_equal(ioq_wait(q, &read, NULL, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_false(read.is_done);
	assert_non_null(strstr(e.text, "reading at byte 0: nothing happened for 0.1 s; check "));
}

static void after_silence_every_call_fails(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	struct pipe_ends p = pipe_of();
	CLEANUP(closep) int from = p.from;
	CLEANUP(closep) int to = p.to;
	char got[5];
	struct ioq_op stuck = op_of(IOQ_READ, from, got, 5, 0);
	struct ioq_op well = op_of(IOQ_WRITE, fd, got, 5, 0);
	struct err e = {0};

	(void)state;
	(void)to; /* open, and silent */
	assert_int_equal(ioq_begin(q, &stuck, &e), 0);
	assert_int_equal(ioq_wait(q, &stuck, NULL, &e), -1);
	assert_int_equal(ioq_begin(q, &well, &e), -1);
	assert_true(well.is_done);
	assert_int_equal(ioq_wait(q, &stuck, NULL, &e), -1);
	assert_int_equal(ioq_settle(q, NULL, &e), -1);
	assert_non_null(strstr(e.text, "nothing happened"));
}

static void wait_that_fails_makes_every_call_fail(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	struct pipe_ends p = pipe_of();
	CLEANUP(closep) int from = p.from;
	CLEANUP(closep) int to = p.to;
	char got[6] = "";
	struct ioq_op read = op_of(IOQ_READ, from, got, 5, 0);
	struct err e = {0};

	(void)state;
	assert_int_equal(ioq_begin(q, &read, &e), 0);
	n_poll_failures = 1;
	assert_int_equal(ioq_wait(q, &read, NULL, &e), -1);
	assert_int_equal(n_poll_failures, 0);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(write(to, "hello", 5), 5);
	assert_int_equal(ioq_wait(q, &read, NULL, &e), -1);
	assert_string_equal(e.text, "waiting for the device: Cannot allocate memory");
}

static void whoever_is_asked_to_stop_does_not_wait(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	struct pipe_ends p = pipe_of();
	struct pipe_ends stop = pipe_of();
	CLEANUP(closep) int from = p.from;
	CLEANUP(closep) int to = p.to;
	CLEANUP(closep) int stop_from = stop.from;
	CLEANUP(closep) int stop_to = stop.to;
	const struct cancel cancel = {.fd = stop_from};
	char got[6] = "";
	struct ioq_op read = op_of(IOQ_READ, from, got, 5, 0);
	struct err e = {0};

	(void)state;
	assert_int_equal(write(stop_to, "x", 1), 1);
	assert_int_equal(ioq_begin(q, &read, &e), 0);
	assert_int_equal(ioq_wait(q, &read, &cancel, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_int_equal(write(to, "hello", 5), 5);
	assert_int_equal(ioq_wait(q, &read, NULL, &e), 0);
	assert_string_equal(got, "hello");
}

static void grace_ends_a_wait_only_when_nothing_happens(void **state)
{
	CLEANUP(ioq_freep) struct ioq *q = queue();
	struct pipe_ends p = pipe_of();
	struct pipe_ends stop = pipe_of();
	CLEANUP(closep) int from = p.from;
	CLEANUP(closep) int to = p.to;
	CLEANUP(closep) int stop_from = stop.from;
	CLEANUP(closep) int stop_to = stop.to;
	const struct cancel cancel = {.fd = stop_from, .grace_ms = 20};
	char got[6] = "";
	struct ioq_op read = op_of(IOQ_READ, from, got, 5, 0);
	struct err e = {0};

	(void)state;
	assert_int_equal(write(stop_to, "x", 1), 1);
	assert_int_equal(cancel_check(&cancel, &e), 0);
	assert_int_equal(write(to, "hello", 5), 5);
	assert_int_equal(ioq_begin(q, &read, &e), 0);
	assert_int_equal(ioq_wait(q, &read, &cancel, &e), 0);
	assert_int_equal(ioq_begin(q, &read, &e), 0);
	assert_int_equal(ioq_settle(q, &cancel, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_int_equal(ioq_wait(q, &read, NULL, &e), -1);
	assert_int_equal(write(to, "hello", 5), 5);
}

/* ---- The helper process --------------------------------------------------------------------- */

/* Of the last one. */
static pid_t helper_pid;

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
	pid_t pid = __real_fork();

	helper_pid = pid;
	return pid;
}

/* Of the helpers that are made next, the first so many calls. */
static unsigned n_flush_failures;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	if (n_flush_failures == 0)
		return __real_fsync(fd);
	n_flush_failures--;
	errno = EIO;
	return -1;
}

static struct helper *helper_on(int fd)
{
	struct helper *h = NULL;
	struct err e = {0};

	assert_int_equal(helper_new(fd, STALL_MS * 100, &h, &e), 0);
	return h;
}

static void helper_zeroes_a_range(void **state)
{
	CLEANUP(closep) int fd = file_of(3 * UNIT_BYTES);
	CLEANUP(helper_freep) struct helper *h = helper_on(fd);
	const struct helper_job job = {HELPER_ZERO, UNIT_BYTES, UNIT_BYTES};
	uint8_t bytes[3 * UNIT_BYTES];
	int error = -1;
	struct err e = {0};

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	assert_int_equal(pwrite(fd, bytes, sizeof bytes, 0), sizeof bytes);
	assert_int_equal(helper_do(h, &job, NULL, &error, &e), 0);
	assert_int_equal(error, 0);
	assert_int_equal(pread(fd, bytes, sizeof bytes, 0), sizeof bytes);
	assert_int_equal(bytes[UNIT_BYTES - 1], 'x');
	assert_true(bytes_are_zero(bytes + UNIT_BYTES, UNIT_BYTES));
	assert_int_equal(bytes[2 * UNIT_BYTES], 'x');
}

static void helper_flushes(void **state)
{
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	CLEANUP(helper_freep) struct helper *h = helper_on(fd);
	const struct helper_job job = {.call = HELPER_FLUSH};
	int error = -1;
	struct err e = {0};

	(void)state;
	assert_int_equal(helper_do(h, &job, NULL, &error, &e), 0);
	assert_int_equal(error, 0);
}

static void helper_tells_why_a_call_failed(void **state)
{
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	CLEANUP(helper_freep) struct helper *h = helper_on(fd);
	const struct helper_job job = {HELPER_DISCARD, 0, UNIT_BYTES};
	int error = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(helper_do(h, &job, NULL, &error, &e), 0);
	assert_int_equal(error, ENOTTY);
}

static void helper_needs_no_more_descriptors_than_it_is_made_with(void **state)
{
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	const struct helper_job job = {HELPER_FLUSH, 0, 0};
	struct rlimit before = {0};
	int error = -1;
	struct err e = {0};

	(void)state;
	int next = dup(fd);
	assert_int_equal(close(next), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	const struct rlimit tight = {(rlim_t)next + 3, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	CLEANUP(helper_freep) struct helper *h = helper_on(fd);
	int result = helper_do(h, &job, NULL, &error, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(result, 0);
	assert_int_equal(error, 0);
}

/* Ask for a call that the helper cannot begin, and be stopped. */
static void be_stopped(struct helper *h, enum helper_call call)
{
	struct pipe_ends stop = pipe_of();
	CLEANUP(closep) int stop_from = stop.from;
	CLEANUP(closep) int stop_to = stop.to;
	const struct cancel cancel = {.fd = stop_from};
	const struct helper_job job = {call, 0, UNIT_BYTES};
	int error = 0;
	struct err e = {0};

	assert_int_equal(kill(helper_pid, SIGSTOP), 0);
	assert_int_equal(waitpid(helper_pid, NULL, WUNTRACED), helper_pid);
	assert_int_equal(write(stop_to, "x", 1), 1);
	assert_int_equal(helper_do(h, &job, &cancel, &error, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
}

/* Or it would zero what the next program writes. */
static void helper_that_zeroes_is_waited_for_at_its_end(void **state)
{
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	struct helper *h = helper_on(fd);
	char byte = 'x';

	(void)state;
	assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
	be_stopped(h, HELPER_ZERO);
	assert_int_equal(kill(helper_pid, SIGCONT), 0);
	helper_free(h);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(waitpid(helper_pid, NULL, WNOHANG), -1);
}

static void helper_that_flushes_is_not_waited_for_at_its_end(void **state)
{
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	struct helper *h = helper_on(fd);

	(void)state;
	be_stopped(h, HELPER_FLUSH);
	helper_free(h);
	assert_int_equal(kill(helper_pid, SIGCONT), 0);
	assert_int_equal(waitpid(helper_pid, NULL, 0), helper_pid);
}

/* A kernel tells of a loss only once. */
static void flush_that_failed_unwatched_is_told_by_the_next(void **state)
{
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	const struct helper_job zero = {HELPER_ZERO, 0, UNIT_BYTES};
	const struct helper_job flush = {.call = HELPER_FLUSH};
	int error = -1;
	struct err e = {0};

	(void)state;
	n_flush_failures = 1;
	CLEANUP(helper_freep) struct helper *h = helper_on(fd);
	n_flush_failures = 0;
	be_stopped(h, HELPER_FLUSH);
	assert_int_equal(kill(helper_pid, SIGCONT), 0);
	assert_int_equal(helper_do(h, &zero, NULL, &error, &e), 0);
	assert_int_equal(error, 0);
	assert_int_equal(helper_do(h, &flush, NULL, &error, &e), 0);
	assert_int_equal(error, EIO);
}

static void helper_that_stalls_is_given_up(void **state)
{
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	const struct helper_job job = {HELPER_ZERO, UNIT_BYTES, UNIT_BYTES};
	struct helper *h = NULL;
	int error = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(helper_new(fd, STALL_MS, &h, &e), 0);
	be_stopped(h, HELPER_ZERO);
	assert_int_equal(helper_do(h, &job, NULL, &error, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "zeroing at byte 0: nothing happened for 0.1 s; "));
	helper_free(h);
	assert_int_equal(kill(helper_pid, SIGKILL), 0);
	assert_int_equal(waitpid(helper_pid, NULL, 0), helper_pid);
}

static void helper_that_is_gone_is_an_io_error(void **state)
{
	CLEANUP(closep) int fd = file_of(UNIT_BYTES);
	CLEANUP(helper_freep) struct helper *h = helper_on(fd);
	const struct helper_job job = {.call = HELPER_FLUSH};
	int error = 0;
	struct err e = {0};

	(void)state;
	assert_int_equal(kill(helper_pid, SIGKILL), 0);
	assert_int_equal(helper_do(h, &job, NULL, &error, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(helper_do(h, &job, NULL, &error, &e), -1);
}

static void helper_is_not_made_without_a_medium(void **state)
{
	struct helper *h = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(helper_new(-1, STALL_MS, &h, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

/* ---- Rates ---------------------------------------------------------------------------------- */

static void slower_rate_is_found(void **state)
{
	const struct rate slow = {RATE_SAMPLE_BYTES, 2000};
	const struct rate fast = {2 * (uint64_t)RATE_SAMPLE_BYTES, 2000};

	(void)state;
	assert_true(rate_is_slower(&slow, &fast));
	assert_false(rate_is_slower(&fast, &slow));
	assert_false(rate_is_slower(&slow, &slow));
}

static void small_sample_decides_nothing(void **state)
{
	const struct rate guess = {RATE_SAMPLE_BYTES - 1, 2000};
	const struct rate known = {2 * (uint64_t)RATE_SAMPLE_BYTES, 2000};

	(void)state;
	assert_false(rate_is_slower(&guess, &known));
	assert_false(rate_is_slower(&(struct rate){RATE_SAMPLE_BYTES, 2000}, &(struct rate){1, 1}));
}

static int through_the_ring(void **state)
{
	(void)state;
	is_one_by_one = false;
	return 0;
}

static int one_by_one(void **state)
{
	(void)state;
	is_one_by_one = true;
	return 0;
}

static bool is_ring_there(void)
{
	is_one_by_one = false;
	CLEANUP(ioq_freep) struct ioq *q = queue();

	return !ioq_is_one_by_one(q);
}

#define RING(test) cmocka_unit_test_setup(test, through_the_ring)
#define BOTH_WAYS(test)                                                                            \
	RING(test),                                                                                \
	{                                                                                          \
#test "_one_by_one", test, one_by_one, NULL, NULL                                  \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_WAYS(what_was_written_is_read),
		BOTH_WAYS(many_are_under_way_at_once),
		BOTH_WAYS(write_that_fails_names_the_byte),
		BOTH_WAYS(read_past_the_end_names_the_end),
		BOTH_WAYS(read_in_whole_units_ends_with_the_file),
		BOTH_WAYS(full_medium_is_told),
		cmocka_unit_test(ring_that_can_neither_read_nor_write_is_not_used),
		cmocka_unit_test(helper_zeroes_a_range),
		cmocka_unit_test(helper_flushes),
		cmocka_unit_test(helper_tells_why_a_call_failed),
		cmocka_unit_test(helper_is_not_made_without_a_medium),
		cmocka_unit_test(helper_needs_no_more_descriptors_than_it_is_made_with),
		cmocka_unit_test(helper_that_zeroes_is_waited_for_at_its_end),
		cmocka_unit_test(helper_that_flushes_is_not_waited_for_at_its_end),
		cmocka_unit_test(flush_that_failed_unwatched_is_told_by_the_next),
		cmocka_unit_test(helper_that_stalls_is_given_up),
		cmocka_unit_test(helper_that_is_gone_is_an_io_error),
		cmocka_unit_test(slower_rate_is_found),
		cmocka_unit_test(small_sample_decides_nothing),
		RING(short_read_is_continued),
		RING(operation_goes_on_after_it_was_begun),
		RING(silence_is_an_error_that_names_the_byte),
		RING(after_silence_every_call_fails),
		RING(wait_that_fails_makes_every_call_fail),
		RING(whoever_is_asked_to_stop_does_not_wait),
		RING(grace_ends_a_wait_only_when_nothing_happens),
	};
	size_t n_tests = sizeof tests / sizeof *tests;

	return _cmocka_run_group_tests(
		"ioq", tests, is_ring_there() ? n_tests : n_tests - N_RING_TESTS, NULL, NULL);
}
