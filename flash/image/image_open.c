/* Opening an image: what stands behind its bytes is settled here, before a byte of it is used. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"
#include "flash/image/frame.h"
#include "flash/image/image_private.h"
#include "flash/image/sums.h"
#include "flash/trust/random.h"

const char *guarantee_name(enum guarantee g)
{
	switch (g) {
	case GUARANTEE_SIGNATURE:
		return "signature";
	case GUARANTEE_BMAP:
		return "bmap";
	case GUARANTEE_SHA256SUM:
		return "sha256sum";
	case GUARANTEE_NONE:
		return "none";
	}
	return "none";
}

enum guarantee image_guarantee(const struct image *im)
{
	return im->guarantee;
}

const struct manifest *image_manifest(const struct image *im)
{
	return im->manifest;
}

const struct trust_verdict *image_verdict(const struct image *im)
{
	return im->manifest ? &im->verdict : NULL;
}

uint64_t image_size_bytes(const struct image *im)
{
	return atomic_load(&im->size_bytes);
}

size_t image_chunk_bytes(const struct image *im)
{
	return (size_t)1 << im->chunk_log2;
}

const struct index *image_index(const struct image *im)
{
	return im->index;
}

struct pool *image_pool(const struct image *im)
{
	return im->pool;
}

uint64_t image_seed(const struct image *im)
{
	return im->seed;
}

void image_free(struct image *im)
{
	if (!im)
		return;
	chunk_free(im->current);
	cursor_free(im->own);
	cursor_free(atomic_load(&im->first));
	source_free(im->spare);
	manifest_free(im->manifest);
	index_free(im->index);
	evidence_free(im->evidence);
	free(im->head);
	pool_free(im->pool);
	free(im);
}

/* ---- Signed ------------------------------------------------------------------------------------
 */

/* The signed index from s, held against the manifest. */
static int read_index(struct image *im, struct source *s, struct err *e)
{
	const struct manifest *m = im->manifest;
	CLEANUP(buf_release) struct buf content = {0};
	uint8_t sum[SHA256_BYTES];

	if (m->index_size_bytes > INDEX_MAX_BYTES)
		return err_set(e, ERR_UNTRUSTED, "the index has %" PRIu64 " bytes, more than %d",
			       m->index_size_bytes, INDEX_MAX_BYTES);
	if (frame_read(s, "INDX", (size_t)m->index_size_bytes, (size_t)m->index_size_bytes,
		       &content, e) < 0 ||
	    digest_sha256(content.bytes, content.n_bytes, sum, e) < 0)
		return -1;
	if (memcmp(sum, m->index_sha256, SHA256_BYTES) != 0)
		return err_set(e, ERR_UNTRUSTED, "the index differs from the signed manifest");
	if (index_parse(content.bytes, content.n_bytes, &im->index, e) < 0)
		return -1;
	if (im->index->image_size_bytes != m->image_size_bytes)
		return err_set(e, ERR_UNTRUSTED,
			       "the index is for %" PRIu64 " bytes, the manifest for %" PRIu64,
			       im->index->image_size_bytes, m->image_size_bytes);
	return 0;
}

/* Manifest, signature and index from s, in this order, each checked before the next is read; and
 * how many bytes they are. */
static int read_sections(struct image *im, struct source *s, const struct image_request *r,
			 uint64_t *out_n_bytes, struct err *e)
{
	CLEANUP(buf_release) struct buf json = {0};
	CLEANUP(buf_release) struct buf der = {0};

	if (frame_read(s, "MANI", 1, MANIFEST_MAX_BYTES, &json, e) < 0 ||
	    frame_read(s, "SIGN", 1, SIGNATURE_MAX_BYTES, &der, e) < 0)
		return -1;
	if (!r->store)
		return err_hint(
			(err_set(e, ERR_UNTRUSTED, "no certificate authority is trusted"), e),
			"name one with --trust FILE, or put it into /etc/lkflash/trust.d");
	const struct signed_bytes b = {.signature = der.bytes,
				       .signature_bytes = der.n_bytes,
				       .content = json.bytes,
				       .content_bytes = json.n_bytes};
	if (trust_verify(r->store, &r->policy, &b, &im->verdict, e) < 0)
		return err_wrap(e, "signature");
	if (manifest_parse(json.bytes, json.n_bytes, &im->manifest, e) < 0)
		return err_wrap(e, "manifest");
	if (read_index(im, s, e) < 0)
		return -1;
	im->size_bytes = im->manifest->image_size_bytes;
	im->chunk_log2 = im->index->chunk_log2;
	im->guarantee = GUARANTEE_SIGNATURE;
	*out_n_bytes = UINT64_C(3) * FRAME_HEADER_BYTES + json.n_bytes + der.n_bytes +
		       im->manifest->index_size_bytes;
	return 0;
}

