/* Strict parsing of short texts: the whole text or nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An unsigned decimal number: digits only, no sign, no leading zero but "0" itself.
 * False, with *out left alone, when text is anything else or does not fit. */
bool parse_u64(const char *text, uint64_t *out);

/* A size: decimal digits and an optional unit K, M, G or T (powers of 1024), as in "64M". */
bool parse_size(const char *text, uint64_t *out_bytes);

/* Exactly 2 * n_bytes hex digits of either case. */
bool parse_hex(const char *text, uint8_t *out, size_t n_bytes);

/* Lower-case hex digits and the end of text into text[2 * n_bytes + 1]. Returns text. */
char *format_hex(const uint8_t *bytes, size_t n_bytes, char *text);

/* 1 to 64 of A-Z a-z 0-9 . _ -, and neither "." nor "..": safe as a file name and in a message. */
bool parse_is_name(const char *text);

bool parse_has_prefix(const char *text, const char *prefix);
bool parse_has_suffix(const char *text, const char *suffix);
