/* The manifest: what it says comes through, and everything that image-format forbids is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/trust/manifest.h"

#define ONES  "1111111111111111111111111111111111111111111111111111111111111111"
#define TWOS  "2222222222222222222222222222222222222222222222222222222222222222"
#define IMAGE "\"image\":{\"size\":65536,\"sha256\":\"" ONES "\",\"sector\":512}"
#define INDEX "\"index\":{\"size\":144,\"sha256\":\"" TWOS "\"}"
#define HEAD  "\"lkflash-manifest\":1,\"name\":\"gw\",\"version\":\"1.2\""

/* A manifest with nothing but what it needs, and MORE at its end. */
#define LEAST(more)      "{" HEAD ",\"boards\":[\"rpi4\"]," IMAGE "," INDEX more "}"
#define PARTITIONS(list) LEAST(",\"partitions\":[" list "]")

static const char full[] =
	"{" HEAD ",\"build_time\":1795400000,\"boards\":[\"rpi4\",\"acme-gw-b1\"],"
	"\"rollback_group\":\"gw-os\",\"security_version\":7," IMAGE "," INDEX ","
	"\"partitions\":[{\"name\":\"rootfs-a\",\"start\":4096,\"size\":8192,\"slot\":\"a\"},"
	"{\"name\":\"data\",\"start\":12288,\"size\":4096}],\"critical\":[]}";

static struct manifest *parse_good(const char *text)
{
	struct manifest *m = NULL;
	struct err e = {0};

	assert_int_equal(manifest_parse(text, strlen(text), &m, &e), 0);
	return m;
}

static void assert_accepted(const char *text)
{
	manifest_free(parse_good(text));
}

static void assert_bytes_refused(const void *text, size_t n_bytes, const char *reason)
{
	struct manifest *m = NULL;
	struct err e = {0};

	assert_int_equal(manifest_parse(text, n_bytes, &m, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_null(m);
	assert_non_null(strstr(e.text, reason));
}

static void assert_refused(const char *text, const char *reason)
{
	assert_bytes_refused(text, strlen(text), reason);
}

static void everything_it_says_comes_through(void **state)
{
	struct manifest *m = parse_good(full);

	(void)state;
	assert_string_equal(m->name, "gw");
	assert_string_equal(m->version, "1.2");
	assert_int_equal(m->build_time_s, 1795400000);
	assert_int_equal(m->n_boards, 2);
	assert_string_equal(m->boards[1], "acme-gw-b1");
	assert_string_equal(m->rollback_group, "gw-os");
	assert_int_equal(m->security_version, 7);
	assert_int_equal(m->image_size_bytes, 65536);
	assert_int_equal(m->image_sha256[31], 0x11);
	assert_int_equal(m->sector_bytes, 512);
	assert_int_equal(m->index_size_bytes, 144);
	assert_int_equal(m->index_sha256[0], 0x22);
	assert_int_equal(m->n_partitions, 2);
	assert_string_equal(m->partitions[0].name, "rootfs-a");
	assert_string_equal(m->partitions[0].slot, "a");
	assert_int_equal(m->partitions[1].start_bytes, 12288);
	assert_int_equal(m->partitions[1].size_bytes, 4096);
	assert_string_equal(m->partitions[1].slot, "");
	manifest_free(m);
}

static void what_is_left_out_is_empty(void **state)
{
	struct manifest *m = parse_good(LEAST(""));

	(void)state;
	assert_string_equal(m->rollback_group, "");
	assert_int_equal(m->security_version, 0);
	assert_int_equal(m->build_time_s, 0);
	assert_int_equal(m->n_partitions, 0);
	manifest_free(m);
}

static void formatted_manifest_has_the_same_bytes(void **state)
{
	struct manifest *m = parse_good(full);
	struct buf out = {0};
	const char *text = NULL;
	struct err e;

	(void)state;
	assert_int_equal(manifest_format(m, &out, &e), 0);
	assert_int_equal(buf_text(&out, &text, &e), 0);
	assert_string_equal(text, full);
	buf_release(&out);
	manifest_free(m);
}

static void formatted_manifest_leaves_out_what_is_empty(void **state)
{
	struct manifest *m = parse_good(LEAST(""));
	struct buf out = {0};
	const char *text = NULL;
	struct err e;

	(void)state;
	assert_int_equal(manifest_format(m, &out, &e), 0);
	assert_int_equal(buf_text(&out, &text, &e), 0);
	assert_string_equal(text, LEAST(",\"partitions\":[],\"critical\":[]"));
	buf_release(&out);
	manifest_free(m);
}

static void board_it_names_is_found(void **state)
{
	struct manifest *m = parse_good(full);

	(void)state;
	assert_true(manifest_has_board(m, "acme-gw-b1"));
	manifest_free(m);
}

static void part_of_a_board_it_names_is_not_found(void **state)
{
	struct manifest *m = parse_good(full);

	(void)state;
	assert_false(manifest_has_board(m, "acme-gw"));
	manifest_free(m);
}

static void unknown_key_is_ignored(void **state)
{
	(void)state;
	assert_accepted(LEAST(",\"colour\":\"red\""));
}

static void known_critical_key_is_accepted(void **state)
{
	(void)state;
	assert_accepted(LEAST(",\"critical\":[\"boards\"]"));
}

static void unknown_critical_key_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"colour\":\"red\",\"critical\":[\"colour\"]"), "\"colour\"");
}

