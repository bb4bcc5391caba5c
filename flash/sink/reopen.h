/* Second descriptors of a medium that is held open; for the sinks of this folder. */
#pragma once

/* Open what fd is open on once more, by no path that could have changed meanwhile. Returns -1 with
 * errno on failure. */
int reopen_fd(int fd, int flags);
