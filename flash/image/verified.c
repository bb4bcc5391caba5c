/* Verified chunks: the only file that makes a struct chunk. See verified.h and chunk.h. */
#include "flash/image/verified.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"
#include "flash/image/image_private.h"

struct chunk {
	atomic_uint n_owners;
	enum chunk_kind kind;
	uint64_t offset_bytes;
	uint64_t size_bytes;
	uint8_t *bytes;    /* owned; NULL unless DATA */
	struct pool *pool; /* borrowed; where bytes came from; NULL: malloc */
	struct fingerprint fingerprint;
};

enum chunk_kind chunk_kind(const struct chunk *c)
{
	return c->kind;
}

uint64_t chunk_offset_bytes(const struct chunk *c)
{
	return c->offset_bytes;
}

uint64_t chunk_size_bytes(const struct chunk *c)
{
	return c->size_bytes;
}

const uint8_t *chunk_bytes(const struct chunk *c)
{
	return c->kind == CHUNK_DATA ? c->bytes : NULL;
}

struct fingerprint chunk_fingerprint(const struct chunk *c)
{
	return c->fingerprint;
}

struct chunk *chunk_share(const struct chunk *c)
{
	/* The count is no part of what an owner may rely on. */
	struct chunk *shared = (struct chunk *)c;

	/* Nobody reads anything because of this count, and a count that has owners cannot be 0. */
	(void)atomic_fetch_add_explicit(&shared->n_owners, 1, memory_order_relaxed);
	return shared;
}

static void drop_bytes(struct chunk *c)
{
	if (c->pool)
		pool_give(c->pool, TAKE(c->bytes));
	else
		free(TAKE(c->bytes));
}

void chunk_free(struct chunk *c)
{
	/* What other owners read happens before the last one frees it. */
	if (!c || atomic_fetch_sub_explicit(&c->n_owners, 1, memory_order_acq_rel) > 1)
		return;
	drop_bytes(c);
	free(c);
}

static int chunk_new(enum chunk_kind kind, uint64_t offset_bytes, uint64_t size_bytes,
		     struct chunk **out, struct err *e)
{
	struct chunk *c = calloc(1, sizeof *c);

	if (!c)
		return err_errno(e, "a chunk of %" PRIu64 " bytes", size_bytes);
	atomic_init(&c->n_owners, 1);
	c->kind = kind;
	c->offset_bytes = offset_bytes;
	c->size_bytes = size_bytes;
	*out = c;
	return 0;
}

/* Zeros from the last byte up to the next multiple of CHUNK_ALIGN_BYTES. */
static void pad(struct chunk *c)
{
	uint64_t padded_bytes = align_up(c->size_bytes, CHUNK_ALIGN_BYTES);

	memset(c->bytes + c->size_bytes, 0, (size_t)(padded_bytes - c->size_bytes));
}

static void take_fingerprint(struct chunk *c, uint64_t seed)
{
	c->fingerprint = fingerprint_of(c->bytes, (size_t)c->size_bytes, seed);
}

/* A copy of bytes, which may be no part of an image and so outlive its pool. */
static int chunk_with_bytes(uint64_t offset_bytes, const uint8_t *bytes, size_t n_bytes,
			    uint64_t seed, struct chunk **out, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *c = NULL;

	if (chunk_new(CHUNK_DATA, offset_bytes, n_bytes, &c, e) < 0)
		return -1;
	c->bytes = aligned_alloc(CHUNK_ALIGN_BYTES, (size_t)align_up(n_bytes, CHUNK_ALIGN_BYTES));
	if (!c->bytes)
		return err_errno(e, "a chunk of %zu bytes", n_bytes);
	memcpy(c->bytes, bytes, n_bytes);
	pad(c);
	take_fingerprint(c, seed);
	*out = TAKE(c);
	return 0;
}

int chunk_slice_new(const struct chunk *c, size_t from_bytes, size_t to_bytes, uint64_t seed,
		    struct chunk **out, struct err *e)
{
	assert(c->kind == CHUNK_DATA && from_bytes < to_bytes && to_bytes <= c->size_bytes);
	return chunk_with_bytes(c->offset_bytes + from_bytes, c->bytes + from_bytes,
				to_bytes - from_bytes, seed, out, e);
}

