/* One image to many targets: each at its own speed, with a failure of its own. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/copy.h"
#include "tests/unit/fixture.h"

enum { N_TARGETS = 3, MEDIUM_BYTES = 4 * FIXTURE_CHUNK_BYTES, FILLER = 0xee };

/* Targets of memory, and what was told about them. */
struct scene {
	struct fixture *fixture; /* owned */
	struct image *image;     /* owned */
	struct sink *sinks[N_TARGETS];
	uint8_t *media[N_TARGETS]; /* borrowed from sinks */
	struct signatures old;     /* what the media showed before: nothing */
	struct plan *plan;         /* owned */
	struct execution executions[N_TARGETS];
	struct execution *targets[N_TARGETS];
	struct err failures[N_TARGETS];
	unsigned n_told[N_TARGETS];
	pthread_t told_by;
	unsigned n_listening; /* a race, unless one thread at a time listens */
};

static int scene_new(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	struct err e = {0};

	assert_non_null(s);
	s->fixture = fixture_new();
	for (size_t i = 0; i < N_TARGETS; i++) {
		assert_int_equal(sink_mem_new(MEDIUM_BYTES, &s->media[i], &s->sinks[i], &e), 0);
		memset(s->media[i], FILLER, MEDIUM_BYTES);
		s->targets[i] = &s->executions[i];
	}
	*state = s;
	return 0;
}

static int scene_free(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < N_TARGETS; i++)
		sink_free(s->sinks[i]);
	plan_free(s->plan);
	image_free(s->image);
	fixture_free(s->fixture);
	free(s);
	return 0;
}

/* Open and plan; all targets get the same plan. */
static void prepare(struct scene *s, const struct image_request *r, bool is_delta)
{
	struct err e = {0};

	assert_int_equal(image_open(r, &s->image, &e), 0);
	const struct plan_input in = {
		.image_size_bytes = image_size_bytes(s->image),
		.medium_size_bytes = MEDIUM_BYTES,
		.sector_bytes = 512,
		.chunk_bytes = image_chunk_bytes(s->image),
		.index = image_index(s->image),
		.stale = &s->old,
		.is_delta = is_delta,
	};
	assert_int_equal(plan_make(&in, &s->plan, &e), 0);
	for (size_t i = 0; i < N_TARGETS; i++)
		s->executions[i] = (struct execution){
			.plan = s->plan, .image = s->image, .sink = s->sinks[i], .target = "t"};
}

static void on_finished(void *context, size_t target, const struct err *failure)
{
	struct scene *s = context;

	s->failures[target] = *failure;
	s->n_told[target]++;
	s->told_by = pthread_self();
}

static void on_event(void *context, const struct event *ev)
{
	(void)ev;
	((struct scene *)context)->n_listening++;
}

static void run(struct scene *s)
{
	const struct listener listener = {.on_event = on_event, .context = s};
	const struct copy c = {
		.image = s->image,
		.targets = s->targets,
		.n_targets = N_TARGETS,
		.listener = &listener,
		.on_finished = on_finished,
		.context = s,
	};
	struct err e = {0};

	assert_int_equal(copy_run(&c, &e), 0);
}

static bool has_image(const struct scene *s, size_t target)
{
	return memcmp(s->media[target], s->fixture->image, FIXTURE_IMAGE_BYTES) == 0;
}

static void open_signed(struct scene *s, const char *path)
{
	const struct image_request r = fixture_request(s->fixture, path);

	prepare(s, &r, false);
}

/* ---- Threads that cannot be made ---------------------------------------------------------------
 */

enum { ALL_THREADS = 1 << 20 };

/* How many more threads can be made. */
static _Atomic int n_threads_left = ALL_THREADS;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *context)
{
	if (atomic_fetch_sub(&n_threads_left, 1) <= 0)
		return EAGAIN;
	return __real_pthread_create(thread, attributes, body, context);
}

/* Copy with so many threads from a pipe that stays open, and of which the first chunk never comes.
 * Returns what copy_run does. */
