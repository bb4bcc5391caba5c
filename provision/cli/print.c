/* Printing a buffer. See print.h. */
#include "provision/cli/print.h"

#include <stdio.h>

int print_buf(const struct buf *b, struct err *e)
{
	if (buf_check(b, e) < 0)
		return -1;
	if (b->n_bytes > 0)
		(void)fwrite(b->bytes, 1, b->n_bytes, stdout);
	return 0;
}