static void critical_that_is_no_list_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"critical\":\"boards\""), "\"critical\"");
}

static void critical_that_lists_no_names_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"critical\":[1]"), "\"critical\"");
}

static void blanks_around_it_are_accepted(void **state)
{
	(void)state;
	assert_accepted("\n " LEAST("") "\n");
}

static void bytes_behind_it_are_refused(void **state)
{
	(void)state;
	assert_refused(LEAST("") "x", "line 1");
}

static void nul_behind_it_is_refused(void **state)
{
	static const char text[] = LEAST("");

	(void)state;
	assert_bytes_refused(text, sizeof text, "line 1");
}

static void nul_in_a_string_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"x\":\"a\\u0000b\""), "line 1");
}

static void nul_in_a_key_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"critical\\u0000\":[]"), "line 1");
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"x\":\"\xc0\xaf\""), "line 1");
}

static void byte_order_mark_is_refused(void **state)
{
	(void)state;
	assert_refused("\xef\xbb\xbf" LEAST(""), "line 1");
}

static void truncated_text_is_refused(void **state)
{
	(void)state;
	assert_bytes_refused(full, sizeof full - 2, "line 1");
}

static void empty_text_is_refused(void **state)
{
	(void)state;
	assert_refused("", "line");
}

static void array_is_refused(void **state)
{
	(void)state;
	assert_refused("[1]", "lkflash-manifest");
}

static void duplicate_key_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"name\":\"other\""), "duplicate");
}

static void duplicate_key_deeper_down_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"x\":[{\"a\":1,\"a\":1}]"), "duplicate");
}

static void more_than_a_mebibyte_is_refused(void **state)
{
	size_t n_bytes = MANIFEST_MAX_BYTES + 1;
	char *text = malloc(n_bytes);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', n_bytes);
	memcpy(text, full, sizeof full - 1);
	assert_bytes_refused(text, n_bytes, "1048577 bytes");
	free(text);
}

static void eight_levels_are_accepted(void **state)
{
	(void)state;
	assert_accepted(LEAST(",\"x\":[[[[[[[1]]]]]]]"));
}

static void nine_levels_are_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"x\":[[[[[[[[]]]]]]]]"), "8 deep");
}

static void nine_levels_of_objects_are_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{}}}}}}}}"),
		       "8 deep");
}

static void largest_number_is_accepted(void **state)
{
	(void)state;
	assert_accepted(LEAST(",\"x\":[9007199254740991,-9007199254740991]"));
}

