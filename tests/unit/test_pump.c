/* The ordered pipeline. The items are numbers, of which the work makes heap objects. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flash/base/pump.h"
#include "flash/base/units.h"

enum { NOTHING = -1, WINDOW = 4 };

struct numbers {
	int n;          /* numbers 0 to n - 1, then the end */
	int fails_at;   /* fetching this one fails; NOTHING: none */
	int refused_at; /* working on this one fails; NOTHING: none */
	int next;
	_Atomic int n_alive; /* results there are */
};

struct result {
	int number;
	_Atomic int n_owners;
	struct numbers *numbers;
};

/* Items are pointers to these, offset so that none is NULL. */
static char base[1 << 16];

static int fetch_number(void *context, void **out_item, struct err *e)
{
	struct numbers *all = context;

	if (all->next == all->fails_at)
		return err_set(e, ERR_IO, "number %d cannot be read", all->next);
	*out_item = all->next < all->n ? &base[all->next++] : NULL;
	return 0;
}

static void work_on_numbers(void *context, void *const *items, size_t n, void **results,
			    struct err *failures)
{
	struct numbers *all = context;

	for (size_t i = 0; i < n; i++) {
		int number = (int)((char *)items[i] - base);
		if (number == all->refused_at) {
			(void)err_set(&failures[i], ERR_UNTRUSTED, "number %d is bad", number);
			continue;
		}
		struct result *r = malloc(sizeof *r);
		assert_non_null(r);
		r->number = number;
		r->numbers = all;
		atomic_init(&r->n_owners, 1);
		atomic_fetch_add(&all->n_alive, 1);
		results[i] = r;
	}
}

static void drop_item(void *item)
{
	(void)item;
}

static void *share_result(void *result)
{
	atomic_fetch_add(&((struct result *)result)->n_owners, 1);
	return result;
}

static void drop_result(void *result)
{
	struct result *r = result;

	if (atomic_fetch_sub(&r->n_owners, 1) > 1)
		return;
	atomic_fetch_sub(&r->numbers->n_alive, 1);
	free(r);
}

static const struct pump_ops ops = {
	.fetch = fetch_number,
	.work = work_on_numbers,
	.drop_item = drop_item,
	.share_result = share_result,
	.drop_result = drop_result,
};

static struct pump *start(struct numbers *all, size_t n_consumers, unsigned lag_max_ms)
{
	const struct pump_options o = {
		.window = WINDOW,
		.n_workers = 3,
		.n_consumers = n_consumers,
		.lag_max_ms = lag_max_ms,
	};
	struct pump *p = NULL;
	struct err e = {0};

	assert_int_equal(pump_new(&ops, all, &o, &p, &e), 0);
	return p;
}

/* The next number for a consumer; NOTHING at the end, when left behind, or when it fails. */
static int take(struct pump *p, size_t consumer, bool *out_is_left_behind, struct err *e)
{
	void *result = NULL;
	int number = NOTHING;

	if (pump_take(p, consumer, &result, out_is_left_behind, e) == 0 && result) {
		number = ((struct result *)result)->number;
		drop_result(result);
	}
	return number;
}

/* Take all; how many came in order before something else did. */
static int take_in_order(struct pump *p, size_t consumer, struct err *e)
{
	bool is_left_behind = false;
	int n = 0;

	while (take(p, consumer, &is_left_behind, e) == n)
		n++;
	return n;
}

static void results_come_in_order_however_many_work(void **state)
{
	struct numbers all = {.n = 1000, .fails_at = NOTHING, .refused_at = NOTHING};
	struct err e = {0};
	struct pump *p = start(&all, 1, 0);

	(void)state;
	assert_int_equal(take_in_order(p, 0, &e), 1000);
	assert_int_equal(e.code, ERR_NONE);
	pump_free(p);
	assert_int_equal(all.n_alive, 0);
}

static void the_end_stays_the_end(void **state)
{
	struct numbers all = {.n = 1, .fails_at = NOTHING, .refused_at = NOTHING};
	bool is_left_behind = false;
	struct err e = {0};
	struct pump *p = start(&all, 1, 0);

	(void)state;
	assert_int_equal(take(p, 0, &is_left_behind, &e), 0);
	assert_int_equal(take(p, 0, &is_left_behind, &e), NOTHING);
	assert_int_equal(take(p, 0, &is_left_behind, &e), NOTHING);
	assert_int_equal(e.code, ERR_NONE);
	pump_free(p);
}

static void failed_fetch_is_told_after_all_that_came_before(void **state)
{
	struct numbers all = {.n = 1000, .fails_at = 77, .refused_at = NOTHING};
	struct err e = {0};
	struct pump *p = start(&all, 1, 0);

	(void)state;
	assert_int_equal(take_in_order(p, 0, &e), 77);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "number 77 cannot be read");
	pump_free(p);
	assert_int_equal(all.n_alive, 0);
}

static void refused_item_is_told_in_its_place(void **state)
{
	struct numbers all = {.n = 1000, .fails_at = NOTHING, .refused_at = 78};
	struct err e = {0};
	struct pump *p = start(&all, 1, 0);

	(void)state;
	assert_int_equal(take_in_order(p, 0, &e), 78);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	pump_free(p);
	assert_int_equal(all.n_alive, 0);
}

