/* Which kind of source a text asks for, and which decoder its first bytes. See source.h. */
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/image/codec.h"
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

int source_open_decoded(const char *where, const struct source_options *o, struct source **out,
			struct err *e)
{
	CLEANUP(source_freep) struct source *s = NULL;
	const uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	if (source_open(where, o, &s, e) < 0 ||
	    source_peek(s, CODEC_MAGIC_MAX_BYTES, &bytes, &n_bytes, e) < 0)
		return -1;
	const struct codec *c = codec_by_magic(bytes, n_bytes);
	if (c)
		return codec_open(c, TAKE(s), out, e);
	*out = TAKE(s);
	return 0;
}
