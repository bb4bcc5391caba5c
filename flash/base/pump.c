/* The ordered pipeline: a window of slots under one lock. See pump.h. */
#include "flash/base/pump.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "flash/base/cleanup.h"
#include "flash/base/clock.h"
#include "flash/base/thread.h"
#include "flash/base/units.h"

/* The items are numbered from 0 on; number n is in slot n % window. */
struct slot {
	void *item;   /* fetched, not worked on yet */
	void *result; /* worked on; NULL while it is not, or failed */
	bool is_done;
	struct err failure; /* when is_done and there is no result */
};

struct consumer {
	uint64_t next; /* number of the item it takes next */
	uint64_t lag_ms;
	bool is_waiting;
	bool has_left;
	bool is_left_behind;
};

struct pump {
	const struct pump_ops *ops; /* borrowed */
	void *context;              /* borrowed */
	struct pump_options options;
	pthread_mutex_t lock;         /* of all that follows */
	pthread_cond_t for_fetcher;   /* room in the window, or the end */
	pthread_cond_t for_workers;   /* items to work on, or the end */
	pthread_cond_t for_consumers; /* results, or the end */
	struct slot *slots;           /* owned; options.window of them */
	struct consumer *consumers;   /* owned; options.n_consumers of them */
	uint64_t n_fetched;
	uint64_t n_begun;   /* of these, workers have taken so many */
	uint64_t n_dropped; /* of these, every consumer has taken so many */
	bool is_ended;      /* nothing more will be fetched */
	struct err failure; /* why, unless it is the end */
	bool is_stopping;
	size_t n_starving;   /* consumers */
	uint64_t charged_ms; /* up to then, their waiting has been charged to who lagged */
	pthread_t *threads;  /* owned */
	size_t n_threads;
};

static struct slot *slot_of(const struct pump *p, uint64_t number)
{
	return &p->slots[number % p->options.window];
}

static bool is_full(const struct pump *p)
{
	return p->n_fetched - p->n_dropped == p->options.window;
}

static bool is_present(const struct consumer *c)
{
	return !c->has_left && !c->is_left_behind;
}

/* The first item that somebody still has to take. */
static uint64_t first_needed(const struct pump *p)
{
	uint64_t first = p->n_fetched;

	for (size_t i = 0; i < p->options.n_consumers; i++)
		if (is_present(&p->consumers[i]))
			first = min_u64(first, p->consumers[i].next);
	return first;
}

/* Drop what nobody needs any more. Results only: what is not worked on yet is taken by nobody. */
static void drop_taken(struct pump *p)
{
	uint64_t first = first_needed(p);

	while (p->n_dropped < first && slot_of(p, p->n_dropped)->is_done) {
		struct slot *s = slot_of(p, p->n_dropped++);
		if (s->result)
			p->ops->drop_result(s->result);
		*s = (struct slot){0};
	}
	(void)pthread_cond_signal(&p->for_fetcher);
}

/* ---- The threads -------------------------------------------------------------------------------
 */

static bool has_present_consumer(const struct pump *p)
{
	for (size_t i = 0; i < p->options.n_consumers; i++)
		if (is_present(&p->consumers[i]))
			return true;
	return false;
}

/* Wait for room in the window. False: nothing more is to be fetched. */
static bool await_room(struct pump *p)
{
	while (!p->is_stopping && has_present_consumer(p) && is_full(p))
		(void)pthread_cond_wait(&p->for_fetcher, &p->lock);
	return !p->is_stopping && has_present_consumer(p);
}

