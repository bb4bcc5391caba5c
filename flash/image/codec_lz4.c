/* LZ4 frames, by liblz4. A frame's checksums, where it has them, are checked by liblz4. Skippable
 * frames between frames are skipped. */
#include <lz4frame.h>

#include "flash/base/bytes.h"
#include "flash/image/codec.h"

/* LZ4 frame format 1.6.2, "Frame Descriptor" and "Skippable Frames". */
enum { LZ4_MAGIC = 0x184D2204, SKIPPABLE_MAGIC = 0x184D2A50, SKIPPABLE_MASK = 0xF };

static bool lz4_has_magic(const uint8_t *bytes, size_t n_bytes)
{
	return n_bytes >= 4 && (le32(bytes) == LZ4_MAGIC ||
				(le32(bytes) & ~(uint32_t)SKIPPABLE_MASK) == SKIPPABLE_MAGIC);
}

static int lz4_start(void *state, unsigned n_threads, struct err *e)
{
	LZ4F_dctx **context = state;

	(void)n_threads;
	if (*context)
		LZ4F_resetDecompressionContext(*context);
	else if (LZ4F_isError(LZ4F_createDecompressionContext(context, LZ4F_VERSION)))
		return err_set(e, ERR_IO, "out of memory");
	return 0;
}

static int lz4_step(void *state, struct codec_io *io, bool *out_is_end, struct err *e)
{
	LZ4F_dctx **context = state;
	size_t n_in = io->in_bytes;
	size_t n_out = io->out_bytes;
	size_t status = LZ4F_decompress(*context, io->out, &n_out, io->in, &n_in, NULL);

	if (LZ4F_isError(status))
		return err_set(e, ERR_UNTRUSTED, "damaged: %s", LZ4F_getErrorName(status));
	*out_is_end = status == 0;
	io->in += n_in;
	io->in_bytes -= n_in;
	io->out += n_out;
	io->out_bytes -= n_out;
	return 0;
}

static void lz4_release(void *state)
{
	(void)LZ4F_freeDecompressionContext(*(LZ4F_dctx **)state);
}

const struct codec codec_lz4 = {
	.name = "lz4",
	.has_magic = lz4_has_magic,
	.state_bytes = sizeof(LZ4F_dctx *),
	.start = lz4_start,
	.step = lz4_step,
	.release = lz4_release,
};
