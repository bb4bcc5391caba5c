/* The chunk index, from its wire format and back. See index.h. */
#include "flash/image/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"

static const uint8_t magic[8] = {'L', 'K', 'I', 'D', 'X', '\r', '\n', 0x1a};

enum {
	VERSION = 1,
	HASH_SHA256 = 1,
	/* Where the header's and the entry's members begin: image format, INDX. */
	AT_VERSION = 8,
	AT_ENTRY_SIZE = 10,
	AT_HASH = 12,
	AT_FLAGS = 14,
	AT_IMAGE_SIZE = 16,
	AT_PAYLOAD_SIZE = 24,
	AT_N_CHUNKS = 32,
	AT_CHUNK_LOG2 = 40,
	AT_CODEC = 41,
	AT_RESERVED = 42,
	ENTRY_AT_CODEC = 1,
	ENTRY_AT_RESERVED = 2,
	ENTRY_AT_STORED_BYTES = 4,
	ENTRY_AT_STORED_OFFSET = 8,
	ENTRY_AT_PLAIN = 16,
	ENTRY_AT_STORED = 48,
};

static uint64_t count_chunks(uint64_t image_size_bytes, unsigned chunk_log2)
{
	uint64_t whole = image_size_bytes >> chunk_log2;

	return whole + ((whole << chunk_log2) != image_size_bytes);
}

static struct index *allocate(uint64_t image_size_bytes, unsigned chunk_log2)
{
	CLEANUP(index_freep) struct index *x = calloc(1, sizeof *x);

	assert(image_size_bytes > 0);
	if (!x)
		return NULL;
	x->image_size_bytes = image_size_bytes;
	x->chunk_log2 = chunk_log2;
	x->n_chunks = count_chunks(image_size_bytes, chunk_log2);
	x->entries = calloc(x->n_chunks, sizeof *x->entries);
	return x->entries ? TAKE(x) : NULL;
}

int index_new(uint64_t image_size_bytes, unsigned chunk_log2, struct index **out, struct err *e)
{
	const uint64_t max_chunks = (INDEX_MAX_BYTES - INDEX_HEADER_BYTES) / INDEX_ENTRY_BYTES;

	if (chunk_log2 < INDEX_CHUNK_LOG2_MIN || chunk_log2 > INDEX_CHUNK_LOG2_MAX)
		return err_set(e, ERR_USAGE, "chunks of 2^%u bytes; use 2^%d to 2^%d", chunk_log2,
			       INDEX_CHUNK_LOG2_MIN, INDEX_CHUNK_LOG2_MAX);
	if (image_size_bytes == 0)
		return err_set(e, ERR_USAGE, "an empty image has no index");
	if (count_chunks(image_size_bytes, chunk_log2) > max_chunks)
		return err_set(e, ERR_USAGE,
			       "%llu bytes are more than the %llu chunks of an index hold; "
			       "use larger chunks",
			       (unsigned long long)image_size_bytes,
			       (unsigned long long)max_chunks);
	struct index *x = allocate(image_size_bytes, chunk_log2);
	if (!x)
		return err_errno(e, "making an index");
	*out = x;
	return 0;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	free(x->entries);
	free(x);
}

size_t index_chunk_bytes(const struct index *x, uint64_t i)
{
	uint64_t start_bytes = i << x->chunk_log2;

	return (size_t)min_u64(UINT64_C(1) << x->chunk_log2, x->image_size_bytes - start_bytes);
}

static int check_fixed(const uint8_t *h, struct err *e)
{
	if (memcmp(h, magic, sizeof magic) != 0)
		return err_set(e, ERR_UNTRUSTED, "not a chunk index");
	if (le16(h + AT_VERSION) != VERSION)
		return err_set(e, ERR_UNTRUSTED,
			       "chunk index of version %u; this program reads version %d",
			       le16(h + AT_VERSION), VERSION);
	if (le16(h + AT_ENTRY_SIZE) != INDEX_ENTRY_BYTES || le16(h + AT_HASH) != HASH_SHA256 ||
	    le16(h + AT_FLAGS) != 0 ||
	    !bytes_are_zero(h + AT_RESERVED, INDEX_HEADER_BYTES - AT_RESERVED))
		return err_set(e, ERR_UNTRUSTED, "chunk index with an unknown header");
	return 0;
}

