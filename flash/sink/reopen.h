/* Second descriptors of a medium that is held open, and reads past the page cache; for the sinks of
 * this folder. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"

/* Open what fd is open on once more, by no path that could have changed meanwhile. Returns -1 with
 * errno on failure. */
int reopen_fd(int fd, int flags);

/* Read n_bytes at offset_bytes, in units of unit_bytes (a power of two that divides offset_bytes;
 * bytes is aligned to it and has room for n_bytes rounded up to it). ERR_IO when the device fails
 * or ends before n_bytes. */
int reopen_read(int fd, uint64_t offset_bytes, void *bytes, size_t n_bytes, size_t unit_bytes,
		struct err *e);
