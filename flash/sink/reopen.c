/* Second descriptors of an open medium. See reopen.h. */
#include "flash/sink/reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "flash/base/units.h"

int reopen_fd(int fd, int flags)
{
	char path[sizeof "/proc/self/fd/-2147483648"];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

/* Not fdio_pread: a direct read must be asked for in whole units, and at the end of a file must not
 * be asked for again from the middle of one. */
int reopen_read(int fd, uint64_t offset_bytes, void *bytes, size_t n_bytes, size_t unit_bytes,
		struct err *e)
{
	size_t room_bytes = (size_t)align_up(n_bytes, unit_bytes);
	size_t n_done = 0;

	while (n_done < n_bytes) {
		ssize_t n = pread(fd, (char *)bytes + n_done, room_bytes - n_done,
				  (off_t)(offset_bytes + n_done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "reading at byte %llu",
					 (unsigned long long)(offset_bytes + n_done));
		if (n == 0)
			return err_set(e, ERR_IO, "reading at byte %llu: the medium ends there",
				       (unsigned long long)(offset_bytes + n_done));
		n_done += (size_t)n;
	}
	return 0;
}
