/* Reading the chunks of an image from its source: in order, only what is wanted. See verified.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/image_private.h"

void unverified_free(struct unverified *u)
{
	if (!u)
		return;
	pool_give(u->pool, u->bytes);
	chunk_free(u->chunk);
	free(u);
}

int cursor_fail(struct cursor *k, const struct err *e)
{
	k->failure = *e;
	return -1;
}

/* ---- Which chunks ------------------------------------------------------------------------------
 */

static uint64_t count_chunks(const struct image *im)
{
	uint64_t size_bytes = image_size_bytes(im);

	return (size_bytes >> im->chunk_log2) + (size_bytes % image_chunk_bytes(im) != 0);
}

static bool is_wanted(const struct cursor *k, uint64_t number)
{
	return !k->is_wanted || (number < k->n_wanted && k->is_wanted[number]);
}

static bool is_unmapped(const struct image *im, uint64_t number)
{
	uint64_t start_bytes = number << im->chunk_log2;

	return !im->index && im->evidence &&
	       evidence_is_unmapped(im->evidence, start_bytes, start_bytes + image_chunk_bytes(im));
}

/* Must the bytes of a chunk be looked at? Those of a stream come anyway, and what is signed to be
 * zeros or stored is held against that. */
static bool needs_bytes(const struct cursor *k, uint64_t number)
{
	const struct image *im = k->image;

	if (!im->index)
		return !k->is_seeking || !is_unmapped(im, number);
	switch (im->index->entries[number].kind) {
	case CHUNK_DATA:
		return true;
	case CHUNK_ZERO:
		return !k->is_seeking;
	case CHUNK_SKIP:
		break;
	}
	return !k->is_seeking && im->is_packed;
}

/* ---- Where they are ----------------------------------------------------------------------------
 */

/* In the source. */
struct extent {
	uint64_t start_bytes;
	size_t n_bytes;
};

static size_t plain_bytes(const struct cursor *k, uint64_t number)
{
	const struct image *im = k->image;
	uint64_t start_bytes = number << im->chunk_log2;

	if (im->index)
		return index_chunk_bytes(im->index, number);
	if (k->is_open_ended)
		return image_chunk_bytes(im);
	return (size_t)min_u64(image_chunk_bytes(im), image_size_bytes(im) - start_bytes);
}

static struct extent extent_of(const struct cursor *k, uint64_t number)
{
	const struct image *im = k->image;

	if (im->is_packed) {
		const struct index_entry *entry = &im->index->entries[number];
		return (struct extent){
			.start_bytes = im->payload_offset_bytes + entry->stored_offset_bytes,
			.n_bytes = entry->stored_bytes,
		};
	}
	return (struct extent){
		.start_bytes = number << im->chunk_log2,
		.n_bytes = plain_bytes(k, number),
	};
}

/* Where the bytes end that can be read on from x, which is that of chunk number, without leaving
 * out more than asking anew would cost. SIZE_UNKNOWN: with the image. */
static uint64_t run_end(const struct cursor *k, uint64_t number, struct extent x)
{
	uint64_t end_bytes = x.start_bytes + x.n_bytes;

	for (uint64_t i = number + 1; i < k->n_chunks; i++) {
		if (!is_wanted(k, i) || !needs_bytes(k, i))
			continue;
		x = extent_of(k, i);
		if (x.start_bytes - end_bytes > SOURCE_GAP_MAX_BYTES)
			break;
		end_bytes = x.start_bytes + x.n_bytes;
		number = i;
	}
	return number == k->n_chunks - 1 ? SIZE_UNKNOWN : end_bytes;
}

/* ---- Reading -----------------------------------------------------------------------------------
 */

static int read_full(struct cursor *k, uint8_t *bytes, size_t n_bytes, size_t *out_n_bytes,
		     struct err *e)
{
	if (source_read_full(k->source, bytes, n_bytes, out_n_bytes, e) < 0)
		return -1;
	k->position_bytes += *out_n_bytes;
	return 0;
}

/* Read over what comes before to_bytes of a stream. */
static int read_over(struct cursor *k, uint64_t to_bytes, struct err *e)
{
	struct pool *p = k->image->pool;

	if (k->position_bytes < to_bytes && !k->scratch && pool_take(p, &k->scratch, e) < 0)
		return -1;
	while (k->position_bytes < to_bytes) {
		size_t n_bytes =
			(size_t)min_u64(to_bytes - k->position_bytes, pool_buffer_bytes(p));
		size_t n_read = 0;
		if (read_full(k, k->scratch, n_bytes, &n_read, e) < 0)
			return -1;
		if (n_read != n_bytes)
			return err_set(e, ERR_UNTRUSTED, "the image is cut short at byte %" PRIu64,
				       k->position_bytes);
	}
	return 0;
}

