/* zstd (RFC 8878), by libzstd: streams, and single frames for chunks. Skippable frames, our own
 * sections among them, are skipped. The checksum of a frame of a stream, where it has one, is
 * checked by libzstd. A stream may ask for a window of 128 MiB, the most that zstd -d accepts
 * without an option and that zstd --ultra -22 makes. */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_d_forceIgnoreChecksum */
#include <zstd.h>
#include <zstd_errors.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/image/codec.h"

enum { ZSTD_WINDOW_MAX_LOG2 = 27 };

static bool is_frame(const uint8_t *bytes, size_t n_bytes)
{
	return n_bytes >= 4 && le32(bytes) == ZSTD_MAGICNUMBER;
}

static bool zstd_has_magic(const uint8_t *bytes, size_t n_bytes)
{
	return is_frame(bytes, n_bytes) ||
	       (n_bytes >= 4 &&
		(le32(bytes) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START);
}

static int zstd_start(void *state, unsigned n_threads, struct err *e)
{
	ZSTD_DCtx **context = state;

	(void)n_threads;
	if (!*context)
		*context = ZSTD_createDCtx();
	if (!*context)
		return err_set(e, ERR_IO, "out of memory");
	(void)ZSTD_DCtx_reset(*context, ZSTD_reset_session_and_parameters);
	(void)ZSTD_DCtx_setParameter(*context, ZSTD_d_windowLogMax, ZSTD_WINDOW_MAX_LOG2);
	return 0;
}

static int zstd_fail(size_t status, struct err *e)
{
	if (ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation)
		return err_set(e, ERR_IO, "out of memory");
	if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(
			e, ERR_UNTRUSTED,
			"needs a window of more than 128 MiB; compress it with zstd --long=%d "
			"or less",
			ZSTD_WINDOW_MAX_LOG2);
	return err_set(e, ERR_UNTRUSTED, "damaged: %s", ZSTD_getErrorName(status));
}

static int zstd_step(void *state, struct codec_io *io, bool *out_is_end, struct err *e)
{
	ZSTD_DCtx **context = state;
	ZSTD_inBuffer in = {.src = io->in, .size = io->in_bytes};
	ZSTD_outBuffer out = {.dst = io->out, .size = io->out_bytes};
	size_t status = ZSTD_decompressStream(*context, &out, &in);

	if (ZSTD_isError(status))
		return zstd_fail(status, e);
	*out_is_end = status == 0;
	io->in += in.pos;
	io->in_bytes -= in.pos;
	io->out += out.pos;
	io->out_bytes -= out.pos;
	return 0;
}

static void zstd_release(void *state)
{
	(void)ZSTD_freeDCtx(*(ZSTD_DCtx **)state);
}

const struct codec codec_zstd = {
	.name = "zstd",
	.has_magic = zstd_has_magic,
	.state_bytes = sizeof(ZSTD_DCtx *),
	.start = zstd_start,
	.step = zstd_step,
	.release = zstd_release,
};

static void dctx_freep(ZSTD_DCtx **context)
{
	(void)ZSTD_freeDCtx(*context);
}

int codec_zstd_decode(const void *bytes, size_t n_bytes, void *plain, size_t plain_bytes,
		      struct err *e)
{
	if (!is_frame(bytes, n_bytes))
		return err_set(e, ERR_UNTRUSTED, "%zu bytes are no zstd frame", n_bytes);
	size_t n_frame = ZSTD_findFrameCompressedSize(bytes, n_bytes);
	if (ZSTD_isError(n_frame))
		return err_set(e, ERR_UNTRUSTED, "zstd frame of %zu bytes: %s", n_bytes,
			       ZSTD_getErrorName(n_frame));
	if (n_frame != n_bytes)
		return err_set(e, ERR_UNTRUSTED, "zstd frame of %zu bytes has %zu bytes behind it",
			       n_frame, n_bytes - n_frame);
	CLEANUP(dctx_freep) ZSTD_DCtx *context = ZSTD_createDCtx();
	if (!context)
		return err_set(e, ERR_IO, "zstd frame of %zu bytes: out of memory", n_bytes);
	(void)ZSTD_DCtx_setParameter(context, ZSTD_d_forceIgnoreChecksum, ZSTD_d_ignoreChecksum);
	size_t n_plain = ZSTD_decompressDCtx(context, plain, plain_bytes, bytes, n_bytes);
	if (ZSTD_getErrorCode(n_plain) == ZSTD_error_dstSize_tooSmall)
		return err_set(e, ERR_UNTRUSTED,
			       "zstd frame of %zu bytes holds more than %zu bytes", n_bytes,
			       plain_bytes);
	if (ZSTD_isError(n_plain)) {
		(void)zstd_fail(n_plain, e);
		return err_wrap(e, "zstd frame of %zu bytes", n_bytes);
	}
	if (n_plain != plain_bytes)
		return err_set(e, ERR_UNTRUSTED, "zstd frame of %zu bytes holds %zu bytes, not %zu",
			       n_bytes, n_plain, plain_bytes);
	return 0;
}

size_t codec_zstd_bound(size_t plain_bytes)
{
	return ZSTD_compressBound(plain_bytes);
}

static void cctx_freep(ZSTD_CCtx **context)
{
	(void)ZSTD_freeCCtx(*context);
}

int codec_zstd_encode(const void *plain, size_t plain_bytes, int level, void *bytes,
		      size_t *in_out_n_bytes, struct err *e)
{
	CLEANUP(cctx_freep) ZSTD_CCtx *context = ZSTD_createCCtx();

	if (!context)
		return err_set(e, ERR_IO, "compressing %zu bytes: out of memory", plain_bytes);
	/* The checksum lets zstd -t find damage where lkflash is not at hand. */
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
	size_t n = ZSTD_compress2(context, bytes, *in_out_n_bytes, plain, plain_bytes);
	if (ZSTD_isError(n))
		return err_set(e, ERR_IO, "compressing %zu bytes: %s", plain_bytes,
			       ZSTD_getErrorName(n));
	*in_out_n_bytes = n;
	return 0;
}
