/* Digesting what a medium holds, on all cores. See scan.h. */
#include "flash/plan/scan.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/pump.h"
#include "flash/base/thread.h"
#include "flash/base/units.h"

/* Of chunks that were read and are being digested. With the reads under way this is less than what
 * copy_bound_bytes has for a target. */
enum { WINDOW_BYTES = 8 << 20 };

/* A chunk of the medium. */
struct piece {
	const struct index_entry *entry; /* borrowed */
	struct pool *pool;               /* borrowed */
	uint8_t *bytes;                  /* owned, of pool; NULL: they could not be read */
	size_t n_bytes;
};

/* The only two results; nobody owns them. */
static const char is_right_result = 'r';
static const char is_wrong_result = 'w';

struct reader {
	const struct scan *scan; /* borrowed */
	uint64_t next_ask;       /* chunks before this were asked for */
	uint64_t next_take;      /* and before this taken */
};

static bool is_checked(const struct scan *s, const struct index_entry *entry)
{
	return entry->kind != CHUNK_SKIP || s->is_hole_zeroed;
}

static int ask(struct reader *r, struct err *e)
{
	const struct scan *s = r->scan;

	while (r->next_ask < s->index->n_chunks) {
		size_t n_bytes = index_chunk_bytes(s->index, r->next_ask);
		bool is_needed = is_checked(s, &s->index->entries[r->next_ask]);
		if (is_needed && !sink_has_read_room(s->sink))
			return 0;
		if (is_needed &&
		    sink_read_ask(s->sink, r->next_ask << s->index->chunk_log2, n_bytes, e) < 0)
			return -1;
		r->next_ask++;
	}
	return 0;
}

static void piece_free(void *item)
{
	struct piece *p = item;

	pool_give(p->pool, p->bytes);
	free(p);
}

static int fetch(void *context, void **out_item, struct err *e)
{
	struct reader *r = context;
	const struct scan *s = r->scan;
	struct err unreadable = {0};

	if (r->next_take == s->index->n_chunks) {
		*out_item = NULL;
		return 0;
	}
	if (cancel_check(s->cancel, e) < 0 || ask(r, e) < 0)
		return -1;
	struct piece *p = calloc(1, sizeof *p);
	if (!p)
		return err_errno(e, "looking at what is there");
	p->entry = &s->index->entries[r->next_take];
	p->pool = sink_pool(s->sink);
	p->n_bytes = index_chunk_bytes(s->index, r->next_take++);
	if (is_checked(s, p->entry))
		(void)sink_read_take(s->sink, &p->bytes, &unreadable);
	if (unreadable.code == ERR_CANCELLED) {
		*e = unreadable;
		piece_free(p);
		return -1;
	}
	*out_item = p;
	return 0;
}

/* Those of n pieces that a digest decides, two at a time. */
static void digest_pieces(struct piece *const *pieces, size_t n, uint8_t (*sums)[SHA256_BYTES],
			  struct err *failures)
{
	struct digest_piece wanted[PUMP_BATCH_MAX] = {{0}};

	for (size_t i = 0; i < n; i++)
		wanted[i] = (struct digest_piece){
			pieces[i]->bytes, pieces[i]->bytes && pieces[i]->entry->kind == CHUNK_DATA
						  ? pieces[i]->n_bytes
						  : 0};
	if (digest_sha256_many(wanted, n, sums, &failures[0]) < 0 && n > 1)
		failures[1] = failures[0];
}

static bool is_right(const struct scan *s, const struct piece *p, const uint8_t *sum)
{
	if (!is_checked(s, p->entry))
		return true;
	if (!p->bytes)
		return false;
	if (p->entry->kind == CHUNK_DATA)
		return memcmp(sum, p->entry->plain_sha256, SHA256_BYTES) == 0;
	return bytes_are_zero(p->bytes, p->n_bytes);
}

static void work(void *context, void *const *items, size_t n, void **results, struct err *failures)
{
	const struct reader *r = context;
	struct piece *pieces[PUMP_BATCH_MAX] = {NULL};
	uint8_t sums[PUMP_BATCH_MAX][SHA256_BYTES] = {{0}};

	for (size_t i = 0; i < n; i++)
		pieces[i] = items[i];
	digest_pieces(pieces, n, sums, failures);
	for (size_t i = 0; i < n; i++) {
		const char *verdict =
			is_right(r->scan, pieces[i], sums[i]) ? &is_right_result : &is_wrong_result;
		results[i] = failures[i].code == ERR_NONE ? (void *)verdict : NULL;
		piece_free(pieces[i]);
	}
}

static void *share_nothing(void *result)
{
	return result;
}

static void drop_nothing(void *result)
{
	(void)result;
}

static const struct pump_ops scan_ops = {
	.fetch = fetch,
	.work = work,
	.drop_item = piece_free,
	.share_result = share_nothing,
	.drop_result = drop_nothing,
};

static int collect(const struct scan *s, struct pump *p, uint8_t *is_wrong, struct err *e)
{
	void *verdict = NULL;
	bool is_left_behind = false;

	for (uint64_t i = 0; i < s->index->n_chunks; i++) {
		if (pump_take(p, 0, &verdict, &is_left_behind, e) < 0)
			return -1;
		is_wrong[i] = verdict != &is_right_result;
		s->on_progress(s->context,
			       (i << s->index->chunk_log2) + index_chunk_bytes(s->index, i));
	}
	return 0;
}

int scan(const struct scan *s, uint8_t *is_wrong, struct err *e)
{
	struct reader reader = {.scan = s};
	size_t window = WINDOW_BYTES >> s->index->chunk_log2;
	const struct pump_options options = {
		.window = window < PUMP_BATCH_MAX ? PUMP_BATCH_MAX : window,
		.n_workers = thread_n_cores(),
		.n_consumers = 1,
	};
	struct pump *p = NULL;

	if (pump_new(&scan_ops, &reader, &options, &p, e) < 0)
		return -1;
	int result = collect(s, p, is_wrong, e);
	pump_free(p);
	sink_read_drop(s->sink);
	return result;
}
