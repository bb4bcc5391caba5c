/* gzip (RFC 1952), by zlib. Header and content checksums are checked by zlib. */
#include <string.h>
#include <zlib.h>

#include "flash/image/codec.h"

enum { GZIP_ONLY = 16 }; /* zlib.h, inflateInit2: no zlib or raw deflate stream */

static bool gzip_has_magic(const uint8_t *bytes, size_t n_bytes)
{
	return n_bytes >= 3 && memcmp(bytes, "\x1f\x8b\x08", 3) == 0;
}

static int gzip_start(void *state, unsigned n_threads, struct err *e)
{
	z_stream *z = state;
	int status = z->state ? inflateReset(z) : inflateInit2(z, MAX_WBITS + GZIP_ONLY);

	(void)n_threads;
	return status == Z_OK ? 0 : err_set(e, ERR_IO, "out of memory");
}

static int gzip_step(void *state, struct codec_io *io, bool *out_is_end, struct err *e)
{
	z_stream *z = state;

	z->next_in = (uint8_t *)io->in; /* zlib does not write to it, but lacks the const */
	z->avail_in = (unsigned)io->in_bytes;
	z->next_out = io->out;
	z->avail_out = (unsigned)io->out_bytes;
	int status = inflate(z, Z_NO_FLUSH);
	if (status == Z_MEM_ERROR)
		return err_set(e, ERR_IO, "out of memory");
	/* Z_BUF_ERROR: nothing to take and nothing to give, which is no failure. */
	if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
		return err_set(e, ERR_UNTRUSTED, "damaged: %s", z->msg ? z->msg : "no gzip data");
	*out_is_end = status == Z_STREAM_END;
	io->in = z->next_in;
	io->in_bytes = z->avail_in;
	io->out = z->next_out;
	io->out_bytes = z->avail_out;
	return 0;
}

static void gzip_release(void *state)
{
	(void)inflateEnd(state);
}

const struct codec codec_gzip = {
	.name = "gzip",
	.padding_bytes =
		1, /* tapes and some build tools fill up the last block; gzip(1) accepts it */
	.has_magic = gzip_has_magic,
	.state_bytes = sizeof(z_stream),
	.start = gzip_start,
	.step = gzip_step,
	.release = gzip_release,
};
