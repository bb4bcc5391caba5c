/* Which kind of source a text asks for. See source.h. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "flash/image/source.h"

static int open_stdin(const struct cancel *cancel, struct source **out, struct err *e)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (fd < 0)
		return err_errno(e, "opening standard input");
	return source_pipe_new(fd, cancel, out, e);
}

int source_open(const char *where, const struct source_options *o, struct source **out,
		struct err *e)
{
	static const struct source_options defaults = {0};

	if (!o)
		o = &defaults;
	if (strcmp(where, "-") == 0)
		return open_stdin(o->cancel, out, e);
	return source_file_open(where, o->cancel, out, e);
}
