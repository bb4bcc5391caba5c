/* Decoders: every format is held to the same behaviour, then its peculiarities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <bzlib.h>
#include <cmocka.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "flash/base/buf.h"
#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"

/* ---- Making streams
 * ------------------------------------------------------------------------------ */

enum { ROOM_BYTES = 8 << 20, N_THREADS = 2 };

/* A format, and how a stream of it is made: returns its length. */
struct format {
	const char *name;
	size_t (*make)(const void *plain, size_t plain_bytes, uint8_t *room);
};

static size_t gzip_make(const void *plain, size_t plain_bytes, uint8_t *room)
{
	z_stream z = {.next_in = (uint8_t *)plain,
		      .avail_in = (unsigned)plain_bytes,
		      .next_out = room,
		      .avail_out = ROOM_BYTES};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	return z.total_out;
}

static size_t xz_make(const void *plain, size_t plain_bytes, uint8_t *room)
{
	size_t n = 0;

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, plain, plain_bytes,
						 room, &n, ROOM_BYTES),
			 LZMA_OK);
	return n;
}

static size_t zstd_make(const void *plain, size_t plain_bytes, uint8_t *room)
{
	size_t n = ROOM_BYTES;
	struct err e;

	assert_int_equal(codec_zstd_encode(plain, plain_bytes, 3, room, &n, &e), 0);
	return n;
}

static size_t bzip2_make(const void *plain, size_t plain_bytes, uint8_t *room)
{
	unsigned n = ROOM_BYTES;

	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)room, &n, (char *)plain,
						  (unsigned)plain_bytes, 9, 0, 0),
			 BZ_OK);
	return n;
}

static size_t lz4_make(const void *plain, size_t plain_bytes, uint8_t *room)
{
	const LZ4F_preferences_t p = {
		.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled,
			      .blockSizeID = LZ4F_max4MB},
	};
	size_t n = LZ4F_compressFrame(room, ROOM_BYTES, plain, plain_bytes, &p);

	assert_false(LZ4F_isError(n));
	return n;
}

static struct format gzip = {"gzip", gzip_make};
static struct format xz = {"xz", xz_make};
static struct format zstd = {"zstd", zstd_make};
static struct format bzip2 = {"bzip2", bzip2_make};
static struct format lz4 = {"lz4", lz4_make};

static void add_stream(struct buf *b, const struct format *f, const char *text)
{
	CLEANUP(freep) uint8_t *room = malloc(ROOM_BYTES);

	assert_non_null(room);
	buf_append(b, room, f->make(text, strlen(text), room));
}

/* ---- Reading them
 * -------------------------------------------------------------------------------- */

/* Gives at most step_bytes at a time, and after n_bytes the failure, when it has a code. */
struct dribble {
	struct source base;
	const uint8_t *bytes; /* borrowed */
	size_t n_bytes;
	size_t n_given;
	size_t step_bytes;
	struct err failure;
};

static int dribble_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
			struct err *e)
{
	struct dribble *d = (struct dribble *)s;
	size_t n = min_u64(min_u64(n_bytes, d->step_bytes), d->n_bytes - d->n_given);

	if (n == 0 && d->failure.code != ERR_NONE) {
		*e = d->failure;
		return -1;
	}
	if (n > 0)
		memcpy(bytes, d->bytes + d->n_given, n);
	d->n_given += n;
	*out_n_bytes = n;
	return 0;
}

static void dribble_free(struct source *s)
{
	free(s);
}

static const struct source_ops dribble_ops = {
	.name = "dribble",
	.read = dribble_read,
	.free = dribble_free,
};

static struct source *dribble_new(const void *bytes, size_t n_bytes, size_t step_bytes)
{
	struct dribble *d = calloc(1, sizeof *d);

	assert_non_null(d);
	d->base.ops = &dribble_ops;
	d->base.size_bytes = SIZE_UNKNOWN;
	d->bytes = bytes;
	d->n_bytes = n_bytes;
	d->step_bytes = step_bytes;
	return (struct source *)d;
}

static struct source *decoder_over(const struct format *f, struct source *in)
{
	CLEANUP(buf_release) struct buf b = {0};
	struct source *s = NULL;
	struct err e;

	add_stream(&b, f, "");
	const struct codec *c = codec_by_magic(b.bytes, b.n_bytes);
	assert_non_null(c);
	assert_string_equal(c->name, f->name);
	assert_int_equal(codec_open(c, in, N_THREADS, &s, &e), 0);
	return s;
}

