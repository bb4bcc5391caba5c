/* Doing a plan: order of writes, failures at every point, holes, the moved partition table. The
 * image is an unsigned file, for what a signature adds is tested elsewhere. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"
#include "flash/image/bmap.h"
#include "flash/plan/compare.h"
#include "flash/plan/execute.h"

enum {
	IMAGE_BYTES = 3 * 1048576 + 5, /* three whole chunks and five bytes */
	MEDIUM_BYTES = 16 * 1048576,
	N_LOG_MAX = 32,
};

/* ---- A sink that notes what is asked of it, and fails when told to ------------------------------
 */

struct faulty {
	struct sink base;
	struct sink *inner; /* owned */
	uint8_t *bytes;     /* borrowed from inner: the medium */
	uint64_t written_offsets_bytes[N_LOG_MAX];
	size_t n_writes;
	size_t n_flushes;
	size_t failing_write; /* from 1; 0: none */
	size_t failing_flush;
	uint64_t
		wrap_bytes; /* it has only so many, and begins again behind them; 0: it is honest */
	uint64_t flipped_bytes; /* the byte at this offset reads back another; UINT64_MAX: none */
	unsigned n_flips;       /* so often */
	bool is_stalled;        /* no read ends any more */
	uint64_t asked_offsets_bytes[N_LOG_MAX];
	size_t n_taken;
};

static void write_wrapped(struct faulty *f, const struct chunk *c)
{
	uint8_t *to = f->bytes + chunk_offset_bytes(c) % f->wrap_bytes;

	if (chunk_kind(c) == CHUNK_DATA)
		memcpy(to, chunk_bytes(c), (size_t)chunk_size_bytes(c));
	else
		memset(to, 0, (size_t)chunk_size_bytes(c));
}

static int faulty_write(struct sink *s, const struct chunk *c, struct err *e)
{
	struct faulty *f = (struct faulty *)s;

	f->written_offsets_bytes[f->n_writes++] = chunk_offset_bytes(c);
	if (f->n_writes == f->failing_write)
		return err_set(e, ERR_IO, "write failed");
	if (f->wrap_bytes == 0)
		return sink_write(f->inner, c, e);
	write_wrapped(f, c);
	return 0;
}

static int faulty_discard(struct sink *s, uint64_t offset_bytes, uint64_t size_bytes, struct err *e)
{
	struct faulty *f = (struct faulty *)s;

	(void)e;
	memset(f->bytes + offset_bytes, 0xdd, size_bytes);
	return 0;
}

static int faulty_flush(struct sink *s, struct err *e)
{
	struct faulty *f = (struct faulty *)s;

	if (++f->n_flushes == f->failing_flush)
		return err_set(e, ERR_IO, "flush failed");
	return 0;
}

static int faulty_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e)
{
	struct faulty *f = (struct faulty *)s;

	f->asked_offsets_bytes[(f->n_taken + s->n_reads) % N_LOG_MAX] = offset_bytes;
	return sink_read_ask(f->inner, f->wrap_bytes ? offset_bytes % f->wrap_bytes : offset_bytes,
			     n_bytes, e);
}

/* Turn the bit of the byte that is to be wrong, as long as it is. */
static void spoil(struct faulty *f, uint64_t offset_bytes, uint8_t *bytes)
{
	uint64_t in_bytes = f->flipped_bytes - offset_bytes;

	if (f->flipped_bytes < offset_bytes || in_bytes >= MIB || f->n_flips == 0)
		return;
	bytes[in_bytes] ^= 1;
	f->n_flips--;
}

static int faulty_read_take(struct sink *s, uint8_t **out_bytes, struct err *e)
{
	struct faulty *f = (struct faulty *)s;
	uint64_t offset_bytes = f->asked_offsets_bytes[f->n_taken++ % N_LOG_MAX];

	if (f->is_stalled) {
		(void)err_set(&s->failure, ERR_IO, "nothing happened");
		*e = s->failure;
		return -1;
	}
	if (sink_read_take(f->inner, out_bytes, e) < 0)
		return -1;
	spoil(f, offset_bytes, *out_bytes);
	return 0;
}

