/* One image to many targets. See copy.h. */
#include "flash/copy.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/pump.h"
#include "flash/base/thread.h"
#include "flash/base/units.h"

/* ---- Chunks, fetched and verified by threads ---------------------------------------------------
 */

/* A cursor, and the threads that take chunks from it. */
struct stream {
	struct image *image;   /* borrowed */
	struct cursor *cursor; /* owned */
	struct pump *pump;     /* owned; ends before the cursor does */
};

static int fetch(void *context, void **out_item, struct err *e)
{
	const struct stream *s = context;
	struct unverified *u = NULL;

	if (cursor_fetch(s->cursor, &u, e) < 0)
		return -1;
	*out_item = u;
	return 0;
}

static void verify(void *context, void *const *items, size_t n, void **results,
		   struct err *failures)
{
	const struct stream *s = context;
	struct unverified *unverified[VERIFY_MAX] = {NULL};
	struct chunk *chunks[VERIFY_MAX] = {NULL};

	for (size_t i = 0; i < n; i++)
		unverified[i] = items[i];
	image_verify(s->image, unverified, n, chunks, failures);
	for (size_t i = 0; i < n; i++)
		results[i] = chunks[i];
}
_Static_assert((int)VERIFY_MAX == (int)PUMP_BATCH_MAX, "a batch is what can be verified at once");

static void drop_unverified(void *item)
{
	unverified_free(item);
}

static void *share_chunk(void *result)
{
	return chunk_share(result);
}

static void drop_chunk(void *result)
{
	chunk_free(result);
}

static const struct pump_ops stream_ops = {
	.fetch = fetch,
	.work = verify,
	.drop_item = drop_unverified,
	.share_result = share_chunk,
	.drop_result = drop_chunk,
};

static void stream_free(struct stream *s)
{
	if (!s)
		return;
	pump_free(s->pump);
	cursor_free(s->cursor);
	free(s);
}

static void stream_freep(struct stream **s)
{
	stream_free(*s);
}

/* At least two, so that the bound holds for chunks of any size and a pump can work. */
static size_t n_chunks_of(size_t n_bytes, size_t chunk_bytes)
{
	size_t n = n_bytes / chunk_bytes;

	return n < 2 ? 2 : n;
}

static int stream_new(struct image *im, uint64_t first_chunk, const uint8_t *is_wanted,
		      struct pump_options *o, struct stream **out, struct err *e)
{
	CLEANUP(stream_freep) struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return err_errno(e, "reading the image");
	s->image = im;
	if (cursor_new(im, first_chunk, is_wanted, &s->cursor, e) < 0 ||
	    pump_new(&stream_ops, s, o, &s->pump, e) < 0)
		return -1;
	*out = TAKE(s);
	return 0;
}

/* ---- The feed of a target ----------------------------------------------------------------------
 */

struct target_feed {
	struct feed base;
	struct image *image;   /* borrowed */
	struct stream *shared; /* borrowed; NULL: a reader of its own from the beginning */
	size_t consumer;       /* of shared */
	uint64_t n_taken;      /* chunks; number of the next one */
	struct stream *own;    /* owned; NULL: none, or not yet */
	uint8_t *is_wanted;    /* owned, for own; NULL: all are */
};
_Static_assert(offsetof(struct target_feed, base) == 0, "base is first");

static int start_own(struct target_feed *f, struct err *e)
{
	struct pump_options o = {
		.window = n_chunks_of(COPY_OWN_WINDOW_BYTES, image_chunk_bytes(f->image)),
		.n_workers = 1,
		.n_consumers = 1,
	};

	return stream_new(f->image, f->n_taken, f->is_wanted, &o, &f->own, e);
}

static int feed_next(struct feed *base, struct chunk **out, struct err *e)
{
	struct target_feed *f = (struct target_feed *)base;
	bool is_left_behind = false;
	void *c = NULL;

	if (!f->own && pump_take(f->shared->pump, f->consumer, &c, &is_left_behind, e) < 0)
		return -1;
	if (is_left_behind && start_own(f, e) < 0)
		return -1;
	if (f->own && pump_take(f->own->pump, 0, &c, &is_left_behind, e) < 0)
		return -1;
	f->n_taken++;
	*out = c;
	return 0;
}

