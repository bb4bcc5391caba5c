/* What a console says. See console.h. */
#include "provision/build/console.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"

enum {
	LINE_BYTES = 200,
	BEL = 0x07,
	ESC = 0x1b,
};

/* Where in a sequence the next byte is (ECMA-48, 5.3 to 5.6, and ECMA-35, 13.1). */
enum state {
	STATE_TEXT,
	STATE_ESCAPE,       /* behind ESC */
	STATE_INTERMEDIATE, /* behind ESC and bytes 2/0 to 2/15, before the final one */
	STATE_CONTROL,      /* of a control sequence, before its final byte */
	STATE_STRING,       /* in a control string, which ESC \ ends; of xterm, BEL as well */
	STATE_STRING_END,   /* behind an ESC in it */
};

struct console {
	const char *expect; /* borrowed; NULL: nothing */
	size_t n_expect;
	char *heard; /* owned; the last n_expect letters, 0 where there were none */
	bool has_said_it;
	enum state state;
	char line[LINE_BYTES]; /* under way */
	size_t n_line;
	char last_line[LINE_BYTES];
};

int console_new(const char *expect, struct console **out, struct err *e)
{
	CLEANUP(console_freep) struct console *c = calloc(1, sizeof *c);

	if (c) {
		c->expect = expect;
		c->n_expect = expect ? strlen(expect) : 0;
		c->heard = calloc(1, c->n_expect + 1);
	}
	if (!c || !c->heard)
		return err_errno(e, "reading the console");
	*out = TAKE(c);
	return 0;
}

void console_free(struct console *c)
{
	if (!c)
		return;
	free(c->heard);
	free(c);
}

/* ---- Letters -------------------------------------------------------------------------------- */

static void hear(struct console *c, char letter)
{
	if (c->n_expect == 0)
		return;
	memmove(c->heard, c->heard + 1, c->n_expect - 1);
	c->heard[c->n_expect - 1] = letter;
	if (memcmp(c->heard, c->expect, c->n_expect) == 0)
		c->has_said_it = true;
}

static void keep(struct console *c, char letter)
{
	if (letter == '\n') {
		c->n_line = 0;
	} else if (c->n_line < LINE_BYTES - 1) {
		c->line[c->n_line++] = letter;
		c->line[c->n_line] = '\0';
		if (c->line[strspn(c->line, " \t")])
			memcpy(c->last_line, c->line, c->n_line + 1);
	}
}

static bool is_letter(uint8_t byte)
{
	return byte == '\n' || byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

static enum state take_text(struct console *c, uint8_t byte)
{
	if (byte == ESC)
		return STATE_ESCAPE;
	if (is_letter(byte)) {
		hear(c, (char)byte);
		keep(c, (char)byte);
	}
	return STATE_TEXT;
}

/* ---- Sequences ------------------------------------------------------------------------------ */

static enum state after_escape(uint8_t byte)
{
	if (byte == '[')
		return STATE_CONTROL;
	/* Device control, operating system, start of string, privacy, application program. */
	if (byte != '\0' && strchr("P]X^_", byte))
		return STATE_STRING;
	if (byte == ESC)
		return STATE_ESCAPE;
	return byte >= 0x20 && byte <= 0x2f ? STATE_INTERMEDIATE : STATE_TEXT;
}

/* Anything but the bytes it may have ends it, so that one broken sequence hides nothing more. */
static enum state within_control(uint8_t byte)
{
	if (byte == ESC)
		return STATE_ESCAPE;
	return byte >= 0x20 && byte <= 0x3f ? STATE_CONTROL : STATE_TEXT;
}

static enum state within_string(uint8_t byte)
{
	if (byte == ESC)
		return STATE_STRING_END;
	/* A line's end is no part of any: this one was broken off. */
	return byte == BEL || byte == '\n' ? STATE_TEXT : STATE_STRING;
}

static enum state next_state(struct console *c, uint8_t byte)
{
	switch (c->state) {
	case STATE_TEXT:
		return take_text(c, byte);
	case STATE_ESCAPE:
		return after_escape(byte);
	case STATE_INTERMEDIATE:
		return byte >= 0x20 && byte <= 0x2f ? STATE_INTERMEDIATE : STATE_TEXT;
	case STATE_CONTROL:
		return within_control(byte);
	case STATE_STRING:
		return within_string(byte);
	case STATE_STRING_END:
		return byte == '\\' ? STATE_TEXT : after_escape(byte);
	}
	return STATE_TEXT;
}

void console_take(struct console *c, const void *bytes, size_t n_bytes)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n_bytes; i++)
		c->state = next_state(c, p[i]);
}

bool console_has_said_it(const struct console *c)
{
	return c->has_said_it;
}

const char *console_last_line(const struct console *c)
{
	return c->last_line;
}