static int check_sizes(const uint8_t *h, size_t n_bytes, struct err *e)
{
	uint64_t image_size_bytes = le64(h + AT_IMAGE_SIZE);
	uint64_t n_chunks = le64(h + AT_N_CHUNKS);
	unsigned chunk_log2 = h[AT_CHUNK_LOG2];

	if (chunk_log2 < INDEX_CHUNK_LOG2_MIN || chunk_log2 > INDEX_CHUNK_LOG2_MAX)
		return err_set(e, ERR_UNTRUSTED, "chunk index with chunks of 2^%u bytes",
			       chunk_log2);
	if (h[AT_CODEC] > CHUNK_CODEC_STREAM)
		return err_set(e, ERR_UNTRUSTED, "chunk index with unknown codec %u", h[AT_CODEC]);
	if (h[AT_CODEC] == CHUNK_CODEC_STREAM && le64(h + AT_PAYLOAD_SIZE) != 0)
		return err_set(e, ERR_UNTRUSTED, "chunk index of a stream with a payload");
	if (image_size_bytes == 0 || n_chunks != count_chunks(image_size_bytes, chunk_log2))
		return err_set(e, ERR_UNTRUSTED, "chunk index with %llu chunks for %llu bytes",
			       (unsigned long long)n_chunks, (unsigned long long)image_size_bytes);
	/* n_chunks is below 2^48 here, so that the product fits. */
	if (n_bytes != INDEX_HEADER_BYTES + n_chunks * INDEX_ENTRY_BYTES)
		return err_set(e, ERR_UNTRUSTED, "chunk index of %zu bytes for %llu chunks",
			       n_bytes, (unsigned long long)n_chunks);
	return 0;
}

/* Where the stored bytes of an entry may be: behind the ones before it, within the payload.
 * *in_out_end_bytes is the end of the one before, and becomes this one's. */
static bool is_stored_range_good(const struct index *x, const struct index_entry *n,
				 uint64_t *in_out_end_bytes)
{
	/* A frame that does not compress is a little larger than its content. */
	uint64_t max_bytes = UINT64_C(2) << x->chunk_log2;
	uint64_t end_bytes = 0;

	if (n->stored_bytes == 0 || n->stored_bytes > max_bytes ||
	    n->stored_offset_bytes < *in_out_end_bytes ||
	    !checked_add(n->stored_offset_bytes, n->stored_bytes, &end_bytes) ||
	    (x->payload_size_bytes != 0 && end_bytes > x->payload_size_bytes))
		return false;
	*in_out_end_bytes = end_bytes;
	return true;
}

static bool is_entry_good(const struct index *x, uint64_t i, uint64_t *in_out_end_bytes)
{
	const struct index_entry *n = &x->entries[i];

	switch (n->codec) {
	case CHUNK_CODEC_STREAM:
		return n->stored_bytes == 0 && n->stored_offset_bytes == 0 &&
		       bytes_are_zero(n->stored_sha256, SHA256_BYTES);
	case CHUNK_CODEC_STORED:
		return n->stored_bytes == index_chunk_bytes(x, i) &&
		       memcmp(n->stored_sha256, n->plain_sha256, SHA256_BYTES) == 0 &&
		       is_stored_range_good(x, n, in_out_end_bytes);
	case CHUNK_CODEC_ZSTD:
		return is_stored_range_good(x, n, in_out_end_bytes);
	}
	return false;
}

static int parse_entry(const uint8_t *p, struct index *x, uint64_t i, uint64_t *in_out_end_bytes,
		       struct err *e)
{
	struct index_entry *n = &x->entries[i];