static void number_of_2_to_the_53_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"build_time\":9007199254740992"), "2^53");
}

static void negative_number_of_2_to_the_53_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"x\":[-9007199254740992]"), "2^53");
}

static void number_past_64_bits_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"x\":18446744073709551616"), "line 1");
}

static void fraction_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"x\":{\"y\":1.5}"), "no integer");
}

static void number_with_an_exponent_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"build_time\":1e3"), "no integer");
}

static void negative_time_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"build_time\":-1"), "\"build_time\"");
}

static void time_as_text_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"build_time\":\"1\""), "\"build_time\"");
}

static void other_version_of_the_format_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"lkflash-manifest\":2}", "version 2");
}

static void missing_version_of_the_format_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"name\":\"gw\"}", "\"lkflash-manifest\"");
}

static void missing_name_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"lkflash-manifest\":1,\"version\":\"1\"}", "\"name\"");
}

static void name_that_is_a_path_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"lkflash-manifest\":1,\"name\":\"../x\",\"version\":\"1\"}", "\"name\"");
}

static void missing_version_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"lkflash-manifest\":1,\"name\":\"gw\"}", "\"version\"");
}

static void missing_boards_are_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD "," IMAGE "," INDEX "}", "\"boards\"");
}

static void empty_list_of_boards_is_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD ",\"boards\":[]," IMAGE "," INDEX "}", "\"boards\"");
}

#define X8  "\"b\",\"b\",\"b\",\"b\",\"b\",\"b\",\"b\",\"b\""
#define X64 X8 "," X8 "," X8 "," X8 "," X8 "," X8 "," X8 "," X8

static void sixty_four_boards_are_accepted(void **state)
{
	(void)state;
	assert_accepted("{" HEAD ",\"boards\":[" X64 "]," IMAGE "," INDEX "}");
}

static void sixty_five_boards_are_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD ",\"boards\":[" X64 ",\"b\"]," IMAGE "," INDEX "}", "\"boards\"");
}

static void board_that_is_no_name_is_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD ",\"boards\":[\"a b\"]," IMAGE "," INDEX "}", "bad board");
}

static void board_that_is_no_text_is_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD ",\"boards\":[7]," IMAGE "," INDEX "}", "bad board");
}

static void rollback_group_that_is_a_path_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"rollback_group\":\"..\""), "\"rollback_group\"");
}

static void security_version_that_is_no_number_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"rollback_group\":\"g\",\"security_version\":true"),
		       "\"security_version\"");
}

static void security_version_of_no_group_is_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"security_version\":1"), "rollback group");
}

#define WITH_IMAGE(image) "{" HEAD ",\"boards\":[\"b\"],\"image\":" image "," INDEX "}"

static void missing_image_is_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD ",\"boards\":[\"b\"]," INDEX "}", "\"image\"");
}

static void empty_image_is_refused(void **state)
{
	(void)state;
	assert_refused(WITH_IMAGE("{\"size\":0,\"sha256\":\"" ONES "\",\"sector\":512}"), "empty");
}

static void missing_image_size_is_refused(void **state)
{
	(void)state;
	assert_refused(WITH_IMAGE("{\"sha256\":\"" ONES "\",\"sector\":512}"), "\"size\"");
}

static void short_image_digest_is_refused(void **state)
{
	(void)state;
	assert_refused(WITH_IMAGE("{\"size\":1,\"sha256\":\"11\",\"sector\":512}"), "\"sha256\"");
}

static void missing_image_digest_is_refused(void **state)
{
	(void)state;
	assert_refused(WITH_IMAGE("{\"size\":1,\"sector\":512}"), "\"sha256\"");
}

static void sectors_of_4096_bytes_are_accepted(void **state)
{
	(void)state;
	assert_accepted(WITH_IMAGE("{\"size\":1,\"sha256\":\"" ONES "\",\"sector\":4096}"));
}

