/* Events as text: bars for a terminal, lines for a log, JSON for programs. Pure: events and a clock
 * in, bytes to be printed out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/event.h"

enum render_kind {
	RENDER_ERRORS, /* nothing but failures */
	RENDER_LINES,  /* phases, and a line of progress now and then */
	RENDER_BARS,   /* a line for each target at work, drawn again in place */
	RENDER_JSON,   /* one object a line */
};

struct render_style {
	enum render_kind kind;
	bool has_color;
	unsigned columns; /* of the terminal, for bars */
	unsigned rows;
};

struct render;

/* Fails with ERR_IO only when memory is short. */
int render_new(const struct render_style *style, struct render **out, struct err *e);
void render_free(struct render *r);
static inline void render_freep(struct render **r)
{
	render_free(*r);
}

/* The terminal has this size now. */
void render_resize(struct render *r, unsigned columns, unsigned rows);

/* Append to *out what is to be printed for ev at now_ms (any clock that only goes forward); often
 * nothing. Bytes of texts that could steer a terminal become '?', in JSON they are escaped. */
void render_event(struct render *r, const struct event *ev, uint64_t now_ms, struct buf *out);

/* Append what several targets came to, when the last event was shown. Programs get nothing: the
 * exit status says it; and RENDER_ERRORS only tells it when one failed. */
void render_end(struct render *r, struct buf *out);
