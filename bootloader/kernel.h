/* What a kernel file is, by its first bytes. Pure. */
#pragma once

#include "flash/base/bytes.h"
#include "flash/base/err.h"

/* ERR_USAGE unless it is a kernel for this architecture, as in a profile ("any" takes all): says
 * which one it is for, or what it is. What is compressed by gzip must be unpacked before. */
int kernel_check(struct span kernel, const char *arch, struct err *e);