static void sectors_of_another_size_are_refused(void **state)
{
	(void)state;
	assert_refused(WITH_IMAGE("{\"size\":1,\"sha256\":\"" ONES "\",\"sector\":2048}"),
		       "2048 bytes");
}

static void missing_index_is_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD ",\"boards\":[\"b\"]," IMAGE "}", "\"index\"");
}

static void index_without_a_digest_is_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD ",\"boards\":[\"b\"]," IMAGE ",\"index\":{\"size\":1}}",
		       "\"sha256\"");
}

static void partitions_side_by_side_are_accepted(void **state)
{
	(void)state;
	assert_accepted(PARTITIONS("{\"name\":\"b\",\"start\":8,\"size\":65528},"
				   "{\"name\":\"a\",\"start\":0,\"size\":8}"));
}

static void overlapping_partitions_are_refused(void **state)
{
	(void)state;
	assert_refused(PARTITIONS("{\"name\":\"b\",\"start\":7,\"size\":10},"
				  "{\"name\":\"a\",\"start\":0,\"size\":8}"),
		       "overlap");
}

static void partition_past_the_end_is_refused(void **state)
{
	(void)state;
	assert_refused(PARTITIONS("{\"name\":\"a\",\"start\":1,\"size\":65536}"), "not within");
}

static void empty_partition_is_refused(void **state)
{
	(void)state;
	assert_refused(PARTITIONS("{\"name\":\"a\",\"start\":1,\"size\":0}"), "not within");
}

static void partition_without_a_name_is_refused(void **state)
{
	(void)state;
	assert_refused(PARTITIONS("{\"start\":1,\"size\":1}"), "\"name\"");
}

static void partition_without_a_start_is_refused(void **state)
{
	(void)state;
	assert_refused(PARTITIONS("{\"name\":\"a\",\"size\":1}"), "\"start\"");
}

static void slot_that_is_no_name_is_refused(void **state)
{
	(void)state;
	assert_refused(PARTITIONS("{\"name\":\"a\",\"start\":1,\"size\":1,\"slot\":null}"),
		       "\"slot\"");
}

static void partition_that_is_no_object_is_refused(void **state)
{
	(void)state;
	assert_refused(PARTITIONS("[]"), "bad partition");
}

static void partitions_that_are_no_list_are_refused(void **state)
{
	(void)state;
	assert_refused(LEAST(",\"partitions\":{}"), "\"partitions\"");
}

/* n partitions of one byte each, one after the other. */
static char *with_partitions(unsigned n)
{
	struct buf out = {0};
	const char *text = NULL;
	struct err e;

	buf_append_text(&out, "{" HEAD ",\"boards\":[\"b\"]," IMAGE "," INDEX ",\"partitions\":[");
	for (unsigned i = 0; i < n; i++)
		buf_printf(&out, "%s{\"name\":\"p\",\"start\":%u,\"size\":1}", i ? "," : "", i);
	buf_append_text(&out, "]}");
	assert_int_equal(buf_text(&out, &text, &e), 0);
	return (char *)out.bytes;
}

static void hundred_and_twenty_eight_partitions_are_accepted(void **state)
{
	char *text = with_partitions(128);

	(void)state;
	assert_accepted(text);
	free(text);
}

