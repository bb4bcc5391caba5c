/* Fetching and verifying by hand: what is wanted, several passes, several threads, and what is
 * refused. Linked with --wrap=source_seek, which notes what is sought. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/walk.h"

enum { N_THREADS = 4 };

/* What this thread sought since the last look, as "start-end start-end ". */
static _Thread_local char sought[256];

int __real_source_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e);
int __wrap_source_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e);

int __wrap_source_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e)
{
	size_t n = strlen(sought);

	(void)snprintf(sought + n, sizeof sought - n, "%llu-%lld ",
		       (unsigned long long)offset_bytes, (long long)end_bytes);
	return __real_source_seek(s, offset_bytes, end_bytes, e);
}

static int make_fixture(void **state)
{
	*state = fixture_new();
	sought[0] = '\0';
	return 0;
}

static int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

/* Put the signed plain image as a stream that cannot seek where it stands. */
static void compress_image(const struct fixture *f)
{
	CLEANUP(buf_release) struct buf stream = {0};

	walk_append_zstd(&stream, f->image, FIXTURE_IMAGE_BYTES);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
}

/* The image at path through a pipe; its name in where. *fd stays open until it was walk_open. */
static void fill_pipe(const uint8_t *bytes, size_t n_bytes, int *fd, char where[32])
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) >= (int)n_bytes);
	assert_int_equal(write(ends[1], bytes, n_bytes), n_bytes);
	(void)close(ends[1]);
	*fd = ends[0];
	(void)snprintf(where, 32, "/dev/fd/%d", ends[0]);
}

/* ---- What is given -----------------------------------------------------------------------------
 */

static void chunks_of_a_plain_image_come_in_order(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);

	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
	assert_null(walk_fetch(k));
}

static void chunks_of_a_packed_image_come_in_order(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);

	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
}

static void only_wanted_chunks_of_a_plain_image_come(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 1, 0, 1};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);

	assert_string_equal(walk_all(im, k, f->image), "1z 3d ");
}

static void only_wanted_chunks_of_a_packed_image_come(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {1, 0, 1, 0};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);

	assert_string_equal(walk_all(im, k, f->image), "0d 2d ");
}

static void only_wanted_chunks_of_a_stream_come(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 1, 0, 1};
	const struct fixture *f = *state;

	compress_image(f);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, f->image), "1z 3d ");
	assert_string_equal(sought, "");
}

static void what_is_not_wanted_of_a_stream_is_not_verified(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 1, 1, 1};
	const struct fixture *f = *state;

	f->image[9] ^= 1;
	compress_image(f);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, f->image), "1z 2d 3d ");
}

static void nothing_wanted_is_nothing_given(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);

	assert_null(walk_fetch(k));
	assert_int_equal(pool_peak_bytes(image_pool(im)), 0);
}

static void cursor_can_begin_in_the_middle(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 2, NULL);

	assert_string_equal(walk_all(im, k, f->image), "2d 3d ");
}

static void cursor_can_begin_in_the_middle_of_a_stream(void **state)
{
	const struct fixture *f = *state;

	compress_image(f);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 2, NULL);
	assert_string_equal(walk_all(im, k, f->image), "2d 3d ");
}

static void signed_image_comes_through_a_pipe(void **state)
{
	const struct fixture *f = *state;
	char where[32];
	CLEANUP(closep) int fd = -1;

	fill_pipe(f->packed, f->packed_bytes, &fd, where);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, where);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
}

/* ---- What is sought ----------------------------------------------------------------------------
 */

static void whole_image_is_read_without_seeking(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();

	memset(bytes, 'x', UNSIGNED_BYTES);
	fixture_put(f->image_path, bytes, UNSIGNED_BYTES);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, k, bytes), "0d 1d 2d ");
	assert_string_equal(sought, "");
}

static void short_way_is_left_out_inside_one_range(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	char expected[64];

	/* Over the frame of zeros; the range goes on to the end, which is -1. */
	(void)snprintf(expected, sizeof expected, "%llu--1 ",
		       (unsigned long long)(f->payload_offset_bytes + f->stored_offsets_bytes[2]));
	(void)walk_all(im, k, f->image);
	assert_string_equal(sought, expected);
}