static int run_with_threads(int n_threads)
{
	struct scene *s = NULL;
	struct cancel_scope reading = {.cancel.fd = -1, .event_fd = -1};
	char where[32];
	int fds[2];
	struct err e = {0};

	assert_int_equal(scene_new((void **)&s), 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], s->fixture->image, 4096), 4096);
	(void)snprintf(where, sizeof where, "/proc/self/fd/%d", fds[0]);
	assert_int_equal(cancel_scope_init(&reading, NULL, &e), 0);
	const struct image_request r = {
		.where = where, .is_unsigned_allowed = true, .source = {.cancel = &reading.cancel}};
	prepare(s, &r, false);
	const struct copy c = {.image = s->image,
			       .targets = s->targets,
			       .n_targets = N_TARGETS,
			       .on_finished = on_finished,
			       .context = s,
			       .reading = &reading};
	n_threads_left = n_threads;
	int result = copy_run(&c, &e);
	n_threads_left = ALL_THREADS;
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(s->n_told[0] + s->n_told[1] + s->n_told[2], 0);
	assert_int_equal(s->media[0][0], FILLER);
	close(fds[0]);
	close(fds[1]);
	cancel_scope_release(&reading);
	(void)scene_free((void **)&s);
	return result;
}

/* One that fetches, one for each core that verifies, and one a target, the last of which is the
 * last to be made. */
static void copy_ends_at_once_whichever_thread_cannot_be_made(void **state)
{
	int n_needed = 1 + (int)sysconf(_SC_NPROCESSORS_ONLN) + N_TARGETS;

	(void)state;
	for (int n = 0; n < n_needed; n++)
		assert_int_equal(run_with_threads(n), -1);
}

/* The packed image with one bit of its third chunk flipped, in its file. */
static void alter_third_chunk(const struct scene *s)
{
	const struct fixture *f = s->fixture;

	f->packed[f->payload_offset_bytes + f->stored_offsets_bytes[2] + 20] ^= 1;
	fixture_put(f->packed_path, f->packed, f->packed_bytes);
}

static void all_targets_get_the_image(void **state)
{
	struct scene *s = *state;

	open_signed(s, s->fixture->image_path);
	run(s);
	assert_true(has_image(s, 0) && has_image(s, 1) && has_image(s, 2));
	assert_int_equal(s->executions[2].state, STATE_COMPLETE);
	assert_int_equal(s->media[1][MEDIUM_BYTES - 1], FILLER);
}

static void all_targets_get_a_packed_image(void **state)
{
	struct scene *s = *state;

	open_signed(s, s->fixture->packed_path);
	run(s);
	assert_true(has_image(s, 0) && has_image(s, 1) && has_image(s, 2));
}

static void every_target_is_told_of_once_by_the_calling_thread(void **state)
{
	struct scene *s = *state;

	open_signed(s, s->fixture->image_path);
	run(s);
	assert_int_equal(s->n_told[0], 1);
	assert_int_equal(s->n_told[1], 1);
	assert_int_equal(s->n_told[2], 1);
	assert_true(pthread_equal(s->told_by, pthread_self()));
}

static void events_are_told_one_at_a_time(void **state)
{
	struct scene *s = *state;

	/* The thread sanitizer sees it if not. */
	open_signed(s, s->fixture->image_path);
	run(s);
	assert_true(s->n_listening > 0);
}

static void target_that_fails_does_not_stop_the_others(void **state)
{
	struct scene *s = *state;

	open_signed(s, s->fixture->image_path);
	(void)err_set(&s->sinks[1]->failure, ERR_IO, "it is broken");
	run(s);
	assert_int_equal(s->failures[1].code, ERR_IO);
	assert_int_equal(s->failures[0].code, ERR_NONE);
	assert_int_equal(s->failures[2].code, ERR_NONE);
	assert_true(has_image(s, 0) && has_image(s, 2));
	assert_false(has_image(s, 1));
}

static void altered_chunk_stops_all_targets_before_they_boot(void **state)
{
	struct scene *s = *state;

	alter_third_chunk(s);
	open_signed(s, s->fixture->packed_path);
	run(s);
	assert_int_equal(s->failures[0].code, ERR_UNTRUSTED);
	assert_int_equal(s->failures[1].code, ERR_UNTRUSTED);
	assert_int_equal(s->failures[2].code, ERR_UNTRUSTED);
	assert_true(bytes_are_zero(s->media[0], FIXTURE_CHUNK_BYTES));
	assert_int_equal(s->executions[0].state, STATE_INCOMPLETE);
}

