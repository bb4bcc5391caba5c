/* The error object. See err.h. */
#include "flash/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return -1;
}

/* Put prefix in front of e->text, shortening prefix from its end when both do not fit. */
static void prepend(struct err *e, const char *prefix)
{
	size_t text_bytes = strlen(e->text) + 1;
	size_t room_bytes = sizeof e->text - text_bytes;
	size_t prefix_bytes = strnlen(prefix, room_bytes);

	memmove(e->text + prefix_bytes, e->text, text_bytes);
	memcpy(e->text, prefix, prefix_bytes);
}

/* Put "context: " in front. */
__attribute__((format(printf, 2, 0))) static void prepend_context(struct err *e, const char *fmt,
								  va_list ap)
{
	char context[ERR_TEXT_BYTES];

	(void)vsnprintf(context, sizeof context, fmt, ap);
	prepend(e, ": ");
	prepend(e, context);
}

int err_errno(struct err *e, const char *fmt, ...)
{
	va_list ap;

	(void)err_set(e, ERR_IO, "%s", strerror(errno));
	va_start(ap, fmt);
	prepend_context(e, fmt, ap);
	va_end(ap);
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	prepend_context(e, fmt, ap);
	va_end(ap);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	size_t text_bytes = strlen(e->text);
	size_t room_bytes = sizeof e->text - text_bytes;
	va_list ap;

	if (room_bytes <= sizeof "; ")
		return -1;
	memcpy(e->text + text_bytes, "; ", sizeof "; ");
	va_start(ap, fmt);
	(void)vsnprintf(e->text + text_bytes + 2, room_bytes - 2, fmt, ap);
	va_end(ap);
	return -1;
}
