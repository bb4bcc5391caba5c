/* Partition tables, made. That sfdisk and the kernel take them is tested in
 * tests/cli/table_make.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/disk/table.h"

/* ---- Fixtures ------------------------------------------------------------------------------- */

enum { N_PARTITIONS = 2 };
#define MEDIUM_BYTES (64 * MIB)

struct scene {
	struct table_partition partitions[N_PARTITIONS];
	struct table t;
};

static struct scene gpt_scene(void)
{
	return (struct scene){
		.partitions = {{.number = 1,
				.start_bytes = MIB,
				.size_bytes = 8 * MIB,
				.type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
				.uuid = "11111111-2222-8333-8444-555555555555",
				.name = "esp",
				.is_bootable = true},
			       {.number = 3,
				.start_bytes = 9 * MIB,
				.size_bytes = 20 * MIB,
				.type = "0fc63daf-8483-4772-8e79-3d69d8477de4",
				.uuid = "aaaaaaaa-bbbb-8ccc-8ddd-eeeeeeeeeeee",
				.name = "data \xc3\xa9",
				.does_grow = true}},
		.t = {.kind = TABLE_GPT,
		      .sector_bytes = 512,
		      .id = "01234567-89ab-8def-8123-456789abcdef",
		      .gpt_entries = 128,
		      .n_partitions = N_PARTITIONS},
	};
}

static struct scene mbr_scene(void)
{
	return (struct scene){
		.partitions = {{.number = 1,
				.start_bytes = MIB,
				.size_bytes = 8 * MIB,
				.type = "0x0c",
				.is_bootable = true},
			       {.number = 2,
				.start_bytes = 9 * MIB,
				.size_bytes = 20 * MIB,
				.type = "0x83"}},
		.t = {.kind = TABLE_MBR,
		      .sector_bytes = 512,
		      .id = "0x1a2b3c4d",
		      .n_partitions = N_PARTITIONS},
	};
}

static struct table_ends *make(struct scene *s)
{
	struct table_ends *made = NULL;
	struct err e = {0};

	s->t.partitions = s->partitions;
	assert_int_equal(table_make(&s->t, MEDIUM_BYTES, &made, &e), 0);
	return made;
}

static void assert_refused(struct scene *s, uint64_t medium_size_bytes, const char *text)
{
	struct table_ends *made = NULL;
	struct err e = {0};

	s->t.partitions = s->partitions;
	assert_int_equal(table_make(&s->t, medium_size_bytes, &made, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, text));
	assert_null(made);
}

static void assert_same_partition(const struct table_partition *a, const struct table_partition *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->start_bytes, b->start_bytes);
	assert_int_equal(a->size_bytes, b->size_bytes);
	assert_string_equal(a->type, b->type);
	assert_string_equal(a->uuid, b->uuid);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->is_bootable, b->is_bootable);
	assert_int_equal(a->does_grow, b->does_grow);
}

/* What table_parse reads from the head of s is s. */
static void assert_reads_back(struct scene *s)
{
	CLEANUP(table_ends_freep) struct table_ends *made = make(s);
	CLEANUP(table_freep) struct table *t = NULL;
	struct err e = {0};

	assert_int_equal(
		table_parse(made->head, made->head_bytes, MEDIUM_BYTES, s->t.sector_bytes, &t, &e),
		0);
	assert_int_equal(t->kind, s->t.kind);
	assert_string_equal(t->id, s->t.id);
	assert_int_equal(t->gpt_entries, s->t.gpt_entries);
	assert_int_equal(t->n_partitions, s->t.n_partitions);
	for (size_t i = 0; i < t->n_partitions; i++)
		assert_same_partition(&t->partitions[i], &s->partitions[i]);
}

/* Nothing but a sector for its header is behind the last entry of the backup. */
static void assert_ends(const struct table_ends *made, size_t head_bytes, size_t tail_bytes)
{
	assert_int_equal(made->head_bytes, head_bytes);
	assert_int_equal(made->tail_bytes, tail_bytes);
	assert_int_equal(made->tail_offset_bytes + made->tail_bytes, MEDIUM_BYTES);
}

/* ---- GPT ------------------------------------------------------------------------------------ */

static void made_gpt_reads_back_as_it_was_wanted(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	assert_reads_back(&s);
}

static void made_gpt_of_few_entries_reads_back(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.gpt_entries = 56;
	assert_reads_back(&s);
}

