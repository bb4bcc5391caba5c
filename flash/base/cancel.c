/* Being asked to stop. See cancel.h. */
#include "flash/base/cancel.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

bool cancel_is_requested(const struct cancel *c)
{
	if (!c || c->fd < 0)
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
