/* The chunk index: where each chunk of an image is, and its digests. Pure. Layout: image format,
 * INDX. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/trust/digest.h"

enum {
	INDEX_CHUNK_LOG2_MIN = 16,
	INDEX_CHUNK_LOG2_DEFAULT = 20,
	INDEX_CHUNK_LOG2_MAX = 24,
	INDEX_HEADER_BYTES = 64,
	INDEX_ENTRY_BYTES = 80,
	INDEX_MAX_BYTES = 1 << 28, /* 3.2 TiB of 1 MiB chunks */
};

enum chunk_kind {
	CHUNK_DATA = 0,
	CHUNK_ZERO = 1, /* must read back as zeros */
	CHUNK_SKIP = 2, /* a hole: content does not matter */
};

enum chunk_codec {
	CHUNK_CODEC_STORED = 0,
	CHUNK_CODEC_ZSTD = 1,
	CHUNK_CODEC_STREAM = 2, /* not stored by itself: the bytes come in order from a stream */
};

struct index_entry {
	enum chunk_kind kind;
	enum chunk_codec codec;
	uint32_t stored_bytes;
	uint64_t stored_offset_bytes; /* from the payload's start */
	uint8_t plain_sha256[SHA256_BYTES];
	uint8_t stored_sha256[SHA256_BYTES];
};

struct index {
	uint64_t image_size_bytes;
	uint64_t payload_size_bytes; /* 0: beside this file, or streamed */
	uint64_t n_chunks;
	unsigned chunk_log2;
	enum chunk_codec codec;
	struct index_entry *entries; /* owned; n_chunks of them */
};

/* Room for the entries of an image; all DATA, all digests zero. Fails with ERR_USAGE for a size of
 * 0 or more chunks than INDEX_MAX_BYTES holds. */
int index_new(uint64_t image_size_bytes, unsigned chunk_log2, struct index **out, struct err *e);
void index_free(struct index *x);
static inline void index_freep(struct index **x)
{
	index_free(*x);
}

/* Fails with ERR_UNTRUSTED for anything image-format forbids. Every limit is checked before memory
 * is taken. */
int index_parse(const void *bytes, size_t n_bytes, struct index **out, struct err *e);
int index_format(const struct index *x, struct buf *out, struct err *e);

/* Bytes of chunk i: the chunk size, or less for the last one. */
size_t index_chunk_bytes(const struct index *x, uint64_t i);
