/* bzip2, by libbz2. Block and stream checksums are checked by libbz2. */
#include <bzlib.h>
#include <string.h>

#include "flash/image/codec.h"

static bool bzip2_has_magic(const uint8_t *bytes, size_t n_bytes)
{
	/* Behind "BZh" and the level stands a block (pi) or, when there is none, the end
	 * (sqrt(pi)): four letters alone could begin a raw image. */
	return n_bytes >= CODEC_MAGIC_MAX_BYTES && memcmp(bytes, "BZh", 3) == 0 &&
	       bytes[3] >= '1' && bytes[3] <= '9' &&
	       (memcmp(bytes + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
		memcmp(bytes + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

static int bzip2_start(void *state, unsigned n_threads, struct err *e)
{
	bz_stream *b = state;

	(void)n_threads;
	/* libbz2 has no reset. */
	if (b->state)
		(void)BZ2_bzDecompressEnd(b);
	if (BZ2_bzDecompressInit(b, 0, 0) != BZ_OK)
		return err_set(e, ERR_IO, "out of memory");
	return 0;
}

static int bzip2_step(void *state, struct codec_io *io, bool *out_is_end, struct err *e)
{
	bz_stream *b = state;

	b->next_in = (char *)io->in; /* libbz2 does not write to it, but lacks the const */
	b->avail_in = (unsigned)io->in_bytes;
	b->next_out = (char *)io->out;
	b->avail_out = (unsigned)io->out_bytes;
	int status = BZ2_bzDecompress(b);
	if (status == BZ_MEM_ERROR)
		return err_set(e, ERR_IO, "out of memory");
	if (status != BZ_OK && status != BZ_STREAM_END)
		return err_set(e, ERR_UNTRUSTED, "damaged");
	*out_is_end = status == BZ_STREAM_END;
	io->in = (const uint8_t *)b->next_in;
	io->in_bytes = b->avail_in;
	io->out = (uint8_t *)b->next_out;
	io->out_bytes = b->avail_out;
	return 0;
}

static void bzip2_release(void *state)
{
	(void)BZ2_bzDecompressEnd(state);
}

const struct codec codec_bzip2 = {
	.name = "bzip2",
	.has_magic = bzip2_has_magic,
	.state_bytes = sizeof(bz_stream),
	.start = bzip2_start,
	.step = bzip2_step,
	.release = bzip2_release,
};
