/* gzip members: their headers, which may come in pieces, and their trailers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"

static const char text[] = "an image, an image, an image";

/* RFC 1952, 2.3.1: where the flags and the first block stand, and what stands behind the last. */
enum { FLAGS_AT = 3, BLOCK_AT = 10, TRAILER_BYTES = 8 };

struct member {
	uint8_t bytes[1024];
	size_t n_bytes;
};

static struct member member_with_header(gz_header header)
{
	struct member m = {0};
	z_stream z = {.next_in = (uint8_t *)text,
		      .avail_in = sizeof text,
		      .next_out = m.bytes,
		      .avail_out = sizeof m.bytes};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, 0), Z_OK);
	assert_int_equal(deflateSetHeader(&z, &header), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	m.n_bytes = z.total_out;
	return m;
}

/* With everything that a header can have. */
static struct member full_member(void)
{
	return member_with_header((gz_header){.extra = (uint8_t *)"LKextra",
					      .extra_len = 7,
					      .name = (uint8_t *)"image.raw",
					      .comment = (uint8_t *)"made by a test",
					      .hcrc = 1});
}

static struct member plain_member(void)
{
	return member_with_header((gz_header){0});
}

/* Gives its bytes in two pieces. */
struct halves {
	struct source base;
	const struct member *m; /* borrowed */
	size_t n_first;
	size_t n_given;
};

static int halves_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		       struct err *e)
{
	struct halves *h = (struct halves *)s;
	size_t end = h->n_given < h->n_first ? h->n_first : h->m->n_bytes;
	size_t n = min_u64(n_bytes, end - h->n_given);

	(void)e;
	memcpy(bytes, h->m->bytes + h->n_given, n);
	h->n_given += n;
	*out_n_bytes = n;
	return 0;
}

static void halves_free(struct source *s)
{
	free(s);
}

static struct source *decoder(const struct member *m, size_t n_first)
{
	static const struct source_ops ops = {
		.name = "halves", .read = halves_read, .free = halves_free};
	struct halves *h = calloc(1, sizeof *h);
	struct source *s = NULL;
	struct err e;

	assert_non_null(h);
	h->base.ops = &ops;
	h->base.size_bytes = SIZE_UNKNOWN;
	h->m = m;
	h->n_first = n_first;
	assert_int_equal(codec_open_fitting((struct source *)h, 1, &s, &e), 0);
	return s;
}

static void assert_decodes_in_two_pieces(const struct member *m, size_t n_first)
{
	CLEANUP(source_freep) struct source *s = decoder(m, n_first);
	char plain[2 * sizeof text];
	struct err e = {0};
	size_t n = 0;

	if (source_read_full(s, plain, sizeof plain, &n, &e) < 0)
		fail_msg("in pieces of %zu and %zu: %s", n_first, m->n_bytes - n_first, e.text);
	assert_int_equal(n, sizeof text);
	assert_memory_equal(plain, text, n);
}

static void assert_decodes_in_any_two_pieces(const struct member *m)
{
	for (size_t n_first = 1; n_first < m->n_bytes; n_first++)
		assert_decodes_in_two_pieces(m, n_first);
}

static void assert_refused(const struct member *m, const char *why)
{
	CLEANUP(source_freep) struct source *s = decoder(m, m->n_bytes);
	char plain[2 * sizeof text];
	struct err e = {0};
	size_t n = 0;

	assert_int_equal(source_read_full(s, plain, sizeof plain, &n, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	if (!strstr(e.text, why))
		fail_msg("%s", e.text);
}

static void header_with_every_field_may_come_in_pieces(void **state)
{
	struct member m = full_member();

	(void)state;
	assert_decodes_in_any_two_pieces(&m);
}

static void header_without_fields_may_come_in_pieces(void **state)
{
	struct member m = plain_member();

	(void)state;
	assert_decodes_in_any_two_pieces(&m);
}

static void header_whose_checksum_is_wrong_is_refused(void **state)
{
	struct member m = full_member();
	uint8_t *name = memmem(m.bytes, m.n_bytes, "image.raw", 9);

	(void)state;
	assert_non_null(name);
	name[0] ^= 1;
	assert_refused(&m, "damaged: incorrect checksum or length");
}

static void reserved_flag_is_refused(void **state)
{
	struct member m = plain_member();

	(void)state;
	m.bytes[FLAGS_AT] |= 0x80;
	assert_refused(&m, "damaged: unknown header flags");
}

static void content_whose_checksum_is_wrong_is_refused(void **state)
{
	struct member m = plain_member();

	(void)state;
	m.bytes[m.n_bytes - TRAILER_BYTES] ^= 1;
	assert_refused(&m, "damaged: incorrect checksum or length");
}

static void content_whose_length_is_wrong_is_refused(void **state)
{
	struct member m = plain_member();

	(void)state;
	m.bytes[m.n_bytes - 1] ^= 1;
	assert_refused(&m, "damaged: incorrect checksum or length");
}

/* RFC 1951, 3.2.3: block type 3 is an error. */
static void block_of_an_unknown_type_is_refused(void **state)
{
	struct member m = plain_member();

	(void)state;
	m.bytes[BLOCK_AT] |= 6;
	assert_refused(&m, "damaged: invalid block");
}

/* A last block with fixed codes: a match of 3 bytes at distance 1, and nothing before it. */
static void copy_from_before_the_beginning_is_refused(void **state)
{
	struct member m = plain_member();

	(void)state;
	m.bytes[BLOCK_AT] = 0x03;
	m.bytes[BLOCK_AT + 1] = 0x02;
	assert_refused(&m, "damaged: invalid distance too far back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_with_every_field_may_come_in_pieces),
		cmocka_unit_test(header_without_fields_may_come_in_pieces),
		cmocka_unit_test(header_whose_checksum_is_wrong_is_refused),
		cmocka_unit_test(reserved_flag_is_refused),
		cmocka_unit_test(content_whose_checksum_is_wrong_is_refused),
		cmocka_unit_test(content_whose_length_is_wrong_is_refused),
		cmocka_unit_test(block_of_an_unknown_type_is_refused),
		cmocka_unit_test(copy_from_before_the_beginning_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