static void made_gpt_of_large_sectors_reads_back(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.sector_bytes = 4096;
	assert_reads_back(&s);
}

static void made_gpt_without_partitions_reads_back(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.n_partitions = 0;
	assert_reads_back(&s);
}

static void gpt_of_56_entries_ends_before_byte_8192(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.gpt_entries = 56;
	CLEANUP(table_ends_freep) struct table_ends *made = make(&s);
	assert_ends(made, 8192, 15 * 512);
}

static void gpt_of_128_entries_takes_34_sectors_and_33(void **state)
{
	struct scene s = gpt_scene();
	CLEANUP(table_ends_freep) struct table_ends *made = make(&s);

	(void)state;
	assert_ends(made, 34 * 512, 33 * 512);
}

static void partition_right_behind_the_entries_is_made(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.partitions[0].start_bytes = UINT64_C(34) * 512;
	assert_reads_back(&s);
}

static void partition_right_behind_56_entries_is_made(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.gpt_entries = 56;
	s.partitions[0].start_bytes = 8192;
	assert_reads_back(&s);
}

static void what_is_in_front_of_the_first_partition_is_not_usable(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.gpt_entries = 56;
	CLEANUP(table_ends_freep) struct table_ends *made = make(&s);
	assert_int_equal(le64(made->head + 512 + 40), 2048);
	assert_int_equal(le64(made->tail + made->tail_bytes - 512 + 40), 2048);
}

static void made_backup_has_the_entries_of_the_primary(void **state)
{
	struct scene s = gpt_scene();
	CLEANUP(table_ends_freep) struct table_ends *made = make(&s);

	(void)state;
	assert_memory_equal(made->tail, made->head + 1024, 32 * 512);
	assert_memory_equal(made->tail + 32 * 512, "EFI PART", 8);
}

static void made_table_leaves_room_for_boot_code(void **state)
{
	struct scene gpt = gpt_scene();
	struct scene mbr = mbr_scene();
	CLEANUP(table_ends_freep) struct table_ends *made_gpt = make(&gpt);
	CLEANUP(table_ends_freep) struct table_ends *made_mbr = make(&mbr);

	(void)state;
	assert_true(bytes_are_zero(made_gpt->head, TABLE_BOOT_CODE_BYTES));
	assert_true(bytes_are_zero(made_mbr->head, TABLE_BOOT_CODE_BYTES));
}

static void making_twice_gives_the_same_bytes(void **state)
{
	struct scene s = gpt_scene();
	CLEANUP(table_ends_freep) struct table_ends *first = make(&s);
	CLEANUP(table_ends_freep) struct table_ends *second = make(&s);

	(void)state;
	assert_int_equal(first->head_bytes, second->head_bytes);
	assert_memory_equal(first->head, second->head, first->head_bytes);
	assert_int_equal(first->tail_bytes, second->tail_bytes);
	assert_memory_equal(first->tail, second->tail, first->tail_bytes);
}

static void type_that_libfdisk_does_not_know_is_told(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	memcpy(s.partitions[0].type, "5b193300-fc78-40cd-8002-e86c45580b47", 37);
	assert_reads_back(&s);
}

static void name_of_36_characters_is_told(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	memcpy(s.partitions[0].name, "123456789012345678901234567890123456", 37);
	assert_reads_back(&s);
}

/* ---- MBR ------------------------------------------------------------------------------------ */

static void made_mbr_reads_back_as_it_was_wanted(void **state)
{
	struct scene s = mbr_scene();

	(void)state;
	assert_reads_back(&s);
}

static void made_mbr_is_one_sector_without_a_tail(void **state)
{
	struct scene s = mbr_scene();
	CLEANUP(table_ends_freep) struct table_ends *made = make(&s);

	(void)state;
	assert_ends(made, 512, 0);
	assert_int_equal(le32(made->head + 440), 0x1a2b3c4d);
	assert_int_equal(made->head[446], 0x80);
}

static void mbr_partition_in_the_first_mebibyte_is_made(void **state)
{
	struct scene s = mbr_scene();

	(void)state;
	s.partitions[0].start_bytes = 512;
	assert_reads_back(&s);
}