int chunk_zero_new(uint64_t offset_bytes, uint64_t size_bytes, struct chunk **out, struct err *e)
{
	return chunk_new(CHUNK_ZERO, offset_bytes, size_bytes, out, e);
}

int chunk_derived_new(uint64_t offset_bytes, const uint8_t *bytes, size_t n_bytes, uint64_t seed,
		      struct chunk **out, struct err *e)
{
	return chunk_with_bytes(offset_bytes, bytes, n_bytes, seed, out, e);
}

/* A chunk of an image, with a buffer of its pool for n_bytes. */
static int chunk_with_room(const struct image *im, uint64_t offset_bytes, size_t n_bytes,
			   struct chunk **out, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *c = NULL;

	if (chunk_new(CHUNK_DATA, offset_bytes, n_bytes, &c, e) < 0)
		return -1;
	c->pool = im->pool;
	if (pool_take(im->pool, &c->bytes, e) < 0)
		return -1;
	pad(c);
	*out = TAKE(c);
	return 0;
}

/* ---- Chunks of a signed image ------------------------------------------------------------------
 */

static int refuse_chunk(const struct image *im, const char *what, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED, "chunk %" PRIu64 " at byte %" PRIu64 " %s", im->next_chunk,
		       im->next_chunk << im->index->chunk_log2, what);
}

/* Exactly n_bytes of the payload. */
static int read_payload(struct image *im, uint8_t *bytes, size_t n_bytes, struct err *e)
{
	size_t n_read = 0;

	if (source_read_full(im->payload, bytes, n_bytes, &n_read, e) < 0)
		return -1;
	im->payload_offset_bytes += n_read;
	if (n_read != n_bytes)
		return refuse_chunk(im, "is cut short: the image ends inside it", e);
	return 0;
}

/* The stored bytes of the next chunk, in im->stored, after their own digest matched. */
static int read_stored(struct image *im, const struct index_entry *entry, struct err *e)
{
	uint8_t sum[SHA256_BYTES];

	if (entry->stored_offset_bytes != im->payload_offset_bytes)
		return refuse_chunk(im, "is not stored where the one before it ends", e);
	if (entry->stored_bytes > im->stored_capacity_bytes) {
		free(TAKE(im->stored));
		im->stored_capacity_bytes = 0;
		im->stored = malloc(entry->stored_bytes);
		if (!im->stored)
			return err_errno(e, "a stored chunk of %" PRIu32 " bytes",
					 entry->stored_bytes);
		im->stored_capacity_bytes = entry->stored_bytes;
	}
	if (read_payload(im, im->stored, entry->stored_bytes, e) < 0 ||
	    digest_sha256(im->stored, entry->stored_bytes, sum, e) < 0)
		return -1;
	if (memcmp(sum, entry->stored_sha256, SHA256_BYTES) != 0)
		return refuse_chunk(im, "differs from the signed index", e);
	return 0;
}

/* The plain bytes of the next chunk of a packed image. */
static int read_packed(struct image *im, const struct index_entry *entry, struct chunk *c,
		       struct err *e)
{
	if (read_stored(im, entry, e) < 0)
		return -1;
	if (entry->codec == CHUNK_CODEC_ZSTD)
		return codec_zstd_decode(im->stored, entry->stored_bytes, c->bytes,
					 (size_t)c->size_bytes, e);
	if (entry->stored_bytes != c->size_bytes)
		return refuse_chunk(im, "is stored with another size", e);
	memcpy(c->bytes, im->stored, entry->stored_bytes);
	return 0;
}

/* Do the bytes read match what the index signs? c becomes the kind that the index says. */
static int check_chunk(struct image *im, const struct index_entry *entry, struct chunk *c,
		       struct err *e)
{
	uint8_t sum[SHA256_BYTES];

	switch (entry->kind) {
	case CHUNK_DATA:
		if (digest_sha256(c->bytes, (size_t)c->size_bytes, sum, e) < 0)
			return -1;
		if (memcmp(sum, entry->plain_sha256, SHA256_BYTES) != 0)
			return refuse_chunk(im, "differs from the signed index", e);
		take_fingerprint(c, im->seed);
		return 0;
	case CHUNK_ZERO:
		if (!bytes_are_zero(c->bytes, (size_t)c->size_bytes))
			return refuse_chunk(im, "should be zeros, says the signed index", e);
		break;
	case CHUNK_SKIP:
		break;
	}
	c->kind = entry->kind;
	drop_bytes(c);
	return 0;
}

