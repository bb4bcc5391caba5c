/* Starting an image in QEMU. See machine.h. */
#include "provision/build/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/clock.h"
#include "flash/base/fdio.h"
#include "flash/base/spawn.h"
#include "provision/build/console.h"
#include "provision/build/qemu_args.h"

enum {
	COPY_MAX_BYTES = 256 << 20, /* of what the machine writes to; UEFI variables have 64 MiB */
	PIECE_BYTES = 4096,
	END_MS = 10000, /* to write back what it has; then it is killed */
};

struct machine {
	const struct machine_request *r;
	struct console *console; /* owned, as all here */
	struct qemu_args args;
	char *drive_path;
	int out_fd; /* what it says; -1: nothing, or no more */
	pid_t pid;  /* 0: it does not run */
	int pid_fd; /* can be read when it has ended */
	int status; /* of wait(2), once it has ended */
};

/* ---- Its disk ------------------------------------------------------------------------------- */

static int image_size(const char *path, uint64_t *out_bytes, struct err *e)
{
	/* A FIFO must be refused, not waited for. */
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (end < 0)
		return err_errno(e, "%s", path);
	*out_bytes = (uint64_t)end;
	return 0;
}

static uint64_t power_of_two_above(uint64_t n)
{
	uint64_t power = 1;

	while (power < n && power <= UINT64_MAX / 2)
		power *= 2;
	return power;
}

static int check_size(const struct machine_request *r, uint64_t is_bytes, uint64_t needed_bytes,
		      struct err *e)
{
	if (is_bytes == needed_bytes)
		return 0;
	return err_set(e, ERR_USAGE,
		       "%s has %" PRIu64 " bytes, and the machine of %s takes powers of two; make "
		       "it %" PRIu64 " by truncate, or do without --writable",
		       r->image_path, is_bytes, r->board->id, needed_bytes);
}

/* A layer over the image, which takes what the machine writes. */
static int make_layer(struct machine *m, const char *image_path, uint64_t size_bytes, struct err *e)
{
	CLEANUP(freep) char *size = NULL;

	if (asprintf(&m->drive_path, "%s/disk", m->r->scratch_folder) < 0) {
		m->drive_path = NULL;
		return err_errno(e, "%s", m->r->scratch_folder);
	}
	if (asprintf(&size, "%" PRIu64, size_bytes) < 0) {
		size = NULL;
		return err_errno(e, "%s", m->r->scratch_folder);
	}
	const char *const argv[] = {"qemu-img", "create", "-q",       "-f",          "qcow2", "-F",
				    "raw",      "-b",     image_path, m->drive_path, size,    NULL};
	const struct spawn s = {.argv = argv, .packages = "qemu-utils", .cancel = m->r->cancel};

	return spawn_run(&s, e);
}

static int prepare_drive(struct machine *m, struct err *e)
{
	const struct machine_request *r = m->r;
	CLEANUP(freep) char *path = realpath(r->image_path, NULL);
	uint64_t is_bytes = 0;

	if (!path)
		return err_errno(e, "%s", r->image_path);
	if (image_size(path, &is_bytes, e) < 0)
		return -1;
	uint64_t needed_bytes =
		r->board->qemu->is_power_of_two ? power_of_two_above(is_bytes) : is_bytes;
	if (!r->is_writable)
		return make_layer(m, path, needed_bytes, e);
	if (check_size(r, is_bytes, needed_bytes, e) < 0)
		return -1;
	m->drive_path = TAKE(path);
	return 0;
}

/* ---- What it is started with ---------------------------------------------------------------- */

static int make_copies(const struct qemu_args *a, struct err *e)
{
	for (size_t i = 0; i < a->n_copies; i++) {
		CLEANUP(freep) uint8_t *bytes = NULL;
		size_t n_bytes = 0;
		if (fdio_load(a->copies[i].from, COPY_MAX_BYTES, &bytes, &n_bytes, e) < 0 ||
		    fdio_save(a->copies[i].to, bytes, n_bytes, 0600, e) < 0)
			return err_wrap(e, "copying %s for the machine", a->copies[i].from);
	}
	return 0;
}

static int prepare(struct machine *m, struct err *e)
{
	const struct machine_request *r = m->r;

	if (prepare_drive(m, e) < 0)
		return -1;
	const struct qemu_request q = {
		.board = r->board,
		.firmware = r->firmware,
		.drive_path = m->drive_path,
		.drive_format = r->is_writable ? "raw" : "qcow2",
		.folder = r->scratch_folder,
		.is_terminal = r->is_terminal,
		.arguments = r->arguments,
		.n_arguments = r->n_arguments,
	};
	if (qemu_args_make(&q, &m->args, e) < 0 || console_new(r->expect, &m->console, e) < 0)
		return -1;
	return make_copies(&m->args, e);
}

/* ---- Running -------------------------------------------------------------------------------- */

static int spawn_it(struct machine *m, const int fds[3], struct err *e)
{
	const struct spawn s = {
		.argv = (const char *const *)m->args.argv,
		.packages = m->r->board->qemu->package,
	};

	if (spawn_start(&s, fds, &m->pid, e) < 0)
		return -1;
	m->pid_fd = pidfd_open(m->pid, 0);
	return m->pid_fd < 0 ? err_errno(e, "waiting for %s", s.argv[0]) : 0;
}

