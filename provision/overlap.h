/* An image that is on its own target: writing would destroy what is read. */
#pragma once

#include "flash/base/err.h"
#include "flash/disk/facts.h"
#include "flash/image/verified.h"

/* ERR_REFUSED when the target that f tells of is one of the files or devices that r names, or is a
 * loop device on one of them. Links are seen through. */
int overlap_check(const struct facts *f, const struct image_request *r, struct err *e);
