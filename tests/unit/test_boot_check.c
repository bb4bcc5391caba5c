/* Boards against images: what is missing is named. */
#include "bootloader/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/profile_fixture.h"

#define HEAD "id: a\nname: A\narch: any\nboot: x\ntested: no\n"
#define ESP  "partitions:\n- name: ESP\n  types: [c12a7328-f81f-11d2-ba4b-00a0c93ec93b, 0xef]\n"

/* What the check says, "" when it is content. An image starts with head. */
static const char *check(const char *yaml, const struct table *t, const char *head,
			 size_t head_bytes, struct err *e)
{
	CLEANUP(board_freep) struct board *b = profile_parse(yaml);

	*e = (struct err){0};
	if (boot_check_image(b, t, (const uint8_t *)head, head_bytes, e) < 0)
		assert_int_equal(e->code, ERR_REFUSED);
	return e->text;
}

static void any_table_takes_no_table(void **state)
{
	struct table t = {.kind = TABLE_NONE};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: any\n", &t, "", 0, &e), "");
}

static void mbr_is_refused_where_gpt_is_wanted(void **state)
{
	struct table t = {.kind = TABLE_MBR};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: gpt\n", &t, "", 0, &e),
			    "the image has partition table mbr, not gpt");
}

static void gpt_is_refused_where_mbr_is_wanted(void **state)
{
	struct table t = {.kind = TABLE_GPT};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: mbr\n", &t, "", 0, &e),
			    "the image has partition table gpt, not mbr");
}

static void either_table_may_be_gpt(void **state)
{
	struct table t = {.kind = TABLE_GPT};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: mbr-or-gpt\n", &t, "", 0, &e), "");
}

static void either_table_may_be_mbr(void **state)
{
	struct table t = {.kind = TABLE_MBR};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: mbr-or-gpt\n", &t, "", 0, &e), "");
}

static void missing_table_is_refused_where_either_is_wanted(void **state)
{
	struct table t = {.kind = TABLE_NONE};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: mbr-or-gpt\n", &t, "", 0, &e),
			    "the image has partition table none, not mbr-or-gpt");
}

static void partition_of_any_wanted_type_will_do(void **state)
{
	struct table_partition partitions[] = {{.type = "0x00"}, {.type = "0xef"}};
	struct table t = {.kind = TABLE_MBR, .partitions = partitions, .n_partitions = 2};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: mbr-or-gpt\n" ESP, &t, "", 0, &e), "");
}

static void missing_partition_is_refused_with_the_wanted_types(void **state)
{
	struct table_partition partitions[] = {{.type = "0x83"}};
	struct table t = {.kind = TABLE_MBR, .partitions = partitions, .n_partitions = 1};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: mbr-or-gpt\n" ESP, &t, "", 0, &e),
			    "there is no ESP: none of the 1 partitions is of type "
			    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b or 0xef");
}

static void every_wanted_partition_must_be_there(void **state)
{
	struct table_partition partitions[] = {{.type = "0xef"}};
	struct table t = {.kind = TABLE_MBR, .partitions = partitions, .n_partitions = 1};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: mbr-or-gpt\n" ESP "- name: root\n  types: [0x83]\n",
				  &t, "", 0, &e),
			    "there is no root: none of the 1 partitions is of type 0x83");
}

#define BLOB "table: any\nblobs:\n- name: SPL\n  offset: 2\n  magic: 6162\n"

static void magic_at_its_offset_will_do(void **state)
{
	struct table t = {.kind = TABLE_NONE};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD BLOB, &t, "__ab", 4, &e), "");
}

static void magic_may_be_behind_the_start_of_its_blob(void **state)
{
	struct table t = {.kind = TABLE_NONE};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD BLOB "  magic_at: 3\n", &t, "_____ab", 7, &e), "");
}

static void blob_without_a_magic_is_not_looked_for(void **state)
{
	struct table t = {.kind = TABLE_NONE};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD "table: any\nfirmware: [{file: f, source: s}]\nblobs:\n"
				       "- {name: SPL, offset: 2, file: f, maximum: 8}\n",
				  &t, "_", 1, &e),
			    "");
}

static void magic_elsewhere_is_refused(void **state)
{
	struct table t = {.kind = TABLE_NONE};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD BLOB, &t, "ab_ab", 5, &e),
			    "there is no SPL at byte 2 (6162)");
}

static void image_that_ends_before_the_magic_is_refused(void **state)
{
	struct table t = {.kind = TABLE_NONE};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD BLOB, &t, "__a", 3, &e),
			    "the image ends at byte 3, before the end of the SPL at byte 2");
}

static void empty_image_is_refused(void **state)
{
	struct table t = {.kind = TABLE_NONE};
	struct err e;

	(void)state;
	assert_string_equal(check(HEAD BLOB, &t, "", 0, &e),
			    "the image ends at byte 0, before the end of the SPL at byte 2");
}

static void head_ends_behind_the_farthest_magic(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b =
		profile_parse(HEAD "table: any\nblobs:\n- name: far\n  offset: 8K\n  magic: aabb\n"
				   "- name: near\n  offset: 0\n  magic: aabbccdd\n");

	assert_int_equal(boot_check_head_bytes(b), 8194);
}

static void board_without_blobs_needs_no_head(void **state)
{
	(void)state;
	CLEANUP(board_freep) struct board *b = profile_parse(HEAD "table: any\n");

	assert_int_equal(boot_check_head_bytes(b), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_table_takes_no_table),
		cmocka_unit_test(mbr_is_refused_where_gpt_is_wanted),
		cmocka_unit_test(gpt_is_refused_where_mbr_is_wanted),
		cmocka_unit_test(either_table_may_be_gpt),
		cmocka_unit_test(either_table_may_be_mbr),
		cmocka_unit_test(missing_table_is_refused_where_either_is_wanted),
		cmocka_unit_test(partition_of_any_wanted_type_will_do),
		cmocka_unit_test(missing_partition_is_refused_with_the_wanted_types),
		cmocka_unit_test(every_wanted_partition_must_be_there),
		cmocka_unit_test(magic_at_its_offset_will_do),
		cmocka_unit_test(magic_may_be_behind_the_start_of_its_blob),
		cmocka_unit_test(blob_without_a_magic_is_not_looked_for),
		cmocka_unit_test(magic_elsewhere_is_refused),
		cmocka_unit_test(image_that_ends_before_the_magic_is_refused),
		cmocka_unit_test(empty_image_is_refused),
		cmocka_unit_test(head_ends_behind_the_farthest_magic),
		cmocka_unit_test(board_without_blobs_needs_no_head),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
