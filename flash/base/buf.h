/* A byte buffer that grows. Running out of memory is remembered, so that a chain of appends is
 * checked once, at its end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"

struct buf {
	uint8_t *bytes; /* owned */
	size_t n_bytes;
	size_t capacity_bytes;
	bool is_failed; /* an append did not fit; the content is incomplete */
};

/* Zero-initialise a struct buf ({0}); release what it holds and empty it. */
void buf_release(struct buf *b);

void buf_append(struct buf *b, const void *bytes, size_t n_bytes);
void buf_append_text(struct buf *b, const char *text);
/* As buf_append_text, with every control character as '?', so that a disk's model or a file
 * system's label cannot steer the terminal. */
void buf_append_clean(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Append the terminating NUL (not counted in n_bytes) and return the text, borrowed from b.
 * Fails with ERR_IO when any append ran out of memory. */
int buf_text(struct buf *b, const char **out, struct err *e);

/* 0, or ERR_IO when any append ran out of memory. */
int buf_check(const struct buf *b, struct err *e);