static struct source *decoder_of(const struct format *f, const struct buf *b)
{
	return decoder_over(f, dribble_new(b->bytes, b->n_bytes, SIZE_MAX));
}

/* Read s to its end or failure into *out, at most step_bytes (at most 4096) at a time. */
static int drain(struct source *s, size_t step_bytes, struct buf *out, struct err *e)
{
	uint8_t piece[4096];
	size_t n = 1;

	while (n > 0) {
		if (source_read(s, piece, step_bytes, &n, e) < 0)
			return -1;
		buf_append(out, piece, n);
	}
	return 0;
}

/* What the streams in b decode to, as text; or the words of the failure. */
static void assert_decodes(const struct format *f, const struct buf *b, const char *wanted)
{
	CLEANUP(source_freep) struct source *s = decoder_of(f, b);
	CLEANUP(buf_release) struct buf plain = {0};
	const char *text = NULL;
	struct err e = {0};

	if (drain(s, 4096, &plain, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(buf_text(&plain, &text, &e), 0);
	assert_string_equal(text, wanted);
}

static void assert_refused(const struct format *f, const struct buf *b, const char *why)
{
	CLEANUP(source_freep) struct source *s = decoder_of(f, b);
	CLEANUP(buf_release) struct buf plain = {0};
	struct err e = {0};

	assert_int_equal(drain(s, 4096, &plain, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	if (!strstr(e.text, why))
		fail_msg("\"%s\" is not in \"%s\"", why, e.text);
}

/* ---- What every format does
 * ---------------------------------------------------------------------- */

static void one_stream_is_decoded(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an image");
	assert_decodes(*state, &b, "an image");
}

static void concatenated_streams_are_read_as_one(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an ");
	add_stream(&b, *state, "image ");
	add_stream(&b, *state, "in three");
	assert_decodes(*state, &b, "an image in three");
}

static void stream_of_nothing_is_decoded_to_nothing(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "");
	assert_decodes(*state, &b, "");
}

static void stream_of_nothing_between_others_is_fine(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an ");
	add_stream(&b, *state, "");
	add_stream(&b, *state, "image");
	assert_decodes(*state, &b, "an image");
}

static void empty_input_is_decoded_to_nothing(void **state)
{
	assert_decodes(*state, &(struct buf){0}, "");
}

static void input_that_comes_byte_by_byte_is_decoded(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	CLEANUP(buf_release) struct buf plain = {0};
	struct err e;

	add_stream(&b, *state, "an ");
	add_stream(&b, *state, "image");
	CLEANUP(source_freep)
	struct source *s = decoder_over(*state, dribble_new(b.bytes, b.n_bytes, 1));
	assert_int_equal(drain(s, 1, &plain, &e), 0);
	assert_int_equal(plain.n_bytes, 8);
	assert_memory_equal(plain.bytes, "an image", 8);
}

static void input_that_was_peeked_is_decoded(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	CLEANUP(buf_release) struct buf plain = {0};
	const uint8_t *peeked = NULL;
	size_t n = 0;
	struct err e;

	add_stream(&b, *state, "an image");
	struct source *in = dribble_new(b.bytes, b.n_bytes, SIZE_MAX);
	assert_int_equal(source_peek(in, CODEC_MAGIC_MAX_BYTES, &peeked, &n, &e), 0);
	CLEANUP(source_freep) struct source *s = decoder_over(*state, in);
	assert_int_equal(drain(s, 4096, &plain, &e), 0);
	assert_memory_equal(plain.bytes, "an image", 8);
}

static void many_mib_are_decoded(void **state)
{
	const struct format *f = *state;
	const size_t n_mib = 5;
	CLEANUP(freep) uint8_t *plain = malloc(n_mib << 20);
	CLEANUP(freep) uint8_t *got = malloc(n_mib << 20);
	CLEANUP(freep) uint8_t *room = malloc(ROOM_BYTES);
	size_t n = 0;
	struct err e;

	assert_true(plain && got && room);
	memset(plain, 'a', n_mib << 20);
	memset(plain + (2 << 20) + 1, 'b', 3);
	size_t n_bytes = f->make(plain, n_mib << 20, room);
	CLEANUP(source_freep)
	struct source *s = decoder_over(f, dribble_new(room, n_bytes, SIZE_MAX));
	assert_int_equal(source_read_full(s, got, n_mib << 20, &n, &e), 0);
	assert_int_equal(n, n_mib << 20);
	assert_memory_equal(got, plain, n_mib << 20);
	assert_int_equal(source_read(s, got, 1, &n, &e), 0);
	assert_int_equal(n, 0);
}

/* Decode the first n_bytes of b: refused as cut short, and what came before is right. */
static void check_cut(const struct format *f, const struct buf *b, size_t n_bytes, const char *text)
{
	CLEANUP(source_freep)
	struct source *s = decoder_over(f, dribble_new(b->bytes, n_bytes, SIZE_MAX));
	CLEANUP(buf_release) struct buf plain = {0};
	struct err e = {0};

	assert_int_equal(drain(s, 4096, &plain, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, "the file is cut short"));
	assert_true(plain.n_bytes <= strlen(text));
	assert_memory_equal(plain.bytes, text, plain.n_bytes);
}

static void check_cuts(const struct format *f, const struct buf *b, size_t from_bytes,
		       const char *text)
{
	for (size_t n = from_bytes; n < b->n_bytes; n++)
		check_cut(f, b, n, text);
}

static void input_that_is_cut_short_anywhere_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an image that is cut short");
	check_cuts(*state, &b, 1, "an image that is cut short");
}

static void second_stream_that_is_cut_short_anywhere_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an image ");
	size_t n_first = b.n_bytes;
	add_stream(&b, *state, "that is cut short");
	check_cuts(*state, &b, n_first + 1, "an image that is cut short");
}

static void cut_input_is_told_with_its_length(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	const struct format *f = *state;
	char why[100];

	add_stream(&b, f, "an image");
	b.n_bytes -= 1;
	(void)snprintf(why, sizeof why,
		       "the input ends inside a %s stream, after %zu bytes; the file is cut short",
		       f->name, b.n_bytes);
	assert_refused(f, &b, why);
}

/* Decode b with one bit flipped: refused, or the bit did not matter to the plain bytes. */
static void check_flip(const struct format *f, const struct buf *b, size_t bit, const char *text)
{
	CLEANUP(source_freep) struct source *s = decoder_of(f, b);
	CLEANUP(buf_release) struct buf plain = {0};
	struct err e = {0};

	b->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	if (drain(s, 4096, &plain, &e) < 0) {
		assert_int_equal(e.code, ERR_UNTRUSTED);
	} else {
		assert_int_equal(plain.n_bytes, strlen(text));
		assert_memory_equal(plain.bytes, text, plain.n_bytes);
	}
	b->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static void check_flips(const struct format *f, const struct buf *b, const char *text)
{
	for (size_t bit = 0; bit < 8 * b->n_bytes; bit++)
		check_flip(f, b, bit, text);
}

static void flipped_bit_anywhere_never_gives_other_bytes(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an image, an image");
	add_stream(&b, *state, ", two images");
	check_flips(*state, &b, "an image, an image, two images");
}

static void content_that_does_not_match_its_checksum_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	const struct format *f = *state;
	char why[40];

	add_stream(&b, f, "an image, an image, an image, an image, an image");
	/* The middle is past every header and before the stream's end. */
	b.bytes[b.n_bytes / 2] ^= 0x10;
	(void)snprintf(why, sizeof why, "decoding %s near byte ", f->name);
	assert_refused(f, &b, why);
	assert_refused(f, &b, "damaged");
}

static void other_bytes_behind_the_streams_are_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	const struct format *f = *state;
	char why[100];

	add_stream(&b, f, "an image");
	(void)snprintf(why, sizeof why, "byte %zu of the input begins no %s stream", b.n_bytes,
		       f->name);
	buf_append_text(&b, "something else");
	assert_refused(f, &b, why);
}

