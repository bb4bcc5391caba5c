/* Block maps of every version; what bmaptool does not check is refused here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/parse.h"
#include "flash/image/bmap.h"

#define ONES      "1111111111111111111111111111111111111111111111111111111111111111"
#define TWOS      "2222222222222222222222222222222222222222222222222222222222222222"
#define SHA1_ONES "1111111111111111111111111111111111111111"

/* An image of 10 blocks of 4096 bytes, the last of 100 bytes. */
#define SIZES                                                                                      \
	"<ImageSize> 36964 </ImageSize><BlockSize> 4096 </BlockSize>"                              \
	"<BlocksCount> 10 </BlocksCount>"
#define MAPPED(n) "<MappedBlocksCount> " n "  </MappedBlocksCount>"
#define TYPE      "<ChecksumType> sha256 </ChecksumType>"
/* Where the helper below puts the file's own checksum. */
#define SUM          "<BmapFileChecksum> @ </BmapFileChecksum>"
#define RANGES(list) "<BlockMap>" list "</BlockMap>"

#define MAP_2_0(list, n)                                                                           \
	"<bmap version=\"2.0\">" SIZES MAPPED(n)                                                   \
	TYPE SUM RANGES(list) "</bmap>"
#define MAP_1_2(list, n) "<bmap version=\"1.2\">" SIZES MAPPED(n) RANGES(list) "</bmap>"

/* The text with the digest of all of it in place of the "@", as the format has it. */
static char *with_checksum(const char *template, enum digest_kind kind)
{
	size_t n_digits = 2 * digest_size_bytes(kind);
	const char *at = strchr(template, '@');
	char hex[2 * DIGEST_MAX_BYTES + 1];
	uint8_t digest[DIGEST_MAX_BYTES];
	struct buf text = {0};
	struct err e;

	assert_non_null(at);
	memset(hex, '0', sizeof hex);
	buf_append(&text, template, (size_t)(at - template));
	buf_append(&text, hex, n_digits);
	buf_append_text(&text, at + 1);
	assert_int_equal(digest_of(kind, text.bytes, text.n_bytes, digest, &e), 0);
	format_hex(digest, n_digits / 2, hex);
	memcpy(text.bytes + (at - template), hex, n_digits);
	buf_append(&text, "", 1);
	return (char *)text.bytes;
}

static struct bmap *parse_good(const char *text)
{
	struct bmap *b = NULL;
	struct err e = {0};

	assert_int_equal(bmap_parse(text, strlen(text), &b, &e), 0);
	return b;
}

static struct bmap *parse_2_0(const char *template)
{
	char *text = with_checksum(template, DIGEST_SHA256);
	struct bmap *b = parse_good(text);

	free(text);
	return b;
}