static int feed_want(struct feed *base, const uint8_t *is_wanted, struct err *e)
{
	struct target_feed *f = (struct target_feed *)base;

	assert(!f->shared && !f->own);
	if (feed_copy_wanted(f->image, is_wanted, &f->is_wanted, e) < 0)
		return -1;
	return start_own(f, e);
}

static int feed_again(struct feed *base, uint64_t number, struct chunk **out, struct err *e)
{
	return feed_chunk_again(((struct target_feed *)base)->image, number, out, e);
}

static void target_feed_release(struct feed *base)
{
	struct target_feed *f = (struct target_feed *)base;

	if (f->shared)
		pump_leave(f->shared->pump, f->consumer);
	stream_free(TAKE(f->own));
	free(TAKE(f->is_wanted));
}

static const struct feed_ops target_feed_ops = {
	.next = feed_next,
	.want = feed_want,
	.again = feed_again,
	.free = target_feed_release,
};

/* ---- The threads of the targets ----------------------------------------------------------------
 */

struct crew;

struct worker {
	struct crew *crew; /* borrowed */
	struct target_feed feed;
	pthread_t thread;
	bool is_started;
	bool is_finished; /* under crew->lock */
	bool is_told;
	struct err failure;
};

struct crew {
	const struct copy *copy;  /* borrowed */
	struct listener listener; /* hands on to that of copy, one event at a time */
	struct stream *shared;    /* owned; NULL when every target has a reader of its own */
	struct worker *workers;   /* owned; one a target */
	pthread_mutex_t lock;     /* of is_finished and is_held */
	pthread_cond_t changed;
	pthread_mutex_t listening; /* held while an event is told */
	bool is_held;              /* the targets wait until all threads are there ... */
	bool is_called_off;        /* ... or it is found that they cannot be */
};

static void tell(void *context, const struct event *ev)
{
	struct crew *crew = context;

	(void)pthread_mutex_lock(&crew->listening);
	event_emit(crew->copy->listener, ev);
	(void)pthread_mutex_unlock(&crew->listening);
}

static bool await_start(struct crew *crew)
{
	(void)pthread_mutex_lock(&crew->lock);
	while (crew->is_held)
		(void)pthread_cond_wait(&crew->changed, &crew->lock);
	bool is_called_off = crew->is_called_off;
	(void)pthread_mutex_unlock(&crew->lock);
	return !is_called_off;
}

static void *run_target(void *context)
{
	struct worker *w = context;
	struct crew *crew = w->crew;
	struct execution *x = crew->copy->targets[w - crew->workers];
	struct err e = {0};

	if (!await_start(crew))
		return NULL;
	/* What was mended on the way has left its words in e. */
	if (execute(x, &e) < 0)
		w->failure = e;
	/* Whoever waits for this target need not. */
	feed_free(&w->feed.base);
	(void)pthread_mutex_lock(&crew->lock);
	w->is_finished = true;
	(void)pthread_cond_broadcast(&crew->changed);
	(void)pthread_mutex_unlock(&crew->lock);
	return NULL;
}

static int start_worker(struct worker *w, struct err *e)
{
	if (thread_start(&w->thread, run_target, w, e) < 0)
		return err_hint(e, "write to fewer targets at once");
	w->is_started = true;
	return 0;
}

static void release(struct crew *crew, bool is_called_off)
{
	(void)pthread_mutex_lock(&crew->lock);
	crew->is_held = false;
	crew->is_called_off = is_called_off;
	(void)pthread_cond_broadcast(&crew->changed);
	(void)pthread_mutex_unlock(&crew->lock);
}

static int start_workers(struct crew *crew, struct err *e)
{
	for (size_t i = 0; i < crew->copy->n_targets; i++) {
		if (start_worker(&crew->workers[i], e) < 0) {
			release(crew, true);
			return -1;
		}
	}
	release(crew, false);
	return 0;
}

/* The first target that is finished and was not told of yet, waited for; NULL when there is none
 * any more. */
static struct worker *await_finished(struct crew *crew)
{
	struct worker *found = NULL;
	bool is_any_left = true;