static void run_of_wanted_chunks_is_sought_once_with_its_end(void **state)
{
	enum { N_CHUNKS = 12 };
	static const uint8_t is_wanted[N_CHUNKS] = {0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0};
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = malloc(N_CHUNKS * (size_t)UNSIGNED_CHUNK_BYTES);

	assert_non_null(bytes);
	memset(bytes, 'x', N_CHUNKS * (size_t)UNSIGNED_CHUNK_BYTES);
	fixture_put(f->image_path, bytes, N_CHUNKS * (size_t)UNSIGNED_CHUNK_BYTES);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, bytes), "1d 2d 8d ");
	assert_string_equal(sought, "1048576-3145728 8388608-9437184 ");
}

static void look_at_head(struct image *im)
{
	const uint8_t *head = NULL;
	size_t head_bytes = 0;
	struct err e = {0};

	assert_int_equal(image_head(im, FIXTURE_CHUNK_BYTES + 1, &head, &head_bytes, &e), 0);
	assert_int_equal(head_bytes, FIXTURE_CHUNK_BYTES + 1);
}

static void run_of_wanted_chunks_has_its_end_after_a_look_at_the_head(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {1, 0, 1, 0};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);

	look_at_head(im);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, f->image), "0d 2d ");
	assert_string_equal(sought, "131072-196608 ");
}

static void last_run_is_read_to_the_end(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 0, 1, 1};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);

	(void)walk_all(im, k, f->image);
	assert_string_equal(sought, "131072--1 ");
}

/* ---- More than one pass ------------------------------------------------------------------------
 */

static void cursors_go_their_own_ways(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);

	assert_true(image_can_be_read_again(im));
	unverified_free(walk_fetch(first));
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, second, f->image), "0d 1z 2d 3d ");
	assert_string_equal(walk_all(im, first, f->image), "1z 2d 3d ");
}

static void stream_is_decoded_again(void **state)
{
	const struct fixture *f = *state;

	compress_image(f);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	CLEANUP(cursor_freep) struct cursor *second = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, second, f->image), "0d 1z 2d 3d ");
	assert_string_equal(walk_all(im, first, f->image), "0d 1z 2d 3d ");
}

static void pipe_has_no_second_cursor(void **state)
{
	const struct fixture *f = *state;
	struct cursor *second = NULL;
	struct err e = {0};
	char where[32];
	CLEANUP(closep) int fd = -1;

	fill_pipe(f->packed, f->packed_bytes, &fd, where);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, where);
	CLEANUP(cursor_freep) struct cursor *first = walk_from(im, 0, NULL);
	assert_non_null(first);
	assert_false(image_can_be_read_again(im));
	assert_int_equal(cursor_new(im, 0, NULL, &second, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(second);
}

static void image_next_beside_a_cursor_reads_once_more(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	const struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(image_next(im, &c, &e), 0);
	assert_int_equal(chunk_offset_bytes(c), 0);
	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
}

static void first_cursor_gives_what_was_looked_at_before(void **state)
{
	const struct fixture *f = *state;
	char where[32];
	CLEANUP(closep) int fd = -1;

	fill_pipe(f->packed, f->packed_bytes, &fd, where);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, where);
	look_at_head(im);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);
	assert_string_equal(walk_all(im, k, f->image), "0d 1z 2d 3d ");
}

static void what_was_looked_at_is_not_given_where_it_is_not_wanted(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 1, 0, 1};
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);

	look_at_head(im);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_string_equal(walk_all(im, k, f->image), "1z 3d ");
}

/* ---- What is refused ---------------------------------------------------------------------------
 */

/* Fetch and verify chunk 0 and 2 at once. */
static void verify_data(struct image *im, struct chunk *out[2], struct err failures[2])
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {1, 0, 1, 0};
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	struct unverified *u[2] = {walk_fetch(k), NULL};

	u[1] = walk_fetch(k);
	image_verify(im, u, 2, out, failures);
}

static void bad_chunk_is_refused_and_its_neighbour_comes(void **state)
{
	const struct fixture *f = *state;
	struct chunk *out[2] = {NULL, NULL};
	struct err failures[2] = {0};

	f->image[17] ^= 1;
	fixture_put(f->image_path, f->image, FIXTURE_IMAGE_BYTES);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	verify_data(im, out, failures);
	assert_null(out[0]);
	assert_int_equal(failures[0].code, ERR_UNTRUSTED);
	assert_non_null(strstr(failures[0].text, "chunk 0 at byte 0 differs"));
	walk_assert_is_part_of(out[1], f->image);
	assert_int_equal(failures[1].code, ERR_NONE);
	chunk_free(out[1]);
}