static void faulty_free(struct sink *s)
{
	sink_release(s);
	sink_free(((struct faulty *)s)->inner);
	free(s);
}

static const struct sink_ops faulty_ops = {
	.name = "faulty",
	.write = faulty_write,
	.discard = faulty_discard,
	.flush = faulty_flush,
	.read_ask = faulty_read_ask,
	.read_take = faulty_read_take,
	.free = faulty_free,
};

/* ---- An image, a medium full of 0xee, and the plan that brings them together -------------------
 */

struct scene {
	char folder[64];
	char path[96];
	char bmap_path[96];
	uint8_t *image_bytes;  /* owned, IMAGE_BYTES */
	struct faulty *sink;   /* owned */
	struct image *image;   /* owned */
	struct signatures old; /* borrowed items; what the medium showed before: nothing */
	struct plan *plan;     /* owned */
	struct feed *feed;     /* owned */
	struct execution x;
	unsigned n_notes; /* what note_notes() counted, and the last of them */
	char note[256];
};

static int scene_new(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	struct err e = {0};

	strcpy(s->folder, "/tmp/test-execute.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	(void)snprintf(s->path, sizeof s->path, "%s/image.raw", s->folder);
	(void)snprintf(s->bmap_path, sizeof s->bmap_path, "%s/bmap", s->folder);
	s->image_bytes = malloc(IMAGE_BYTES);
	for (size_t i = 0; i < IMAGE_BYTES; i++)
		s->image_bytes[i] = (uint8_t)(i * 7 + i / 4096);
	s->sink = calloc(1, sizeof *s->sink);
	s->sink->flipped_bytes = UINT64_MAX;
	s->sink->n_flips = UINT_MAX;
	assert_int_equal(sink_mem_new(MEDIUM_BYTES, &s->sink->bytes, &s->sink->inner, &e), 0);
	memset(s->sink->bytes, 0xee, MEDIUM_BYTES);
	const struct sink_options options = {.pool = sink_pool(s->sink->inner)};
	assert_int_equal(sink_init(&s->sink->base, &faulty_ops, &options, &e), 0);
	s->sink->base.size_bytes = MEDIUM_BYTES;
	s->sink->base.sector_bytes = 512;
	*state = s;
	return 0;
}

static int scene_free(void **state)
{
	struct scene *s = *state;

	feed_free(s->feed);
	plan_free(s->plan);
	image_free(s->image);
	sink_free((struct sink *)s->sink);
	(void)unlink(s->path);
	(void)unlink(s->bmap_path);
	(void)rmdir(s->folder);
	free(s->image_bytes);
	free(s);
	return 0;
}

/* Put the image into its file, open it and plan. */
static void prepare(struct scene *s, const char *bmap_where, enum unmapped unmapped)
{
	const struct image_request r = {
		.where = s->path, .bmap_where = bmap_where, .is_unsigned_allowed = true};
	struct err e = {0};

	assert_int_equal(fdio_save(s->path, s->image_bytes, IMAGE_BYTES, 0600, &e), 0);
	assert_int_equal(image_open(&r, &s->image, &e), 0);
	const struct plan_input in = {
		.image_size_bytes = IMAGE_BYTES,
		.medium_size_bytes = MEDIUM_BYTES,
		.sector_bytes = 512,
		.chunk_bytes = image_chunk_bytes(s->image),
		.stale = &s->old,
		.unmapped = unmapped,
	};
	assert_int_equal(plan_make(&in, &s->plan, &e), 0);
	assert_int_equal(feed_image_new(s->image, &s->feed, &e), 0);
	s->x = (struct execution){
		.plan = s->plan,
		.image = s->image,
		.feed = s->feed,
		.sink = (struct sink *)s->sink,
		.target = "t",
	};
}

/* No byte of the image's first chunk is on the medium. */
static bool nothing_bootable_is_on(const struct scene *s)
{
	return bytes_are_zero(s->sink->bytes, MIB);
}

/* ---- Tests -------------------------------------------------------------------------------------
 */

static void image_is_on_the_medium_and_no_byte_more(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	assert_int_equal(execute(&s->x, &e), 0);
	assert_int_equal(s->x.state, STATE_COMPLETE);
	assert_memory_equal(s->sink->bytes, s->image_bytes, IMAGE_BYTES);
	assert_int_equal(s->sink->bytes[MEDIUM_BYTES - 1], 0xee);
}

static void first_chunk_is_wiped_first_and_its_first_sector_is_written_last(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	assert_int_equal(execute(&s->x, &e), 0);
	assert_int_equal(s->sink->n_writes, 7);
	assert_int_equal(s->sink->written_offsets_bytes[0], 0);
	assert_int_equal(s->sink->written_offsets_bytes[1], MIB);
	assert_int_equal(s->sink->written_offsets_bytes[4], COMMIT_LAST_BYTES);
	assert_int_equal(s->sink->written_offsets_bytes[5], 512);
	assert_int_equal(s->sink->written_offsets_bytes[6], 0);
}

static void failing_write_leaves_nothing_bootable(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->failing_write = 3;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(s->x.state, STATE_INCOMPLETE);
	assert_true(nothing_bootable_is_on(s));
}

static void failing_flush_of_the_data_leaves_nothing_bootable(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->failing_flush = 2;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(s->x.state, STATE_INCOMPLETE);
	assert_true(nothing_bootable_is_on(s));
}

static void byte_that_reads_back_another_stops_before_the_commit(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->flipped_bytes = 2 * MIB + 7;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_non_null(strstr(e.text, "2097152"));
	assert_true(nothing_bootable_is_on(s));
}

static void failure_is_told_in_the_words_of_the_sink(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->failing_write = 3;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_string_equal(e.text, "write failed");
}

static void last_byte_of_a_partial_chunk_is_read_back(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->flipped_bytes = IMAGE_BYTES - 1;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
}

/* A byte of the first sector reads back wrong as soon as it is more than zeros. */
static void spoil_commit(void *context, const struct event *ev)
{
	struct scene *s = context;

	if (ev->kind == EVENT_PHASE && ev->phase == PHASE_COMMIT)
		s->sink->flipped_bytes = 510;
}

static void first_sector_is_read_back_too(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	const struct listener listener = {.on_event = spoil_commit, .context = s};
	s->x.listener = &listener;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_non_null(strstr(e.text, "byte 510"));
	assert_int_equal(s->x.state, STATE_COMMITTING);
}

static void rest_of_the_first_chunk_is_read_back_before_its_first_bytes_are_written(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->flipped_bytes = COMMIT_LAST_BYTES + 100;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_int_equal(s->x.state, STATE_INCOMPLETE);
	assert_true(bytes_are_zero(s->sink->bytes, COMMIT_LAST_BYTES));
}

static void what_was_wiped_behind_the_image_is_read_back(void **state)
{
	struct scene *s = *state;
	/* From the image's last sector to the third behind it. */
	struct signature old = {.offset_bytes = IMAGE_BYTES + 100, .size_bytes = 1000};
	struct err e = {0};

	s->old = (struct signatures){.items = &old, .n_items = 1};
	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->flipped_bytes = IMAGE_BYTES + 1099;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_true(nothing_bootable_is_on(s));
}

/* Into the same file, which is open. */
static void put_over_file(const char *path, const uint8_t *bytes, size_t n_bytes)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct err e = {0};

	assert_int_equal(fdio_pwrite(fd, bytes, n_bytes, 0, &e), 0);
}