static void hundred_and_twenty_nine_partitions_are_refused(void **state)
{
	char *text = with_partitions(129);

	(void)state;
	assert_refused(text, "\"partitions\"");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_it_says_comes_through),
		cmocka_unit_test(what_is_left_out_is_empty),
		cmocka_unit_test(formatted_manifest_has_the_same_bytes),
		cmocka_unit_test(formatted_manifest_leaves_out_what_is_empty),
		cmocka_unit_test(board_it_names_is_found),
		cmocka_unit_test(part_of_a_board_it_names_is_not_found),
		cmocka_unit_test(unknown_key_is_ignored),
		cmocka_unit_test(known_critical_key_is_accepted),
		cmocka_unit_test(unknown_critical_key_is_refused),
		cmocka_unit_test(critical_that_is_no_list_is_refused),
		cmocka_unit_test(critical_that_lists_no_names_is_refused),
		cmocka_unit_test(blanks_around_it_are_accepted),
		cmocka_unit_test(bytes_behind_it_are_refused),
		cmocka_unit_test(nul_behind_it_is_refused),
		cmocka_unit_test(nul_in_a_string_is_refused),
		cmocka_unit_test(nul_in_a_key_is_refused),
		cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
		cmocka_unit_test(byte_order_mark_is_refused),
		cmocka_unit_test(truncated_text_is_refused),
		cmocka_unit_test(empty_text_is_refused),
		cmocka_unit_test(array_is_refused),
		cmocka_unit_test(duplicate_key_is_refused),
		cmocka_unit_test(duplicate_key_deeper_down_is_refused),
		cmocka_unit_test(more_than_a_mebibyte_is_refused),
		cmocka_unit_test(eight_levels_are_accepted),
		cmocka_unit_test(nine_levels_are_refused),
		cmocka_unit_test(nine_levels_of_objects_are_refused),
		cmocka_unit_test(largest_number_is_accepted),
		cmocka_unit_test(number_of_2_to_the_53_is_refused),
		cmocka_unit_test(negative_number_of_2_to_the_53_is_refused),
		cmocka_unit_test(number_past_64_bits_is_refused),
		cmocka_unit_test(fraction_is_refused),
		cmocka_unit_test(number_with_an_exponent_is_refused),
		cmocka_unit_test(negative_time_is_refused),
		cmocka_unit_test(time_as_text_is_refused),
		cmocka_unit_test(other_version_of_the_format_is_refused),
		cmocka_unit_test(missing_version_of_the_format_is_refused),
		cmocka_unit_test(missing_name_is_refused),
		cmocka_unit_test(name_that_is_a_path_is_refused),
		cmocka_unit_test(missing_version_is_refused),
		cmocka_unit_test(missing_boards_are_refused),
		cmocka_unit_test(empty_list_of_boards_is_refused),
		cmocka_unit_test(sixty_four_boards_are_accepted),
		cmocka_unit_test(sixty_five_boards_are_refused),
		cmocka_unit_test(board_that_is_no_name_is_refused),
		cmocka_unit_test(board_that_is_no_text_is_refused),
		cmocka_unit_test(rollback_group_that_is_a_path_is_refused),
		cmocka_unit_test(security_version_that_is_no_number_is_refused),
		cmocka_unit_test(security_version_of_no_group_is_refused),
		cmocka_unit_test(missing_image_is_refused),
		cmocka_unit_test(empty_image_is_refused),
		cmocka_unit_test(missing_image_size_is_refused),
		cmocka_unit_test(short_image_digest_is_refused),
		cmocka_unit_test(missing_image_digest_is_refused),
		cmocka_unit_test(sectors_of_4096_bytes_are_accepted),
		cmocka_unit_test(sectors_of_another_size_are_refused),
		cmocka_unit_test(missing_index_is_refused),
		cmocka_unit_test(index_without_a_digest_is_refused),
		cmocka_unit_test(partitions_side_by_side_are_accepted),
		cmocka_unit_test(overlapping_partitions_are_refused),
		cmocka_unit_test(partition_past_the_end_is_refused),
		cmocka_unit_test(empty_partition_is_refused),
		cmocka_unit_test(partition_without_a_name_is_refused),
		cmocka_unit_test(partition_without_a_start_is_refused),
		cmocka_unit_test(slot_that_is_no_name_is_refused),
		cmocka_unit_test(partition_that_is_no_object_is_refused),
		cmocka_unit_test(partitions_that_are_no_list_are_refused),
		cmocka_unit_test(hundred_and_twenty_eight_partitions_are_accepted),
		cmocka_unit_test(hundred_and_twenty_nine_partitions_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
