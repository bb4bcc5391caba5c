/* Which kind of source a text asks for. See source.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/image/source.h"

static int open_stdin(const struct cancel *cancel, struct source **out, struct err *e)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (fd < 0)
		return err_errno(e, "opening standard input");
	return source_pipe_new(fd, cancel, out, e);
}

/* The length of the scheme of a URL, or 0: it is a path. RFC 3986, 3.1; "./ftp://x" is a path. */
static size_t scheme_chars(const char *where)
{
	size_t n = strspn(where, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789+-.");

	return strncmp(where + n, "://", 3) == 0 ? n : 0;
}

static bool is_web(const char *where, size_t n_scheme)
{
	return (n_scheme == 4 && strncasecmp(where, "http", n_scheme) == 0) ||
	       (n_scheme == 5 && strncasecmp(where, "https", n_scheme) == 0);
}

int source_open(const char *where, const struct source_options *o, struct source **out,
		struct err *e)
{
	static const struct source_options defaults = {0};
	size_t n_scheme = scheme_chars(where);

	if (!o)
		o = &defaults;
	if (is_web(where, n_scheme))
		return source_http_open(where, o, out, e);
	if (n_scheme > 0)
		return err_set(e, ERR_USAGE,
			       "%.*s:// is no way to an image; use http://, https:// or a file",
			       (int)n_scheme, where);
	if (strcmp(where, "-") == 0)
		return open_stdin(o->cancel, out, e);
	return source_file_open(where, o->cancel, out, e);
}

int source_load(const char *where, const struct source_options *o, size_t max_bytes,
		uint8_t **out_bytes, size_t *out_n_bytes, struct err *e)
{
	CLEANUP(source_freep) struct source *s = NULL;
	CLEANUP(freep) uint8_t *bytes = malloc(max_bytes + 1);
	size_t n_bytes = 0;

	if (!bytes)
		return err_errno(e, "%s", where);
	if (source_open(where, o, &s, e) < 0 ||
	    source_read_full(s, bytes, max_bytes + 1, &n_bytes, e) < 0)
		return -1;
	if (n_bytes > max_bytes)
		return err_set(e, ERR_USAGE, "%s is larger than the %zu bytes allowed", where,
			       max_bytes);
	*out_bytes = TAKE(bytes);
	*out_n_bytes = n_bytes;
	return 0;
}