static void note_notes(void *context, const struct event *ev)
{
	struct scene *s = context;

	if (ev->kind != EVENT_NOTE)
		return;
	s->n_notes++;
	(void)snprintf(s->note, sizeof s->note, "%s", ev->text);
}

static void byte_that_reads_back_another_once_is_written_again(void **state)
{
	struct scene *s = *state;
	const struct listener listener = {.on_event = note_notes, .context = s};
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->flipped_bytes = 2 * MIB + 7;
	s->sink->n_flips = 1;
	s->x.n_retries = 3;
	s->x.listener = &listener;
	assert_int_equal(execute(&s->x, &e), 0);
	assert_memory_equal(s->sink->bytes, s->image_bytes, IMAGE_BYTES);
	assert_int_equal(s->n_notes, 1);
	assert_non_null(strstr(s->note, "chunk 2 at byte 2097152"));
	assert_non_null(strstr(s->note, "try 1 of 3"));
}

static void byte_that_always_reads_back_another_is_a_bad_medium_in_the_end(void **state)
{
	struct scene *s = *state;
	const struct listener listener = {.on_event = note_notes, .context = s};
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->flipped_bytes = 2 * MIB + 7;
	s->x.n_retries = 3;
	s->x.listener = &listener;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_int_equal(s->n_notes, 3);
	assert_non_null(strstr(e.text, "byte 2097159"));
	assert_non_null(strstr(e.text, "the medium is bad"));
	assert_true(nothing_bootable_is_on(s));
}

