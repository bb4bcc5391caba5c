/* A job: one image for one target. Everything that can be refused is refused while it is prepared;
 * then it knows its plan, and can be executed. */
#pragma once

#include <stdbool.h>

#include "boards/registry.h"
#include "flash/base/err.h"
#include "flash/base/event.h"
#include "flash/disk/facts.h"
#include "flash/disk/probe.h"
#include "flash/disk/refusal.h"
#include "flash/image/verified.h"
#include "flash/plan/plan.h"

struct job_request {
	struct image_request image;
	const struct registry *registry; /* borrowed, as all here */
	const char *board_id;            /* NULL: the only board of the manifest */
	const char *target;              /* path */
	struct refusal_policy refusal;
	enum unmapped unmapped;
	const char *state_dir; /* floors and journal */
	bool is_plan_only;     /* nothing will be written */
	const struct listener *listener;
	const struct cancel *cancel;
};

struct job;

/* Open image and target, and check: signature, board, structure, floor, target, sizes. The target
 * is held exclusively until job_free. Nothing is written, but a file that is missing is created
 * unless is_plan_only. r is borrowed until then. Fails with the codes of image_open,
 * registry_by_id, refusal_check; ERR_USAGE when the board is not clear; ERR_REFUSED when the image
 * is for other boards, other sector sizes or below the floor. */
int job_prepare(const struct job_request *r, struct job **out, struct err *e);
void job_free(struct job *j);
static inline void job_freep(struct job **j)
{
	job_free(*j);
}

/* Borrowed from j. */
const struct plan *job_plan(const struct job *j);
const struct facts *job_facts(const struct job *j);
const struct signatures *job_signatures(const struct job *j);
const struct image *job_image(const struct job *j);
const struct board *job_board(const struct job *j);

/* Do the plan, find table and file systems again on the target, raise the floors, note it all in
 * the journal. Fails with the codes of execute, and with ERR_DIFFERS when the target does not show
 * what image and board promise; the text says what state the target is in. */
int job_execute(struct job *j, struct err *e);
