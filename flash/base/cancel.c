/* Being asked to stop. See cancel.h. */
#include "flash/base/cancel.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "flash/base/cleanup.h"

bool cancel_is_requested(const struct cancel *c)
{
	if (!c || c->fd < 0 || c->grace_ms > 0)
		return false;
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

int cancel_check(const struct cancel *c, struct err *e)
{
	if (cancel_is_requested(c))
		return err_set(e, ERR_CANCELLED, "stopped by a signal");
	return 0;
}

int cancel_wait_readable(const struct cancel *c, int fd, struct err *e)
{
	struct pollfd p[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = c ? c->fd : -1, .events = POLLIN},
	};
	int n_ready = 0;

	do
		n_ready = poll(p, 2, -1);
	while (n_ready < 0 && errno == EINTR);
	if (n_ready < 0)
		return err_errno(e, "waiting for data");
	if (p[1].revents)
		return err_set(e, ERR_CANCELLED, "stopped by a signal");
	return 0;
}

int cancel_scope_init(struct cancel_scope *s, const struct cancel *outer, struct err *e)
{
	CLEANUP(closep) int both = epoll_create1(EPOLL_CLOEXEC);
	CLEANUP(closep) int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event readable = {.events = EPOLLIN};

	if (both < 0 || event_fd < 0 || epoll_ctl(both, EPOLL_CTL_ADD, event_fd, &readable) < 0 ||
	    (outer && outer->fd >= 0 && epoll_ctl(both, EPOLL_CTL_ADD, outer->fd, &readable) < 0))
		return err_errno(e, "preparing to be stopped");
	s->cancel.fd = TAKE_FD(both);
	s->event_fd = TAKE_FD(event_fd);
	return 0;
}

void cancel_scope_request(const struct cancel_scope *s)
{
	const uint64_t one = 1;

	/* It can only fail because it was asked for 2^64 times. */
	ssize_t ignored = write(s->event_fd, &one, sizeof one);
	(void)ignored;
}

void cancel_scope_release(struct cancel_scope *s)
{
	closep(&s->cancel.fd);
	closep(&s->event_fd);
	s->cancel.fd = -1;
	s->event_fd = -1;
}