static void medium_that_stalls_is_not_written_again(void **state)
{
	struct scene *s = *state;
	const struct listener listener = {.on_event = note_notes, .context = s};
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->is_stalled = true;
	s->x.n_retries = 3;
	s->x.listener = &listener;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "reading back: nothing happened");
	assert_int_equal(s->n_notes, 0);
}

/* Each piece can be written again, but that destroys another: no number of tries may count. */
static void medium_that_wraps_is_bad_however_often_it_is_written(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->wrap_bytes = 2 * MIB;
	s->x.n_retries = 3;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_non_null(strstr(e.text, "the medium is bad"));
	assert_non_null(strstr(e.text, "the medium wraps"));
}

static void capacity_probe_that_fails_may_leave_its_marks(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->plan->steps[0].kind = STEP_CAPACITY; /* in place of the wipe */
	s->sink->failing_write = 1;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(s->x.state, STATE_MARKED);
}

static void medium_that_wraps_onto_the_first_chunk_alone_is_found(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->wrap_bytes = 3 * MIB;
	s->x.n_retries = 3;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
}

static void byte_of_the_commit_that_reads_back_another_once_is_written_again(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	const struct listener listener = {.on_event = spoil_commit, .context = s};
	s->x.listener = &listener;
	s->sink->n_flips = 1;
	s->x.n_retries = 1;
	assert_int_equal(execute(&s->x, &e), 0);
	assert_int_equal(s->x.state, STATE_COMPLETE);
	assert_memory_equal(s->sink->bytes, s->image_bytes, IMAGE_BYTES);
}

/* Put what image_bytes holds by now over the image file, when all of it is written. */
static void change_image(void *context, const struct event *ev)
{
	const struct scene *s = context;

	if (ev->kind == EVENT_PHASE && ev->phase == PHASE_READ_BACK)
		put_over_file(s->path, s->image_bytes, IMAGE_BYTES);
}

static void image_that_changed_meanwhile_is_not_written_again(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->flipped_bytes = 2 * MIB + 7;
	s->sink->n_flips = 1;
	s->x.n_retries = 3;
	s->image_bytes[2 * MIB] ^= 1;
	const struct listener listener = {.on_event = change_image, .context = s};
	s->x.listener = &listener;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_non_null(strstr(e.text, "the image has changed"));
	assert_true(nothing_bootable_is_on(s));
}

static void failing_last_write_leaves_the_commit_in_doubt(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	s->sink->failing_write = 6;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(s->x.state, STATE_COMMITTING);
}

static void request_to_stop_before_the_start_touches_nothing(void **state)
{
	struct scene *s = *state;
	struct err e = {0};
	int fds[2];

	prepare(s, NULL, UNMAPPED_KEEP);
	assert_int_equal(pipe(fds), 0);
	close(fds[1]); /* readable from now on: it is at its end */
	const struct cancel cancel = {.fd = fds[0]};
	s->x.cancel = &cancel;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_int_equal(s->x.state, STATE_UNTOUCHED);
	assert_int_equal(s->sink->n_writes, 0);
	close(fds[0]);
}

/* Ask to stop as soon as the phase begins. */
struct stopper {
	enum phase phase;
	int fd; /* of a pipe's writing end */
};

static void stop_at_phase(void *context, const struct event *ev)
{
	struct stopper *s = context;

	if (ev->kind == EVENT_PHASE && ev->phase == s->phase)
		assert_int_equal(write(s->fd, "x", 1), 1);
}

