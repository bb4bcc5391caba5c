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

/* ---- Chunks of an image ------------------------------------------------------------------------
 */

/* One chunk on its way through the checks. */
struct task {
	const struct index_entry *entry; /* borrowed; NULL: nobody signed it */
	struct unverified *u;            /* owned */
	struct chunk *c;                 /* owned */
	bool is_done;                    /* c is what it shall be, or failure is filled */
	struct err *failure;             /* borrowed */
};

static void fail(struct task *t)
{
	chunk_free(TAKE(t->c));
	t->is_done = true;
}

static void refuse(struct task *t, const char *what)
{
	(void)err_set(t->failure, ERR_UNTRUSTED, "chunk %" PRIu64 " at byte %" PRIu64 " %s",
		      t->u->number, chunk_offset_bytes(t->c), what);
	fail(t);
}

/* A chunk that holds no bytes. */
static void finish_as(struct task *t, enum chunk_kind kind)
{
	t->c->kind = kind;
	drop_bytes(t->c);
	t->is_done = true;
}

/* What is known before a byte was looked at. */
static void begin(const struct image *im, struct unverified *u, struct err *failure, struct task *t)
{
	*t = (struct task){.u = u, .failure = failure};
	if (u->chunk) {
		t->c = TAKE(u->chunk);
		t->is_done = true;
		return;
	}
	if (chunk_new(CHUNK_DATA, u->number << im->chunk_log2, u->size_bytes, &t->c, failure) < 0) {
		t->is_done = true;
		return;
	}
	t->c->pool = im->pool;
	t->entry = im->index ? &im->index->entries[u->number] : NULL;
	if (!u->bytes)
		finish_as(t, t->entry ? t->entry->kind : CHUNK_SKIP);
	else if (!im->is_packed)
		t->c->bytes = TAKE(u->bytes);
}

/* Digests that are made at once, and what they must be. */
struct checks {
	struct task *tasks[VERIFY_MAX];
	const uint8_t *wanted[VERIFY_MAX];
	struct digest_piece pieces[VERIFY_MAX];
	size_t n;
};

static void add_check(struct checks *k, struct task *t, const uint8_t *bytes, size_t n_bytes,
		      const uint8_t *wanted)
{
	k->tasks[k->n] = t;
	k->wanted[k->n] = wanted;
	k->pieces[k->n++] = (struct digest_piece){.bytes = bytes, .n_bytes = n_bytes};
}

static void run_checks(const struct checks *k)
{
	uint8_t sums[VERIFY_MAX][SHA256_BYTES];
	struct err e = {0};
	bool is_made = k->n == 0 || digest_sha256_many(k->pieces, k->n, sums, &e) == 0;

	for (size_t i = 0; i < k->n; i++) {
		if (!is_made) {
			*k->tasks[i]->failure = e;
			fail(k->tasks[i]);
		} else if (memcmp(sums[i], k->wanted[i], SHA256_BYTES) != 0) {
			refuse(k->tasks[i], "differs from the signed index");
		}
	}
}

/* Before the decompressor sees them: the bytes as they are stored. */
static void check_stored(struct task *tasks, size_t n_tasks)
{
	struct checks k = {0};

	for (size_t i = 0; i < n_tasks; i++) {
		struct task *t = &tasks[i];
		if (!t->is_done && t->entry && t->u->bytes)
			add_check(&k, t, t->u->bytes, t->u->n_bytes, t->entry->stored_sha256);
	}
	run_checks(&k);
}

/* The plain bytes of what is stored. */
static void unpack(struct task *t)
{
	struct unverified *u = t->u;
	struct chunk *c = t->c;

	if (t->is_done || !t->entry || !u->bytes)
		return;
	if (t->entry->kind == CHUNK_SKIP) {
		finish_as(t, CHUNK_SKIP);
		return;
	}
	if (t->entry->codec == CHUNK_CODEC_STORED) {
		c->bytes = TAKE(u->bytes); /* index.c saw to it that there are as many */
		return;
	}
	if (pool_take(c->pool, &c->bytes, t->failure) < 0 ||
	    codec_zstd_decode(u->bytes, u->n_bytes, c->bytes, (size_t)c->size_bytes, t->failure) <
		    0) {
		(void)err_wrap(t->failure, "chunk %" PRIu64 " at byte %" PRIu64, u->number,
			       c->offset_bytes);
		fail(t);
	}
}

static void check_plain(struct task *tasks, size_t n_tasks)
{
	struct checks k = {0};

	for (size_t i = 0; i < n_tasks; i++) {
		struct task *t = &tasks[i];
		if (!t->is_done && t->entry && t->entry->kind == CHUNK_DATA)
			add_check(&k, t, t->c->bytes, (size_t)t->c->size_bytes,
				  t->entry->plain_sha256);
	}
	run_checks(&k);
}

/* The kind of a chunk whose bytes are right; holes and zeros need none. */
static void settle(const struct image *im, struct task *t)
{
	bool is_data = t->entry && t->entry->kind == CHUNK_DATA;
	bool is_hole = t->entry ? t->entry->kind == CHUNK_SKIP : t->u->is_unmapped;

	if (t->is_done)
		return;
	if (is_hole) {
		finish_as(t, CHUNK_SKIP);
	} else if (!is_data && bytes_are_zero(t->c->bytes, (size_t)t->c->size_bytes)) {
		finish_as(t, CHUNK_ZERO);
	} else if (t->entry && !is_data) {
		refuse(t, "should be zeros, says the signed index");
	} else {
		pad(t->c);
		take_fingerprint(t->c, im->seed);
	}
}

void image_verify(const struct image *im, struct unverified *const *u, size_t n, struct chunk **out,
		  struct err *failures)
{
	struct task tasks[VERIFY_MAX];

	assert(n <= VERIFY_MAX);
	for (size_t i = 0; i < n; i++)
		begin(im, u[i], &failures[i], &tasks[i]);
	check_stored(tasks, n);
	for (size_t i = 0; i < n; i++)
		unpack(&tasks[i]);
	check_plain(tasks, n);
	for (size_t i = 0; i < n; i++) {
		settle(im, &tasks[i]);
		unverified_free(tasks[i].u);
		out[i] = tasks[i].c;
	}
}
