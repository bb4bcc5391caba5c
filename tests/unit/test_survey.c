/* One pass over an image: kinds, digests, limits, and who is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/units.h"
#include "flash/image/survey.h"

enum { CHUNK_BYTES = 65536, CHUNK_LOG2 = 16 };

/* Three chunks: 0x11s, zeros, and one byte 0x22. */
struct fixture {
	uint8_t *image;
	struct survey_request request;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;

	assert_non_null(f);
	f->image = calloc(2, CHUNK_BYTES + 1);
	assert_non_null(f->image);
	memset(f->image, 0x11, CHUNK_BYTES);
	f->image[2 * CHUNK_BYTES] = 0x22;
	assert_int_equal(source_mem_new(f->image, 2 * CHUNK_BYTES + 1, &f->request.source, &e), 0);
	f->request.chunk_log2 = CHUNK_LOG2;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	source_free(f->request.source);
	evidence_free(f->request.evidence);
	free(f->image);
	free(f);
	return 0;
}

static struct survey *run_good(const struct fixture *f)
{
	struct survey *s = NULL;
	struct err e;

	assert_int_equal(survey_run(&f->request, &s, &e), 0);
	return s;
}

static void assert_fails(const struct fixture *f, enum err_code code)
{
	struct survey *s = NULL;
	struct err e;

	assert_int_equal(survey_run(&f->request, &s, &e), -1);
	assert_int_equal(e.code, code);
	assert_null(s);
}

static void replace_image(struct fixture *f, const void *bytes, size_t n_bytes)
{
	struct err e;

	source_free(f->request.source);
	f->request.source = NULL;
	assert_int_equal(source_mem_new(bytes, n_bytes, &f->request.source, &e), 0);
}

/* The bytes of another source, but not their number: a pipe, a decoder. */
struct stream {
	struct source base;
	struct source *in; /* borrowed */
};

static int stream_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		       struct err *e)
{
	return source_read(((struct stream *)s)->in, bytes, n_bytes, out_n_bytes, e);
}

static struct stream stream_of(struct source *in)
{
	static const struct source_ops ops = {.name = "stream", .read = stream_read};

	return (struct stream){.base = {.ops = &ops, .size_bytes = SIZE_UNKNOWN}, .in = in};
}

/* A block map that maps the chunks before end_chunk, without digests. */
static struct evidence *evidence_of_chunks(uint64_t end_chunk, uint64_t image_size_bytes)
{
	struct bmap *b = calloc(1, sizeof *b);
	struct evidence *v = NULL;
	struct err e;

	assert_non_null(b);
	b->image_size_bytes = image_size_bytes;
	b->block_bytes = 4096;
	b->digest_kind = DIGEST_SHA256;
	b->n_ranges = 1;
	b->ranges = calloc(1, sizeof *b->ranges);
	assert_non_null(b->ranges);
	b->ranges[0].end_bytes = end_chunk * CHUNK_BYTES;
	assert_int_equal(evidence_new(b, NULL, &v, &e), 0);
	return v;
}

static void chunks_are_data_or_zeros_by_their_content(void **state)
{
	struct survey *s = run_good(*state);

	assert_int_equal(s->index->n_chunks, 3);
	assert_int_equal(s->index->entries[0].kind, CHUNK_DATA);
	assert_int_equal(s->index->entries[1].kind, CHUNK_ZERO);
	assert_int_equal(s->index->entries[2].kind, CHUNK_DATA);
	survey_free(s);
}

static void image_without_a_store_is_a_stream(void **state)
{
	struct survey *s = run_good(*state);

	assert_int_equal(s->index->codec, CHUNK_CODEC_STREAM);
	assert_int_equal(s->index->entries[0].codec, CHUNK_CODEC_STREAM);
	assert_int_equal(s->index->payload_size_bytes, 0);
	survey_free(s);
}

static void plain_digest_of_data_is_of_the_chunk(void **state)
{
	struct fixture *f = *state;
	struct survey *s = run_good(f);
	uint8_t digest[SHA256_BYTES];
	struct err e;

	assert_int_equal(digest_sha256(f->image + 2 * CHUNK_BYTES, 1, digest, &e), 0);
	assert_memory_equal(s->index->entries[2].plain_sha256, digest, SHA256_BYTES);
	survey_free(s);
}

static void plain_digest_of_zeros_is_of_the_zeros(void **state)
{
	struct fixture *f = *state;
	struct survey *s = run_good(f);
	uint8_t digest[SHA256_BYTES];
	struct err e;

	assert_int_equal(digest_sha256(f->image + CHUNK_BYTES, CHUNK_BYTES, digest, &e), 0);
	assert_memory_equal(s->index->entries[1].plain_sha256, digest, SHA256_BYTES);
	survey_free(s);
}