static void mbr_does_not_look_at_what_only_a_gpt_has(void **state)
{
	struct scene s = mbr_scene();
	CLEANUP(table_ends_freep) struct table_ends *plain = make(&s);

	(void)state;
	memcpy(s.partitions[0].name, "boot", 5);
	s.partitions[1].does_grow = true;
	CLEANUP(table_ends_freep) struct table_ends *made = make(&s);
	assert_memory_equal(made->head, plain->head, 512);
}

/* ---- Refusals ------------------------------------------------------------------------------- */

static void no_table_cannot_be_made(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.kind = TABLE_NONE;
	assert_refused(&s, MEDIUM_BYTES, "\"none\" cannot be made");
}

static void odd_sectors_are_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.sector_bytes = 1024;
	assert_refused(&s, MEDIUM_BYTES, "no table for sectors of 1024 bytes; take 512 or 4096");
}

static void gpt_that_no_head_holds_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.gpt_entries = 505;
	assert_refused(&s, MEDIUM_BYTES, "a GPT of 505 entries cannot be made");
}

static void gpt_without_entries_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.gpt_entries = 0;
	assert_refused(&s, MEDIUM_BYTES, "a GPT of 0 entries cannot be made");
}

static void medium_that_holds_no_table_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.t.n_partitions = 0;
	assert_refused(&s, 68 * 512 - 1, "does not hold a table; it must have 34816");
}

static void partition_in_the_entries_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.partitions[0].start_bytes = UINT64_C(33) * 512;
	assert_refused(&s, MEDIUM_BYTES,
		       "partition 1 of type \"c12a7328-f81f-11d2-ba4b-00a0c93ec93b\" at bytes "
		       "16896 to 8405503 does not fit the gpt");
}

static void partition_in_the_backup_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.partitions[1].size_bytes = 55 * MIB;
	assert_refused(&s, MEDIUM_BYTES, "partition 3 of type");
}

static void partitions_that_overlap_are_refused(void **state)
{
	struct scene gpt = gpt_scene();
	struct scene mbr = mbr_scene();

	(void)state;
	gpt.partitions[1].start_bytes = 8 * MIB;
	mbr.partitions[1].start_bytes = 8 * MIB;
	assert_refused(&gpt, MEDIUM_BYTES, "partition 3 of type");
	assert_refused(&mbr, MEDIUM_BYTES, "partition 2 of type \"0x83\" at bytes 8388608 to");
}

static void number_that_is_taken_is_refused(void **state)
{
	struct scene gpt = gpt_scene();
	struct scene mbr = mbr_scene();

	(void)state;
	gpt.partitions[1].number = 1;
	mbr.partitions[1].number = 1;
	assert_refused(&gpt, MEDIUM_BYTES, "partition 1 of type");
	assert_refused(&mbr, MEDIUM_BYTES, "partition 1 of type");
}

static void number_that_there_is_not_is_refused(void **state)
{
	struct scene none = gpt_scene();
	struct scene gpt = gpt_scene();
	struct scene mbr = mbr_scene();

	(void)state;
	none.partitions[0].number = 0;
	gpt.partitions[1].number = 129;
	mbr.partitions[1].number = 5;
	assert_refused(&none, MEDIUM_BYTES, "there is no partition 0; they count from 1");
	assert_refused(&gpt, MEDIUM_BYTES, "the GPT has no partition 129, but 128 at most");
	assert_refused(&mbr, MEDIUM_BYTES, "an MBR has no partition 5, but 4 at most; use a GPT");
}

static void part_of_a_sector_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.partitions[0].size_bytes += 1;
	assert_refused(&s, MEDIUM_BYTES,
		       "partition 1: start 1048576 and size 8388609 must be multiples of the "
		       "sector, 512 bytes, and the size not 0");
}

static void empty_partition_is_refused(void **state)
{
	struct scene s = mbr_scene();

	(void)state;
	s.partitions[0].size_bytes = 0;
	assert_refused(&s, MEDIUM_BYTES, "and the size not 0");
}

static void partition_past_the_end_is_refused(void **state)
{
	struct scene s = mbr_scene();

	(void)state;
	assert_refused(&s, 29 * MIB - 1,
		       "partition 2, of 20971520 bytes at 9437184, passes the end of the medium at "
		       "byte 30408703");
}

static void partition_that_wraps_around_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.partitions[0].size_bytes = UINT64_MAX - 511;
	assert_refused(&s, MEDIUM_BYTES, "passes the end of the medium");
}