/* Where everything ends that the index speaks of, from the payload's start. */
static uint64_t payload_end(const struct index *x)
{
	const struct index_entry *last = &x->entries[x->n_chunks - 1];

	return x->payload_size_bytes ? x->payload_size_bytes
				     : last->stored_offset_bytes + last->stored_bytes;
}

/* The image carries its sections itself, and one frame a chunk behind them. */
static int open_packed(struct image *im, struct source *raw, const struct image_request *r,
		       struct err *e)
{
	im->is_packed = true;
	if (read_sections(im, raw, r, &im->payload_offset_bytes, e) < 0)
		return -1;
	if (im->index->codec == CHUNK_CODEC_STREAM)
		return err_set(e, ERR_UNTRUSTED, "the index says that chunks are not stored here");
	if (!checked_add(im->payload_offset_bytes, payload_end(im->index), &im->end_bytes))
		return err_set(e, ERR_UNTRUSTED, "the index speaks of chunks behind any file");
	return 0;
}

/* The sections stand beside the image. */
static int open_beside(struct image *im, struct source *sidecar, const struct image_request *r,
		       struct err *e)
{
	uint64_t n_sections = 0;
	uint8_t byte = 0;
	size_t n_read = 0;

	if (read_sections(im, sidecar, r, &n_sections, e) < 0)
		return -1;
	im->end_bytes = im->index->image_size_bytes;
	if (im->index->codec != CHUNK_CODEC_STREAM)
		return err_set(e, ERR_UNTRUSTED, "the index speaks of chunks stored behind it");
	if (source_read_full(sidecar, &byte, 1, &n_read, e) < 0)
		return -1;
	if (n_read != 0)
		return err_set(e, ERR_UNTRUSTED, "bytes follow the signed index");
	return 0;
}

/* ---- Unsigned ----------------------------------------------------------------------------------
 */

static int load_bmap(const struct image_request *r, struct bmap **out, struct err *e)
{
	CLEANUP(freep) uint8_t *xml = NULL;
	size_t xml_bytes = 0;

	if (source_load(r->bmap_where, &r->source, BMAP_MAX_BYTES, &xml, &xml_bytes, e) < 0)
		return -1;
	if (bmap_parse(xml, xml_bytes, out, e) < 0)
		return err_wrap(e, "%s", r->bmap_where);
	return 0;
}

static int load_sum(const struct image_request *r, uint8_t sum[SHA256_BYTES], struct err *e)
{
	const char *slash = strrchr(r->where, '/');
	CLEANUP(freep) uint8_t *text = NULL;
	size_t text_bytes = 0;

	if (source_load(r->sums_where, &r->source, SUMS_MAX_BYTES, &text, &text_bytes, e) < 0)
		return -1;
	if (sums_find(text, text_bytes, slash ? slash + 1 : r->where, sum, e) < 0)
		return err_wrap(e, "%s", r->sums_where);
	return 0;
}

/* A block map before version 1.3 may only say where the data is. */
static bool has_all_digests(const struct bmap *map)
{
	for (size_t i = 0; i < map->n_ranges; i++)
		if (!map->ranges[i].has_digest)
			return false;
	return true;
}

/* What the user gave to check an unsigned image by. */
static int gather_evidence(struct image *im, const struct image_request *r, struct err *e)
{
	CLEANUP(bmap_freep) struct bmap *map = NULL;
	uint8_t sum[SHA256_BYTES];

	if (r->bmap_where && load_bmap(r, &map, e) < 0)
		return -1;
	if (r->sums_where && load_sum(r, sum, e) < 0)
		return -1;
	if (map)
		im->size_bytes = map->image_size_bytes;
	im->guarantee = r->sums_where ? GUARANTEE_SHA256SUM : GUARANTEE_NONE;
	if (map && has_all_digests(map))
		im->guarantee = GUARANTEE_BMAP;
	if (!map && !r->sums_where)
		return 0;
	return evidence_new(TAKE(map), r->sums_where ? sum : NULL, &im->evidence, e);
}

static int open_unsigned(struct image *im, struct source **raw, const struct image_request *r,
			 struct err *e)
{
	if (gather_evidence(im, r, e) < 0)
		return -1;
	im->chunk_log2 = INDEX_CHUNK_LOG2_DEFAULT;
	if (im->evidence && evidence_watch(im->evidence, TAKE(*raw), raw, e) < 0)
		return -1;
	if (codec_open_fitting(TAKE(*raw), 0, raw, e) < 0)
		return -1;
	if (im->size_bytes == SIZE_UNKNOWN)
		im->size_bytes = (*raw)->size_bytes;
	return 0;
}

/* ---- Which of the three ------------------------------------------------------------------------
 */

/* The sidecar: the one that was named, or the one beside the image. *out stays NULL, with the
 * reason in *why, when there is none beside it. */
static int find_sidecar(const struct image_request *r, struct source **out, struct err *why,
			struct err *e)
{
	CLEANUP(freep) char *beside = NULL;