static void *fetch_all(void *context)
{
	struct pump *p = context;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->is_ended) {
		struct err failure = {0};
		void *item = NULL;
		bool is_wanted = await_room(p);
		(void)pthread_mutex_unlock(&p->lock);
		if (is_wanted && p->ops->fetch(p->context, &item, &failure) < 0)
			item = NULL;
		(void)pthread_mutex_lock(&p->lock);
		if (item) {
			slot_of(p, p->n_fetched++)->item = item;
			(void)pthread_cond_signal(&p->for_workers);
		} else {
			p->failure = failure;
			p->is_ended = true;
			(void)pthread_cond_broadcast(&p->for_workers);
			(void)pthread_cond_broadcast(&p->for_consumers);
		}
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Does a consumer wait for the very item that is to be worked on next? */
static bool is_next_awaited(const struct pump *p)
{
	for (size_t i = 0; i < p->options.n_consumers; i++) {
		const struct consumer *c = &p->consumers[i];
		if (c->is_waiting && c->next == p->n_begun)
			return true;
	}
	return false;
}

/* Is there enough to begin with? A whole batch is faster than its items one by one; but nobody is
 * to wait for it. */
static bool is_work_ready(const struct pump *p)
{
	uint64_t n = p->n_fetched - p->n_begun;

	return n >= PUMP_BATCH_MAX || (n > 0 && (p->is_ended || is_next_awaited(p)));
}

/* Wait for items, and take up to PUMP_BATCH_MAX of them. 0: there will be none any more. */
static size_t begin_work(struct pump *p, uint64_t *out_first, void **out_items)
{
	size_t n = 0;

	while (!p->is_stopping && !is_work_ready(p) && !(p->is_ended && p->n_begun == p->n_fetched))
		(void)pthread_cond_wait(&p->for_workers, &p->lock);
	*out_first = p->n_begun;
	while (!p->is_stopping && n < PUMP_BATCH_MAX && p->n_begun < p->n_fetched)
		out_items[n++] = TAKE(slot_of(p, p->n_begun++)->item);
	return n;
}

static void end_work(struct pump *p, uint64_t first, size_t n, void **results,
		     const struct err *failures)
{
	for (size_t i = 0; i < n; i++) {
		struct slot *s = slot_of(p, first + i);
		s->result = results[i];
		s->failure = failures[i];
		s->is_done = true;
	}
	drop_taken(p); /* it may be that nobody waits for them any more */
	(void)pthread_cond_broadcast(&p->for_consumers);
}

static void *work_on(void *context)
{
	struct pump *p = context;
	struct err failures[PUMP_BATCH_MAX];
	size_t n = 0;

	(void)pthread_mutex_lock(&p->lock);
	do {
		void *items[PUMP_BATCH_MAX] = {NULL};
		void *results[PUMP_BATCH_MAX] = {NULL};
		uint64_t first = 0;
		n = begin_work(p, &first, items);
		if (n > 0) {
			(void)pthread_mutex_unlock(&p->lock);
			for (size_t i = 0; i < n; i++)
				failures[i].code = ERR_NONE;
			p->ops->work(p->context, items, n, results, failures);
			(void)pthread_mutex_lock(&p->lock);
			end_work(p, first, n, results, failures);
		}
	} while (n > 0);
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int start_thread(struct pump *p, void *(*body)(void *), struct err *e)
{
	if (thread_start(&p->threads[p->n_threads], body, p, e) < 0)
		return -1;
	p->n_threads++;
	return 0;
}

/* ---- For consumers -----------------------------------------------------------------------------
 */

/* Whoever keeps a full window from moving on while others starve pays for the time since the last
 * call; but not for work that is not done yet, nor while it waits itself. */
static void charge_laggards(struct pump *p)
{
	bool is_held_up = p->n_starving > 0 && is_full(p) && slot_of(p, p->n_dropped)->is_done;
	uint64_t passed_ms = clock_now_ms() - p->charged_ms;
	bool is_one_left_behind = false;

	p->charged_ms += passed_ms;
	for (size_t i = 0; is_held_up && i < p->options.n_consumers; i++) {
		struct consumer *c = &p->consumers[i];
		if (!is_present(c) || c->is_waiting || c->next != p->n_dropped)
			continue;
		c->lag_ms += passed_ms;
		c->is_left_behind = p->options.lag_max_ms && c->lag_ms >= p->options.lag_max_ms;
		is_one_left_behind |= c->is_left_behind;
	}
	if (is_one_left_behind)
		drop_taken(p);
}

/* Wait until something changes, but for no longer than a laggard may lag. Who waits for what cannot
 * be fetched, because the window is full, starves. */
static void await_change(struct pump *p, const struct consumer *c)
{
	bool is_starving = p->options.lag_max_ms > 0 && is_full(p) && c->next == p->n_fetched;
	uint64_t until_ms = p->charged_ms + p->options.lag_max_ms;
	const struct timespec until = {
		.tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000 * 1000000),
	};

	p->n_starving += is_starving;
	if (is_starving)
		(void)pthread_cond_timedwait(&p->for_consumers, &p->lock, &until);
	else
		(void)pthread_cond_wait(&p->for_consumers, &p->lock);
	charge_laggards(p);
	p->n_starving -= is_starving;
}

/* Take number c->next, which is done. */
static int take_done(struct pump *p, struct consumer *c, void **out, struct err *e)
{
	struct slot *s = slot_of(p, c->next);

	if (!s->result) {
		*e = s->failure;
		return -1;
	}
	*out = p->ops->share_result(s->result);
	c->next++;
	drop_taken(p);
	/* Who starved because of this one is to look again. */
	(void)pthread_cond_broadcast(&p->for_consumers);
	return 0;
}

static int take(struct pump *p, struct consumer *c, void **out, struct err *e)
{
	*out = NULL;
	charge_laggards(p);
	c->is_waiting = true;
	while (is_present(c) && !(c->next < p->n_fetched && slot_of(p, c->next)->is_done) &&
	       !(p->is_ended && c->next == p->n_fetched)) {
		if (c->next == p->n_begun)
			(void)pthread_cond_signal(&p->for_workers);
		await_change(p, c);
	}
	c->is_waiting = false;
	if (c->is_left_behind)
		return 0;
	assert(!c->has_left);
	if (c->next < p->n_fetched)
		return take_done(p, c, out, e);
	if (p->failure.code != ERR_NONE) {
		*e = p->failure;
		return -1;
	}
	return 0;
}

int pump_take(struct pump *p, size_t consumer, void **out, bool *out_is_left_behind, struct err *e)
{
	struct consumer *c = &p->consumers[consumer];

	(void)pthread_mutex_lock(&p->lock);
	int result = take(p, c, out, e);
	*out_is_left_behind = c->is_left_behind;
	(void)pthread_mutex_unlock(&p->lock);
	return result;
}

void pump_leave(struct pump *p, size_t consumer)
{
	(void)pthread_mutex_lock(&p->lock);
	p->consumers[consumer].has_left = true;
	drop_taken(p);
	(void)pthread_cond_broadcast(&p->for_consumers);
	(void)pthread_mutex_unlock(&p->lock);
}

/* ---- Making and ending -------------------------------------------------------------------------
 */

static void init_locks(struct pump *p)
{
	pthread_condattr_t monotonic;

	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->for_fetcher, NULL);
	(void)pthread_cond_init(&p->for_workers, NULL);
	(void)pthread_cond_init(&p->for_consumers, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

int pump_new(const struct pump_ops *ops, void *context, const struct pump_options *o,
	     struct pump **out, struct err *e)
{
	assert(o->window >= PUMP_BATCH_MAX && o->n_workers > 0 && o->n_consumers > 0);
	CLEANUP(pump_freep) struct pump *p = calloc(1, sizeof *p);

	if (!p)
		return err_errno(e, "starting threads");
	p->ops = ops;
	p->context = context;
	p->options = *o;
	init_locks(p);
	p->slots = calloc(o->window, sizeof *p->slots);
	p->consumers = calloc(o->n_consumers, sizeof *p->consumers);
	p->threads = calloc(o->n_workers + 1, sizeof *p->threads);
	if (!p->slots || !p->consumers || !p->threads)
		return err_errno(e, "starting threads");
	/* Fetching may wait for ever, so that it begins when nothing else can fail. */
	for (size_t i = 0; i < o->n_workers; i++)
		if (start_thread(p, work_on, e) < 0)
			return -1;
	if (start_thread(p, fetch_all, e) < 0)
		return -1;
	*out = TAKE(p);
	return 0;
}

static void drop_slot(const struct pump *p, struct slot *s)
{
	if (s->item)
		p->ops->drop_item(s->item);
	if (s->result)
		p->ops->drop_result(s->result);
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->is_stopping = true;
	(void)pthread_cond_broadcast(&p->for_fetcher);
	(void)pthread_cond_broadcast(&p->for_workers);
	(void)pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->n_threads; i++)
		(void)pthread_join(p->threads[i], NULL);
	for (size_t i = 0; p->slots && i < p->options.window; i++)
		drop_slot(p, &p->slots[i]);
	(void)pthread_cond_destroy(&p->for_consumers);
	(void)pthread_cond_destroy(&p->for_workers);
	(void)pthread_cond_destroy(&p->for_fetcher);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p->consumers);
	free(p->slots);
	free(p);
}
