/* Blobs that are built, in a profile. */
#include "boards/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/profile_fixture.h"

#define HEAD                                                                                       \
	"id: a\n"                                                                                  \
	"name: A\n"                                                                                \
	"arch: arm\n"                                                                              \
	"boot: x\n"                                                                                \
	"tested: no\n"                                                                             \
	"table: any\n"                                                                             \
	"firmware:\n"                                                                              \
	"- {file: spl.bin, source: somewhere}\n"                                                   \
	"blobs:\n"

static void blob_that_is_built_is_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b = profile_parse(
		HEAD "- {name: SPL, offset: 8K, magic: aabb, magic_at: 4, file: spl.bin, "
		     "maximum: 32K, holes: [{offset: 440, size: 72}]}\n");

	assert_int_equal(b->blobs[0].offset_bytes, 8192);
	assert_int_equal(b->blobs[0].magic_at_bytes, 4);
	assert_string_equal(b->blobs[0].file, "spl.bin");
	assert_int_equal(b->blobs[0].maximum_bytes, 32768);
	assert_int_equal(b->blobs[0].n_holes, 1);
	assert_int_equal(b->blobs[0].holes[0].offset_bytes, 440);
	assert_int_equal(b->blobs[0].holes[0].size_bytes, 72);
}

static void magic_at_that_is_no_number_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "- {name: x, offset: 0, magic: aa, file: spl.bin, maximum: 1K, magic_at: x}\n",
		"a.yaml:10: `magic_at` must be a number of bytes, as 512 or 8K");
}

static void magic_that_ends_behind_the_limit_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 16777212, magic: aa, file: spl.bin, maximum: 1K, "
			     "magic_at: 4}\n",
			"a.yaml:10: offset 16777212: the magic must end before byte 16777216");
}

static void magic_at_that_overflows_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD
			"- {name: x, offset: 1, magic: aa, file: spl.bin, maximum: 1K, magic_at: "
			"18446744073709551615}\n",
			"a.yaml:10: offset 1: the magic must end before byte 16777216");
}

static void blob_of_no_firmware_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "- {name: x, offset: 0, magic: aa, file: spl, maximum: 1K}\n",
		"a.yaml:10: file `spl` is not under `firmware`, which tells where it comes from");
}

static void file_without_a_maximum_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "- {name: x, offset: 0, magic: aa, file: spl.bin}\n",
		"a.yaml:10: `maximum` is missing: how many bytes the file may have there at most");
}

static void maximum_that_overflows_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD
		"- {name: x, offset: 1, magic: aa, file: spl.bin, maximum: 18446744073709551615}\n",
		"a.yaml:10: maximum 18446744073709551615 is too much");
}

static void maximum_without_a_file_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 0, magic: aa, maximum: 1K}\n",
			"a.yaml:10: blob `x` has no `file` that this could be of");
}

static void hole_without_a_file_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 0, magic: aa, holes: [{offset: 8, size: 8}]}\n",
			"a.yaml:10: blob `x` has no `file` that this could be of");
}

static void hole_of_no_bytes_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 0, magic: aa, file: spl.bin, maximum: 1K, holes: "
			     "[{offset: 8, size: 0}]}\n",
			"a.yaml:10: a hole has no bytes");
}

static void hole_without_a_size_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 0, magic: aa, file: spl.bin, maximum: 1K, holes: "
			     "[{offset: 8}]}\n",
			"a.yaml:10: key `size` is missing");
}

static void hole_of_an_unknown_size_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 0, magic: aa, file: spl.bin, maximum: 1K, holes: "
			     "[{offset: 8, size: x}]}\n",
			"a.yaml:10: `size` must be a number of bytes, as 512 or 8K");
}

static void holes_out_of_order_are_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 0, magic: aa, file: spl.bin, maximum: 1K, holes: "
			     "[{offset: 16, size: 8}, {offset: 8, size: 8}]}\n",
			"a.yaml:10: hole at 8: holes stand in order and do not overlap");
}

static void hole_behind_the_maximum_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 0, magic: aa, file: spl.bin, maximum: 1K, holes: "
			     "[{offset: 1020, size: 8}]}\n",
			"a.yaml:10: hole at 1020 ends behind `maximum` 1024");
}

static void magic_in_a_hole_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD
			"- {name: x, offset: 0, magic: aabb, file: spl.bin, maximum: 1K, magic_at: "
			"439, holes: [{offset: 440, size: 72}]}\n",
			"a.yaml:10: the magic is in a hole, or behind `maximum`");
}

static void magic_behind_the_maximum_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD
		"- {name: x, offset: 0, magic: aabb, file: spl.bin, maximum: 1K, magic_at: 1023}\n",
		"a.yaml:10: the magic is in a hole, or behind `maximum`");
}

static void blobs_that_overlap_are_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "- {name: x, offset: 0, magic: aa, file: spl.bin, maximum: 1K}\n- {name: y, "
		     "offset: 1023, magic: aa, file: spl.bin, maximum: 1K}\n",
		"a.yaml:11: `y` at byte 1023 with 1024 bytes overlaps `x` at byte 0 with 1024");
}

static void blob_of_neither_a_magic_nor_a_file_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "- {name: x, offset: 0}\n",
			"a.yaml:10: blob `x` has neither a `magic` to look for nor a `file`");
}

static void blob_of_a_file_needs_no_magic(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b = profile_parse(HEAD "- {name: y, offset: 1K, file: spl.bin, maximum: 1K, "
					     "holes: [{offset: 0, size: 8}]}\n");

	assert_null(b->blobs[0].magic);
}

static void blobs_side_by_side_are_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b = profile_parse(
		HEAD "- {name: y, offset: 1K, magic: aa, file: spl.bin, maximum: 1K}\n"
		     "- {name: x, offset: 0, magic: aa, file: spl.bin, maximum: 1K}\n");

	assert_int_equal(b->n_blobs, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(blob_that_is_built_is_read),
		cmocka_unit_test(magic_at_that_is_no_number_is_refused),
		cmocka_unit_test(magic_that_ends_behind_the_limit_is_refused),
		cmocka_unit_test(magic_at_that_overflows_is_refused),
		cmocka_unit_test(blob_of_no_firmware_is_refused),
		cmocka_unit_test(file_without_a_maximum_is_refused),
		cmocka_unit_test(maximum_that_overflows_is_refused),
		cmocka_unit_test(maximum_without_a_file_is_refused),
		cmocka_unit_test(hole_without_a_file_is_refused),
		cmocka_unit_test(hole_of_no_bytes_is_refused),
		cmocka_unit_test(hole_without_a_size_is_refused),
		cmocka_unit_test(hole_of_an_unknown_size_is_refused),
		cmocka_unit_test(holes_out_of_order_are_refused),
		cmocka_unit_test(hole_behind_the_maximum_is_refused),
		cmocka_unit_test(magic_in_a_hole_is_refused),
		cmocka_unit_test(magic_behind_the_maximum_is_refused),
		cmocka_unit_test(blobs_that_overlap_are_refused),
		cmocka_unit_test(blob_of_neither_a_magic_nor_a_file_is_refused),
		cmocka_unit_test(blob_of_a_file_needs_no_magic),
		cmocka_unit_test(blobs_side_by_side_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
