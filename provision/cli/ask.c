/* Asking the person at the terminal. See ask.h. */
#include "provision/cli/ask.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { ANSWER_MAX_BYTES = 256 };

bool ask_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

int ask_yes(const char *question, const struct cancel *cancel, bool *out_is_yes, struct err *e)
{
	char answer[ANSWER_MAX_BYTES] = "";

	(void)fprintf(stderr, "%s [y/N] ", question);
	(void)fflush(stderr);
	if (cancel_wait_readable(cancel, STDIN_FILENO, e) < 0)
		return -1;
	/* A terminal hands out one line at a time. */
	ssize_t n_bytes = read(STDIN_FILENO, answer, sizeof answer - 1);
	if (n_bytes < 0)
		return err_errno(e, "reading the answer");
	answer[strcspn(answer, "\r\n")] = '\0';
	*out_is_yes = strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
	return 0;
}