static void one_other_byte_behind_the_streams_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an image");
	buf_append_text(&b, "!");
	assert_refused(*state, &b, "has something else behind it");
}

static void input_that_is_no_stream_at_all_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	buf_append_text(&b, "this is a raw image");
	assert_refused(*state, &b, "byte 0 of the input begins no ");
}

static void failure_is_told_again_by_every_further_read(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	struct err first = {0};
	struct err second = {0};
	uint8_t byte = 0;
	size_t n = 0;

	buf_append_text(&b, "this is a raw image");
	CLEANUP(source_freep) struct source *s = decoder_of(*state, &b);
	assert_int_equal(source_read(s, &byte, 1, &n, &first), -1);
	assert_int_equal(source_read(s, &byte, 1, &n, &second), -1);
	assert_int_equal(second.code, ERR_UNTRUSTED);
	assert_string_equal(second.text, first.text);
}

static void failure_of_the_input_is_passed_on(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	struct err e = {0};
	uint8_t byte[64];
	size_t n = 0;

	add_stream(&b, *state, "an image");
	struct source *in = dribble_new(b.bytes, b.n_bytes - 1, SIZE_MAX);
	(void)err_set(&((struct dribble *)in)->failure, ERR_CANCELLED, "stopped by a signal");
	CLEANUP(source_freep) struct source *s = decoder_over(*state, in);
	assert_int_equal(source_read_full(s, byte, sizeof byte, &n, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_string_equal(e.text, "stopped by a signal");
}

static void end_stays_the_end(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	CLEANUP(buf_release) struct buf plain = {0};
	uint8_t byte = 0;
	struct err e;
	size_t n = 1;

	add_stream(&b, *state, "an image");
	CLEANUP(source_freep) struct source *s = decoder_of(*state, &b);
	assert_int_equal(drain(s, 4096, &plain, &e), 0);
	assert_int_equal(source_read(s, &byte, 1, &n, &e), 0);
	assert_int_equal(n, 0);
}

static void decoder_cannot_seek_and_knows_no_size(void **state)
{
	CLEANUP(source_freep) struct source *s = decoder_of(*state, &(struct buf){0});

	assert_false(source_can_seek(s));
	assert_true(s->size_bytes == SIZE_UNKNOWN);
}

/* ---- Magic
 * --------------------------------------------------------------------------------------- */

static void nothing_is_raw(void **state)
{
	(void)state;
	assert_null(codec_by_magic(NULL, 0));
}

static void raw_source_fits_as_it_is(void **state)
{
	struct source *in = NULL;
	CLEANUP(source_freep) struct source *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(source_mem_new("a raw image", 11, &in, &e), 0);
	assert_int_equal(codec_open_fitting(in, 1, &s, &e), 0);
	assert_ptr_equal(s, in);
}

static void empty_source_fits_as_it_is(void **state)
{
	struct source *in = NULL;
	CLEANUP(source_freep) struct source *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(source_mem_new("", 0, &in, &e), 0);
	assert_int_equal(codec_open_fitting(in, 1, &s, &e), 0);
	assert_ptr_equal(s, in);
}

static void compressed_source_gets_its_decoder(void **state)
{
	/* One zstd frame: a window of 1 KiB, one last raw block of five bytes. */
	struct source *in = NULL;
	CLEANUP(source_freep) struct source *s = NULL;
	CLEANUP(buf_release) struct buf plain = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(source_mem_new("\x28\xb5\x2f\xfd\0\0\x29\0\0image", 14, &in, &e), 0);
	assert_int_equal(codec_open_fitting(in, 1, &s, &e), 0);
	assert_int_equal(drain(s, 4096, &plain, &e), 0);
	assert_int_equal(plain.n_bytes, 5);
	assert_memory_equal(plain.bytes, "image", 5);
}

static void partition_table_is_raw(void **state)
{
	static const uint8_t sector[512] = {0x33, 0xc0, [510] = 0x55, [511] = 0xaa};

	(void)state;
	assert_null(codec_by_magic(sector, sizeof sector));
}

static void bzip2_needs_more_than_its_four_letters(void **state)
{
	(void)state;
	assert_null(codec_by_magic((const uint8_t *)"BZh9 is a raw image", 19));
}

static void skippable_frame_is_zstd(void **state)
{
	(void)state;
	assert_string_equal(codec_by_magic((const uint8_t *)"\x50\x2a\x4d\x18", 4)->name, "zstd");
	assert_string_equal(codec_by_magic((const uint8_t *)"\x5f\x2a\x4d\x18", 4)->name, "zstd");
}

/* ---- gzip
 * ---------------------------------------------------------------------------------------- */

static void gzip_may_be_followed_by_zeros(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	add_stream(&b, &gzip, "an image");
	buf_append(&b, "\0\0\0\0\0\0\0\0\0\0\0\0\0", 13);
	assert_decodes(&gzip, &b, "an image");
}

static void gzip_may_not_have_other_bytes_behind_zeros(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	add_stream(&b, &gzip, "an image");
	buf_append(&b, "\0\0\0!", 4);
	assert_refused(&gzip, &b, "begins no gzip stream");
}

/* ---- xz
 * ------------------------------------------------------------------------------------------ */

static void xz_may_be_followed_by_padding_in_fours(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	add_stream(&b, &xz, "an ");
	buf_append(&b, "\0\0\0\0", 4);
	add_stream(&b, &xz, "image");
	buf_append(&b, "\0\0\0\0\0\0\0\0", 8);
	assert_decodes(&xz, &b, "an image");
}

static void xz_padding_of_another_length_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	add_stream(&b, &xz, "an image");
	buf_append(&b, "\0\0\0\0\0\0", 6);
	assert_refused(&xz, &b, "begins no xz stream");
}

static void xz_that_needs_too_much_memory_is_refused_with_the_way_out(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};
	lzma_options_lzma options = {.dict_size = 1 << 30, .lc = 3, .pb = 2};
	lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	lzma_block block = {.check = LZMA_CHECK_CRC32,
			    .compressed_size = LZMA_VLI_UNKNOWN,
			    .uncompressed_size = LZMA_VLI_UNKNOWN,
			    .filters = filters};
	lzma_stream_flags flags = {.check = LZMA_CHECK_CRC32};
	uint8_t header[LZMA_STREAM_HEADER_SIZE];
	uint8_t block_header[LZMA_BLOCK_HEADER_SIZE_MAX];

	(void)state;
	assert_int_equal(lzma_stream_header_encode(&flags, header), LZMA_OK);
	assert_int_equal(lzma_block_header_size(&block), LZMA_OK);
	assert_int_equal(lzma_block_header_encode(&block, block_header), LZMA_OK);
	buf_append(&b, header, sizeof header);
	buf_append(&b, block_header, block.header_size);
	assert_refused(&xz, &b,
		       "needs more than 536870912 bytes of memory; compress it with xz -9");
}

