/* From the command line to a job: what `write`, `plan` and `verify` have in common. */
#pragma once

#include "boards/registry.h"
#include "flash/base/err.h"
#include "provision/cli/options.h"
#include "provision/cli/trust_options.h"
#include "provision/job.h"

/* What a job request borrows. Zero-initialise. */
struct job_options {
	struct trust_options trust; /* owned, as all that follow */
	struct registry *registry;
	struct job_request request; /* borrows from here and from struct options */
};

/* Fill *out for one image, without targets and registry. Fails with the codes of
 * trust_options_load. */
int job_options_load(const struct options *o, const char *image_where,
		     const struct listener *listener, struct job_options *out, struct err *e);
/* Take the operands behind the first as targets, and load the board profiles, which these need.
 * Fails with the codes of board_options_load. */
int job_options_load_targets(const struct options *o, struct job_options *j, struct err *e);

void job_options_release(struct job_options *j);
