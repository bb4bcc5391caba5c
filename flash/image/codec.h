/* Compressed streams as sources. A codec is one file, codec_<name>.c, ending in a const struct
 * codec, and one line in codecs.def. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/image/source.h"

/* What a step takes from and gives to. It moves the pointers on and counts down. */
struct codec_io {
	const uint8_t *in;
	size_t in_bytes;
	uint8_t *out;
	size_t out_bytes;
};

/* The steps of one format; codec_open() does everything else. */
struct codec {
	const char *name; /* "gzip" */
	/* Zeros in whole multiples of this may stand between and behind streams; 0: none may. */
	size_t padding_bytes;
	/* Do the bytes begin like a stream? */
	bool (*has_magic)(const uint8_t *bytes, size_t n_bytes);

	size_t state_bytes; /* what the functions below are given: zeros at first */
	/* Get ready for a stream, the first or another one. n_threads: as for codec_open. */
	int (*start)(void *state, unsigned n_threads, struct err *e);
	/* Decode some. *out_is_end tells that io->in is now behind the last byte of a stream, whose
	 * checksum held. As long as there is input, something is taken or given, or it is damaged.
	 * Without input (in_bytes is 0) there will be none any more, and nothing but what is still
	 * kept is given. */
	int (*step)(void *state, struct codec_io *io, bool *out_is_end, struct err *e);
	void (*release)(void *state);
};

enum { CODEC_MAGIC_MAX_BYTES = 10 }; /* what has_magic() may want to see: bzip2's are the longest */

/* The codec whose magic the bytes begin with, or NULL: they are raw. */
const struct codec *codec_by_magic(const uint8_t *bytes, size_t n_bytes);

/* A source of the plain bytes of in, which it owns from now on (and has freed when this fails).
 * Reads several concatenated streams as one; fails with ERR_UNTRUSTED when the input ends inside a
 * stream, is damaged, needs more memory than a codec allows (codec_xz.c, codec_zstd.c), or has
 * other bytes behind its streams. After a failure every further read fails alike.
 *
 * n_threads (0: one for each processor that this process may use) decode the blocks of an xz stream
 * in parallel, where it has several and their sizes stand before them (xz -T0). A block that is
 * being decoded takes its dictionary, its compressed and its plain bytes: with xz -6, 8 + 24 + 24
 * MiB, or less; one that waits for the reader takes its plain bytes. For that, all of them may have
 * 80 MiB for each thread, at most 512 MiB and at most a quarter of the machine's memory; what is
 * larger is decoded by fewer threads, and at last by the reader itself. */
int codec_open(const struct codec *c, struct source *in, unsigned n_threads, struct source **out,
	       struct err *e);

/* The same with the codec that the first bytes of in ask for; *out is in itself when they are raw.
 */
int codec_open_fitting(struct source *in, unsigned n_threads, struct source **out, struct err *e);

/* One whole zstd frame of n_bytes at bytes, into exactly plain_bytes bytes at plain. Its checksum
 * is not looked at: whoever calls this holds the plain bytes against a digest. Fails with
 * ERR_UNTRUSTED when it is not exactly one frame or gives more or fewer bytes. */
int codec_zstd_decode(const void *bytes, size_t n_bytes, void *plain, size_t plain_bytes,
		      struct err *e);

/* One zstd frame of plain_bytes at plain, into room for codec_zstd_bound(plain_bytes) bytes. */
size_t codec_zstd_bound(size_t plain_bytes);
int codec_zstd_encode(const void *plain, size_t plain_bytes, int level, void *bytes,
		      size_t *in_out_n_bytes, struct err *e);
