/* Signals that ask us to stop: blocked, and turned into a descriptor that long work looks at. */
#pragma once

#include "flash/base/err.h"

/* Block SIGINT, SIGTERM and SIGHUP (one that was ignored stays so: nohup). *out_fd becomes and
 * stays readable when one of them comes, as struct cancel wants it; owned by the caller. */
int signals_open(int *out_fd, struct err *e);

/* The number of the signal that came; SIGTERM's when none can be told. */
int signals_number(int fd);
