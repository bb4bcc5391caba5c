/* Asking the person at the terminal. See ask.h. */
#include "provision/cli/ask.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { ANSWER_MAX_BYTES = 256 };

bool ask_is_possible(bool is_stdin_taken, int *out_fd)
{
	int fd = -1;

	if (!isatty(STDERR_FILENO))
		return false;
	if (is_stdin_taken)
		fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	else if (isatty(STDIN_FILENO))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return false;
	*out_fd = fd;
	return true;
}

int ask_yes(int fd, const char *question, const struct cancel *cancel, bool *out_is_yes,
	    struct err *e)
{
	char answer[ANSWER_MAX_BYTES] = "";

	(void)fprintf(stderr, "%s [y/N] ", question);
	(void)fflush(stderr);
	if (cancel_wait_readable(cancel, fd, e) < 0)
		return -1;
	/* A terminal hands out one line at a time. */
	ssize_t n_bytes = read(fd, answer, sizeof answer - 1);
	if (n_bytes < 0)
		return err_errno(e, "reading the answer");
	answer[strcspn(answer, "\r\n")] = '\0';
	*out_is_yes = strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
	return 0;
}
