/* Places on a medium. */
#include "flash/disk/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/units.h"

enum { BACKUP_BYTES = 33 * 512, N_PARTITIONS = 3 };

/* A GPT with boot (64 MiB), root (what 10000000 bytes take) and data (the rest, 8 MiB or more). */
struct scene {
	struct layout_partition partitions[N_PARTITIONS];
	struct layout_blob blobs[2];
	struct layout l;
};

static struct scene scene(enum table_kind kind)
{
	return (struct scene){
		.partitions = {{.name = "boot", .wanted_bytes = 64 * MIB},
			       {.name = "root", .need_bytes = 10000000},
			       {.name = "data", .minimum_bytes = 8 * MIB, .is_rest = true}},
		.l = {.kind = kind, .sector_bytes = 512, .n_partitions = N_PARTITIONS},
	};
}

/* The layout of s, which must stay where it is. */
static struct layout *layout_of(struct scene *s)
{
	s->l.partitions = s->partitions;
	s->l.blobs = s->blobs;
	return &s->l;
}

static void make(struct scene *s)
{
	struct err e = {0};

	assert_int_equal(layout_make(layout_of(s), &e), 0);
}

static void assert_refused(struct scene *s, const char *text)
{
	struct err e = {0};

	assert_int_equal(layout_make(layout_of(s), &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, text));
}

static void assert_place(const struct scene *s, size_t i, uint64_t start_bytes, uint64_t size_bytes)
{
	assert_int_equal(s->partitions[i].start_bytes, start_bytes);
	assert_int_equal(s->partitions[i].size_bytes, size_bytes);
}

/* ---- Places --------------------------------------------------------------------------------- */

static void partitions_follow_each_other_at_whole_mebibytes(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	make(&s);
	assert_place(&s, 0, MIB, 64 * MIB);
	assert_place(&s, 1, 65 * MIB, 10 * MIB); /* 9.54 MiB, rounded up */
	assert_place(&s, 2, 75 * MIB, 8 * MIB);
}

static void smallest_medium_ends_with_the_backup_table(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	make(&s);
	assert_int_equal(s.l.medium_size_bytes, 83 * MIB + BACKUP_BYTES);
}

static void smallest_medium_of_an_mbr_ends_with_its_last_partition(void **state)
{
	struct scene s = scene(TABLE_MBR);

	(void)state;
	make(&s);
	assert_int_equal(s.l.medium_size_bytes, 83 * MIB);
}

static void few_entries_make_a_shorter_backup(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.gpt_entries = 56;
	make(&s);
	assert_int_equal(s.l.medium_size_bytes, 83 * MIB + 15 * 512);
}

static void smallest_medium_holds_the_same_places(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.medium_size_bytes = 83 * MIB + BACKUP_BYTES;
	make(&s);
	assert_place(&s, 2, 75 * MIB, 8 * MIB);
}

static void smallest_medium_may_be_a_blobs(void **state)
{
	struct scene s = scene(TABLE_MBR);

	(void)state;
	s.l.n_partitions = 1;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"fman", 100 * MIB, 1};
	make(&s);
	assert_int_equal(s.l.medium_size_bytes, 100 * MIB + 512);
}

static void rest_takes_all_but_the_backup_down_to_the_grain(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.medium_size_bytes = GIB;
	make(&s);
	assert_place(&s, 2, 75 * MIB, GIB - 20480 - 75 * MIB);
}

static void rest_of_an_mbr_takes_all(void **state)
{
	struct scene s = scene(TABLE_MBR);

	(void)state;
	s.l.medium_size_bytes = GIB + 512;
	make(&s);
	assert_place(&s, 2, 75 * MIB, GIB - 75 * MIB);
}

static void rest_is_never_less_than_its_size(void **state)
{
	struct scene s = scene(TABLE_MBR);

	(void)state;
	s.partitions[2].wanted_start_bytes = 75 * MIB + 512;
	s.l.medium_size_bytes = 83 * MIB + 512;
	make(&s);
	assert_place(&s, 2, 75 * MIB + 512, 8 * MIB);
}

static void rest_without_a_minimum_takes_a_mebibyte_or_more(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[2].minimum_bytes = 0;
	make(&s);
	assert_place(&s, 2, 75 * MIB, MIB);
}

static void partition_starts_where_it_is_told_to(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[0] = (struct layout_partition){
		.name = "spl", .wanted_start_bytes = UINT64_C(34) * 512, .wanted_bytes = MIB};
	make(&s);
	assert_place(&s, 0, UINT64_C(34) * 512, MIB);
	assert_place(&s, 1, 2 * MIB, 10 * MIB);
}

static void content_of_exactly_the_size_fits(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[0].need_bytes = 64 * MIB;
	make(&s);
	assert_place(&s, 0, MIB, 64 * MIB);
}

