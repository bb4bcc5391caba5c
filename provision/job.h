/* A job: one image, opened and looked at once, for any number of targets. Everything that can be
 * refused is refused while it is prepared; then each target has its plan, and all can be executed.
 * A target that is refused or fails does not stop the others. */
#pragma once

#include <stddef.h>

#include "boards/registry.h"
#include "flash/base/err.h"
#include "flash/base/event.h"
#include "flash/image/verified.h"
#include "provision/target.h"

struct job_request {
	struct image_request image;
	const struct registry *registry; /* borrowed, as all here */
	const char *board_id;            /* NULL: the only board of the manifest */
	const char *const *targets;      /* paths */
	size_t n_targets;
	struct target_policy policy;
	const char *state_dir; /* floors and journal */
	const struct listener *listener;
	const struct cancel *cancel;
};

struct job;

/* Open the image and check what does not depend on a target: signature, board, floor. r is borrowed
 * until job_free. Fails with the codes of image_open and registry_by_id; ERR_USAGE when the board
 * is not clear, or only what differs shall be written of an image that is not signed; ERR_REFUSED
 * when the image is for other boards or below the floor. */
int job_open(const struct job_request *r, struct job **out, struct err *e);
void job_free(struct job *j);
static inline void job_freep(struct job **j)
{
	job_free(*j);
}

/* Prepare each target; one that is refused is told by EVENT_FAILED and marked so. Those that are
 * not are held exclusively until they are done with. Nothing is written, but files that are missing
 * are created unless policy.is_plan_only. Fails, for all targets, when the image's first bytes do
 * not hold, and with ERR_USAGE when two targets are the same thing. */
int job_prepare(struct job *j, struct err *e);

/* Borrowed from j. */
const struct image *job_image(const struct job *j);
const struct board *job_board(const struct job *j);
size_t job_n_targets(const struct job *j);
const struct target *job_target(const struct job *j, size_t i);

/* For all prepared targets at once: do the plan, and for each, when it is done, find table and file
 * systems again, raise the floors, note it in the journal, let go of it, and tell the end by
 * EVENT_DONE or EVENT_FAILED; the text then says what state the target is in. A target's code is
 * one of execute, or ERR_DIFFERS when it does not show what image and board promise. At the end
 * EVENT_MEMORY. Fails (ERR_IO) only when memory is short before anything is begun. */
int job_execute(struct job *j, struct err *e);
