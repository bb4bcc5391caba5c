/* Shows events. See report.h. */
#include "provision/cli/report.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/clock.h"
#include "flash/base/fdio.h"
#include "provision/cli/render.h"

enum { COLUMNS_UNKNOWN = 80, ROWS_UNKNOWN = 24 };
/* A reader that is merely slow gets the last lines, too. */
enum { READER_GRACE_MS = 1000 };

struct report {
	struct listener listener;
	struct render *render; /* owned */
	struct render *errors; /* owned; what fails, for standard error beside JSON; else NULL */
	const struct cancel *cancel; /* borrowed; may be NULL */
	int fd;
	bool has_bars;
	struct err failure; /* of writing; from then on nothing more is written */
};

static void measure_terminal(struct report *r)
{
	struct winsize size = {0};

	(void)ioctl(r->fd, TIOCGWINSZ, &size);
	render_resize(r->render, size.ws_col ? size.ws_col : COLUMNS_UNKNOWN,
		      size.ws_row ? size.ws_row : ROWS_UNKNOWN);
}

/* Whoever is asked to stop does not wait for a reader that takes no more. */
static int wait_for_reader(const struct report *r, int fd, struct err *e)
{
	struct pollfd p[] = {
		{.fd = fd, .events = POLLOUT},
		{.fd = r->cancel ? r->cancel->fd : -1, .events = POLLIN},
	};

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	/* What is wrong with it is for the write to tell. */
	if (p[0].revents || poll(p, 1, READER_GRACE_MS) != 0)
		return 0;
	return err_set(e, ERR_IO, "nobody reads it");
}

/* One write for all of it: a program reads whole lines, and a terminal shows no half-drawn bars.
 * Nobody to show it to is no reason to stop writing a disk. */
static void print(struct report *r, const struct buf *text)
{
	if (text->n_bytes > 0 && r->failure.code == ERR_NONE &&
	    wait_for_reader(r, r->fd, &r->failure) == 0)
		(void)fdio_write(r->fd, text->bytes, text->n_bytes, &r->failure);
}

/* Nobody is left to be told of a failure of this. */
static void print_error(struct report *r, const struct event *ev)
{
	CLEANUP(buf_release) struct buf text = {0};
	struct err ignored = {0};

	render_event(r->errors, ev, clock_now_ms(), &text);
	if (text.n_bytes > 0 && wait_for_reader(r, STDERR_FILENO, &ignored) == 0)
		(void)fdio_write(STDERR_FILENO, text.bytes, text.n_bytes, &ignored);
}

static void on_event(void *context, const struct event *ev)
{
	struct report *r = context;
	CLEANUP(buf_release) struct buf text = {0};

	if (r->has_bars)
		measure_terminal(r);
	render_event(r->render, ev, clock_now_ms(), &text);
	print(r, &text);
	if (r->errors)
		print_error(r, ev);
}

static enum render_kind kind_for(const struct options *o)
{
	if (o->is_json)
		return RENDER_JSON;
	if (o->is_quiet)
		return RENDER_ERRORS;
	if (isatty(STDERR_FILENO) && !o->environment.is_terminal_dumb)
		return RENDER_BARS;
	return RENDER_LINES;
}

int report_new(const struct options *o, struct report **out, struct err *e)
{
	CLEANUP(report_freep) struct report *r = calloc(1, sizeof *r);
	struct render_style style = {
		.kind = kind_for(o),
		.columns = COLUMNS_UNKNOWN,
		.rows = ROWS_UNKNOWN,
		.has_color = isatty(STDERR_FILENO) && !o->environment.has_no_color &&
			     !o->environment.is_terminal_dumb,
	};

	if (!r)
		return err_errno(e, "showing progress");
	if (render_new(&style, &r->render, e) < 0)
		return -1;
	struct render_style errors_style = style;
	errors_style.kind = RENDER_ERRORS;
	if (style.kind == RENDER_JSON && render_new(&errors_style, &r->errors, e) < 0)
		return -1;
	r->listener = (struct listener){on_event, r};
	r->cancel = o->cancel;
	r->fd = style.kind == RENDER_JSON ? STDOUT_FILENO : STDERR_FILENO;
	r->has_bars = style.kind == RENDER_BARS;
	*out = TAKE(r);
	return 0;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	render_free(r->render);
	render_free(r->errors);
	free(r);
}

const struct listener *report_listener(const struct report *r)
{
	return &r->listener;
}

int report_end(struct report *r, int result, struct err *e)
{
	CLEANUP(buf_release) struct buf text = {0};

	render_end(r->render, &text);
	print(r, &text);
	if (result < 0 || r->fd != STDOUT_FILENO || r->failure.code == ERR_NONE)
		return result;
	*e = r->failure;
	return err_wrap(e, "all was done, but it could not be told: standard output");
}
