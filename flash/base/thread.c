/* Threads. See thread.h. */
#include "flash/base/thread.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

int thread_start(pthread_t *out, void *(*body)(void *context), void *context, struct err *e)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(out, NULL, body, context);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return error == 0 ? 0 : err_errno(e, "starting a thread");
}

size_t thread_n_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (size_t)n : 1;
}