static void bad_frame_is_refused_before_it_is_decompressed(void **state)
{
	const struct fixture *f = *state;
	struct chunk *out[2] = {NULL, NULL};
	struct err failures[2] = {0};

	/* The last byte of the frame's checksum: a decompressor would say so. */
	f->packed[f->payload_offset_bytes + f->stored_offsets_bytes[3] - 1] ^= 1;
	fixture_put(f->packed_path, f->packed, f->packed_bytes);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	verify_data(im, out, failures);
	walk_assert_is_part_of(out[0], f->image);
	assert_null(out[1]);
	assert_int_equal(failures[1].code, ERR_UNTRUSTED);
	assert_non_null(strstr(failures[1].text, "differs from the signed index"));
	chunk_free(out[0]);
}

/* Have somebody sign a packed image whose third frame is n_bytes at frame, which the index
 * describes rightly as stored, but not as plain. What image_verify says of it. */
static struct err verdict_on_frame(const struct fixture *f, const struct buf *frame)
{
	CLEANUP(image_freep) struct image *honest = walk_open_at(f, f->packed_path);
	struct index_entry entries[FIXTURE_N_CHUNKS];
	struct index x = *image_index(honest);
	CLEANUP(buf_release) struct buf payload = {0};
	struct chunk *out[2] = {NULL, NULL};
	struct err failures[2] = {0};

	memcpy(entries, x.entries, sizeof entries);
	x.entries = entries;
	buf_append(&payload, f->packed + f->payload_offset_bytes, f->stored_offsets_bytes[2]);
	buf_append(&payload, frame->bytes, frame->n_bytes);
	entries[2].stored_bytes = (uint32_t)frame->n_bytes;
	entries[3].stored_offset_bytes = payload.n_bytes;
	x.payload_size_bytes = payload.n_bytes + entries[3].stored_bytes;
	buf_append(&payload, f->packed + f->payload_offset_bytes + f->stored_offsets_bytes[3],
		   entries[3].stored_bytes);
	assert_int_equal(
		digest_sha256(frame->bytes, frame->n_bytes, entries[2].stored_sha256, &failures[0]),
		0);
	fixture_put_packed(f, &x, &payload);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	verify_data(im, out, failures);
	walk_assert_is_part_of(out[0], f->image);
	assert_null(out[1]);
	chunk_free(out[0]);
	return failures[1];
}

static void frame_of_other_bytes_than_were_signed_is_refused(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(buf_release) struct buf frame = {0};

	walk_append_zstd(&frame, f->image, FIXTURE_CHUNK_BYTES);
	struct err e = verdict_on_frame(f, &frame);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_string_equal(e.text, "chunk 2 at byte 131072 differs from the signed index");
}

static void frame_of_more_bytes_than_the_chunk_has_is_refused(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(buf_release) struct buf frame = {0};

	walk_append_zstd(&frame, f->image, FIXTURE_CHUNK_BYTES + 1);
	struct err e = verdict_on_frame(f, &frame);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "chunk 2 at byte 131072: zstd frame of"));
	assert_non_null(strstr(e.text, "holds more than 65536 bytes"));
}

/* What image_next says first when every byte is read. */
static enum err_code first_refusal(const struct image_request *r, char text[ERR_TEXT_BYTES])
{
	CLEANUP(image_freep) struct image *im = walk_open(r);
	const struct chunk *c = NULL;
	struct err e = {0};

	do {
		if (image_next(im, &c, &e) < 0) {
			memcpy(text, e.text, ERR_TEXT_BYTES);
			return e.code;
		}
	} while (c);
	return ERR_NONE;
}

static void altered_zeros_are_refused_when_every_byte_is_read(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->image_path);
	char text[ERR_TEXT_BYTES] = "";

	f->image[FIXTURE_CHUNK_BYTES + 5] = 1;
	fixture_put(f->image_path, f->image, FIXTURE_IMAGE_BYTES);
	assert_int_equal(first_refusal(&r, text), ERR_NONE);
	r.is_every_byte_read = true;
	assert_int_equal(first_refusal(&r, text), ERR_UNTRUSTED);
	assert_non_null(strstr(text, "should be zeros"));
}