static void partition_that_an_mbr_cannot_tell_is_refused(void **state)
{
	struct scene s = mbr_scene();

	(void)state;
	s.partitions[1].size_bytes = 2048 * GIB;
	assert_refused(&s, 4096 * GIB, "partition 2 passes byte 2199023255552");
}

static void name_of_37_characters_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	memcpy(s.partitions[0].name, "1234567890123456789012345678901234567", 38);
	assert_refused(&s, MEDIUM_BYTES, "has more than the 36 characters of a GPT");
}

static void type_that_is_none_is_refused(void **state)
{
	struct scene gpt = gpt_scene();
	struct scene mbr = mbr_scene();

	(void)state;
	memcpy(gpt.partitions[0].type, "esp", 4);
	memcpy(mbr.partitions[0].type, "fat", 4);
	assert_refused(&gpt, MEDIUM_BYTES, "partition 1 wants type \"esp\" and UUID \"1111");
	assert_refused(&mbr, MEDIUM_BYTES, "an MBR has no type \"fat\", which partition 1 wants");
}

static void partition_of_a_gpt_without_a_uuid_is_refused(void **state)
{
	struct scene s = gpt_scene();

	(void)state;
	s.partitions[0].uuid[0] = '\0';
	assert_refused(&s, MEDIUM_BYTES, "and UUID \"\", but both must be GUIDs");
}

static void id_that_is_none_is_refused(void **state)
{
	struct scene gpt = gpt_scene();
	struct scene mbr = mbr_scene();

	(void)state;
	memcpy(gpt.t.id, "nonsense", 9);
	memcpy(mbr.t.id, "nonsense", 9);
	assert_refused(&gpt, MEDIUM_BYTES, "the identifier nonsense");
	assert_refused(&mbr, MEDIUM_BYTES, "the identifier nonsense");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_gpt_reads_back_as_it_was_wanted),
		cmocka_unit_test(made_gpt_of_few_entries_reads_back),
		cmocka_unit_test(made_gpt_of_large_sectors_reads_back),
		cmocka_unit_test(made_gpt_without_partitions_reads_back),
		cmocka_unit_test(gpt_of_56_entries_ends_before_byte_8192),
		cmocka_unit_test(gpt_of_128_entries_takes_34_sectors_and_33),
		cmocka_unit_test(partition_right_behind_the_entries_is_made),
		cmocka_unit_test(partition_right_behind_56_entries_is_made),
		cmocka_unit_test(what_is_in_front_of_the_first_partition_is_not_usable),
		cmocka_unit_test(made_backup_has_the_entries_of_the_primary),
		cmocka_unit_test(made_table_leaves_room_for_boot_code),
		cmocka_unit_test(making_twice_gives_the_same_bytes),
		cmocka_unit_test(type_that_libfdisk_does_not_know_is_told),
		cmocka_unit_test(name_of_36_characters_is_told),
		cmocka_unit_test(made_mbr_reads_back_as_it_was_wanted),
		cmocka_unit_test(made_mbr_is_one_sector_without_a_tail),
		cmocka_unit_test(mbr_partition_in_the_first_mebibyte_is_made),
		cmocka_unit_test(mbr_does_not_look_at_what_only_a_gpt_has),
		cmocka_unit_test(no_table_cannot_be_made),
		cmocka_unit_test(odd_sectors_are_refused),
		cmocka_unit_test(gpt_that_no_head_holds_is_refused),
		cmocka_unit_test(gpt_without_entries_is_refused),
		cmocka_unit_test(medium_that_holds_no_table_is_refused),
		cmocka_unit_test(partition_in_the_entries_is_refused),
		cmocka_unit_test(partition_in_the_backup_is_refused),
		cmocka_unit_test(partitions_that_overlap_are_refused),
		cmocka_unit_test(number_that_is_taken_is_refused),
		cmocka_unit_test(number_that_there_is_not_is_refused),
		cmocka_unit_test(part_of_a_sector_is_refused),
		cmocka_unit_test(empty_partition_is_refused),
		cmocka_unit_test(partition_past_the_end_is_refused),
		cmocka_unit_test(partition_that_wraps_around_is_refused),
		cmocka_unit_test(partition_that_an_mbr_cannot_tell_is_refused),
		cmocka_unit_test(name_of_37_characters_is_refused),
		cmocka_unit_test(type_that_is_none_is_refused),
		cmocka_unit_test(partition_of_a_gpt_without_a_uuid_is_refused),
		cmocka_unit_test(id_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
