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

/* The forms of a UTF-8 sequence by its first two bytes (RFC 3629, section 4). */
static const struct utf8_form {
	uint8_t first_min, first_max;
	uint8_t second_min, second_max;
	size_t n_bytes;
} utf8_forms[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool has_form(const uint8_t *p, const struct utf8_form *form)
{
	if (p[0] < form->first_min || p[0] > form->first_max || p[1] < form->second_min ||
	    p[1] > form->second_max)
		return false;
	for (size_t i = 2; i < form->n_bytes; i++)
		if ((p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* Bytes of the UTF-8 sequence at p, which ends with NUL; 0 when there is no valid one. */
static size_t utf8_length(const uint8_t *p)
{
	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof utf8_forms / sizeof *utf8_forms; i++)
		if (has_form(p, &utf8_forms[i]))
			return utf8_forms[i].n_bytes;
	return 0;
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