/* A stream header with those two flag bytes and a right checksum. */
static void add_xz_header(struct buf *b, const char *two_flags)
{
	uint8_t checksum[4];

	put_le32(checksum, lzma_crc32((const uint8_t *)two_flags, 2, 0));
	buf_append(b,
		   "\xfd"
		   "7zXZ\0",
		   6);
	buf_append(b, two_flags, 2);
	buf_append(b, checksum, 4);
}

static void xz_with_a_checksum_of_an_unknown_kind_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	add_xz_header(&b, "\x00\x02");
	assert_refused(&xz, &b, "uses a checksum that cannot be checked here");
}

static void xz_with_unknown_flags_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	add_xz_header(&b, "\x01\x04");
	assert_refused(&xz, &b, "compress it with plain xz");
}

/* ---- zstd and lz4
 * -------------------------------------------------------------------------------- */

static void skippable_frames_are_skipped(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an ");
	buf_append(&b, "\x50\x2a\x4d\x18\x05\x00\x00\x00skip!", 13);
	buf_append(&b, "\x5e\x2a\x4d\x18\x01\x00\x00\x00.", 9);
	add_stream(&b, *state, "image");
	assert_decodes(*state, &b, "an image");
}

static void skippable_frame_of_nothing_is_skipped(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an ");
	buf_append(&b, "\x50\x2a\x4d\x18\x00\x00\x00\x00", 8);
	add_stream(&b, *state, "image");
	assert_decodes(*state, &b, "an image");
}