static void failure_is_told_again_to_who_asks_again(void **state)
{
	struct numbers all = {.n = 9, .fails_at = NOTHING, .refused_at = 0};
	bool is_left_behind = false;
	struct err e = {0};
	struct err again = {0};
	struct pump *p = start(&all, 1, 0);

	(void)state;
	assert_int_equal(take(p, 0, &is_left_behind, &e), NOTHING);
	assert_int_equal(take(p, 0, &is_left_behind, &again), NOTHING);
	assert_int_equal(again.code, ERR_UNTRUSTED);
	pump_free(p);
}

struct taker {
	struct pump *pump;
	size_t consumer;
	int n_in_order;
};

static void *take_all(void *context)
{
	struct taker *t = context;
	struct err e = {0};

	t->n_in_order = take_in_order(t->pump, t->consumer, &e);
	return NULL;
}

static void every_consumer_gets_everything(void **state)
{
	struct numbers all = {.n = 500, .fails_at = NOTHING, .refused_at = NOTHING};
	struct pump *p = start(&all, 3, 0);
	struct taker takers[] = {{p, 0, 0}, {p, 1, 0}, {p, 2, 0}};
	pthread_t threads[2];

	(void)state;
	assert_int_equal(pthread_create(&threads[0], NULL, take_all, &takers[0]), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, take_all, &takers[1]), 0);
	(void)take_all(&takers[2]);
	assert_int_equal(pthread_join(threads[0], NULL), 0);
	assert_int_equal(pthread_join(threads[1], NULL), 0);
	assert_int_equal(takers[0].n_in_order, 500);
	assert_int_equal(takers[1].n_in_order, 500);
	assert_int_equal(takers[2].n_in_order, 500);
	pump_free(p);
	assert_int_equal(all.n_alive, 0);
}

static void consumer_that_leaves_keeps_nobody_waiting(void **state)
{
	struct numbers all = {.n = 100, .fails_at = NOTHING, .refused_at = NOTHING};
	struct err e = {0};
	struct pump *p = start(&all, 2, 0);

	(void)state;
	pump_leave(p, 1);
	assert_int_equal(take_in_order(p, 0, &e), 100);
	pump_free(p);
	assert_int_equal(all.n_alive, 0);
}

static void consumer_that_keeps_others_waiting_is_left_behind(void **state)
{
	struct numbers all = {.n = 100, .fails_at = NOTHING, .refused_at = NOTHING};
	bool is_left_behind = false;
	struct err e = {0};
	struct pump *p = start(&all, 2, 1);

	(void)state;
	assert_int_equal(take(p, 1, &is_left_behind, &e), 0);
	assert_int_equal(take_in_order(p, 0, &e), 100);
	assert_int_equal(take(p, 1, &is_left_behind, &e), NOTHING);
	assert_true(is_left_behind);
	assert_int_equal(e.code, ERR_NONE);
	pump_free(p);
	assert_int_equal(all.n_alive, 0);
}

static void consumer_that_lags_within_the_window_is_not_left_behind(void **state)
{
	struct numbers all = {.n = WINDOW - 1, .fails_at = NOTHING, .refused_at = NOTHING};
	struct err e = {0};
	struct pump *p = start(&all, 2, 1);

	(void)state;
	assert_int_equal(take_in_order(p, 0, &e), WINDOW - 1);
	assert_int_equal(take_in_order(p, 1, &e), WINDOW - 1);
	pump_free(p);
}

static void nothing_is_fetched_far_ahead_of_the_consumers(void **state)
{
	struct numbers all = {.n = 1000, .fails_at = NOTHING, .refused_at = NOTHING};
	bool is_left_behind = false;
	struct err e = {0};
	struct pump *p = start(&all, 1, 0);

	(void)state;
	assert_int_equal(take(p, 0, &is_left_behind, &e), 0);
	assert_int_equal(take(p, 0, &is_left_behind, &e), 1);
	pump_free(p); /* all threads have ended, so that next may be looked at */
	assert_in_range(all.next, 2, 2 + WINDOW);
	assert_int_equal(all.n_alive, 0);
}

static void pump_that_nobody_takes_from_ends(void **state)
{
	struct numbers all = {.n = 1000, .fails_at = NOTHING, .refused_at = NOTHING};
	struct pump *p = start(&all, 2, 0);

	(void)state;
	pump_free(p);
	assert_int_equal(all.n_alive, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_come_in_order_however_many_work),
		cmocka_unit_test(the_end_stays_the_end),
		cmocka_unit_test(failed_fetch_is_told_after_all_that_came_before),
		cmocka_unit_test(refused_item_is_told_in_its_place),
		cmocka_unit_test(failure_is_told_again_to_who_asks_again),
		cmocka_unit_test(every_consumer_gets_everything),
		cmocka_unit_test(consumer_that_leaves_keeps_nobody_waiting),
		cmocka_unit_test(consumer_that_keeps_others_waiting_is_left_behind),
		cmocka_unit_test(consumer_that_lags_within_the_window_is_not_left_behind),
		cmocka_unit_test(nothing_is_fetched_far_ahead_of_the_consumers),
		cmocka_unit_test(pump_that_nobody_takes_from_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