static void altered_frame_of_zeros_is_refused_when_every_byte_is_read(void **state)
{
	const struct fixture *f = *state;
	struct image_request r = fixture_request(f, f->packed_path);
	char text[ERR_TEXT_BYTES] = "";

	f->packed[f->payload_offset_bytes + f->stored_offsets_bytes[1]] ^= 1;
	fixture_put(f->packed_path, f->packed, f->packed_bytes);
	assert_int_equal(first_refusal(&r, text), ERR_NONE);
	r.is_every_byte_read = true;
	assert_int_equal(first_refusal(&r, text), ERR_UNTRUSTED);
	assert_non_null(strstr(text, "chunk 1 at byte 65536 differs"));
}

static void altered_zeros_of_a_stream_are_refused(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	char text[ERR_TEXT_BYTES] = "";

	f->image[FIXTURE_CHUNK_BYTES + 5] = 1;
	compress_image(f);
	assert_int_equal(first_refusal(&r, text), ERR_UNTRUSTED);
	assert_non_null(strstr(text, "should be zeros"));
}

static void stream_that_goes_on_behind_its_end_is_refused(void **state)
{
	const struct fixture *f = *state;
	const struct image_request r = fixture_request(f, f->image_path);
	CLEANUP(buf_release) struct buf stream = {0};
	char text[ERR_TEXT_BYTES] = "";

	walk_append_zstd(&stream, f->image, FIXTURE_IMAGE_BYTES);
	walk_append_zstd(&stream, "x", 1);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	assert_int_equal(first_refusal(&r, text), ERR_UNTRUSTED);
	assert_non_null(strstr(text, "longer than the 196613 bytes"));
}

static void image_cut_while_it_is_read_fails_for_good(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 2, NULL);
	struct unverified *u = NULL;
	struct err e = {0};

	assert_int_equal(truncate(f->image_path, 3 * FIXTURE_CHUNK_BYTES - 1), 0);
	assert_int_equal(cursor_fetch(k, &u, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "chunk 2 at byte 131072 is cut short"));
	assert_int_equal(cursor_fetch(k, &u, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_null(u);
}

static void stream_cut_before_what_is_wanted_is_refused(void **state)
{
	static const uint8_t is_wanted[FIXTURE_N_CHUNKS] = {0, 0, 0, 1};
	const struct fixture *f = *state;
	CLEANUP(buf_release) struct buf stream = {0};
	struct unverified *u = NULL;
	struct err e = {0};

	walk_append_zstd(&stream, f->image, FIXTURE_CHUNK_BYTES);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, is_wanted);
	assert_int_equal(cursor_fetch(k, &u, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void what_nobody_verifies_is_freed(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);

	unverified_free(walk_fetch(k));
	unverified_free(walk_fetch(k));
	unverified_free(walk_fetch(k));
	assert_int_equal(pool_peak_bytes(image_pool(im)), FIXTURE_CHUNK_BYTES);
}

/* ---- Several threads ---------------------------------------------------------------------------
 */

struct worker {
	struct image *image; /* borrowed */
	const uint8_t *bytes;
	bool is_good;
};

/* A pass of its own, two chunks at a time; each is right. */
static void *read_all(void *context)
{
	struct worker *w = context;
	struct cursor *k = NULL;
	struct err e = {0};
	struct err failures[VERIFY_MAX] = {0};
	size_t n = VERIFY_MAX;

	w->is_good = cursor_new(w->image, 0, NULL, &k, &e) == 0;
	while (w->is_good && n == VERIFY_MAX) {
		struct unverified *u[VERIFY_MAX] = {NULL};
		struct chunk *c[VERIFY_MAX] = {NULL};
		for (n = 0; n < VERIFY_MAX && cursor_fetch(k, &u[n], &e) == 0 && u[n]; n++)
			;
		image_verify(w->image, u, n, c, failures);
		for (size_t i = 0; i < n; i++) {
			w->is_good = w->is_good && c[i] &&
				     (!chunk_bytes(c[i]) ||
				      memcmp(chunk_bytes(c[i]), w->bytes + chunk_offset_bytes(c[i]),
					     chunk_size_bytes(c[i])) == 0);
			chunk_free(c[i]);
		}
	}
	w->is_good = w->is_good && e.code == ERR_NONE;
	cursor_free(k);
	return NULL;
}

/* How many of N_THREADS passes at once saw the true image. */
static int read_by_many(struct image *im, const uint8_t *bytes)
{
	pthread_t threads[N_THREADS];
	struct worker workers[N_THREADS];
	int n_good = 0;

	for (int i = 0; i < N_THREADS; i++) {
		workers[i] = (struct worker){.image = im, .bytes = bytes};
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &workers[i]), 0);
	}
	for (int i = 0; i < N_THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		n_good += workers[i].is_good;
	}
	return n_good;
}