static void larger_of_need_and_minimum_counts(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[1].minimum_bytes = 16 * MIB;
	make(&s);
	assert_place(&s, 1, 65 * MIB, 16 * MIB);
}

static void table_without_partitions_is_a_layout(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.n_partitions = 0;
	make(&s);
	assert_int_equal(s.l.medium_size_bytes, 34 * 512 + BACKUP_BYTES);
}

static void table_takes_what_its_kind_and_entries_take(void **state)
{
	const struct layout mbr = {.kind = TABLE_MBR, .sector_bytes = 512};
	const struct layout gpt = {.kind = TABLE_GPT, .sector_bytes = 512};
	const struct layout short_gpt = {.kind = TABLE_GPT, .sector_bytes = 512, .gpt_entries = 56};
	const struct layout large = {.kind = TABLE_GPT, .sector_bytes = 4096};

	(void)state;
	assert_int_equal(layout_table_bytes(&mbr), 512);
	assert_int_equal(layout_table_bytes(&gpt), 34 * 512);
	assert_int_equal(layout_table_bytes(&short_gpt), 8192);
	assert_int_equal(layout_table_bytes(&large), 6 * 4096);
}

/* ---- Blobs ---------------------------------------------------------------------------------- */

static void blob_behind_a_short_table_fits(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.gpt_entries = 56;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"U-Boot SPL", 8192, MIB - 8192};
	make(&s);
}

static void boot_code_is_no_part_of_the_table(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"boot.img", 0, 440};
	make(&s);
}

static void nothing_is_in_the_way_of_an_empty_blob(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"nothing", 4096, 0};
	make(&s);
}

/* ---- Refusals ------------------------------------------------------------------------------- */

static void one_sector_less_than_the_smallest_medium_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.medium_size_bytes = 83 * MIB + BACKUP_BYTES - 512;
	assert_refused(&s, "partition data (bytes 78643200 to 87031807) with the backup of the "
			   "partition table behind it does not fit the medium: it has 87048192 "
			   "bytes, and must have 87048704; take a larger");
}

static void part_of_a_sector_is_none(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.medium_size_bytes = 83 * MIB + BACKUP_BYTES - 1;
	assert_refused(&s, "must have 87048704");
}

static void blob_in_the_table_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"U-Boot SPL", 8192, 32768};
	assert_refused(&s, "U-Boot SPL (bytes 8192 to 40959) overlaps the partition table (bytes "
			   "440 to 17407); give one of them another place or size");
}

static void blob_over_the_disk_id_of_an_mbr_is_refused(void **state)
{
	struct scene s = scene(TABLE_MBR);

	(void)state;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"boot.img", 0, 441};
	assert_refused(&s, "boot.img (bytes 0 to 440) overlaps the partition table (bytes 440 to");
}

static void blob_in_a_partition_is_refused(void **state)
{
	struct scene s = scene(TABLE_MBR);

	(void)state;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"u-boot.itb", 8 * MIB, MIB};
	assert_refused(&s, "u-boot.itb (bytes 8388608 to 9437183) overlaps partition boot (bytes "
			   "1048576 to 68157439)");
}

static void blobs_that_overlap_are_refused(void **state)
{
	struct scene s = scene(TABLE_MBR);

	(void)state;
	s.l.n_blobs = 2;
	s.blobs[0] = (struct layout_blob){"SPL", 1024, 4096};
	s.blobs[1] = (struct layout_blob){"u-boot.img", 5119, 512};
	assert_refused(&s, "u-boot.img (bytes 5119 to 5630) overlaps SPL (bytes 1024 to 5119)");
}

static void partitions_that_overlap_are_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[1].wanted_start_bytes = 64 * MIB;
	assert_refused(&s, "partition root (bytes 67108864 to 77594623) overlaps partition boot");
}

static void partition_in_the_table_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[0].wanted_start_bytes = UINT64_C(33) * 512;
	assert_refused(&s, "partition boot (bytes 16896 to 67125759) overlaps the partition table");
}

static void blob_in_the_rest_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"fman", 100 * MIB, MIB};
	assert_refused(&s, "fman (bytes 104857600 to 105906175) overlaps partition data (bytes");
}

static void content_larger_than_its_partition_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[0].need_bytes = 64 * MIB + 1;
	assert_refused(&s, "partition boot: its content takes 67108865 bytes, but its size is "
			   "67108864; make it larger, or put less in");
}

static void partition_without_a_size_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[1].need_bytes = 0;
	assert_refused(&s, "partition root has no size; give it a size or a minimum");
}

static void rest_that_is_not_last_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[1].is_rest = true;
	assert_refused(&s, "partition root takes the rest of the medium, but partition data comes "
			   "behind it");
}

