/* Compressed streams of every format, chosen by magic as for an image. */
#include <stdlib.h>

#include "flash/base/cleanup.h"
#include "flash/image/codec.h"

enum { PLAIN_MAX_BYTES = 8 << 20, PIECE_BYTES = 1 << 16, N_THREADS = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct codec *c = codec_by_magic(data, size);
	CLEANUP(source_freep) struct source *in = NULL;
	CLEANUP(source_freep) struct source *s = NULL;
	CLEANUP(freep) uint8_t *piece = malloc(PIECE_BYTES);
	struct err e;
	size_t n = 1;

	if (!c || !piece || source_mem_new(data, size, &in, &e) < 0 ||
	    codec_open(c, TAKE(in), N_THREADS, &s, &e) < 0)
		return 0;
	for (size_t n_done = 0; n_done < PLAIN_MAX_BYTES && n > 0; n_done += n) {
		if (source_read(s, piece, PIECE_BYTES, &n, &e) < 0)
			return 0;
	}
	return 0;
}
