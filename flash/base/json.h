/* Writing JSON text. Keys are ours and need no escaping; values are escaped. Bytes that are not
 * UTF-8 become U+FFFD, so that the output is always valid JSON. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/buf.h"

/* Start and end an object or array. key is NULL inside an array and at the top. The comma between
 * members is put by looking at the last byte of b. */
void json_open(struct buf *b, const char *key, char bracket);
void json_close(struct buf *b, char bracket);

void json_text(struct buf *b, const char *key, const char *value);
void json_u64(struct buf *b, const char *key, uint64_t value);
void json_bool(struct buf *b, const char *key, bool value);
/* Lower-case hex of n_bytes bytes. */
void json_hex(struct buf *b, const char *key, const uint8_t *bytes, size_t n_bytes);
