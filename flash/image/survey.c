/* One pass over an image. See survey.h. */
#include "flash/image/survey.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"

/* A pass under way. */
struct pass {
	const struct survey_request *r; /* borrowed */
	struct survey *survey;          /* borrowed */
	uint8_t *chunk;                 /* owned; room for one */
	struct digest *whole;           /* owned */
	struct index_entry *entries;    /* owned */
	uint64_t n_entries;
	uint64_t position_bytes;
	bool is_zero_known;
	uint8_t zero_sha256[SHA256_BYTES]; /* of a whole chunk of zeros; most zeros are */
};

static void pass_release(struct pass *p)
{
	free(p->chunk);
	digest_free(p->whole);
	free(p->entries);
}

static size_t chunk_size_of(const struct pass *p)
{
	return (size_t)1 << p->r->chunk_log2;
}

static void tell(const struct pass *p, enum event_kind kind)
{
	uint64_t total_bytes = p->r->source->size_bytes;
	struct event ev = {.kind = kind,
			   .phase = PHASE_CHECK,
			   .done_bytes = p->position_bytes,
			   .total_bytes = total_bytes,
			   .target = p->r->name};

	event_emit(p->r->listener, &ev);
}

/* ---- One chunk ---- */

static int digest_zeros(struct pass *p, size_t n_bytes, uint8_t out[SHA256_BYTES], struct err *e)
{
	if (n_bytes != chunk_size_of(p))
		return digest_sha256(p->chunk, n_bytes, out, e);
	if (!p->is_zero_known && digest_sha256(p->chunk, n_bytes, p->zero_sha256, e) < 0)
		return -1;
	p->is_zero_known = true;
	memcpy(out, p->zero_sha256, SHA256_BYTES);
	return 0;
}

/* What the chunk is, and its plain digest. */
static int describe(struct pass *p, size_t n_bytes, struct index_entry *entry, struct err *e)
{
	const struct survey_request *r = p->r;
	bool is_zero = bytes_are_zero(p->chunk, n_bytes);

	entry->codec = CHUNK_CODEC_STREAM;
	entry->kind = is_zero ? CHUNK_ZERO : CHUNK_DATA;
	if (r->are_holes_skipped && r->evidence &&
	    evidence_is_unmapped(r->evidence, p->position_bytes, p->position_bytes + n_bytes))
		entry->kind = CHUNK_SKIP;
	if (is_zero)
		return digest_zeros(p, n_bytes, entry->plain_sha256, e);
	return digest_sha256(p->chunk, n_bytes, entry->plain_sha256, e);
}

/* Show the bytes to everyone who wants to see all of them. */
static int show(struct pass *p, size_t n_bytes, struct err *e)
{
	const struct survey_request *r = p->r;

	if (digest_update(p->whole, p->chunk, n_bytes, e) < 0)
		return -1;
	if (r->evidence && evidence_show(r->evidence, p->chunk, n_bytes, e) < 0)
		return -1;
	return r->digests ? holes_digests_show(r->digests, p->chunk, n_bytes, e) : 0;
}

static int append_entry(struct pass *p, const struct index_entry *entry, struct err *e)
{
	/* A power of two of entries is always full. */
	if ((p->n_entries & (p->n_entries - 1)) == 0) {
		size_t n_room = p->n_entries ? 2 * (size_t)p->n_entries : 1;
		struct index_entry *grown = reallocarray(p->entries, n_room, sizeof *grown);
		if (!grown)
			return err_errno(e, "making an index");
		p->entries = grown;
	}
	p->entries[p->n_entries++] = *entry;
	return 0;
}

static int take_chunk(struct pass *p, size_t n_bytes, struct err *e)
{
	const struct survey_request *r = p->r;
	struct index_entry entry = {0};

	if (p->position_bytes == 0) {
		p->survey->head_bytes = min_u64(n_bytes, SURVEY_HEAD_BYTES);
		memcpy(p->survey->head, p->chunk, p->survey->head_bytes);
	}
	if (describe(p, n_bytes, &entry, e) < 0 || show(p, n_bytes, e) < 0)
		return -1;
	if (r->store && r->store(r->store_context, p->chunk, n_bytes, &entry, e) < 0)
		return -1;
	p->position_bytes += n_bytes;
	return append_entry(p, &entry, e);
}

/* ---- All of them ---- */

static int read_chunks(struct pass *p, struct err *e)
{
	size_t chunk_bytes = chunk_size_of(p);
	size_t n_read = chunk_bytes;

	while (n_read == chunk_bytes) {
		if (cancel_check(p->r->cancel, e) < 0 ||
		    source_read_full(p->r->source, p->chunk, chunk_bytes, &n_read, e) < 0)
			return -1;
		if (n_read > 0 && take_chunk(p, n_read, e) < 0)
			return -1;
		tell(p, EVENT_PROGRESS);
	}
	return 0;
}

static int end(struct pass *p, struct err *e)
{
	const struct survey_request *r = p->r;
	struct survey *s = p->survey;

	if (p->position_bytes == 0)
		return err_set(e, ERR_USAGE, "the image is empty");
	if ((r->evidence && evidence_end(r->evidence, e) < 0) ||
	    (r->digests && holes_digests_end(r->digests, e) < 0) ||
	    digest_finish(p->whole, s->image_sha256, e) < 0 ||
	    index_new(p->position_bytes, r->chunk_log2, &s->index, e) < 0)
		return -1;
	memcpy(s->index->entries, p->entries, p->n_entries * sizeof *p->entries);
	s->index->codec = p->entries[0].codec;
	return 0;
}

/* Refuse at once what index_new will refuse at the end. */
static int check_limits(const struct survey_request *r, struct err *e)
{
	CLEANUP(index_freep) struct index *x = NULL;
	uint64_t size_bytes = r->source->size_bytes;

	if (size_bytes == SIZE_UNKNOWN)
		size_bytes = 1;
	if (size_bytes == 0)
		return err_set(e, ERR_USAGE, "the image is empty");
	return index_new(size_bytes, r->chunk_log2, &x, e);
}

int survey_run(const struct survey_request *r, struct survey **out, struct err *e)
{
	CLEANUP(survey_freep) struct survey *s = NULL;
	CLEANUP(pass_release) struct pass p = {.r = r};

	if (check_limits(r, e) < 0)
		return -1;
	s = p.survey = calloc(1, sizeof *s);
	p.chunk = malloc(chunk_size_of(&p));
	if (!s || !p.chunk)
		return err_errno(e, "reading the image");
	if (digest_new(DIGEST_SHA256, &p.whole, e) < 0)
		return -1;
	tell(&p, EVENT_PHASE);
	if (read_chunks(&p, e) < 0 || end(&p, e) < 0)
		return -1;
	*out = TAKE(s);
	return 0;
}

void survey_free(struct survey *s)
{
	if (!s)
		return;
	index_free(s->index);
	free(s);
}