static void assert_refused(const char *text, const char *reason)
{
	struct bmap *b = NULL;
	struct err e = {0};

	assert_int_equal(bmap_parse(text, strlen(text), &b, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_null(b);
	assert_non_null(strstr(e.text, reason));
}

static void assert_2_0_refused(const char *template, const char *reason)
{
	char *text = with_checksum(template, DIGEST_SHA256);

	assert_refused(text, reason);
	free(text);
}

static void version_2_0_is_read(void **state)
{
	struct bmap *b = parse_2_0(MAP_2_0("<Range chksum=\"" ONES "\"> 0-1 </Range>"
					   "<Range chksum=\"" TWOS "\"> 5 </Range>",
					   "3"));

	(void)state;
	assert_int_equal(b->image_size_bytes, 36964);
	assert_int_equal(b->block_bytes, 4096);
	assert_int_equal(b->digest_kind, DIGEST_SHA256);
	assert_int_equal(b->n_ranges, 2);
	assert_int_equal(b->ranges[0].start_bytes, 0);
	assert_int_equal(b->ranges[0].end_bytes, 8192);
	assert_true(b->ranges[0].has_digest);
	assert_int_equal(b->ranges[0].digest[31], 0x11);
	assert_int_equal(b->ranges[1].start_bytes, 5 * 4096);
	assert_int_equal(b->ranges[1].end_bytes, 6 * 4096);
	assert_int_equal(b->ranges[1].digest[0], 0x22);
	bmap_free(b);
}

static void last_block_ends_with_the_image(void **state)
{
	struct bmap *b = parse_2_0(MAP_2_0("<Range> 8-9 </Range>", "2"));

	(void)state;
	assert_int_equal(b->ranges[0].end_bytes, 36964);
	bmap_free(b);
}

static void range_without_a_checksum_is_read(void **state)
{
	struct bmap *b = parse_2_0(MAP_2_0("<Range> 0 </Range>", "1"));

	(void)state;
	assert_false(b->ranges[0].has_digest);
	bmap_free(b);
}

static void map_of_an_image_of_holes_has_no_ranges(void **state)
{
	struct bmap *b = parse_2_0(MAP_2_0("", "0"));

	(void)state;
	assert_int_equal(b->n_ranges, 0);
	bmap_free(b);
}

static void blanks_comments_and_a_declaration_are_read(void **state)
{
	struct bmap *b =
		parse_2_0("<?xml version=\"1.0\" ?>\n<!-- <bmap> -->\n<bmap version=\"2.0\">\n"
			  "<!-- <ImageSize> 1 </ImageSize> -->\n" SIZES MAPPED("1") TYPE SUM
			  "<BlockMap>\n\t<Range>\n  0\r\n<!-- - --> </Range>\n</BlockMap>\n"
			  "</bmap>\n");

	(void)state;
	assert_int_equal(b->n_ranges, 1);
	bmap_free(b);
}

static void version_1_4_is_read_like_2_0(void **state)
{
	struct bmap *b = parse_2_0("<bmap version=\"1.4\">" SIZES MAPPED("1") TYPE SUM RANGES(
		"<Range chksum=\"" ONES "\"> 3 </Range>") "</bmap>");

	(void)state;
	assert_true(b->ranges[0].has_digest);
	bmap_free(b);
}

static void version_1_3_has_sha1_checksums(void **state)
{
	char *text = with_checksum(
		"<bmap version=\"1.3\">" SIZES MAPPED(
			"1") "<BmapFileSHA1> @ </BmapFileSHA1>" RANGES("<Range sha1=\"" SHA1_ONES
								       "\"> 3 </Range>") "</bmap>",
		DIGEST_SHA1);
	struct bmap *b = parse_good(text);

	(void)state;
	assert_int_equal(b->digest_kind, DIGEST_SHA1);
	assert_true(b->ranges[0].has_digest);
	assert_int_equal(b->ranges[0].digest[19], 0x11);
	bmap_free(b);
	free(text);
}

static void checksums_of_version_1_2_do_not_count(void **state)
{
	struct bmap *b = parse_good(MAP_1_2("<Range sha1=\"none\"> 3 </Range>", "1"));

	(void)state;
	assert_int_equal(b->n_ranges, 1);
	assert_false(b->ranges[0].has_digest);
	bmap_free(b);
}

static void other_checksum_types_are_read(void **state)
{
	char *text = with_checksum(
		"<bmap version=\"2.0\">" SIZES
			MAPPED("1") "<ChecksumType> sha512 </ChecksumType>" SUM RANGES(
				"<Range chksum=\"" ONES ONES "\"> 3 </Range>") "</bmap>",
		DIGEST_SHA512);
	struct bmap *b = parse_good(text);

	(void)state;
	assert_int_equal(b->digest_kind, DIGEST_SHA512);
	assert_int_equal(b->ranges[0].digest[63], 0x11);
	bmap_free(b);
	free(text);
}

static void ranges_side_by_side_are_read(void **state)
{
	struct bmap *b = parse_2_0(MAP_2_0("<Range>0-4</Range><Range>5</Range>", "6"));

	(void)state;
	assert_int_equal(b->n_ranges, 2);
	bmap_free(b);
}

static void unknown_checksum_type_is_refused(void **state)
{
	(void)state;
	assert_2_0_refused(
		"<bmap version=\"2.0\">" SIZES MAPPED(
			"0") "<ChecksumType> crc32 </ChecksumType>" SUM RANGES("") "</bmap>",
		"crc32");
}

static void altered_file_is_refused(void **state)
{
	char *text = with_checksum(MAP_2_0("<Range> 3 </Range>", "1"), DIGEST_SHA256);

	(void)state;
	*strstr(text, "> 3 <") = ' ';
	memcpy(strstr(text, " 3 <") - 1, ">4  ", 4);
	assert_refused(text, "own checksum");
	free(text);
}

static void file_without_its_checksum_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"2.0\">" SIZES MAPPED("0") TYPE RANGES("") "</bmap>",
		       "without a good checksum");
}

