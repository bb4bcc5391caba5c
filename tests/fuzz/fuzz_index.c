/* Any bytes as a chunk index; what is accepted must give the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "flash/image/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index *x = NULL;
	struct buf bytes = {0};
	struct err e;

	if (index_parse(data, size, &x, &e) < 0)
		return 0;
	if (index_format(x, &bytes, &e) < 0 || bytes.n_bytes != size ||
	    memcmp(bytes.bytes, data, size) != 0)
		abort();
	index_free(x);
	buf_release(&bytes);
	return 0;
}
