/* A process that makes calls which cannot be interrupted. See helper.h. */
#include "flash/sink/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/sink/patience.h"
#include "flash/sink/reopen.h"

struct helper {
	pid_t pid;
	int socket; /* owned; jobs go out, errno values come back */
	unsigned stall_timeout_ms;
	bool is_busy; /* a job went out, and no answer came back yet: */
	struct helper_job job;
	int flush_error;    /* of a flush that nobody waited for; 0: none failed */
	struct err failure; /* why nothing works any more; ERR_NONE: all is well */
};

/* ---- In the helper -------------------------------------------------------------------------- */

enum { MEDIUM_FD, SOCKET_FD, N_KEPT_FDS };

static int do_job(const struct helper_job *job)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	uint64_t range[2] = {job->offset_bytes, job->size_bytes};
	int result = 0;

	switch (job->call) {
	case HELPER_FLUSH:
		result = fsync(MEDIUM_FD);
		break;
	case HELPER_CLEAN:
		result = sync_file_range(MEDIUM_FD, (off_t)range[0], (off_t)range[1],
					 SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
						 SYNC_FILE_RANGE_WAIT_AFTER);
		break;
	case HELPER_ZERO:
		result = fallocate(MEDIUM_FD, mode, (off_t)range[0], (off_t)range[1]);
		break;
	case HELPER_DISCARD:
		result = ioctl(MEDIUM_FD, BLKDISCARD, range);
		break;
	}
	return result < 0 ? errno : 0;
}

/* A new descriptor only where it must be, for none may be left. */
static int out_of_the_way(int fd)
{
	return fd < N_KEPT_FDS ? fcntl(fd, F_DUPFD, N_KEPT_FDS) : fd;
}

/* Only what is safe between fork and exec. Whatever else is open, other targets and the terminal
 * among it, must not stay open because this process hangs. */
__attribute__((noreturn)) static void serve(int medium_fd, int socket)
{
	struct helper_job job;
	int high_medium_fd = out_of_the_way(medium_fd);
	int high_socket = out_of_the_way(socket);

	if (high_medium_fd < 0 || high_socket < 0 || dup2(high_medium_fd, MEDIUM_FD) < 0 ||
	    dup2(high_socket, SOCKET_FD) < 0)
		_exit(1);
	closefrom(N_KEPT_FDS);
	while (recv(SOCKET_FD, &job, sizeof job, 0) == sizeof job) {
		int answer = do_job(&job);
		if (send(SOCKET_FD, &answer, sizeof answer, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* ---- In the program ------------------------------------------------------------------------- */

/* Start the process with all signals blocked: whoever stops the program stops it through the
 * socket, which then ends. */
static pid_t start(int medium_fd, int socket)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0)
		serve(medium_fd, socket);
	int error = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return pid;
}

int helper_new(int fd, unsigned stall_timeout_ms, struct helper **out, struct err *e)
{
	CLEANUP(closep) int medium_fd = reopen_fd(fd, O_RDWR);
	CLEANUP(closep) int ours = -1;
	CLEANUP(closep) int theirs = -1;
	CLEANUP(freep) struct helper *h = calloc(1, sizeof *h);
	int pair[2];

	if (!h || medium_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(e, "making a helper process");
	ours = pair[0];
	theirs = pair[1];
	h->pid = start(medium_fd, theirs);
	if (h->pid < 0)
		return err_errno(e, "making a helper process");
	h->stall_timeout_ms = stall_timeout_ms;
	h->socket = TAKE_FD(ours);
	*out = TAKE(h);
	return 0;
}

static int fail(struct helper *h, const struct err *e)
{
	h->failure = *e;
	return -1;
}

static int say_stalled(struct helper *h, struct err *e)
{
	static const char *const doing[] = {
		[HELPER_FLUSH] = "flushing",
		[HELPER_CLEAN] = "flushing",
		[HELPER_ZERO] = "zeroing",
		[HELPER_DISCARD] = "discarding",
	};
	char text[64];

	if (h->job.call == HELPER_FLUSH)
		(void)snprintf(text, sizeof text, "%s", doing[h->job.call]);
	else
		(void)snprintf(text, sizeof text, "%s at byte %llu", doing[h->job.call],
			       (unsigned long long)h->job.offset_bytes);
	(void)patience_lost(h->stall_timeout_ms, text, e);
	return fail(h, e);
}

/* The answer to what the helper does now. */
static int take_answer(struct helper *h, const struct cancel *cancel, int *out_error, struct err *e)
{
	uint64_t end_ms = patience_end_ms(h->stall_timeout_ms);
	ssize_t n = -1;

	while (true) {
		n = recv(h->socket, out_error, sizeof *out_error, MSG_DONTWAIT);
		if (n >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
		if (patience_is_over(end_ms))
			return say_stalled(h, e);
		if (patience_wait(h->socket, end_ms, cancel, e) < 0)
			return -1;
	}
	h->is_busy = false;
	if (n == sizeof *out_error)
		return 0;
	(void)err_set(e, ERR_IO, "the helper process of the target ended");
	return fail(h, e);
}

/* Does it tell, once, what became of writes? */
static bool tells_losses(enum helper_call call)
{
	return call == HELPER_FLUSH || call == HELPER_CLEAN;
}

/* Whoever waited for the last job was stopped; what a flush found must not be lost, for the kernel
 * tells it only once. */
static int end_last_job(struct helper *h, const struct cancel *cancel, struct err *e)
{
	int answer = 0;

	if (!h->is_busy)
		return 0;
	if (take_answer(h, cancel, &answer, e) < 0)
		return -1;
	if (tells_losses(h->job.call) && answer != 0)
		h->flush_error = answer;
	return 0;
}

int helper_do(struct helper *h, const struct helper_job *job, const struct cancel *cancel,
	      int *out_error, struct err *e)
{
	int answer = 0;

	if (h->failure.code != ERR_NONE) {
		*e = h->failure;
		return -1;
	}
	if (end_last_job(h, cancel, e) < 0)
		return -1;
	if (send(h->socket, job, sizeof *job, MSG_NOSIGNAL) < 0) {
		(void)err_errno(e, "asking the helper process of the target");
		return fail(h, e);
	}
	h->is_busy = true;
	h->job = *job;
	if (take_answer(h, cancel, &answer, e) < 0)
		return -1;
	*out_error = job->call == HELPER_FLUSH && answer == 0 ? h->flush_error : answer;
	return 0;
}

void helper_settle(struct helper *h, const struct cancel *cancel)
{
	struct err e = {0};

	/* Zeros and discards must not come behind what the next program writes there. */
	if (!tells_losses(h->job.call) && h->failure.code == ERR_NONE &&
	    end_last_job(h, cancel, &e) < 0)
		(void)fail(h, &e);
}

void helper_free(struct helper *h)
{
	if (!h)
		return;
	helper_settle(h, NULL);
	closep(&h->socket);
	/* It ends with the socket; but a call that hangs may never end. */
	while (!h->is_busy && waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(h);
}
