/* Strict DER (X.690): tags of one byte, definite and shortest lengths. Reading takes elements from
 * the front of a span and never copies; writing appends to a buffer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"

/* Some bytes of a DER text. All zero: no bytes at all. */
struct der {
	const uint8_t *bytes; /* borrowed */
	size_t n_bytes;
};

enum der_tag {
	DER_NOTHING = 0x00, /* der_next_tag at the end; not a tag that may be used */
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_IMPLICIT_0 = 0x80, /* context [0] around bytes */
	DER_CONTEXT_0 = 0xa0,  /* context [0] around elements */
	DER_CONTEXT_1 = 0xa1,
};

/* ---- reading ------------------------------------------------------------------------------------
 * What fails leaves *in and *out alone. */

/* The tag of the first element; DER_NOTHING at the end. */
uint8_t der_next_tag(const struct der *in);

/* Take the first element off *in; its content goes to *out. False when there is none, its tag is
 * another or its length is not DER or too long. */
bool der_take(struct der *in, uint8_t tag, struct der *out);

/* Take the first element, whatever its tag, whole with tag and length. */
bool der_take_whole(struct der *in, struct der *out);

/* Is all of it a run of well-formed elements, down to the innermost? Checks universal types for
 * what DER fixes: integers in their shortest form, TRUE as 0xff, strings not cut into pieces. */
bool der_is_well_formed(struct der in);

/* Is it the content of a SET OF without duplicates, in DER's order? */
bool der_is_ordered_set(struct der in);

bool der_equals(struct der a, struct der b);

/* Is it the content of the INTEGER value (below 128)? */
bool der_is_small_integer(struct der content, uint8_t value);

/* ---- writing ------------------------------------------------------------------------------------
 */

/* Append an element. content may be NULL when n_bytes is 0. */
void der_append(struct buf *out, uint8_t tag, const void *content, size_t n_bytes);

/* Append an element around what content holds, and release content. A failed append to content
 * carries over to out. */
void der_append_buf(struct buf *out, uint8_t tag, struct buf *content);

/* Append a SET OF the n items, whole elements, with that tag. Sorts items and drops duplicates. */
void der_append_set(struct buf *out, uint8_t tag, struct der *items, size_t n_items);
