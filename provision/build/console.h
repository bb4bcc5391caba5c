/* What a machine's console says: a text that is waited for, and the last line. What steers a
 * terminal is left out (ECMA-48: escape and control sequences, control strings), so that a word is
 * found although firmware puts each of its letters at its place by a sequence of its own. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "flash/base/err.h"

struct console;

/* expect is what is waited for, borrowed; NULL: nothing. */
int console_new(const char *expect, struct console **out, struct err *e);
void console_free(struct console *c);
static inline void console_freep(struct console **c)
{
	console_free(*c);
}

/* What the console said next. Words and sequences may begin in one piece and end in another. */
void console_take(struct console *c, const void *bytes, size_t n_bytes);

/* True from when the last letter of what was waited for was taken. */
bool console_has_said_it(const struct console *c);

/* The last line that was not empty, whole or not, shortened from its end; "" when nothing was said.
 * Borrowed from c until the next console_take. */
const char *console_last_line(const struct console *c);
