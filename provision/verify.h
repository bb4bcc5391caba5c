/* Is what is on a target still the image? */
#pragma once

#include "flash/base/err.h"
#include "provision/job.h"

/* Hold what is on the first target of r against the image, without writing: every byte that the
 * manifest speaks of. Needs no board. Fails with the codes of image_open, ERR_REFUSED when the
 * target is in use, ERR_USAGE when it is no disk or file, and ERR_DIFFERS when a byte differs or
 * the target is too small. */
int verify_target(const struct job_request *r, struct err *e);
