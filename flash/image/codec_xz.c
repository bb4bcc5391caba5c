/* xz, by liblzma. A stream may ask for XZ_MEMORY_MAX_BYTES, so that a hostile one cannot take all
 * memory: eight times what xz -9 makes. Streams whose checksum is of a kind that liblzma cannot
 * check are refused. */
#include <lzma.h>
#include <string.h>

#include "flash/base/units.h"
#include "flash/image/codec.h"

#define XZ_MEMORY_MAX_BYTES (512 * MIB)

static bool xz_has_magic(const uint8_t *bytes, size_t n_bytes)
{
	return n_bytes >= 6 && memcmp(bytes,
				      "\xfd"
				      "7zXZ\0",
				      6) == 0;
}

static int xz_start(void *state, struct err *e)
{
	if (lzma_stream_decoder(state, XZ_MEMORY_MAX_BYTES, LZMA_TELL_UNSUPPORTED_CHECK) != LZMA_OK)
		return err_set(e, ERR_IO, "out of memory");
	return 0;
}

static int xz_fail(lzma_ret status, struct err *e)
{
	if (status == LZMA_MEM_ERROR)
		return err_set(e, ERR_IO, "out of memory");
	if (status == LZMA_MEMLIMIT_ERROR)
		return err_set(
			e, ERR_UNTRUSTED,
			"needs more than %llu bytes of memory; compress it with xz -9 or less",
			(unsigned long long)XZ_MEMORY_MAX_BYTES);
	if (status == LZMA_OPTIONS_ERROR)
		return err_set(e, ERR_UNTRUSTED,
			       "uses a filter that is not known here; compress it with plain xz");
	if (status == LZMA_UNSUPPORTED_CHECK)
		return err_set(
			e, ERR_UNTRUSTED,
			"uses a checksum that cannot be checked here; compress it with plain xz");
	return err_set(e, ERR_UNTRUSTED, "damaged");
}

static int xz_step(void *state, struct codec_io *io, bool *out_is_end, struct err *e)
{
	lzma_stream *x = state;

	x->next_in = io->in;
	x->avail_in = io->in_bytes;
	x->next_out = io->out;
	x->avail_out = io->out_bytes;
	lzma_ret status = lzma_code(x, LZMA_RUN);
	/* LZMA_BUF_ERROR: nothing to take and nothing to give, which is no failure. */
	if (status != LZMA_OK && status != LZMA_STREAM_END && status != LZMA_BUF_ERROR)
		return xz_fail(status, e);
	*out_is_end = status == LZMA_STREAM_END;
	io->in = x->next_in;
	io->in_bytes = x->avail_in;
	io->out = x->next_out;
	io->out_bytes = x->avail_out;
	return 0;
}

static void xz_release(void *state)
{
	lzma_end(state);
}

const struct codec codec_xz = {
	.name = "xz",
	.padding_bytes = 4, /* xz file format 1.2.0, 2.2 "Stream Padding" */
	.has_magic = xz_has_magic,
	.state_bytes = sizeof(lzma_stream),
	.start = xz_start,
	.step = xz_step,
	.release = xz_release,
};
