/* What can be checked about an unsigned image. See evidence.h. */
#include "flash/image/evidence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/trust/digest.h"

struct evidence {
	struct bmap *bmap;        /* owned; NULL: none */
	size_t next_range;        /* the first range that has not ended */
	struct digest *range_sum; /* owned; of what was seen of next_range; NULL before its start */
	uint64_t position_bytes;  /* plain bytes seen */
	struct digest *file_sum;  /* owned; NULL: no sum is wanted */
	uint8_t wanted_file_sum[SHA256_BYTES];
};

int evidence_new(struct bmap *bmap, const uint8_t *sum, struct evidence **out, struct err *e)
{
	CLEANUP(evidence_freep) struct evidence *v = calloc(1, sizeof *v);

	if (!v) {
		bmap_free(bmap);
		return err_errno(e, "checking an unsigned image");
	}
	v->bmap = bmap;
	if (sum) {
		memcpy(v->wanted_file_sum, sum, SHA256_BYTES);
		if (digest_new(DIGEST_SHA256, &v->file_sum, e) < 0)
			return -1;
	}
	*out = TAKE(v);
	return 0;
}

void evidence_free(struct evidence *v)
{
	if (!v)
		return;
	bmap_free(v->bmap);
	digest_free(v->range_sum);
	digest_free(v->file_sum);
	free(v);
}

/* ---- The file as it was found ------------------------------------------------------------------
 */

struct watched {
	struct source base;
	struct source *in;         /* owned */
	struct evidence *evidence; /* borrowed */
};
_Static_assert(offsetof(struct watched, base) == 0, "base is first");

static int watched_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
			struct err *e)
{
	struct watched *w = (struct watched *)s;
	size_t n = 0;

	if (source_read(w->in, bytes, n_bytes, &n, e) < 0 ||
	    digest_update(w->evidence->file_sum, bytes, n, e) < 0)
		return -1;
	*out_n_bytes = n;
	return 0;
}

static void watched_free(struct source *s)
{
	source_free(((struct watched *)s)->in);
	free(s);
}

static int watched_clone(const struct source *s, struct source **out, struct err *e)
{
	return source_clone(((const struct watched *)s)->in, out, e);
}

int evidence_watch(struct evidence *v, struct source *in, struct source **out, struct err *e)
{
	static const struct source_ops ops = {
		.name = "watched",
		.read = watched_read,
		.clone = watched_clone,
		.free = watched_free,
	};
	static const struct source_ops once_ops = {
		.name = "watched",
		.read = watched_read,
		.free = watched_free,
	};

	if (!v->file_sum) {
		*out = in;
		return 0;
	}
	struct watched *w = calloc(1, sizeof *w);
	if (!w) {
		source_free(in);
		return err_errno(e, "checking an unsigned image");
	}
	w->base.ops = source_can_clone(in) ? &ops : &once_ops;
	w->base.size_bytes = in->size_bytes;
	w->in = in;
	w->evidence = v;
	*out = (struct source *)w;
	return 0;
}

/* ---- The ranges of the block map ---------------------------------------------------------------
 */

/* The current range has been seen whole: compare, and go on to the next. */
static int end_range(struct evidence *v, struct err *e)
{
	const struct bmap_range *r = &v->bmap->ranges[v->next_range++];
	uint8_t sum[DIGEST_MAX_BYTES];

	if (digest_finish(v->range_sum, sum, e) < 0)
		return -1;
	digest_free(TAKE(v->range_sum));
	if (r->has_digest && memcmp(sum, r->digest, digest_size_bytes(v->bmap->digest_kind)) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "bytes %" PRIu64 " to %" PRIu64 " differ from the block map",
			       r->start_bytes, r->end_bytes);
	return 0;
}

/* Show the part of [v->position_bytes, end_bytes) that belongs to the current range. */
static int show_range(struct evidence *v, const uint8_t *bytes, uint64_t end_bytes, struct err *e)
{
	const struct bmap_range *r = &v->bmap->ranges[v->next_range];
	uint64_t from_bytes = max_u64(r->start_bytes, v->position_bytes);
	uint64_t to_bytes = min_u64(r->end_bytes, end_bytes);

	if (!v->range_sum && digest_new(v->bmap->digest_kind, &v->range_sum, e) < 0)
		return -1;
	if (digest_update(v->range_sum, bytes + (from_bytes - v->position_bytes),
			  (size_t)(to_bytes - from_bytes), e) < 0)
		return -1;
	return to_bytes == r->end_bytes ? end_range(v, e) : 0;
}

int evidence_show(struct evidence *v, const uint8_t *bytes, size_t n_bytes, struct err *e)
{
	uint64_t end_bytes = v->position_bytes + n_bytes;
	size_t before = SIZE_MAX;

	while (v->bmap && v->next_range < v->bmap->n_ranges && v->next_range != before &&
	       v->bmap->ranges[v->next_range].start_bytes < end_bytes) {
		before = v->next_range;
		if (show_range(v, bytes, end_bytes, e) < 0)
			return -1;
	}
	v->position_bytes = end_bytes;
	return 0;
}

bool evidence_is_unmapped(const struct evidence *v, uint64_t start_bytes, uint64_t end_bytes)
{
	if (!v->bmap)
		return false;
	/* The first range that ends behind start_bytes is at low or above, and at most at high. */
	size_t low = 0;
	size_t high = v->bmap->n_ranges;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (v->bmap->ranges[middle].end_bytes > start_bytes)
			high = middle;
		else
			low = middle + 1;
	}
	return low == v->bmap->n_ranges || v->bmap->ranges[low].start_bytes >= end_bytes;
}

int evidence_end(struct evidence *v, struct err *e)
{
	uint8_t sum[SHA256_BYTES];

	if (v->bmap && v->position_bytes != v->bmap->image_size_bytes)
		return err_set(e, ERR_UNTRUSTED,
			       "the image has %" PRIu64 " bytes, but its block map says %" PRIu64,
			       v->position_bytes, v->bmap->image_size_bytes);
	if (!v->file_sum)
		return 0;
	if (digest_finish(v->file_sum, sum, e) < 0)
		return -1;
	if (memcmp(sum, v->wanted_file_sum, SHA256_BYTES) != 0)
		return err_set(e, ERR_UNTRUSTED, "the image differs from its SHA256SUMS line");
	return 0;
}
