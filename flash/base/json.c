/* Writing JSON text. See json.h. */
#include "flash/base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_key(struct buf *b, const char *key)
{
	if (b->n_bytes > 0 && !strchr("{[\n", b->bytes[b->n_bytes - 1]))
		buf_append(b, ",", 1);
	if (key)
		buf_printf(b, "\"%s\":", key);
}

void json_open(struct buf *b, const char *key, char bracket)
{
	put_key(b, key);
	buf_append(b, &bracket, 1);
}

void json_close(struct buf *b, char bracket)
{
	buf_append(b, &bracket, 1);
}

/* Bytes of the UTF-8 sequence at p, or 0 when there is no valid one (RFC 3629, section 4). */
static size_t utf8_length(const uint8_t *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 0 || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void put_escaped(struct buf *b, const char *value)
{
	const uint8_t *p = (const uint8_t *)value;

	while (*p) {
		size_t n = utf8_length(p);
		if (*p == '"' || *p == '\\')
			buf_printf(b, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			buf_printf(b, "\\u%04x", *p);
		else if (n == 0)
			buf_append_text(b, "\\ufffd");
		else
			buf_append(b, p, n);
		p += n ? n : 1;
	}
}

void json_text(struct buf *b, const char *key, const char *value)
{
	put_key(b, key);
	buf_append(b, "\"", 1);
	put_escaped(b, value);
	buf_append(b, "\"", 1);
}

void json_u64(struct buf *b, const char *key, uint64_t value)
{
	put_key(b, key);
	buf_printf(b, "%" PRIu64, value);
}

void json_bool(struct buf *b, const char *key, bool value)
{
	put_key(b, key);
	buf_append_text(b, value ? "true" : "false");
}

void json_hex(struct buf *b, const char *key, const uint8_t *bytes, size_t n_bytes)
{
	put_key(b, key);
	buf_append(b, "\"", 1);
	for (size_t i = 0; i < n_bytes; i++)
		buf_printf(b, "%02x", bytes[i]);
	buf_append(b, "\"", 1);
}
