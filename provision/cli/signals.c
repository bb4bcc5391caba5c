/* Signals that ask us to stop. See signals.h. */
#include "provision/cli/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool is_ignored(int number)
{
	struct sigaction action = {0};

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int signals_open(int *out_fd, struct err *e)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!is_ignored(numbers[i]))
			(void)sigaddset(&set, numbers[i]);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_errno(e, "watching for signals");
	*out_fd = fd;
	return 0;
}

int signals_number(int fd)
{
	struct signalfd_siginfo info = {0};

	if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
		return SIGTERM;
	return (int)info.ssi_signo;
}