static void request_to_stop_while_reading_back_leaves_nothing_bootable(void **state)
{
	struct scene *s = *state;
	struct err e = {0};
	int fds[2];

	prepare(s, NULL, UNMAPPED_KEEP);
	assert_int_equal(pipe(fds), 0);
	struct stopper stopper = {.phase = PHASE_READ_BACK, .fd = fds[1]};
	const struct listener listener = {.on_event = stop_at_phase, .context = &stopper};
	const struct cancel cancel = {.fd = fds[0]};
	s->x.cancel = &cancel;
	s->x.listener = &listener;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_int_equal(s->x.state, STATE_INCOMPLETE);
	assert_true(nothing_bootable_is_on(s));
	close(fds[0]);
	close(fds[1]);
}

static void zeros_of_the_image_replace_what_was_there(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	memset(s->image_bytes + MIB, 0, MIB);
	prepare(s, NULL, UNMAPPED_KEEP);
	assert_int_equal(execute(&s->x, &e), 0);
	assert_memory_equal(s->sink->bytes, s->image_bytes, IMAGE_BYTES);
}

static void image_of_zeros_alone_is_written(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	memset(s->image_bytes, 0, IMAGE_BYTES);
	prepare(s, NULL, UNMAPPED_KEEP);
	assert_int_equal(execute(&s->x, &e), 0);
	assert_true(bytes_are_zero(s->sink->bytes, IMAGE_BYTES));
}

/* A block map by which the second chunk is a hole. */
static void map_second_chunk_as_hole(struct scene *s)
{
	struct bmap_range ranges[] = {
		{.start_bytes = 0, .end_bytes = MIB, .has_digest = true},
		{.start_bytes = 2 * MIB, .end_bytes = IMAGE_BYTES, .has_digest = true},
	};
	const struct bmap map = {
		.image_size_bytes = IMAGE_BYTES,
		.block_bytes = 4096,
		.digest_kind = DIGEST_SHA256,
		.ranges = ranges,
		.n_ranges = 2,
	};
	CLEANUP(buf_release) struct buf xml = {0};
	struct err e = {0};

	memset(s->image_bytes + MIB, 0, MIB);
	assert_int_equal(digest_sha256(s->image_bytes, MIB, ranges[0].digest, &e), 0);
	assert_int_equal(digest_sha256(s->image_bytes + 2 * MIB, IMAGE_BYTES - 2 * MIB,
				       ranges[1].digest, &e),
			 0);
	assert_int_equal(bmap_format(&map, &xml, &e), 0);
	assert_int_equal(fdio_save(s->bmap_path, xml.bytes, xml.n_bytes, 0600, &e), 0);
}

static void hole_keeps_what_was_there(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	map_second_chunk_as_hole(s);
	prepare(s, s->bmap_path, UNMAPPED_KEEP);
	assert_int_equal(execute(&s->x, &e), 0);
	assert_int_equal(s->sink->bytes[MIB], 0xee);
	assert_int_equal(s->sink->bytes[2 * MIB - 1], 0xee);
}

static void hole_is_zeroed_when_asked(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	map_second_chunk_as_hole(s);
	prepare(s, s->bmap_path, UNMAPPED_ZERO);
	assert_int_equal(execute(&s->x, &e), 0);
	assert_memory_equal(s->sink->bytes, s->image_bytes, IMAGE_BYTES);
}

static void zeroed_hole_is_read_back(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	map_second_chunk_as_hole(s);
	prepare(s, s->bmap_path, UNMAPPED_ZERO);
	s->sink->flipped_bytes = MIB + 100;
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_non_null(strstr(e.text, "byte 1048676"));
}

static void hole_is_discarded_when_asked(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	map_second_chunk_as_hole(s);
	prepare(s, s->bmap_path, UNMAPPED_DISCARD);
	assert_int_equal(execute(&s->x, &e), 0);
	assert_int_equal(s->sink->bytes[MIB], 0xdd);
}