/* Have the source give the bytes of x, which is that of chunk number, next. */
static int go_to(struct cursor *k, uint64_t number, struct extent x, struct err *e)
{
	if (!k->is_seeking)
		return read_over(k, x.start_bytes, e);
	if (x.start_bytes >= k->run_end_bytes)
		k->run_end_bytes = run_end(k, number, x);
	if (x.start_bytes == k->position_bytes && k->run_end_bytes == k->source_end_bytes)
		return 0;
	if (source_seek(k->source, x.start_bytes, k->run_end_bytes, e) < 0)
		return -1;
	k->position_bytes = x.start_bytes;
	k->source_end_bytes = k->run_end_bytes;
	return 0;
}

/* The bytes of u from the source. A stream that nobody signed may end in or before them. */
static int read_chunk(struct cursor *k, struct unverified *u, struct err *e)
{
	struct extent x = extent_of(k, u->number);

	if (go_to(k, u->number, x, e) < 0 || pool_take(u->pool, &u->bytes, e) < 0 ||
	    read_full(k, u->bytes, x.n_bytes, &u->n_bytes, e) < 0)
		return -1;
	if (u->n_bytes != x.n_bytes && !k->is_open_ended)
		return err_set(e, ERR_UNTRUSTED,
			       "chunk %" PRIu64 " at byte %" PRIu64
			       " is cut short: the image ends inside it",
			       u->number, u->number << k->image->chunk_log2);
	if (u->n_bytes != x.n_bytes)
		k->n_chunks = u->number + (u->n_bytes > 0);
	if (k->is_open_ended)
		u->size_bytes = u->n_bytes;
	return k->evidence ? evidence_show(k->evidence, u->bytes, u->n_bytes, e) : 0;
}

/* The next chunk. *out stays NULL when a stream has no more, or only evidence wants to see it. */
static int fetch_chunk(struct cursor *k, struct unverified **out, struct err *e)
{
	CLEANUP(unverified_freep) struct unverified *u = calloc(1, sizeof *u);

	if (!u)
		return err_errno(e, "chunk %" PRIu64, k->next_chunk);
	u->pool = k->image->pool;
	u->number = k->next_chunk;
	u->size_bytes = plain_bytes(k, u->number);
	u->is_unmapped = is_unmapped(k->image, u->number);
	if (needs_bytes(k, u->number) && read_chunk(k, u, e) < 0)
		return -1;
	k->next_chunk++;
	if (is_wanted(k, u->number) && u->size_bytes > 0)
		*out = TAKE(u);
	return 0;
}

/* ---- The end -----------------------------------------------------------------------------------
 */

/* Nothing but what the index knows of may follow. Of a source that can seek, image_open compared
 * the size. */
static int end_signed(struct cursor *k, struct err *e)
{
	const struct image *im = k->image;
	uint8_t byte = 0;
	size_t n_read = 0;

	if (k->is_seeking || k->is_wanted)
		return 0;
	/* A packed image closes with a seek table, which nobody trusts but which must be whole. */
	if (read_over(k, im->end_bytes, e) < 0 ||
	    source_read_full(k->source, &byte, 1, &n_read, e) < 0)
		return -1;
	if (n_read != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the image is longer than the %" PRIu64 " bytes that were signed",
			       im->end_bytes);
	return 0;
}

static int end_unsigned(struct cursor *k, struct err *e)
{
	uint64_t size_bytes = image_size_bytes(k->image);

	if (size_bytes == 0 || (k->is_open_ended && k->position_bytes == 0))
		return err_set(e, ERR_UNTRUSTED, "the image is empty");
	if (!k->is_open_ended)
		return 0;
	if (k->evidence && evidence_end(k->evidence, e) < 0)
		return -1;
	if (size_bytes != SIZE_UNKNOWN && size_bytes != k->position_bytes)
		return err_set(e, ERR_UNTRUSTED,
			       "the image has %" PRIu64 " bytes and not the %" PRIu64
			       " it had at first",
			       k->position_bytes, size_bytes);
	atomic_store(&k->image->size_bytes, k->position_bytes);
	return 0;
}

static int end(struct cursor *k, struct err *e)
{
	k->is_ended = true;
	return k->image->index ? end_signed(k, e) : end_unsigned(k, e);
}

/* ---- The way through ---------------------------------------------------------------------------
 */

/* *out is NULL before, and stays it at the end. */
static int advance(struct cursor *k, struct unverified **out, struct err *e)
{
	while (!*out && k->next_chunk < k->n_chunks) {
		if (!is_wanted(k, k->next_chunk) && !k->evidence)
			k->next_chunk++;
		else if (fetch_chunk(k, out, e) < 0)
			return -1;
	}
	return *out || k->is_ended ? 0 : end(k, e);
}

