/* Zero detection. See bytes.h. */
#include "flash/base/bytes.h"

#include <string.h>

bool bytes_are_zero(const void *p, size_t n_bytes)
{
	const uint8_t *bytes = p;

	/* Comparing the range with itself, one byte on, runs at the speed of memcmp. */
	return n_bytes == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n_bytes - 1) == 0);
}