static void plain_image_is_read_by_many_threads(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->image_path);

	assert_int_equal(read_by_many(im, f->image), N_THREADS);
}

static void packed_image_is_read_by_many_threads(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);

	assert_int_equal(read_by_many(im, f->image), N_THREADS);
}

static void unsigned_stream_is_read_by_many_threads(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = walk_unsigned_bytes();
	CLEANUP(buf_release) struct buf stream = {0};

	walk_append_zstd(&stream, bytes, UNSIGNED_BYTES);
	fixture_put(f->image_path, stream.bytes, stream.n_bytes);
	CLEANUP(image_freep) struct image *im = walk_open_unsigned(f);
	assert_int_equal(read_by_many(im, bytes), N_THREADS);
}

static void few_buffers_are_enough(void **state)
{
	const struct fixture *f = *state;
	CLEANUP(image_freep) struct image *im = walk_open_at(f, f->packed_path);
	CLEANUP(cursor_freep) struct cursor *k = walk_from(im, 0, NULL);

	/* One chunk at a time: as it is stored, and plain. */
	(void)walk_all(im, k, f->image);
	assert_int_equal(pool_peak_bytes(image_pool(im)), 2 * FIXTURE_CHUNK_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chunks_of_a_plain_image_come_in_order),
		TEST(chunks_of_a_packed_image_come_in_order),
		TEST(only_wanted_chunks_of_a_plain_image_come),
		TEST(only_wanted_chunks_of_a_packed_image_come),
		TEST(only_wanted_chunks_of_a_stream_come),
		TEST(what_is_not_wanted_of_a_stream_is_not_verified),
		TEST(nothing_wanted_is_nothing_given),
		TEST(cursor_can_begin_in_the_middle),
		TEST(cursor_can_begin_in_the_middle_of_a_stream),
		TEST(signed_image_comes_through_a_pipe),
		TEST(whole_image_is_read_without_seeking),
		TEST(short_way_is_left_out_inside_one_range),
		TEST(run_of_wanted_chunks_is_sought_once_with_its_end),
		TEST(run_of_wanted_chunks_has_its_end_after_a_look_at_the_head),
		TEST(last_run_is_read_to_the_end),
		TEST(cursors_go_their_own_ways),
		TEST(stream_is_decoded_again),
		TEST(pipe_has_no_second_cursor),
		TEST(image_next_beside_a_cursor_reads_once_more),
		TEST(first_cursor_gives_what_was_looked_at_before),
		TEST(what_was_looked_at_is_not_given_where_it_is_not_wanted),
		TEST(bad_chunk_is_refused_and_its_neighbour_comes),
		TEST(bad_frame_is_refused_before_it_is_decompressed),
		TEST(frame_of_other_bytes_than_were_signed_is_refused),
		TEST(frame_of_more_bytes_than_the_chunk_has_is_refused),
		TEST(altered_zeros_are_refused_when_every_byte_is_read),
		TEST(altered_frame_of_zeros_is_refused_when_every_byte_is_read),
		TEST(altered_zeros_of_a_stream_are_refused),
		TEST(stream_that_goes_on_behind_its_end_is_refused),
		TEST(image_cut_while_it_is_read_fails_for_good),
		TEST(stream_cut_before_what_is_wanted_is_refused),
		TEST(what_nobody_verifies_is_freed),
		TEST(plain_image_is_read_by_many_threads),
		TEST(packed_image_is_read_by_many_threads),
		TEST(unsigned_stream_is_read_by_many_threads),
		TEST(few_buffers_are_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