static void start_that_is_no_whole_sector_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[0].wanted_start_bytes = MIB + 1;
	assert_refused(&s, "partition boot: start 1048577 and size 67108864 must be multiples");
}

static void size_that_is_no_whole_sector_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.sector_bytes = 4096;
	s.partitions[0].wanted_bytes = MIB + 512;
	assert_refused(&s, "partition boot: start 0 and size 1049088 must be multiples of the "
			   "sector, 4096 bytes");
}

static void more_partitions_than_an_mbr_holds_are_refused(void **state)
{
	struct layout_partition five[5] = {0};
	struct scene s = scene(TABLE_MBR);
	struct err e = {0};

	(void)state;
	s.l.partitions = five;
	s.l.n_partitions = 5;
	assert_int_equal(layout_make(&s.l, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text,
			    "5 partitions are more than the 4 that the MBR holds; do without "
			    "slots or without a root file system, or use a GPT if the "
			    "board's firmware reads one");
}

static void more_partitions_than_entries_are_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.gpt_entries = 2;
	assert_refused(&s, "3 partitions are more than the 2 that the GPT holds; give it more");
}

static void partition_that_an_mbr_cannot_tell_is_refused(void **state)
{
	struct scene s = scene(TABLE_MBR);

	(void)state;
	s.l.medium_size_bytes = 4096 * GIB;
	assert_refused(&s, "passes byte 2199023255552, where what an MBR can tell ends; use a GPT");
}

static void sizes_that_wrap_around_are_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.partitions[0].wanted_bytes = UINT64_MAX - 511;
	assert_refused(&s, "more than any medium has");
}

static void blob_that_wraps_around_is_refused(void **state)
{
	struct scene s = scene(TABLE_GPT);

	(void)state;
	s.l.n_blobs = 1;
	s.blobs[0] = (struct layout_blob){"blob", UINT64_MAX, 2};
	assert_refused(&s, "more than any medium has");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partitions_follow_each_other_at_whole_mebibytes),
		cmocka_unit_test(smallest_medium_ends_with_the_backup_table),
		cmocka_unit_test(smallest_medium_of_an_mbr_ends_with_its_last_partition),
		cmocka_unit_test(few_entries_make_a_shorter_backup),
		cmocka_unit_test(smallest_medium_holds_the_same_places),
		cmocka_unit_test(smallest_medium_may_be_a_blobs),
		cmocka_unit_test(rest_takes_all_but_the_backup_down_to_the_grain),
		cmocka_unit_test(rest_of_an_mbr_takes_all),
		cmocka_unit_test(rest_is_never_less_than_its_size),
		cmocka_unit_test(rest_without_a_minimum_takes_a_mebibyte_or_more),
		cmocka_unit_test(partition_starts_where_it_is_told_to),
		cmocka_unit_test(content_of_exactly_the_size_fits),
		cmocka_unit_test(larger_of_need_and_minimum_counts),
		cmocka_unit_test(table_without_partitions_is_a_layout),
		cmocka_unit_test(table_takes_what_its_kind_and_entries_take),
		cmocka_unit_test(blob_behind_a_short_table_fits),
		cmocka_unit_test(boot_code_is_no_part_of_the_table),
		cmocka_unit_test(nothing_is_in_the_way_of_an_empty_blob),
		cmocka_unit_test(one_sector_less_than_the_smallest_medium_is_refused),
		cmocka_unit_test(part_of_a_sector_is_none),
		cmocka_unit_test(blob_in_the_table_is_refused),
		cmocka_unit_test(blob_over_the_disk_id_of_an_mbr_is_refused),
		cmocka_unit_test(blob_in_a_partition_is_refused),
		cmocka_unit_test(blobs_that_overlap_are_refused),
		cmocka_unit_test(partitions_that_overlap_are_refused),
		cmocka_unit_test(partition_in_the_table_is_refused),
		cmocka_unit_test(blob_in_the_rest_is_refused),
		cmocka_unit_test(content_larger_than_its_partition_is_refused),
		cmocka_unit_test(partition_without_a_size_is_refused),
		cmocka_unit_test(rest_that_is_not_last_is_refused),
		cmocka_unit_test(start_that_is_no_whole_sector_is_refused),
		cmocka_unit_test(size_that_is_no_whole_sector_is_refused),
		cmocka_unit_test(more_partitions_than_an_mbr_holds_are_refused),
		cmocka_unit_test(more_partitions_than_entries_are_refused),
		cmocka_unit_test(partition_that_an_mbr_cannot_tell_is_refused),
		cmocka_unit_test(sizes_that_wrap_around_are_refused),
		cmocka_unit_test(blob_that_wraps_around_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
