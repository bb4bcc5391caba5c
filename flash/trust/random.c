/* Random bytes from the kernel. See random.h. */
#include "flash/trust/random.h"

#include <errno.h>
#include <sys/random.h>

int random_fill(void *unused, unsigned char *out, size_t n_bytes)
{
	(void)unused;
	while (n_bytes > 0) {
		ssize_t n = getrandom(out, n_bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		out += n;
		n_bytes -= (size_t)n;
	}
	return 0;
}
