/* What a verb has to say, on standard output. main checks that it arrived. */
#pragma once

#include "flash/base/buf.h"
#include "flash/base/err.h"

/* Print all of b. Fails with ERR_IO when any append to b ran out of memory. */
int print_buf(const struct buf *b, struct err *e);