static int next_signed(struct image *im, struct chunk **out, struct err *e)
{
	CLEANUP(chunk_freep) struct chunk *c = NULL;
	const struct index_entry *entry = &im->index->entries[im->next_chunk];
	size_t n_bytes = index_chunk_bytes(im->index, im->next_chunk);

	if (chunk_with_room(im, im->next_chunk << im->index->chunk_log2, n_bytes, &c, e) < 0)
		return -1;
	int status = im->is_packed ? read_packed(im, entry, c, e)
				   : read_payload(im, c->bytes, n_bytes, e);
	if (status < 0 || check_chunk(im, entry, c, e) < 0)
		return -1;
	im->next_chunk++;
	*out = TAKE(c);
	return 0;
}

/* All chunks were read: nothing but what the index knows of may follow. */
static int end_signed(struct image *im, struct err *e)
{
	uint8_t byte = 0;
	size_t n_read = 0;
	uint64_t size_bytes = im->index->payload_size_bytes;

	/* A packed image closes with a seek table, which nobody trusts but which must be whole. */
	while (im->is_packed && im->payload_offset_bytes < size_bytes) {
		uint8_t rest[4096];
		size_t n_bytes =
			(size_t)min_u64(sizeof rest, size_bytes - im->payload_offset_bytes);
		if (source_read_full(im->payload, rest, n_bytes, &n_read, e) < 0)
			return -1;
		im->payload_offset_bytes += n_read;
		if (n_read != n_bytes)
			return err_set(e, ERR_UNTRUSTED,
				       "the image is cut short behind its last chunk");
	}
	if (source_read_full(im->payload, &byte, 1, &n_read, e) < 0)
		return -1;
	if (n_read != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the image is longer than the %" PRIu64 " bytes that were signed",
			       im->is_packed ? size_bytes : im->size_bytes);
	return 0;
}

/* ---- Chunks of an unsigned image ---------------------------------------------------------------
 */

/* Note the chunk in the index that the target is read back by. */
static int index_chunk(struct image *im, const struct chunk *c, struct err *e)
{
	struct index *x = im->index;

	/* Room grows by doubling: a power of two of chunks is always full. */
	if ((x->n_chunks & (x->n_chunks - 1)) == 0) {
		size_t n_room = x->n_chunks ? (size_t)x->n_chunks * 2 : 1;
		struct index_entry *grown = reallocarray(x->entries, n_room, sizeof *grown);
		if (!grown)
			return err_errno(e, "the index");
		x->entries = grown;
	}
	struct index_entry entry = {.kind = c->kind, .codec = CHUNK_CODEC_STREAM};
	if (c->kind == CHUNK_DATA &&
	    digest_sha256(c->bytes, (size_t)c->size_bytes, entry.plain_sha256, e) < 0)
		return -1;
	x->entries[x->n_chunks++] = entry;
	x->image_size_bytes += c->size_bytes;
	return 0;
}

/* Holes and zeros need no bytes. */
static void drop_needless_bytes(const struct image *im, struct chunk *c, bool is_unmapped)
{
	if (is_unmapped)
		c->kind = CHUNK_SKIP;
	else if (bytes_are_zero(c->bytes, (size_t)c->size_bytes))
		c->kind = CHUNK_ZERO;
	if (c->kind == CHUNK_DATA)
		take_fingerprint(c, im->seed);
	else
		drop_bytes(c);
}

static int end_unsigned(struct image *im, struct err *e)
{
	im->size_bytes = im->index->image_size_bytes;
	if (im->size_bytes == 0)
		return err_set(e, ERR_UNTRUSTED, "the image is empty");
	return im->evidence ? evidence_end(im->evidence, e) : 0;
}

