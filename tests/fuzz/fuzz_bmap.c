/* Any bytes as a block map; what is accepted has ranges in order and within the image. */
#include <stdlib.h>

#include "flash/image/bmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const struct bmap *b)
{
	uint64_t end_bytes = 0;

	for (size_t i = 0; i < b->n_ranges; i++) {
		if (b->ranges[i].start_bytes < end_bytes ||
		    b->ranges[i].end_bytes <= b->ranges[i].start_bytes)
			abort();
		end_bytes = b->ranges[i].end_bytes;
	}
	if (end_bytes > b->image_size_bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bmap *b = NULL;
	struct err e;

	if (bmap_parse(data, size, &b, &e) == 0)
		check_ranges(b);
	bmap_free(b);
	return 0;
}