static void file_with_a_short_checksum_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"2.0\">" SIZES MAPPED("0") TYPE
		       "<BmapFileChecksum>00</BmapFileChecksum>" RANGES("") "</bmap>",
		       "without a good checksum");
}

static void checksum_in_character_references_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"2.0\">" SIZES MAPPED("0") TYPE
		       "<BmapFileChecksum>&#49;111111111111111111111111111111111111111111111111111"
		       "111111111111</BmapFileChecksum>" RANGES("") "</bmap>",
		       "cannot be found");
}

static void version_1_3_without_its_checksum_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.3\">" SIZES MAPPED("0") RANGES("") "</bmap>",
		       "without a good checksum");
}

static void older_version_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.1\"></bmap>", "version 1.1");
}

static void newer_version_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"3.0\"></bmap>", "version 3.0");
}

static void file_without_a_version_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap></bmap>", "without a version");
}

static void another_document_is_refused(void **state)
{
	(void)state;
	assert_refused("<html version=\"2.0\"></html>", "not a block map");
}

static void text_that_is_not_xml_is_refused(void **state)
{
	(void)state;
	assert_refused("hello", "not XML");
}

static void empty_file_is_refused(void **state)
{
	(void)state;
	assert_refused("", "not XML");
}

static void truncated_file_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\">" SIZES MAPPED("0") RANGES(""), "not XML");
}

static void bytes_behind_the_document_are_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("", "0") "<bmap/>", "not XML");
}

static void document_type_is_refused(void **state)
{
	(void)state;
	assert_refused("<!DOCTYPE bmap [<!ENTITY a \"1\">]>" MAP_1_2("<Range>&a;</Range>", "1"),
		       "document type");
}

static void external_document_type_is_refused(void **state)
{
	(void)state;
	assert_refused("<!DOCTYPE bmap SYSTEM \"file:///etc/passwd\">" MAP_1_2("", "0"),
		       "document type");
}

static void undeclared_entity_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range>&a;</Range>", "1"), "not XML");
}

static void too_large_a_file_is_refused(void **state)
{
	struct bmap *b = NULL;
	struct err e;

	(void)state;
	assert_int_equal(bmap_parse("", (size_t)BMAP_MAX_BYTES + 1, &b, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void unknown_element_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\">" SIZES "<Colour/>" MAPPED("0") RANGES("") "</bmap>",
		       "Colour");
}

static void element_of_another_version_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\">" SIZES TYPE MAPPED("0") RANGES("") "</bmap>",
		       "ChecksumType");
}

static void repeated_element_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\">" SIZES MAPPED("0") MAPPED("0") RANGES("") "</bmap>",
		       "two elements MappedBlocksCount");
}

static void element_inside_a_value_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range> 3 <Range> 4 </Range></Range>", "1"), "inside a value");
}

static void other_element_among_the_ranges_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Hole> 3 </Hole>", "1"), "Hole");
}

static void unknown_attribute_of_a_range_is_refused(void **state)
{
	(void)state;
	assert_2_0_refused(MAP_2_0("<Range sha1=\"" SHA1_ONES "\"> 3 </Range>", "1"), "sha1");
}

static void checksum_of_another_length_is_refused(void **state)
{
	(void)state;
	assert_2_0_refused(MAP_2_0("<Range chksum=\"" SHA1_ONES "\"> 3 </Range>", "1"),
			   "bad checksum");
}