	if (r->manifest_where) {
		if (source_open(r->manifest_where, &r->source, out, e) < 0)
			return err_wrap(e, "manifest");
		return 0;
	}
	if (strcmp(r->where, "-") == 0)
		return err_set(why, ERR_UNTRUSTED, "standard input carries no signature"), 0;
	if (asprintf(&beside, "%s.lkm", r->where) < 0) {
		beside = NULL;
		return err_errno(e, "%s", r->where);
	}
	if (source_open(beside, &r->source, out, why) == 0)
		return 0;
	/* One that is there and cannot be read is no reason to do without a signature. */
	if (why->code != ERR_CANCELLED && access(beside, F_OK) < 0)
		return 0;
	*e = *why;
	return err_wrap(e, "manifest");
}

static int refuse_unsigned(const struct err *why, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED,
		       "not signed (%s); sign it with `lkflash sign`, name its manifest with "
		       "--manifest FILE, or accept it unsigned with --allow-unsigned",
		       why->text);
}

/* An image of another size is told before anything is written: most often a download that ended
 * early. */
static int check_size(const struct image *im, const struct source *s, struct err *e)
{
	if (s->size_bytes == SIZE_UNKNOWN || s->size_bytes == im->end_bytes)
		return 0;
	return err_set(e, ERR_UNTRUSTED,
		       "the image has %" PRIu64 " bytes, but %" PRIu64
		       " were signed; get the image again",
		       s->size_bytes, im->end_bytes);
}

/* Settle what stands behind *raw; it becomes the source that chunks are read from. */
static int open_by_signature(struct image *im, struct source **raw, const struct image_request *r,
			     struct err *e)
{
	CLEANUP(source_freep) struct source *sidecar = NULL;
	struct err why = {.text = "no manifest was found"};
	const uint8_t *head = NULL;
	size_t n_head = 0;

	if (source_peek(*raw, SOURCE_PEEK_BYTES, &head, &n_head, e) < 0)
		return -1;
	if (!r->manifest_where && frame_has_magic(head, n_head) &&
	    (r->store || !r->is_unsigned_allowed)) {
		if (open_packed(im, *raw, r, e) < 0)
			return -1;
		return check_size(im, *raw, e);
	}
	if (find_sidecar(r, &sidecar, &why, e) < 0)
		return -1;
	if (!sidecar || (!r->store && r->is_unsigned_allowed))
		return r->is_unsigned_allowed ? open_unsigned(im, raw, r, e)
					      : refuse_unsigned(&why, e);
	if (open_beside(im, sidecar, r, e) < 0)
		return err_wrap(e, "manifest");
	if (codec_open_fitting(TAKE(*raw), 0, raw, e) < 0)
		return -1;
	return check_size(im, *raw, e);
}

/* Buffers for a chunk of the image, whole or as it is stored, and the seed of its fingerprints. */
static int prepare_chunks(struct image *im, struct err *e)
{
	size_t buffer_bytes = image_chunk_bytes(im);

	for (uint64_t i = 0; im->index && i < im->index->n_chunks; i++)
		buffer_bytes = max_u64(buffer_bytes, im->index->entries[i].stored_bytes);
	if (random_fill(NULL, (unsigned char *)&im->seed, sizeof im->seed) < 0)
		return err_errno(e, "drawing a random number");
	return pool_new(buffer_bytes, &im->pool, e);
}

/* The first cursor, over payload, which is owned from now on, and what others are cloned from. */
static int prepare_reading(struct image *im, struct source *payload, struct err *e)
{
	CLEANUP(source_freep) struct source *owned = payload;
	struct cursor *first = NULL;

	if (source_can_clone(owned) && source_clone(owned, &im->spare, e) < 0)
		return -1;
	if (cursor_first_new(im, TAKE(owned), &first, e) < 0)
		return -1;
	atomic_init(&im->first, first);
	return 0;
}

int image_open(const struct image_request *r, struct image **out, struct err *e)
{
	CLEANUP(image_freep) struct image *im = calloc(1, sizeof *im);
	CLEANUP(source_freep) struct source *raw = NULL;

	if (!im)
		return err_errno(e, "%s", r->where);
	im->size_bytes = SIZE_UNKNOWN;
	if (source_open(r->where, &r->source, &raw, e) < 0)
		return -1;
	if (open_by_signature(im, &raw, r, e) < 0)
		return err_wrap(e, "%s", r->where);
	if (im->manifest && (r->bmap_where || r->sums_where))
		return err_set(e, ERR_USAGE,
			       "%s is signed, which says more than a block map or SHA256SUMS; "
			       "leave --bmap and --sums out",
			       r->where);
	im->is_every_byte_read = r->is_every_byte_read;
	if (prepare_chunks(im, e) < 0 || prepare_reading(im, TAKE(raw), e) < 0)
		return err_wrap(e, "%s", r->where);
	*out = TAKE(im);
	return 0;
}