/* What QEMU itself has to say comes the same way as the console. */
static int start(struct machine *m, struct err *e)
{
	CLEANUP(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int in = m->r->console_in < 0 ? null : m->r->console_in;
	int ends[2] = {-1, -1};

	if (null < 0)
		return err_errno(e, "/dev/null");
	if (m->r->is_terminal)
		return spawn_it(m, (const int[]){in, m->r->console_out, STDERR_FILENO}, e);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, "starting a machine");
	CLEANUP(closep) int said = ends[1];
	m->out_fd = ends[0];
	return spawn_it(m, (const int[]){in, said, said}, e);
}

/* Pass on what it said, until it closes its console. */
static int listen_to(struct machine *m, struct err *e)
{
	uint8_t bytes[PIECE_BYTES];
	ssize_t n_bytes = read(m->out_fd, bytes, sizeof bytes);

	if (n_bytes < 0 && errno == EINTR)
		return 0;
	if (n_bytes < 0)
		return err_errno(e, "reading from the console");
	if (n_bytes == 0) {
		closep(&m->out_fd);
		m->out_fd = -1;
		return 0;
	}
	console_take(m->console, bytes, (size_t)n_bytes);
	if (m->r->console_out < 0)
		return 0;
	return fdio_write(m->r->console_out, bytes, (size_t)n_bytes, e) < 0
		       ? err_wrap(e, "passing on the console")
		       : 0;
}

static int ms_left(uint64_t end_ms)
{
	uint64_t now_ms = clock_now_ms();

	if (end_ms == 0)
		return -1;
	if (now_ms >= end_ms)
		return 0;
	return end_ms - now_ms > INT32_MAX ? INT32_MAX : (int)(end_ms - now_ms);
}

static int fail_by_time(const struct machine *m, struct err *e)
{
	const char *line = console_last_line(m->console);

	if (!m->r->expect)
		return err_set(e, ERR_IO,
			       "the machine still runs after %" PRIu64
			       " s; give it longer with --timeout",
			       m->r->timeout_s);
	return err_set(e, ERR_IO,
		       "the machine did not say \"%s\" within %" PRIu64 " s; its last line: %s",
		       m->r->expect, m->r->timeout_s, *line ? line : "(none)");
}

/* Wait for something to happen, and deal with it. *out_is_end: all it said was heard, and it ended.
 */
static int attend_once(struct machine *m, uint64_t end_ms, bool *out_is_end, struct err *e)
{
	struct pollfd fds[] = {
		{.fd = m->out_fd, .events = POLLIN},
		{.fd = m->r->cancel ? m->r->cancel->fd : -1, .events = POLLIN},
		{.fd = m->out_fd < 0 ? m->pid_fd : -1, .events = POLLIN},
	};
	int n_ready = poll(fds, sizeof fds / sizeof *fds, ms_left(end_ms));

	if (n_ready < 0)
		return errno == EINTR ? 0 : err_errno(e, "waiting for the machine");
	if (n_ready == 0)
		return fail_by_time(m, e);
	if (fds[1].revents)
		return err_set(e, ERR_CANCELLED, "stopped by a signal");
	*out_is_end = fds[2].revents != 0;
	return fds[0].revents ? listen_to(m, e) : 0;
}

/* Until it said what is expected, or ended. end_ms: of clock_now_ms; 0: never. */
static int attend(struct machine *m, uint64_t end_ms, struct err *e)
{
	bool is_end = false;

	while (!is_end && !console_has_said_it(m->console))
		if (attend_once(m, end_ms, &is_end, e) < 0)
			return -1;
	return 0;
}

/* ---- Its end -------------------------------------------------------------------------------- */

static void reap(struct machine *m)
{
	pid_t ended = 0;

	do
		ended = waitpid(m->pid, &m->status, 0);
	while (ended < 0 && errno == EINTR);
	m->pid = 0;
}

/* SIGTERM has QEMU write back what it has. */
static void stop(struct machine *m)
{
	struct pollfd fd = {.fd = m->pid_fd, .events = POLLIN};

	if (m->pid == 0)
		return;
	(void)kill(m->pid, SIGTERM);
	if (m->pid_fd < 0 || poll(&fd, 1, END_MS) <= 0)
		(void)kill(m->pid, SIGKILL);
	reap(m);
}

static void machine_release(struct machine *m)
{
	stop(m);
	closep(&m->out_fd);
	closep(&m->pid_fd);
	console_free(m->console);
	qemu_args_release(&m->args);
	free(m->drive_path);
}

/* It went by itself. */
static int check_end(struct machine *m, struct err *e)
{
	const char *line = console_last_line(m->console);
	const char *last = *line ? line : "(none)";

	reap(m);
	if (!WIFEXITED(m->status) || WEXITSTATUS(m->status) != 0)
		return err_set(e, ERR_IO, "%s failed; its last line: %s", m->args.argv[0], last);
	if (m->r->expect)
		return err_set(e, ERR_IO,
			       "the machine ended before it said \"%s\"; its last line: %s",
			       m->r->expect, last);
	return 0;
}

int machine_run(const struct machine_request *r, struct err *e)
{
	CLEANUP(machine_release) struct machine m = {.r = r, .out_fd = -1, .pid_fd = -1};
	uint64_t end_ms = r->timeout_s ? clock_now_ms() + r->timeout_s * 1000 : 0;

	if (!r->board->qemu)
		return err_set(e, ERR_USAGE,
			       "no emulator is known to start %s; those with qemu in "
			       "`lkflash boards` can be started",
			       r->board->id);
	if (prepare(&m, e) < 0 || start(&m, e) < 0 || attend(&m, end_ms, e) < 0)
		return err_wrap(e, "starting %s", r->image_path);
	if (console_has_said_it(m.console))
		return 0;
	return check_end(&m, e) < 0 ? err_wrap(e, "starting %s", r->image_path) : 0;
}