static void moved_table_is_at_both_ends_and_is_read_back(void **state)
{
	struct scene *s = *state;
	struct err e = {0};
	uint8_t head[65536];
	uint8_t tail[1024];

	memset(head, 0xaa, sizeof head);
	memset(tail, 0xbb, sizeof tail);
	const struct table_ends moved = {
		.head = head,
		.head_bytes = sizeof head,
		.tail = tail,
		.tail_bytes = sizeof tail,
		.tail_offset_bytes = MEDIUM_BYTES - sizeof tail,
	};
	prepare(s, NULL, UNMAPPED_KEEP);
	s->plan->steps[3].kind = STEP_MOVE_GPT; /* in place of the flush behind the write */
	s->x.moved = &moved;
	assert_int_equal(execute(&s->x, &e), 0);
	assert_memory_equal(s->sink->bytes, head, sizeof head);
	assert_memory_equal(s->sink->bytes + sizeof head, s->image_bytes + sizeof head,
			    IMAGE_BYTES - sizeof head);
	assert_memory_equal(s->sink->bytes + MEDIUM_BYTES - sizeof tail, tail, sizeof tail);
}

static void image_that_differs_from_its_block_map_is_never_committed(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	map_second_chunk_as_hole(s);
	s->image_bytes[3 * MIB + 2] ^= 1;
	prepare(s, s->bmap_path, UNMAPPED_KEEP);
	assert_int_equal(execute(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_true(nothing_bootable_is_on(s));
}

static void comparing_finds_the_first_byte_that_differs(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	memcpy(s->sink->bytes, s->image_bytes, IMAGE_BYTES);
	s->sink->bytes[MIB + 3] ^= 1;
	assert_int_equal(compare(&s->x, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_non_null(strstr(e.text, "byte 1048579"));
}

static void comparing_an_exact_copy_writes_nothing(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	prepare(s, NULL, UNMAPPED_KEEP);
	memcpy(s->sink->bytes, s->image_bytes, IMAGE_BYTES);
	assert_int_equal(compare(&s->x, &e), 0);
	assert_int_equal(s->sink->n_writes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_new, scene_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(image_is_on_the_medium_and_no_byte_more),
		TEST(first_chunk_is_wiped_first_and_its_first_sector_is_written_last),
		TEST(failing_write_leaves_nothing_bootable),
		TEST(failing_flush_of_the_data_leaves_nothing_bootable),
		TEST(byte_that_reads_back_another_stops_before_the_commit),
		TEST(failure_is_told_in_the_words_of_the_sink),
		TEST(last_byte_of_a_partial_chunk_is_read_back),
		TEST(first_sector_is_read_back_too),
		TEST(rest_of_the_first_chunk_is_read_back_before_its_first_bytes_are_written),
		TEST(what_was_wiped_behind_the_image_is_read_back),
		TEST(byte_that_reads_back_another_once_is_written_again),
		TEST(byte_that_always_reads_back_another_is_a_bad_medium_in_the_end),
		TEST(medium_that_stalls_is_not_written_again),
		TEST(medium_that_wraps_is_bad_however_often_it_is_written),
		TEST(capacity_probe_that_fails_may_leave_its_marks),
		TEST(medium_that_wraps_onto_the_first_chunk_alone_is_found),
		TEST(byte_of_the_commit_that_reads_back_another_once_is_written_again),
		TEST(image_that_changed_meanwhile_is_not_written_again),
		TEST(failing_last_write_leaves_the_commit_in_doubt),
		TEST(request_to_stop_before_the_start_touches_nothing),
		TEST(request_to_stop_while_reading_back_leaves_nothing_bootable),
		TEST(zeros_of_the_image_replace_what_was_there),
		TEST(image_of_zeros_alone_is_written),
		TEST(hole_keeps_what_was_there),
		TEST(hole_is_zeroed_when_asked),
		TEST(zeroed_hole_is_read_back),
		TEST(hole_is_discarded_when_asked),
		TEST(moved_table_is_at_both_ends_and_is_read_back),
		TEST(image_that_differs_from_its_block_map_is_never_committed),
		TEST(comparing_finds_the_first_byte_that_differs),
		TEST(comparing_an_exact_copy_writes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