static void text_between_elements_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("3-4", "2"), "out of place");
}

static void endless_value_is_refused(void **state)
{
	struct buf text = {0};
	const char *whole = NULL;
	struct err e;

	(void)state;
	buf_printf(&text, "<bmap version=\"1.2\"><ImageSize>%01000d</ImageSize></bmap>", 1);
	assert_int_equal(buf_text(&text, &whole, &e), 0);
	assert_refused(whole, "out of place");
	buf_release(&text);
}

static void ranges_before_the_sizes_are_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\">" RANGES("") SIZES MAPPED("0") "</bmap>",
		       "come before");
}

static void ranges_without_a_block_size_are_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\"><ImageSize>4096</ImageSize><BlocksCount>1"
		       "</BlocksCount>" MAPPED("0") RANGES("") "</bmap>",
		       "come before");
}

static void ranges_without_a_block_count_are_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\"><ImageSize>4096</ImageSize><BlockSize>4096"
		       "</BlockSize>" MAPPED("0") RANGES("") "</bmap>",
		       "come before");
}

static void smallest_block_is_read(void **state)
{
	struct bmap *b = parse_good("<bmap version=\"1.2\"><ImageSize>513</ImageSize><BlockSize>512"
				    "</BlockSize><BlocksCount>2</BlocksCount>" MAPPED("1")
					    RANGES("<Range>1</Range>") "</bmap>");

	(void)state;
	assert_int_equal(b->ranges[0].start_bytes, 512);
	assert_int_equal(b->ranges[0].end_bytes, 513);
	bmap_free(b);
}

static void ranges_before_the_checksum_type_are_refused(void **state)
{
	(void)state;
	assert_2_0_refused("<bmap version=\"2.0\">" SIZES MAPPED("0") SUM RANGES("") TYPE "</bmap>",
			   "come before");
}

static void file_without_ranges_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\">" SIZES MAPPED("0") "</bmap>", "without BlockMap");
}

static void file_without_a_mapped_count_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\">" SIZES RANGES("") "</bmap>",
		       "without MappedBlocksCount");
}

static void wrong_mapped_count_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range> 3 </Range>", "2"), "1 mapped blocks that says 2");
}

static void wrong_block_count_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\"><ImageSize>36865</ImageSize><BlockSize>4096"
		       "</BlockSize><BlocksCount>9</BlocksCount>" MAPPED("0") RANGES("") "</bmap>",
		       "9 blocks for 36865 bytes");
}

static void empty_image_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\"><ImageSize>0</ImageSize></bmap>", "empty image");
}

static void size_that_is_no_number_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\"><ImageSize>4k</ImageSize></bmap>", "ImageSize");
}

static void block_of_no_bytes_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\"><BlockSize>0</BlockSize></bmap>", "blocks of 0");
}

static void block_of_an_odd_size_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\"><BlockSize>5000</BlockSize></bmap>",
		       "blocks of 5000");
}

static void block_of_a_huge_size_is_refused(void **state)
{
	(void)state;
	assert_refused("<bmap version=\"1.2\"><BlockSize>4294967296</BlockSize></bmap>",
		       "blocks of 4294967296");
}

static void overlapping_ranges_are_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range> 2-3 </Range><Range> 3-4 </Range>", "4"), "3-4");
}

static void ranges_out_of_order_are_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range> 4 </Range><Range> 2 </Range>", "2"), "2-2");
}

static void range_that_ends_before_it_begins_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range> 4-3 </Range>", "0"), "4-3");
}

static void range_past_the_end_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range> 9-10 </Range>", "2"), "9-10");
}

static void range_to_the_end_of_all_numbers_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range> 0-18446744073709551615 </Range>", "0"), "passes the end");
}

static void range_that_is_no_range_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range> 1-2-3 </Range>", "2"), "no range");
}

static void empty_range_is_refused(void **state)
{
	(void)state;
	assert_refused(MAP_1_2("<Range/>", "0"), "no range");
}

