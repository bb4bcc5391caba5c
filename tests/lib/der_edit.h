/* Changing one element of a DER text and leaving the text well-formed around it: the way to
 * signatures that no tool would make. For cmocka tests; include it after cmocka.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flash/base/buf.h"
#include "flash/trust/der.h"

/* Where elements of a signature with one signer are: the number of each child, from the top. */
#define AT_CONTENT_TYPE     "0"
#define AT_VERSION          "100"
#define AT_DIGESTS          "101"
#define AT_CONTENT          "102"
#define AT_CERTIFICATES     "103"
#define AT_CERTIFICATE      "1030"
#define AT_SIGNERS          "104"
#define AT_SIGNER           "1040"
#define AT_SIGNER_VERSION   "10400"
#define AT_SIGNER_ID        "10401"
#define AT_SIGNER_ISSUER    "104010"
#define AT_SIGNER_SERIAL    "104011"
#define AT_SIGNER_DIGEST    "10402"
#define AT_ATTRIBUTES       "10403"
#define AT_FIRST_ATTRIBUTE  "104030"
#define AT_SIGNER_ALGORITHM "10404"
#define AT_SIGNATURE        "10405"

/* The element at path, whole. */
static inline struct der der_find(struct der in, const char *path)
{
	struct der whole = {0};
	struct der content = {0};

	assert_true(der_take_whole(&in, &whole));
	for (; *path; path++) {
		struct der rest = whole;
		assert_true(der_take(&rest, der_next_tag(&rest), &content));
		for (char c = '0'; c <= *path; c++)
			assert_true(der_take_whole(&content, &whole));
	}
	return whole;
}

/* Append in to *out, the element at path replaced by some bytes, which may be none, or several
 * elements. */
static inline void der_replace(struct buf *out, struct der in, const char *path, struct der by)
{
	struct der content = {0};
	struct der child = {0};
	struct buf changed = {0};

	if (*path == '\0') {
		buf_append(out, by.bytes, by.n_bytes);
		return;
	}
	uint8_t tag = der_next_tag(&in);
	assert_true(der_take(&in, tag, &content));
	for (char c = '0'; der_take_whole(&content, &child); c++) {
		if (c == *path)
			der_replace(&changed, child, path + 1, by);
		else
			buf_append(&changed, child.bytes, child.n_bytes);
	}
	der_append_buf(out, tag, &changed);
}

/* The bytes that hex digits name. Owned by the caller. */
static inline struct buf der_of_hex(const char *hex)
{
	struct buf b = {0};

	for (; hex[0] && hex[1]; hex += 2) {
		static const char digits[] = "0123456789abcdef";
		uint8_t byte = (uint8_t)((strchr(digits, hex[0]) - digits) << 4 |
					 (strchr(digits, hex[1]) - digits));
		buf_append(&b, &byte, 1);
	}
	return b;
}
