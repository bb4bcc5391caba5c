/* Strict DER. See der.h; section numbers are X.690's. */
#include "flash/trust/der.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/units.h"

enum {
	DER_DEPTH_MAX = 32,       /* certificates need about 12 */
	DER_LENGTH_MAX_BYTES = 4, /* far more than a signature may have */
	TAG_CONSTRUCTED = 0x20,   /* 8.1.2.5 */
	TAG_CLASS = 0xc0,         /* 8.1.2.2; 0 is universal */
	TAG_NUMBER = 0x1f,        /* 8.1.2.2; all ones is the form of several bytes */
	LENGTH_IS_LONG = 0x80,    /* 8.1.3.5 */
};

/* ---- reading ----------------------------------------------------------------------------------
 */

uint8_t der_next_tag(const struct der *in)
{
	return in->n_bytes > 0 ? in->bytes[0] : DER_NOTHING;
}

/* The length field at the start of *in (8.1.3, 10.1), taken off. */
static bool take_length(struct der *in, size_t *out_n_bytes)
{
	size_t value = 0;

	if (in->n_bytes < 1)
		return false;
	uint8_t first = in->bytes[0];
	if (first < LENGTH_IS_LONG) {
		*in = (struct der){in->bytes + 1, in->n_bytes - 1};
		*out_n_bytes = first;
		return true;
	}
	size_t n_more = first & (LENGTH_IS_LONG - 1);
	if (n_more == 0 || n_more > DER_LENGTH_MAX_BYTES || in->n_bytes - 1 < n_more)
		return false;
	for (size_t i = 1; i <= n_more; i++)
		value = value << 8 | in->bytes[i];
	if (in->bytes[1] == 0 || value < LENGTH_IS_LONG)
		return false;
	*in = (struct der){in->bytes + 1 + n_more, in->n_bytes - 1 - n_more};
	*out_n_bytes = value;
	return true;
}

bool der_take(struct der *in, uint8_t tag, struct der *out)
{
	struct der rest = *in;
	size_t n_bytes = 0;

	if (rest.n_bytes < 1 || rest.bytes[0] != tag)
		return false;
	rest = (struct der){rest.bytes + 1, rest.n_bytes - 1};
	if (!take_length(&rest, &n_bytes) || n_bytes > rest.n_bytes)
		return false;
	*out = (struct der){rest.bytes, n_bytes};
	*in = (struct der){rest.bytes + n_bytes, rest.n_bytes - n_bytes};
	return true;
}

bool der_take_whole(struct der *in, struct der *out)
{
	const uint8_t *start = in->bytes;
	struct der content = {0};

	if (!der_take(in, der_next_tag(in), &content))
		return false;
	*out = (struct der){start, (size_t)(content.bytes + content.n_bytes - start)};
	return true;
}

/* 8.3.2: the first nine bits are neither all zero nor all one. */
static bool is_integer(struct der content)
{
	if (content.n_bytes < 2)
		return content.n_bytes == 1;
	uint8_t sign = (content.bytes[1] & 0x80) ? 0xff : 0x00;
	return content.bytes[0] != sign;
}

static bool is_boolean(struct der content)
{
	return content.n_bytes == 1 && (content.bytes[0] == 0x00 || content.bytes[0] == 0xff);
}

/* 8.6.2: the first byte says how many bits of the last one are unused. */
static bool is_bit_string(struct der content)
{
	return content.n_bytes > 1 ? content.bytes[0] < 8
				   : content.n_bytes == 1 && content.bytes[0] == 0;
}

/* Is content what DER allows for a tag of the universal class? */
static bool is_universal(uint8_t tag, struct der content)
{
	switch (tag) {
	case DER_NOTHING:
		return false;
	case DER_BOOLEAN:
		return is_boolean(content);
	case DER_INTEGER:
		return is_integer(content);
	case DER_BIT_STRING:
		return is_bit_string(content);
	case DER_NULL:
		return content.n_bytes == 0;
	case DER_OID:
		return content.n_bytes > 0 && content.bytes[content.n_bytes - 1] < 0x80;
	case DER_SEQUENCE:
	case DER_SET:
		return true;
	}
	return !(tag & TAG_CONSTRUCTED) && tag != (DER_SEQUENCE & TAG_NUMBER) &&
	       tag != (DER_SET & TAG_NUMBER);
}