static void short_last_chunk_of_zeros_has_a_digest_of_its_own(void **state)
{
	struct fixture *f = *state;
	uint8_t digest[SHA256_BYTES];
	struct err e;

	f->image[2 * CHUNK_BYTES] = 0;
	struct survey *s = run_good(f);
	assert_int_equal(digest_sha256("", 1, digest, &e), 0);
	assert_int_equal(s->index->entries[2].kind, CHUNK_ZERO);
	assert_memory_equal(s->index->entries[2].plain_sha256, digest, SHA256_BYTES);
	survey_free(s);
}

static void whole_image_has_its_size_and_digest(void **state)
{
	struct fixture *f = *state;
	struct survey *s = run_good(f);
	uint8_t digest[SHA256_BYTES];
	struct err e;

	assert_int_equal(s->index->image_size_bytes, 2 * CHUNK_BYTES + 1);
	assert_int_equal(digest_sha256(f->image, 2 * CHUNK_BYTES + 1, digest, &e), 0);
	assert_memory_equal(s->image_sha256, digest, SHA256_BYTES);
	survey_free(s);
}

static void first_bytes_are_kept(void **state)
{
	struct fixture *f = *state;
	struct survey *s = run_good(f);

	assert_int_equal(s->head_bytes, SURVEY_HEAD_BYTES);
	assert_memory_equal(s->head, f->image, SURVEY_HEAD_BYTES);
	survey_free(s);
}

static void image_of_one_byte_has_one_chunk(void **state)
{
	struct fixture *f = *state;

	replace_image(f, "x", 1);
	struct survey *s = run_good(f);
	assert_int_equal(s->index->n_chunks, 1);
	assert_int_equal(s->index->image_size_bytes, 1);
	assert_int_equal(s->head_bytes, 1);
	survey_free(s);
}

static void image_of_whole_chunks_has_no_empty_last_one(void **state)
{
	struct fixture *f = *state;

	replace_image(f, f->image, 2 * CHUNK_BYTES);
	struct survey *s = run_good(f);
	assert_int_equal(s->index->n_chunks, 2);
	survey_free(s);
}

static void size_need_not_be_known_before(void **state)
{
	struct stream stream = stream_of(((struct fixture *)*state)->request.source);
	struct fixture f = {.request = {.source = &stream.base, .chunk_log2 = CHUNK_LOG2}};
	struct survey *s = run_good(&f);

	assert_int_equal(s->index->n_chunks, 3);
	assert_int_equal(s->index->image_size_bytes, 2 * CHUNK_BYTES + 1);
	survey_free(s);
}

static void unmapped_chunks_are_read_as_they_are(void **state)
{
	struct fixture *f = *state;

	f->request.evidence = evidence_of_chunks(1, 2 * CHUNK_BYTES + 1);
	struct survey *s = run_good(f);
	assert_int_equal(s->index->entries[1].kind, CHUNK_ZERO);
	assert_int_equal(s->index->entries[2].kind, CHUNK_DATA);
	survey_free(s);
}

static void unmapped_chunks_are_skipped_when_asked_for(void **state)
{
	struct fixture *f = *state;

	f->request.evidence = evidence_of_chunks(1, 2 * CHUNK_BYTES + 1);
	f->request.are_holes_skipped = true;
	struct survey *s = run_good(f);
	assert_int_equal(s->index->entries[0].kind, CHUNK_DATA);
	assert_int_equal(s->index->entries[1].kind, CHUNK_SKIP);
	assert_int_equal(s->index->entries[2].kind, CHUNK_SKIP);
	survey_free(s);
}

static void image_of_another_size_than_its_map_is_refused(void **state)
{
	struct fixture *f = *state;

	f->request.evidence = evidence_of_chunks(1, 2 * CHUNK_BYTES);
	assert_fails(f, ERR_UNTRUSTED);
}

static void empty_image_is_refused(void **state)
{
	struct fixture *f = *state;

	replace_image(f, "", 0);
	assert_fails(f, ERR_USAGE);
}

static void empty_image_of_unknown_size_is_refused(void **state)
{
	struct fixture *f = *state;

	replace_image(f, "", 0);
	struct stream stream = stream_of(f->request.source);
	struct fixture streamed = {.request = {.source = &stream.base, .chunk_log2 = CHUNK_LOG2}};
	assert_fails(&streamed, ERR_USAGE);
}

static void chunks_too_small_are_refused(void **state)
{
	struct fixture *f = *state;

	f->request.chunk_log2 = INDEX_CHUNK_LOG2_MIN - 1;
	assert_fails(f, ERR_USAGE);
}