static void skippable_frame_of_nothing_at_the_end_is_skipped(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an image");
	buf_append(&b, "\x50\x2a\x4d\x18\x00\x00\x00\x00", 8);
	assert_decodes(*state, &b, "an image");
}

static void skippable_frame_that_is_cut_short_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	add_stream(&b, *state, "an image");
	buf_append(&b, "\x50\x2a\x4d\x18\x06\x00\x00\x00skip!", 13);
	assert_refused(*state, &b, "the file is cut short");
}

static void zstd_may_begin_with_a_skippable_frame(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	buf_append(&b, "\x50\x2a\x4d\x18\x05\x00\x00\x00skip!", 13);
	add_stream(&b, &zstd, "an image");
	assert_decodes(&zstd, &b, "an image");
}

static void zstd_with_too_large_a_window_is_refused_with_the_way_out(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	/* RFC 8878, 3.1.1.1.2: exponent 18 in the upper five bits is a window of 256 MiB. */
	buf_append(&b, "\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00", 9);
	assert_refused(&zstd, &b,
		       "needs a window of more than 128 MiB; compress it with zstd --long=27");
}

static void zstd_with_the_largest_allowed_window_is_decoded(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	buf_append(&b, "\x28\xb5\x2f\xfd\x00\x88\x41\x00\x00image\x01\x00\x00", 17);
	b.bytes[6] = 5 << 3; /* a raw block of five bytes, not the last */
	assert_decodes(&zstd, &b, "image");
}

