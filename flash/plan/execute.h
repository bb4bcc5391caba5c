/* Doing a plan on one target, step by step. */
#pragma once

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/base/event.h"
#include "flash/disk/table.h"
#include "flash/image/verified.h"
#include "flash/plan/feed.h"
#include "flash/plan/plan.h"
#include "flash/sink/sink.h"

/* What a target is left as. */
enum target_state {
	STATE_UNTOUCHED,  /* as it was */
	STATE_MARKED,     /* as it was, but that marks of the capacity probe may be left on it */
	STATE_INCOMPLETE, /* holds a part of the image, and nothing that would boot it */
	STATE_COMMITTING, /* all is there and was read back; the first chunk is in doubt */
	STATE_COMPLETE,   /* durable and read back */
};
/* For people: "the target was not touched", "the target is incomplete and will not boot", ... */
const char *target_state_text(enum target_state state);

struct execution {
	const struct plan *plan; /* borrowed, as all here */
	struct image *image;
	struct feed *feed; /* where the chunks come from; before its first next() */
	struct sink *sink;
	const struct table_ends *moved;  /* NULL unless the plan moves the GPT */
	const struct listener *listener; /* may be NULL */
	const struct cancel *cancel;     /* may be NULL; in the commit only when the device hangs */
	const char *target;              /* for events */
	/* How often a range that does not read back as it was written is written again. */
	unsigned n_retries;
	/* Set on success and on failure. */
	enum target_state state;
	uint64_t written_bytes; /* image bytes that were written: with STEP_SCAN what differed */
};

/* Do every step of the plan but STEP_PROBE, which needs the board. Fails with the feed's errors,
 * the sink's, ERR_DIFFERS when the medium does not hold what was written, ERR_CANCELLED. */
int execute(struct execution *x, struct err *e);