static void image_of_more_chunks_than_an_index_holds_is_refused(void **state)
{
	struct fixture *f = *state;

	f->request.source->size_bytes = UINT64_C(1) << 60;
	assert_fails(f, ERR_USAGE);
}

static int failing_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
			struct err *e)
{
	(void)s, (void)bytes, (void)n_bytes, (void)out_n_bytes;
	return err_set(e, ERR_IO, "the cable is out");
}

static void error_of_the_source_is_passed_on(void **state)
{
	static const struct source_ops ops = {.name = "failing", .read = failing_read};
	struct source failing = {.ops = &ops, .size_bytes = SIZE_UNKNOWN};
	struct fixture f = {.request = {.source = &failing, .chunk_log2 = CHUNK_LOG2}};

	(void)state;
	assert_fails(&f, ERR_IO);
}

static int counting_store(void *context, const uint8_t *bytes, size_t n_bytes,
			  struct index_entry *entry, struct err *e)
{
	(void)bytes, (void)e;
	entry->codec = CHUNK_CODEC_STORED;
	*(size_t *)context += n_bytes;
	return 0;
}

static void store_gets_every_byte(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;

	f->request.store = counting_store;
	f->request.store_context = &n_bytes;
	struct survey *s = run_good(f);
	assert_int_equal(n_bytes, 2 * CHUNK_BYTES + 1);
	assert_int_equal(s->index->codec, CHUNK_CODEC_STORED);
	survey_free(s);
}

static int failing_store(void *context, const uint8_t *bytes, size_t n_bytes,
			 struct index_entry *entry, struct err *e)
{
	(void)context, (void)bytes, (void)n_bytes, (void)entry;
	return err_set(e, ERR_IO, "the disk is full");
}

static void error_of_the_store_is_passed_on(void **state)
{
	struct fixture *f = *state;

	f->request.store = failing_store;
	assert_fails(f, ERR_IO);
}

static void keep_last(void *context, const struct event *ev)
{
	*(struct event *)context = *ev;
}

static void progress_ends_at_the_whole_image(void **state)
{
	struct fixture *f = *state;
	struct event last = {0};
	struct listener listener = {.on_event = keep_last, .context = &last};

	f->request.listener = &listener;
	f->request.name = "image.raw";
	survey_free(run_good(f));
	assert_int_equal(last.kind, EVENT_PROGRESS);
	assert_int_equal(last.phase, PHASE_CHECK);
	assert_int_equal(last.done_bytes, 2 * CHUNK_BYTES + 1);
	assert_int_equal(last.total_bytes, 2 * CHUNK_BYTES + 1);
	assert_string_equal(last.target, "image.raw");
}

static void signal_stops_it(void **state)
{
	struct fixture *f = *state;
	int fds[2] = {-1, -1};

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	struct cancel cancel = {.fd = fds[0]};
	f->request.cancel = &cancel;
	assert_fails(f, ERR_CANCELLED);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(chunks_are_data_or_zeros_by_their_content),
		WITH_FIXTURE(image_without_a_store_is_a_stream),
		WITH_FIXTURE(plain_digest_of_data_is_of_the_chunk),
		WITH_FIXTURE(plain_digest_of_zeros_is_of_the_zeros),
		WITH_FIXTURE(short_last_chunk_of_zeros_has_a_digest_of_its_own),
		WITH_FIXTURE(whole_image_has_its_size_and_digest),
		WITH_FIXTURE(first_bytes_are_kept),
		WITH_FIXTURE(image_of_one_byte_has_one_chunk),
		WITH_FIXTURE(image_of_whole_chunks_has_no_empty_last_one),
		WITH_FIXTURE(size_need_not_be_known_before),
		WITH_FIXTURE(unmapped_chunks_are_read_as_they_are),
		WITH_FIXTURE(unmapped_chunks_are_skipped_when_asked_for),
		WITH_FIXTURE(image_of_another_size_than_its_map_is_refused),
		WITH_FIXTURE(empty_image_is_refused),
		WITH_FIXTURE(empty_image_of_unknown_size_is_refused),
		WITH_FIXTURE(chunks_too_small_are_refused),
		WITH_FIXTURE(image_of_more_chunks_than_an_index_holds_is_refused),
		WITH_FIXTURE(error_of_the_source_is_passed_on),
		WITH_FIXTURE(store_gets_every_byte),
		WITH_FIXTURE(error_of_the_store_is_passed_on),
		WITH_FIXTURE(progress_ends_at_the_whole_image),
		WITH_FIXTURE(signal_stops_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