static int next_unsigned(struct image *im, struct chunk **out, struct err *e)
{
	size_t n_bytes = image_chunk_bytes(im);
	CLEANUP(chunk_freep) struct chunk *c = NULL;
	size_t n_read = 0;

	if (chunk_with_room(im, im->next_chunk << im->index->chunk_log2, n_bytes, &c, e) < 0 ||
	    source_read_full(im->payload, c->bytes, n_bytes, &n_read, e) < 0)
		return -1;
	if (n_read == 0) {
		*out = NULL;
		return end_unsigned(im, e);
	}
	memset(c->bytes + n_read, 0, n_bytes - n_read);
	c->size_bytes = n_read;
	bool is_unmapped = im->evidence && evidence_is_unmapped(im->evidence, c->offset_bytes,
								c->offset_bytes + n_read);
	if (im->evidence && evidence_show(im->evidence, c->bytes, n_read, e) < 0)
		return -1;
	drop_needless_bytes(im, c, is_unmapped);
	if (index_chunk(im, c, e) < 0)
		return -1;
	im->next_chunk++;
	*out = TAKE(c);
	return 0;
}

/* ---- The stream --------------------------------------------------------------------------------
 */

/* The chunk that the payload gives next, NULL at the end; the caller's. */
static int read_chunk(struct image *im, struct chunk **out, struct err *e)
{
	struct chunk *c = NULL;

	if (im->is_ended) {
		*out = NULL;
		return 0;
	}
	if (!im->manifest) {
		if (next_unsigned(im, &c, e) < 0)
			return -1;
	} else if (im->next_chunk < im->index->n_chunks) {
		if (next_signed(im, &c, e) < 0)
			return -1;
	} else if (end_signed(im, e) < 0) {
		return -1;
	}
	im->is_ended = !c;
	*out = c;
	return 0;
}

/* read_chunk, where a failure is for good. */
static int read_chunk_or_fail(struct image *im, struct chunk **out, struct err *e)
{
	if (im->is_failed)
		return err_set(e, ERR_UNTRUSTED, "an earlier chunk of the image was refused");
	if (read_chunk(im, out, e) < 0) {
		im->is_failed = true;
		return -1;
	}
	return 0;
}

int image_next(struct image *im, const struct chunk **out, struct err *e)
{
	chunk_free(TAKE(im->current));
	if (im->n_ahead_used < im->n_ahead)
		im->current = TAKE(im->ahead[im->n_ahead_used++]);
	else if (read_chunk_or_fail(im, &im->current, e) < 0)
		return -1;
	*out = im->current;
	return 0;
}

/* Read chunks ahead until n_bytes are there or the image ends. */
static int read_ahead(struct image *im, size_t n_bytes, struct err *e)
{
	uint64_t have_bytes = (uint64_t)im->n_ahead << im->index->chunk_log2;

	while (have_bytes < n_bytes && !im->is_ended) {
		struct chunk **grown = reallocarray(im->ahead, im->n_ahead + 1, sizeof *im->ahead);
		if (!grown)
			return err_errno(e, "the first %zu bytes of the image", n_bytes);
		im->ahead = grown;
		im->ahead[im->n_ahead] = NULL;
		if (read_chunk_or_fail(im, &im->ahead[im->n_ahead], e) < 0)
			return -1;
		if (im->ahead[im->n_ahead])
			have_bytes += im->ahead[im->n_ahead++]->size_bytes;
	}
	return 0;
}

int image_head(struct image *im, size_t n_bytes, const uint8_t **out_bytes, size_t *out_n_bytes,
	       struct err *e)
{
	size_t n_done = 0;

	if (n_bytes > IMAGE_HEAD_MAX_BYTES)
		return err_set(e, ERR_USAGE, "%zu bytes are too many to look at ahead", n_bytes);
	assert(!im->current && im->n_ahead_used == 0); /* before the first image_next */
	if (read_ahead(im, n_bytes, e) < 0)
		return -1;
	free(TAKE(im->head));
	im->head = calloc(1, n_bytes ? n_bytes : 1);
	if (!im->head)
		return err_errno(e, "the first %zu bytes of the image", n_bytes);
	for (size_t i = 0; i < im->n_ahead && n_done < n_bytes; i++) {
		const struct chunk *c = im->ahead[i];
		size_t n = (size_t)min_u64(c->size_bytes, n_bytes - n_done);
		if (c->kind == CHUNK_DATA)
			memcpy(im->head + n_done, c->bytes, n);
		n_done += n;
	}
	*out_bytes = im->head;
	*out_n_bytes = n_done;
	return 0;
}
