/* A byte buffer that grows. See buf.h. */
#include "flash/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"

void buf_release(struct buf *b)
{
	free(b->bytes);
	*b = (struct buf){0};
}

static bool reserve(struct buf *b, size_t n_more_bytes)
{
	size_t needed_bytes = b->n_bytes + n_more_bytes;
	size_t capacity_bytes = b->capacity_bytes ? b->capacity_bytes : 256;

	if (b->is_failed || needed_bytes < n_more_bytes)
		b->is_failed = true;
	if (b->is_failed || needed_bytes <= b->capacity_bytes)
		return !b->is_failed;
	while (capacity_bytes < needed_bytes)
		capacity_bytes = capacity_bytes > SIZE_MAX / 2 ? needed_bytes : capacity_bytes * 2;
	uint8_t *grown = realloc(b->bytes, capacity_bytes);
	if (!grown) {
		b->is_failed = true;
		return false;
	}
	b->bytes = grown;
	b->capacity_bytes = capacity_bytes;
	return true;
}

void buf_append(struct buf *b, const void *bytes, size_t n_bytes)
{
	if (n_bytes == 0 || !reserve(b, n_bytes))
		return;
	memcpy(b->bytes + b->n_bytes, bytes, n_bytes);
	b->n_bytes += n_bytes;
}

void buf_append_text(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text));
}

/* Bytes of the control character at c, 0 when it is none: C0, DEL, and C1 in UTF-8 (a terminal
 * takes U+009B for the start of a command). */
static size_t control_length(const unsigned char *c)
{
	if (c[0] < 0x20 || c[0] == 0x7f)
		return 1;
	return c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
}

void buf_append_clean(struct buf *b, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	while (*c) {
		size_t n_bytes = control_length(c);
		buf_append(b, n_bytes ? (const void *)"?" : c, 1);
		c += n_bytes ? n_bytes : 1;
	}
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	CLEANUP(freep) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		b->is_failed = true;
		return;
	}
	buf_append(b, text, (size_t)n);
}

int buf_check(const struct buf *b, struct err *e)
{
	return b->is_failed ? err_set(e, ERR_IO, "out of memory") : 0;
}

int buf_text(struct buf *b, const char **out, struct err *e)
{
	buf_append(b, "", 1);
	if (buf_check(b, e) < 0)
		return -1;
	b->n_bytes--;
	*out = (const char *)b->bytes;
	return 0;
}
