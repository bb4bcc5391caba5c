/* Waiting for a device: until it answers, until it took too long, or until we are asked to stop.
 * For the sinks of this folder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"

/* The end of a wait of timeout_ms that begins now, for patience_wait; 0: never. */
uint64_t patience_end_ms(unsigned timeout_ms);
bool patience_is_over(uint64_t end_ms);

/* Return when fd can be read, at end_ms, or earlier. Fails with ERR_CANCELLED (cancel may be NULL;
 * one that gives grace is heeded when fd could not be read for so long) and ERR_IO. */
int patience_wait(int fd, uint64_t end_ms, const struct cancel *cancel, struct err *e);

/* ERR_IO: "doing: nothing happened for 30.0 s; ..." and what to do about it. Returns -1. */
int patience_lost(unsigned timeout_ms, const char *doing, struct err *e);