static void largest_image_does_not_overflow(void **state)
{
	struct bmap *b = parse_good(
		"<bmap version=\"1.2\"><ImageSize>18446744073709551615</ImageSize><BlockSize>4096"
		"</BlockSize><BlocksCount>4503599627370496</BlocksCount>" MAPPED("1")
			RANGES("<Range>4503599627370495</Range>") "</bmap>");

	(void)state;
	assert_true(b->ranges[0].start_bytes == UINT64_MAX - 4095);
	assert_true(b->ranges[0].end_bytes == UINT64_MAX);
	bmap_free(b);
}

/* Ranges 0-1 with a checksum and the last, partial block without. */
static struct bmap *example(struct bmap_range ranges[2])
{
	static struct bmap b;

	ranges[0] = (struct bmap_range){.end_bytes = 8192, .has_digest = true};
	memset(ranges[0].digest, 0x11, SHA256_BYTES);
	ranges[1] = (struct bmap_range){.start_bytes = 36864, .end_bytes = 36964};
	b = (struct bmap){.image_size_bytes = 36964,
			  .block_bytes = 4096,
			  .digest_kind = DIGEST_SHA256,
			  .ranges = ranges,
			  .n_ranges = 2};
	return &b;
}

static void what_is_formatted_is_read_back(void **state)
{
	struct bmap_range ranges[2];
	struct bmap *b = example(ranges);
	struct buf out = {0};
	const char *text = NULL;
	struct err e;

	(void)state;
	assert_int_equal(bmap_format(b, &out, &e), 0);
	assert_int_equal(buf_text(&out, &text, &e), 0);
	struct bmap *again = parse_good(text);
	assert_int_equal(again->image_size_bytes, 36964);
	assert_int_equal(again->block_bytes, 4096);
	assert_int_equal(again->n_ranges, 2);
	assert_memory_equal(again->ranges, ranges, sizeof ranges);
	bmap_free(again);
	buf_release(&out);
}

static void formatted_text_is_what_bmaptool_expects(void **state)
{
	struct bmap_range ranges[2];
	struct bmap *b = example(ranges);
	struct buf out = {0};
	const char *text = NULL;
	struct err e;

	(void)state;
	assert_int_equal(bmap_format(b, &out, &e), 0);
	assert_int_equal(buf_text(&out, &text, &e), 0);
	assert_non_null(strstr(text, "<bmap version=\"2.0\">"));
	assert_non_null(strstr(text, "<BlocksCount> 10 </BlocksCount>"));
	assert_non_null(strstr(text, "<MappedBlocksCount> 3 </MappedBlocksCount>"));
	assert_non_null(strstr(text, "<Range chksum=\"" ONES "\"> 0-1 </Range>"));
	assert_non_null(strstr(text, "<Range> 9 </Range>"));
	buf_release(&out);
}