	(void)pthread_mutex_lock(&crew->lock);
	while (!found && is_any_left) {
		is_any_left = false;
		for (size_t i = 0; !found && i < crew->copy->n_targets; i++) {
			struct worker *w = &crew->workers[i];
			is_any_left |= !w->is_told;
			found = w->is_finished && !w->is_told ? w : NULL;
		}
		if (!found && is_any_left)
			(void)pthread_cond_wait(&crew->changed, &crew->lock);
	}
	(void)pthread_mutex_unlock(&crew->lock);
	return found;
}

static void tell_all_finished(struct crew *crew)
{
	for (struct worker *w = NULL; (w = await_finished(crew));) {
		w->is_told = true;
		crew->copy->on_finished(crew->copy->context, (size_t)(w - crew->workers),
					&w->failure);
	}
}

/* ---- All together ------------------------------------------------------------------------------
 */

static void crew_release(struct crew *crew)
{
	for (size_t i = 0; crew->workers && i < crew->copy->n_targets; i++)
		if (crew->workers[i].is_started)
			(void)pthread_join(crew->workers[i].thread, NULL);
	if (crew->copy->reading)
		cancel_scope_request(crew->copy->reading);
	stream_free(crew->shared);
	free(crew->workers);
	(void)pthread_cond_destroy(&crew->changed);
	(void)pthread_mutex_destroy(&crew->lock);
	(void)pthread_mutex_destroy(&crew->listening);
}

static bool is_scanned(const struct execution *x)
{
	for (size_t i = 0; i < x->plan->n_steps; i++)
		if (x->plan->steps[i].kind == STEP_SCAN)
			return true;
	return false;
}

/* One reader for all that need no scan. */
static int share_stream(struct crew *crew, struct err *e)
{
	const struct copy *c = crew->copy;
	bool has_own_readers = image_can_be_read_again(c->image) &&
			       image_guarantee(c->image) == GUARANTEE_SIGNATURE;
	struct pump_options o = {
		.window = n_chunks_of(COPY_WINDOW_BYTES, image_chunk_bytes(c->image)),
		.n_workers = thread_n_cores(),
		.lag_max_ms = has_own_readers ? COPY_LAG_MAX_MS : 0,
	};

	for (size_t i = 0; i < c->n_targets; i++)
		o.n_consumers += !is_scanned(c->targets[i]);
	return o.n_consumers ? stream_new(c->image, 0, NULL, &o, &crew->shared, e) : 0;
}

static void hand_out(struct crew *crew)
{
	const struct copy *c = crew->copy;
	size_t n_consumers = 0;

	for (size_t i = 0; i < c->n_targets; i++) {
		struct worker *w = &crew->workers[i];
		bool is_sharing = !is_scanned(c->targets[i]);
		w->crew = crew;
		w->feed = (struct target_feed){
			.base.ops = &target_feed_ops,
			.image = c->image,
			.shared = is_sharing ? crew->shared : NULL,
			.consumer = is_sharing ? n_consumers++ : 0,
		};
		c->targets[i]->feed = &w->feed.base;
		c->targets[i]->listener = &crew->listener;
	}
}

int copy_run(const struct copy *c, struct err *e)
{
	CLEANUP(crew_release)
	struct crew crew = {
		.copy = c,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.listening = PTHREAD_MUTEX_INITIALIZER,
		.is_held = true,
	};

	crew.listener = (struct listener){tell, &crew};
	crew.workers = calloc(c->n_targets, sizeof *crew.workers);
	if (!crew.workers)
		return err_errno(e, "writing to %zu targets", c->n_targets);
	if (share_stream(&crew, e) < 0)
		return -1;
	hand_out(&crew);
	if (start_workers(&crew, e) < 0)
		return -1;
	tell_all_finished(&crew);
	return 0;
}

uint64_t copy_bound_bytes(size_t n_targets, size_t chunk_bytes, size_t buffer_bytes)
{
	uint64_t shared = n_chunks_of(COPY_WINDOW_BYTES, chunk_bytes) + 2 * thread_n_cores() + 2;
	uint64_t own = n_chunks_of(COPY_OWN_WINDOW_BYTES, chunk_bytes) +
		       n_chunks_of(SINK_DEPTH_BYTES, chunk_bytes) + 4;

	return buffer_bytes * (shared + n_targets * own);
}
