/* Things that are the same under two names: an image that is its own target, so that writing would
 * destroy what is read, or two targets that are one. */
#pragma once

#include "flash/base/err.h"
#include "flash/disk/facts.h"
#include "flash/image/verified.h"

/* ERR_REFUSED when the target that f tells of is one of the files or devices that r names, or is a
 * loop device on one of them. Links are seen through. */
int overlap_check(const struct facts *f, const struct image_request *r, struct err *e);

/* ERR_USAGE when a and b, the facts about two targets, are the same device or file, under whatever
 * names, or one is a loop device on the other. Either may be NULL: then nothing is known of it. */
int overlap_check_targets(const struct facts *a, const struct facts *b, struct err *e);