static bool is_valid(uint8_t tag, struct der content)
{
	if ((tag & TAG_NUMBER) == TAG_NUMBER)
		return false;
	return (tag & TAG_CLASS) || is_universal(tag, content);
}

bool der_is_well_formed(struct der in)
{
	struct der open[DER_DEPTH_MAX] = {in}; /* what is left of each element we are in */
	struct der content = {0};
	size_t depth = 0;

	for (;;) {
		while (open[depth].n_bytes == 0 && depth > 0)
			depth--;
		if (open[depth].n_bytes == 0)
			return true;
		uint8_t tag = der_next_tag(&open[depth]);
		if (!der_take(&open[depth], tag, &content) || !is_valid(tag, content))
			return false;
		if (!(tag & TAG_CONSTRUCTED))
			continue;
		if (++depth == DER_DEPTH_MAX)
			return false;
		open[depth] = content;
	}
}

/* 11.6: as byte strings, the shorter one padded with zeros. No element is a prefix of another, so
 * that the padding never decides. */
static int compare(struct der a, struct der b)
{
	int order = memcmp(a.bytes, b.bytes, min_u64(a.n_bytes, b.n_bytes));

	return order ? order : (a.n_bytes > b.n_bytes) - (a.n_bytes < b.n_bytes);
}

bool der_is_ordered_set(struct der in)
{
	struct der previous = {0};
	struct der item = {0};

	while (in.n_bytes > 0) {
		if (!der_take_whole(&in, &item))
			return false;
		if (previous.n_bytes > 0 && compare(previous, item) >= 0)
			return false;
		previous = item;
	}
	return true;
}

bool der_equals(struct der a, struct der b)
{
	return a.n_bytes == b.n_bytes &&
	       (a.n_bytes == 0 || memcmp(a.bytes, b.bytes, a.n_bytes) == 0);
}

bool der_is_small_integer(struct der content, uint8_t value)
{
	return content.n_bytes == 1 && content.bytes[0] == value;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

void der_append(struct buf *out, uint8_t tag, const void *content, size_t n_bytes)
{
	uint8_t header[2 + sizeof n_bytes] = {tag};
	size_t n_header = 1;
	size_t n_more = 0;

	if (n_bytes >= LENGTH_IS_LONG) {
		for (size_t rest = n_bytes; rest > 0; rest >>= 8)
			n_more++;
		header[n_header++] = (uint8_t)(LENGTH_IS_LONG | n_more);
		for (size_t i = n_more; i > 0; i--)
			header[n_header++] = (uint8_t)(n_bytes >> (8 * (i - 1)));
	} else {
		header[n_header++] = (uint8_t)n_bytes;
	}
	buf_append(out, header, n_header);
	buf_append(out, content, n_bytes);
}

void der_append_buf(struct buf *out, uint8_t tag, struct buf *content)
{
	der_append(out, tag, content->bytes, content->n_bytes);
	out->is_failed = out->is_failed || content->is_failed;
	buf_release(content);
}

static int compare_items(const void *a, const void *b)
{
	return compare(*(const struct der *)a, *(const struct der *)b);
}

void der_append_set(struct buf *out, uint8_t tag, struct der *items, size_t n_items)
{
	struct buf content = {0};

	qsort(items, n_items, sizeof *items, compare_items);
	for (size_t i = 0; i < n_items; i++) {
		if (i == 0 || !der_equals(items[i - 1], items[i]))
			buf_append(&content, items[i].bytes, items[i].n_bytes);
	}
	der_append_buf(out, tag, &content);
}