int cursor_advance(struct cursor *k, struct unverified **out, struct err *e)
{
	struct unverified *u = NULL;

	if (k->failure.code != ERR_NONE) {
		*e = k->failure;
		return -1;
	}
	if (advance(k, &u, e) < 0)
		return cursor_fail(k, e);
	*out = u;
	return 0;
}

/* The next wanted chunk that image_head read ahead; *out stays NULL when there is none. */
static int fetch_ahead(struct cursor *k, struct unverified **out, struct err *e)
{
	while (k->n_ahead_used < k->n_ahead) {
		CLEANUP(chunk_freep) struct chunk *c = TAKE(k->ahead[k->n_ahead_used++]);
		uint64_t number = chunk_offset_bytes(c) >> k->image->chunk_log2;

		if (!is_wanted(k, number))
			continue;
		struct unverified *u = calloc(1, sizeof *u);
		if (!u)
			return err_errno(e, "chunk %" PRIu64, number);
		u->pool = k->image->pool;
		u->number = number;
		u->chunk = TAKE(c);
		*out = u;
		return 0;
	}
	return 0;
}

int cursor_fetch(struct cursor *k, struct unverified **out, struct err *e)
{
	struct unverified *u = NULL;

	if (fetch_ahead(k, &u, e) < 0)
		return cursor_fail(k, e);
	if (!u)
		return cursor_advance(k, out, e);
	*out = u;
	return 0;
}

/* ---- Making ------------------------------------------------------------------------------------
 */

/* k reads source, which is at position_bytes. Owns source from now on, also when it fails. */
static int cursor_over(struct image *im, struct source *source, uint64_t position_bytes,
		       struct cursor **out, struct err *e)
{
	struct cursor *k = calloc(1, sizeof *k);

	if (!k) {
		source_free(source);
		return err_errno(e, "reading the image");
	}
	k->image = im;
	k->source = source;
	k->position_bytes = position_bytes;
	k->source_end_bytes = SIZE_UNKNOWN;
	*out = k;
	return 0;
}

/* Settle which chunks k gives, before it gives the first. */
static void want(struct cursor *k, uint64_t first_chunk, const uint8_t *is_wanted_by_number)
{
	const struct image *im = k->image;
	bool is_counted = image_size_bytes(im) != SIZE_UNKNOWN;

	k->is_seeking = source_can_seek(k->source) && !k->evidence && !im->is_every_byte_read;
	k->is_wanted = is_wanted_by_number;
	k->n_wanted = is_counted ? count_chunks(im) : 0;
	/* What nobody signed ends where it ends, whatever was said about its size. */
	k->is_open_ended = !im->index && !k->is_seeking && (!k->is_wanted || k->evidence);
	k->n_chunks = k->is_open_ended ? UINT64_MAX : count_chunks(im);
	k->next_chunk = max_u64(k->next_chunk, first_chunk);
	k->run_end_bytes = 0; /* image_head had it while every chunk was wanted */
}

int cursor_first_new(struct image *im, struct source *payload, struct cursor **out, struct err *e)
{
	struct cursor *k = NULL;

	if (cursor_over(im, payload, im->payload_offset_bytes, &k, e) < 0)
		return -1;
	k->evidence = im->evidence;
	want(k, 0, NULL);
	*out = k;
	return 0;
}

bool image_can_be_read_again(const struct image *im)
{
	return im->spare != NULL;
}

int cursor_new(struct image *im, uint64_t first_chunk, const uint8_t *is_wanted_by_number,
	       struct cursor **out, struct err *e)
{
	struct cursor *k = NULL;
	struct source *again = NULL;

	if (is_wanted_by_number && image_size_bytes(im) == SIZE_UNKNOWN)
		return err_set(e, ERR_USAGE,
			       "which chunks the image has is known when all of it was read");
	if (first_chunk == 0)
		k = atomic_exchange(&im->first, NULL);
	if (!k && !im->spare)
		return err_set(e, ERR_USAGE,
			       "the image can be read only once; give it as a file or a URL");
	if (!k && (source_clone(im->spare, &again, e) < 0 || cursor_over(im, again, 0, &k, e) < 0))
		return -1;
	want(k, first_chunk, is_wanted_by_number);
	*out = k;
	return 0;
}

void cursor_free(struct cursor *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n_ahead; i++)
		chunk_free(k->ahead[i]);
	free(k->ahead);
	pool_give(k->image->pool, k->scratch);
	source_free(k->source);
	free(k);
}
