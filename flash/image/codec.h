/* Compressed streams as sources. A codec is one file, codec_<name>.c, ending in a const struct
 * codec, and one line in codecs.def. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/image/source.h"

struct codec {
	const char *name; /* "gzip" */
	bool (*has_magic)(const uint8_t *bytes, size_t n_bytes);
	/* A source of the plain bytes of in, which it owns from now on (and has freed when this
	 * fails). Reads several concatenated streams as one; fails with ERR_UNTRUSTED when the
	 * input ends inside a stream, is damaged, or has other bytes behind its streams (zero
	 * padding where the format allows it). */
	int (*open)(struct source *in, struct source **out, struct err *e);
};

/* The codec whose magic the bytes begin with, or NULL: they are raw. */
const struct codec *codec_by_magic(const uint8_t *bytes, size_t n_bytes);

/* One whole zstd frame of n_bytes at bytes, into exactly plain_bytes bytes at plain. Fails with
 * ERR_UNTRUSTED when it is not exactly one frame or gives more or fewer bytes. */
int codec_zstd_decode(const void *bytes, size_t n_bytes, void *plain, size_t plain_bytes,
		      struct err *e);

/* One zstd frame of plain_bytes at plain, into room for codec_zstd_bound(plain_bytes) bytes. */
size_t codec_zstd_bound(size_t plain_bytes);
int codec_zstd_encode(const void *plain, size_t plain_bytes, int level, void *bytes,
		      size_t *in_out_n_bytes, struct err *e);
