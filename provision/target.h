/* One target of a job: everything that can be refused is refused while it is prepared, by itself;
 * then it is held exclusively and has its plan. */
#pragma once

#include <stdbool.h>

#include "flash/base/err.h"
#include "flash/base/event.h"
#include "flash/disk/facts.h"
#include "flash/disk/probe.h"
#include "flash/disk/refusal.h"
#include "flash/disk/table.h"
#include "flash/plan/execute.h"
#include "flash/plan/plan.h"
#include "flash/sink/sink.h"
#include "provision/selection.h"

enum capacity_probe {
	CAPACITY_PROBE_AUTO, /* of what can be plugged in, and is not made by this machine itself */
	CAPACITY_PROBE_ALWAYS,
	CAPACITY_PROBE_NEVER,
};

/* How targets are to be treated, the same for all of a job. */
struct target_policy {
	struct refusal_policy refusal;
	enum unmapped unmapped;
	enum capacity_probe capacity_probe;
	bool is_delta;             /* write only what differs */
	unsigned n_retries;        /* of what does not read back as it was written */
	unsigned stall_timeout_ms; /* 0: none */
	bool is_plan_only;         /* nothing will be written */
};

/* What a job knows of a target. Others read only. */
struct target {
	const char *path; /* borrowed, as given */
	/* Owned, as all that follow; NULL before they are known. */
	struct facts *facts;
	struct sink *sink; /* NULL as well when the target is done with */
	struct signatures signatures;
	struct table *table;      /* of the image, as it is for this medium */
	struct table_ends *moved; /* NULL: the table stays */
	struct plan *plan;
	const char *lifted;         /* the flag without which it would be refused; NULL: none */
	struct execution execution; /* of the plan; borrows from here and from the job */
	bool is_made; /* a file that was not there: it goes away again if nothing was written */
	bool is_failed;
	struct err failure; /* when is_failed */
};
void target_release(struct target *t);
/* Let go of the device or file: nobody waits for the other targets of the job to use it. */
void target_let_go(struct target *t);

/* Gather the facts about t->path and refuse what they forbid; image is what will be written to it.
 * Touches nothing. Fails with the codes of facts_gather, overlap_check and refusal_check. */
int target_look(struct target *t, const struct target_policy *p, const struct image_request *where,
		const struct image *image, struct err *e);

/* Open it, look once more, now that no answer can go stale, and plan: then t->execution can be run,
 * once it has a feed. Nothing is written, but a file that is missing is created unless
 * is_plan_only. cancel is borrowed. ERR_REFUSED when it is busy, or the image is made for another
 * sector size; fails as well with the codes of selection_look. */
int target_open(struct target *t, const struct target_policy *p, const struct image_request *where,
		const struct selection *s, const struct cancel *cancel, struct err *e);

/* Is a medium that claims more bytes than it has to be looked for on what f tells of? */
bool target_is_probed(const struct facts *f, enum capacity_probe probe);

/* After a good write: does the target show what image and board promise, and is it still there
 * under its name? ERR_DIFFERS or ERR_IO. */
int target_check_written(const struct target *t, const struct board *b, struct err *e);
