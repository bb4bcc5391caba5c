/* xz, by liblzma. A stream may ask for XZ_MEMORY_MAX_BYTES, so that a hostile one cannot take all
 * memory: eight times what xz -9 makes. Streams whose checksum is of a kind that liblzma cannot
 * check are refused.
 *
 * Several blocks are decoded in parallel as far as thread_memory_bytes() goes, by threads that
 * liblzma starts with all signals blocked. */
#include <lzma.h>
#include <string.h>

#include "flash/base/units.h"
#include "flash/image/codec.h"

#define XZ_MEMORY_MAX_BYTES (512 * MIB)
/* What a block of xz -6 takes at most while it is decoded (a dictionary of 8 MiB and 24 MiB each of
 * compressed and plain bytes), and another that was decoded before its turn. */
#define XZ_THREAD_MEMORY_BYTES (80 * MIB)

enum { XZ_THREADS_MAX = 64 }; /* far more than XZ_MEMORY_MAX_BYTES lets work */

static bool xz_has_magic(const uint8_t *bytes, size_t n_bytes)
{
	return n_bytes >= 6 && memcmp(bytes,
				      "\xfd"
				      "7zXZ\0",
				      6) == 0;
}

/* A quarter of the machine's memory is what lzma/container.h recommends for memlimit_threading. */
static uint64_t thread_memory_bytes(unsigned n_threads)
{
	uint64_t physical_bytes = lzma_physmem();
	uint64_t wanted_bytes = min_u64(n_threads * XZ_THREAD_MEMORY_BYTES, XZ_MEMORY_MAX_BYTES);

	return physical_bytes > 0 ? min_u64(wanted_bytes, physical_bytes / 4) : wanted_bytes;
}

static int xz_start(void *state, unsigned n_threads, struct err *e)
{
	unsigned n = n_threads ? n_threads : lzma_cputhreads();
	const lzma_mt parallel = {
		.flags = LZMA_TELL_UNSUPPORTED_CHECK,
		.threads = (uint32_t)min_u64(n, XZ_THREADS_MAX),
		.memlimit_threading = thread_memory_bytes(n),
		.memlimit_stop = XZ_MEMORY_MAX_BYTES,
	};
	lzma_ret status = n > 1 ? lzma_stream_decoder_mt(state, &parallel)
				: lzma_stream_decoder(state, XZ_MEMORY_MAX_BYTES,
						      LZMA_TELL_UNSUPPORTED_CHECK);

	return status == LZMA_OK ? 0 : err_set(e, ERR_IO, "out of memory");
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
	/* At the end of the input, threads that still have some are waited for. */
	lzma_ret status = lzma_code(x, io->in_bytes > 0 ? LZMA_RUN : LZMA_FINISH);
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