	if (p[0] > CHUNK_SKIP || p[ENTRY_AT_CODEC] != (uint8_t)x->codec ||
	    le16(p + ENTRY_AT_RESERVED) != 0)
		return err_set(e, ERR_UNTRUSTED, "chunk %llu of the index has an unknown kind",
			       (unsigned long long)i);
	n->kind = (enum chunk_kind)p[0];
	n->codec = x->codec;
	n->stored_bytes = le32(p + ENTRY_AT_STORED_BYTES);
	n->stored_offset_bytes = le64(p + ENTRY_AT_STORED_OFFSET);
	memcpy(n->plain_sha256, p + ENTRY_AT_PLAIN, SHA256_BYTES);
	memcpy(n->stored_sha256, p + ENTRY_AT_STORED, SHA256_BYTES);
	if (!is_entry_good(x, i, in_out_end_bytes))
		return err_set(e, ERR_UNTRUSTED,
			       "chunk %llu of the index is not stored where it can be",
			       (unsigned long long)i);
	return 0;
}

int index_parse(const void *bytes, size_t n_bytes, struct index **out, struct err *e)
{
	const uint8_t *h = bytes;
	uint64_t end_bytes = 0;

	if (n_bytes < INDEX_HEADER_BYTES || n_bytes > INDEX_MAX_BYTES)
		return err_set(e, ERR_UNTRUSTED, "a chunk index has no %zu bytes", n_bytes);
	if (check_fixed(h, e) < 0 || check_sizes(h, n_bytes, e) < 0)
		return -1;
	CLEANUP(index_freep)
	struct index *x = allocate(le64(h + AT_IMAGE_SIZE), h[AT_CHUNK_LOG2]);
	if (!x)
		return err_errno(e, "reading a chunk index");
	x->codec = (enum chunk_codec)h[AT_CODEC];
	x->payload_size_bytes = le64(h + AT_PAYLOAD_SIZE);
	for (uint64_t i = 0; i < x->n_chunks; i++) {
		const uint8_t *p = h + INDEX_HEADER_BYTES + i * INDEX_ENTRY_BYTES;
		if (parse_entry(p, x, i, &end_bytes, e) < 0)
			return -1;
	}
	*out = TAKE(x);
	return 0;
}

static void format_entry(const struct index_entry *n, struct buf *out)
{
	uint8_t p[INDEX_ENTRY_BYTES] = {0};

	p[0] = (uint8_t)n->kind;
	p[ENTRY_AT_CODEC] = (uint8_t)n->codec;
	put_le32(p + ENTRY_AT_STORED_BYTES, n->stored_bytes);
	put_le64(p + ENTRY_AT_STORED_OFFSET, n->stored_offset_bytes);
	memcpy(p + ENTRY_AT_PLAIN, n->plain_sha256, SHA256_BYTES);
	memcpy(p + ENTRY_AT_STORED, n->stored_sha256, SHA256_BYTES);
	buf_append(out, p, sizeof p);
}

int index_format(const struct index *x, struct buf *out, struct err *e)
{
	uint8_t h[INDEX_HEADER_BYTES] = {0};

	memcpy(h, magic, sizeof magic);
	put_le16(h + AT_VERSION, VERSION);
	put_le16(h + AT_ENTRY_SIZE, INDEX_ENTRY_BYTES);
	put_le16(h + AT_HASH, HASH_SHA256);
	put_le64(h + AT_IMAGE_SIZE, x->image_size_bytes);
	put_le64(h + AT_PAYLOAD_SIZE, x->payload_size_bytes);
	put_le64(h + AT_N_CHUNKS, x->n_chunks);
	h[AT_CHUNK_LOG2] = (uint8_t)x->chunk_log2;
	h[AT_CODEC] = (uint8_t)x->codec;
	buf_append(out, h, sizeof h);
	for (uint64_t i = 0; i < x->n_chunks; i++)
		format_entry(&x->entries[i], out);
	return buf_check(out, e);
}