static void stream_is_read_once_for_all_targets(void **state)
{
	struct scene *s = *state;
	char where[32];
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	/* A pipe holds 64 KiB: the image's first chunk is enough. */
	assert_int_equal(write(fds[1], s->fixture->image, 4096), 4096);
	close(fds[1]);
	(void)snprintf(where, sizeof where, "/proc/self/fd/%d", fds[0]);
	const struct image_request r = {.where = where, .is_unsigned_allowed = true};
	prepare(s, &r, false);
	run(s);
	close(fds[0]);
	assert_int_equal(s->failures[0].code, ERR_NONE);
	assert_memory_equal(s->media[0], s->fixture->image, 4096);
	assert_memory_equal(s->media[2], s->fixture->image, 4096);
}

static void scanned_targets_get_only_what_they_lack(void **state)
{
	struct scene *s = *state;
	const struct image_request r = fixture_request(s->fixture, s->fixture->packed_path);

	memcpy(s->media[0], s->fixture->image, FIXTURE_IMAGE_BYTES);
	memcpy(s->media[1], s->fixture->image, FIXTURE_IMAGE_BYTES);
	s->media[1][2 * FIXTURE_CHUNK_BYTES] ^= 1;
	prepare(s, &r, true);
	run(s);
	assert_true(has_image(s, 0) && has_image(s, 1) && has_image(s, 2));
	assert_int_equal(s->executions[0].written_bytes, 0);
	assert_int_equal(s->executions[1].written_bytes, 2 * FIXTURE_CHUNK_BYTES);
	assert_int_equal(s->executions[2].written_bytes, FIXTURE_IMAGE_BYTES);
}

static void
target_that_is_right_is_told_as_complete_when_what_is_behind_it_cannot_be_wiped(void **state)
{
	struct scene *s = *state;
	const struct image_request r = fixture_request(s->fixture, s->fixture->image_path);
	struct signature old = {.offset_bytes = MEDIUM_BYTES - 512, .size_bytes = 8};

	memcpy(s->media[0], s->fixture->image, FIXTURE_IMAGE_BYTES);
	s->old = (struct signatures){.items = &old, .n_items = 1};
	s->sinks[0]->failure = (struct err){ERR_IO, "gone"};
	prepare(s, &r, true);
	run(s);
	assert_int_equal(s->failures[0].code, ERR_IO);
	assert_int_equal(s->executions[0].state, STATE_COMPLETE);
	assert_true(has_image(s, 0));
	assert_int_equal(s->failures[1].code, ERR_NONE);
}

static void bound_grows_with_targets_and_chunks(void **state)
{
	(void)state;
	assert_true(copy_bound_bytes(1, MIB, MIB) <= 48 * MIB);
	assert_true(copy_bound_bytes(8, MIB, MIB) <= 160 * MIB);
	assert_true(copy_bound_bytes(2, MIB, MIB) > copy_bound_bytes(1, MIB, MIB));
	assert_true(copy_bound_bytes(1, 16 * MIB, 16 * MIB) > copy_bound_bytes(1, MIB, MIB));
}

static void buffers_stay_within_the_bound(void **state)
{
	struct scene *s = *state;

	open_signed(s, s->fixture->packed_path);
	run(s);
	assert_in_range(pool_peak_bytes(image_pool(s->image)), 1,
			copy_bound_bytes(N_TARGETS, FIXTURE_CHUNK_BYTES,
					 pool_buffer_bytes(image_pool(s->image))));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_new, scene_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_targets_get_the_image),
		TEST(all_targets_get_a_packed_image),
		TEST(every_target_is_told_of_once_by_the_calling_thread),
		TEST(events_are_told_one_at_a_time),
		TEST(target_that_fails_does_not_stop_the_others),
		TEST(altered_chunk_stops_all_targets_before_they_boot),
		TEST(stream_is_read_once_for_all_targets),
		TEST(scanned_targets_get_only_what_they_lack),
		TEST(target_that_is_right_is_told_as_complete_when_what_is_behind_it_cannot_be_wiped),
		TEST(bound_grows_with_targets_and_chunks),
		TEST(buffers_stay_within_the_bound),
		cmocka_unit_test(copy_ends_at_once_whichever_thread_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
