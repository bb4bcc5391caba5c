/* Waiting for a device. See patience.h. */
#include "flash/sink/patience.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "flash/base/clock.h"
#include "flash/base/units.h"

uint64_t patience_end_ms(unsigned timeout_ms)
{
	return timeout_ms == 0 ? UINT64_MAX : clock_now_ms() + timeout_ms;
}

bool patience_is_over(uint64_t end_ms)
{
	return end_ms != UINT64_MAX && clock_now_ms() >= end_ms;
}

/* For poll. */
static int left_ms(uint64_t end_ms)
{
	uint64_t at_ms = clock_now_ms();

	if (end_ms == UINT64_MAX)
		return -1;
	return end_ms <= at_ms ? 0 : (int)min_u64(end_ms - at_ms, INT_MAX);
}

/* Somebody asked to stop; what is waited for may end first. */
static int stop(struct pollfd *waited, uint64_t end_ms, unsigned grace_ms, struct err *e)
{
	int limit_ms = left_ms(min_u64(end_ms, clock_now_ms() + grace_ms));

	if (grace_ms > 0 && (poll(waited, 1, limit_ms) != 0 || patience_is_over(end_ms)))
		return 0;
	return err_set(e, ERR_CANCELLED, "stopped by a signal");
}

int patience_wait(int fd, uint64_t end_ms, const struct cancel *cancel, struct err *e)
{
	struct pollfd p[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = cancel ? cancel->fd : -1, .events = POLLIN},
	};

	if (poll(p, 2, left_ms(end_ms)) < 0)
		return errno == EINTR ? 0 : err_errno(e, "waiting for the device");
	return cancel && p[1].revents ? stop(&p[0], end_ms, cancel->grace_ms, e) : 0;
}

int patience_lost(unsigned timeout_ms, const char *doing, struct err *e)
{
	(void)err_set(e, ERR_IO, "%s: nothing happened for %u.%u s", doing, timeout_ms / 1000,
		      timeout_ms % 1000 / 100);
	return err_hint(e, "check the device, its cable and its reader, or wait longer with "
			   "--stall-timeout");
}