static void frame_of_a_zstd_before_its_standard_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf b = {0};

	(void)state;
	add_stream(&b, &zstd, "an image");
	buf_append(&b, "\x27\xb5\x2f\xfd\x00\x00\x00\x00\x00\x00", 10);
	assert_refused(&zstd, &b, "begins no zstd stream");
}

/* ---- Single zstd frames
 * -------------------------------------------------------------------------- */

static void frame_decodes_to_what_was_encoded(void **state)
{
	uint8_t frame[128];
	char plain[8];
	size_t n = sizeof frame;
	struct err e;

	(void)state;
	assert_true(codec_zstd_bound(8) <= sizeof frame);
	assert_int_equal(codec_zstd_encode("an image", 8, 3, frame, &n, &e), 0);
	assert_int_equal(codec_zstd_decode(frame, n, plain, 8, &e), 0);
	assert_memory_equal(plain, "an image", 8);
}

static void frame_that_does_not_fit_is_an_error(void **state)
{
	uint8_t frame[8];
	size_t n = sizeof frame;
	struct err e = {0};

	(void)state;
	assert_int_equal(codec_zstd_encode("an image", 8, 3, frame, &n, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(n, sizeof frame);
}

/* Decode the frame of "an image" with n_more_bytes of zeros behind it into plain_bytes. */
static void assert_frame_refused(size_t n_more_bytes, size_t plain_bytes, const char *why)
{
	uint8_t frame[64] = {0};
	char plain[64];
	size_t n = sizeof frame;
	struct err e = {0};

	assert_int_equal(codec_zstd_encode("an image", 8, 3, frame, &n, &e), 0);
	assert_int_equal(codec_zstd_decode(frame, n + n_more_bytes, plain, plain_bytes, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	if (!strstr(e.text, why))
		fail_msg("\"%s\" is not in \"%s\"", why, e.text);
}

static void frame_with_a_byte_behind_it_is_refused(void **state)
{
	(void)state;
	assert_frame_refused(1, 8, "has 1 bytes behind it");
}

static void frame_that_lacks_a_byte_is_refused(void **state)
{
	(void)state;
	assert_frame_refused((size_t)-1, 8, "Src size is incorrect");
}

static void frame_that_gives_more_is_refused(void **state)
{
	(void)state;
	assert_frame_refused(0, 7, "holds more than 7 bytes");
}

static void frame_that_gives_less_is_refused(void **state)
{
	(void)state;
	assert_frame_refused(0, 9, "holds 8 bytes, not 9");
}

static void two_frames_are_refused(void **state)
{
	uint8_t frames[64];
	char plain[16];
	size_t n = zstd_make("", 0, frames);
	struct err e = {0};

	(void)state;
	memcpy(frames + n, frames, n);
	assert_int_equal(codec_zstd_decode(frames, 2 * n, plain, 0, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void skippable_frame_is_no_chunk(void **state)
{
	struct err e = {0};
	char plain = 0;

	(void)state;
	assert_int_equal(codec_zstd_decode("\x50\x2a\x4d\x18\x01\x00\x00\x00.", 9, &plain, 0, &e),
			 -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void damaged_frame_is_refused(void **state)
{
	struct err e = {0};
	char plain[5];

	(void)state;
	/* A last block of the reserved type 3. */
	assert_int_equal(
		codec_zstd_decode("\x28\xb5\x2f\xfd\x20\x05\x2f\x00\x00image", 14, plain, 5, &e),
		-1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

#define EVERY_FORMAT(test)                                                                         \
	{#test " (gzip)", test, NULL, NULL, &gzip}, {#test " (xz)", test, NULL, NULL, &xz},        \
		{#test " (zstd)", test, NULL, NULL, &zstd},                                        \
		{#test " (bzip2)", test, NULL, NULL, &bzip2},                                      \
	{                                                                                          \
#test " (lz4)", test, NULL, NULL, &lz4                                             \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVERY_FORMAT(one_stream_is_decoded),
		EVERY_FORMAT(concatenated_streams_are_read_as_one),
		EVERY_FORMAT(stream_of_nothing_is_decoded_to_nothing),
		EVERY_FORMAT(stream_of_nothing_between_others_is_fine),
		EVERY_FORMAT(empty_input_is_decoded_to_nothing),
		EVERY_FORMAT(input_that_comes_byte_by_byte_is_decoded),
		EVERY_FORMAT(input_that_was_peeked_is_decoded),
		EVERY_FORMAT(many_mib_are_decoded),
		EVERY_FORMAT(input_that_is_cut_short_anywhere_is_refused),
		EVERY_FORMAT(second_stream_that_is_cut_short_anywhere_is_refused),
		EVERY_FORMAT(cut_input_is_told_with_its_length),
		EVERY_FORMAT(flipped_bit_anywhere_never_gives_other_bytes),
		EVERY_FORMAT(content_that_does_not_match_its_checksum_is_refused),
		EVERY_FORMAT(other_bytes_behind_the_streams_are_refused),
		EVERY_FORMAT(one_other_byte_behind_the_streams_is_refused),
		EVERY_FORMAT(input_that_is_no_stream_at_all_is_refused),
		EVERY_FORMAT(failure_is_told_again_by_every_further_read),
		EVERY_FORMAT(failure_of_the_input_is_passed_on),
		EVERY_FORMAT(end_stays_the_end),
		EVERY_FORMAT(decoder_cannot_seek_and_knows_no_size),
		cmocka_unit_test(nothing_is_raw),
		cmocka_unit_test(raw_source_fits_as_it_is),
		cmocka_unit_test(empty_source_fits_as_it_is),
		cmocka_unit_test(compressed_source_gets_its_decoder),
		cmocka_unit_test(partition_table_is_raw),
		cmocka_unit_test(bzip2_needs_more_than_its_four_letters),
		cmocka_unit_test(skippable_frame_is_zstd),
		cmocka_unit_test(gzip_may_be_followed_by_zeros),
		cmocka_unit_test(gzip_may_not_have_other_bytes_behind_zeros),
		cmocka_unit_test(xz_may_be_followed_by_padding_in_fours),
		cmocka_unit_test(xz_padding_of_another_length_is_refused),
		cmocka_unit_test(xz_that_needs_too_much_memory_is_refused_with_the_way_out),
		cmocka_unit_test(xz_with_a_checksum_of_an_unknown_kind_is_refused),
		cmocka_unit_test(xz_with_unknown_flags_is_refused),
		cmocka_unit_test_prestate(skippable_frames_are_skipped, &zstd),
		cmocka_unit_test_prestate(skippable_frames_are_skipped, &lz4),
		cmocka_unit_test_prestate(skippable_frame_of_nothing_is_skipped, &zstd),
		cmocka_unit_test_prestate(skippable_frame_of_nothing_is_skipped, &lz4),
		cmocka_unit_test_prestate(skippable_frame_of_nothing_at_the_end_is_skipped, &zstd),
		cmocka_unit_test_prestate(skippable_frame_of_nothing_at_the_end_is_skipped, &lz4),
		cmocka_unit_test_prestate(skippable_frame_that_is_cut_short_is_refused, &zstd),
		cmocka_unit_test_prestate(skippable_frame_that_is_cut_short_is_refused, &lz4),
		cmocka_unit_test(zstd_may_begin_with_a_skippable_frame),
		cmocka_unit_test(zstd_with_too_large_a_window_is_refused_with_the_way_out),
		cmocka_unit_test(zstd_with_the_largest_allowed_window_is_decoded),
		cmocka_unit_test(frame_of_a_zstd_before_its_standard_is_refused),
		cmocka_unit_test(frame_decodes_to_what_was_encoded),
		cmocka_unit_test(frame_that_does_not_fit_is_an_error),
		cmocka_unit_test(frame_with_a_byte_behind_it_is_refused),
		cmocka_unit_test(frame_that_lacks_a_byte_is_refused),
		cmocka_unit_test(frame_that_gives_more_is_refused),
		cmocka_unit_test(frame_that_gives_less_is_refused),
		cmocka_unit_test(two_frames_are_refused),
		cmocka_unit_test(skippable_frame_is_no_chunk),
		cmocka_unit_test(damaged_frame_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