static void range_that_begins_within_a_block_is_not_written(void **state)
{
	struct bmap_range ranges[2];
	struct bmap *b = example(ranges);
	struct buf out = {0};
	struct err e;

	(void)state;
	ranges[0].start_bytes = 512;
	assert_int_equal(bmap_format(b, &out, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	buf_release(&out);
}

static void range_that_ends_within_a_block_is_not_written(void **state)
{
	struct bmap_range ranges[2];
	struct bmap *b = example(ranges);
	struct buf out = {0};
	struct err e;

	(void)state;
	ranges[0].end_bytes = 8191;
	assert_int_equal(bmap_format(b, &out, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	buf_release(&out);
}

static void checksums_of_another_kind_are_not_written(void **state)
{
	struct bmap_range ranges[2];
	struct bmap *b = example(ranges);
	struct buf out = {0};
	struct err e;

	(void)state;
	b->digest_kind = DIGEST_SHA1;
	assert_int_equal(bmap_format(b, &out, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_2_0_is_read),
		cmocka_unit_test(last_block_ends_with_the_image),
		cmocka_unit_test(range_without_a_checksum_is_read),
		cmocka_unit_test(map_of_an_image_of_holes_has_no_ranges),
		cmocka_unit_test(blanks_comments_and_a_declaration_are_read),
		cmocka_unit_test(version_1_4_is_read_like_2_0),
		cmocka_unit_test(version_1_3_has_sha1_checksums),
		cmocka_unit_test(checksums_of_version_1_2_do_not_count),
		cmocka_unit_test(other_checksum_types_are_read),
		cmocka_unit_test(ranges_side_by_side_are_read),
		cmocka_unit_test(unknown_checksum_type_is_refused),
		cmocka_unit_test(altered_file_is_refused),
		cmocka_unit_test(file_without_its_checksum_is_refused),
		cmocka_unit_test(file_with_a_short_checksum_is_refused),
		cmocka_unit_test(checksum_in_character_references_is_refused),
		cmocka_unit_test(version_1_3_without_its_checksum_is_refused),
		cmocka_unit_test(older_version_is_refused),
		cmocka_unit_test(newer_version_is_refused),
		cmocka_unit_test(file_without_a_version_is_refused),
		cmocka_unit_test(another_document_is_refused),
		cmocka_unit_test(text_that_is_not_xml_is_refused),
		cmocka_unit_test(empty_file_is_refused),
		cmocka_unit_test(truncated_file_is_refused),
		cmocka_unit_test(bytes_behind_the_document_are_refused),
		cmocka_unit_test(document_type_is_refused),
		cmocka_unit_test(external_document_type_is_refused),
		cmocka_unit_test(undeclared_entity_is_refused),
		cmocka_unit_test(too_large_a_file_is_refused),
		cmocka_unit_test(unknown_element_is_refused),
		cmocka_unit_test(element_of_another_version_is_refused),
		cmocka_unit_test(repeated_element_is_refused),
		cmocka_unit_test(element_inside_a_value_is_refused),
		cmocka_unit_test(other_element_among_the_ranges_is_refused),
		cmocka_unit_test(unknown_attribute_of_a_range_is_refused),
		cmocka_unit_test(checksum_of_another_length_is_refused),
		cmocka_unit_test(text_between_elements_is_refused),
		cmocka_unit_test(endless_value_is_refused),
		cmocka_unit_test(ranges_before_the_sizes_are_refused),
		cmocka_unit_test(ranges_without_a_block_size_are_refused),
		cmocka_unit_test(ranges_without_a_block_count_are_refused),
		cmocka_unit_test(smallest_block_is_read),
		cmocka_unit_test(ranges_before_the_checksum_type_are_refused),
		cmocka_unit_test(file_without_ranges_is_refused),
		cmocka_unit_test(file_without_a_mapped_count_is_refused),
		cmocka_unit_test(wrong_mapped_count_is_refused),
		cmocka_unit_test(wrong_block_count_is_refused),
		cmocka_unit_test(empty_image_is_refused),
		cmocka_unit_test(size_that_is_no_number_is_refused),
		cmocka_unit_test(block_of_no_bytes_is_refused),
		cmocka_unit_test(block_of_an_odd_size_is_refused),
		cmocka_unit_test(block_of_a_huge_size_is_refused),
		cmocka_unit_test(overlapping_ranges_are_refused),
		cmocka_unit_test(ranges_out_of_order_are_refused),
		cmocka_unit_test(range_that_ends_before_it_begins_is_refused),
		cmocka_unit_test(range_past_the_end_is_refused),
		cmocka_unit_test(range_to_the_end_of_all_numbers_is_refused),
		cmocka_unit_test(range_that_is_no_range_is_refused),
		cmocka_unit_test(empty_range_is_refused),
		cmocka_unit_test(largest_image_does_not_overflow),
		cmocka_unit_test(what_is_formatted_is_read_back),
		cmocka_unit_test(formatted_text_is_what_bmaptool_expects),
		cmocka_unit_test(range_that_begins_within_a_block_is_not_written),
		cmocka_unit_test(range_that_ends_within_a_block_is_not_written),
		cmocka_unit_test(checksums_of_another_kind_are_not_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
