/* One zstd frame, as a chunk of a packed image is stored. */
#include <stdlib.h>

#include "flash/base/cleanup.h"
#include "flash/image/codec.h"

enum { PLAIN_BYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) uint8_t *plain = malloc(PLAIN_BYTES);
	struct err e;

	if (plain)
		(void)codec_zstd_decode(data, size, plain, PLAIN_BYTES, &e);
	return 0;
}
