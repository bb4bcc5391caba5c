/* Threads: for flash/base/pump.c and flash/copy.c alone. */
#pragma once

#include <pthread.h>
#include <stddef.h>

#include "flash/base/err.h"

/* Run body(context) in a thread that the caller joins. All signals are blocked in it: they are for
 * the thread that waits for them. Fails with ERR_IO. */
int thread_start(pthread_t *out, void *(*body)(void *context), void *context, struct err *e);

/* Processors that are on line; at least 1. */
size_t thread_n_cores(void);
