/* What an image's own table says, in its manifest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/units.h"
#include "provision/image_table.h"

/* The survey of an image of 16 MiB whose first bytes are zeros, and a manifest to be filled. */
struct fixture {
	struct survey *survey;
	struct manifest manifest;
	struct err note;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;

	assert_non_null(f);
	f->survey = calloc(1, sizeof *f->survey);
	assert_non_null(f->survey);
	f->survey->head_bytes = SURVEY_HEAD_BYTES;
	assert_int_equal(index_new(16 * MIB, INDEX_CHUNK_LOG2_DEFAULT, &f->survey->index, &e), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	survey_free(f->survey);
	free(f->manifest.partitions);
	free(f);
	return 0;
}

static void put_mbr(struct fixture *f)
{
	f->survey->head[510] = 0x55;
	f->survey->head[511] = 0xaa;
}

static void put_mbr_entry(struct fixture *f, unsigned i, uint8_t type, uint32_t start_sector,
			  uint32_t n_sectors)
{
	uint8_t *entry = f->survey->head + 446 + 16 * i;

	put_mbr(f);
	entry[4] = type;
	put_le32(entry + 8, start_sector);
	put_le32(entry + 12, n_sectors);
}

static void put_gpt_magic(struct fixture *f, uint32_t sector_bytes)
{
	put_mbr_entry(f, 0, 0xee, 1, 32767);
	memcpy(f->survey->head + sector_bytes, "EFI PART", 8);
}

static void take_good(struct fixture *f, uint64_t sector_bytes)
{
	struct err e;

	assert_int_equal(image_table_take(f->survey, sector_bytes, &f->manifest, &f->note, &e), 0);
}

static void image_without_a_table_has_sectors_of_512_bytes(void **state)
{
	struct fixture *f = *state;

	take_good(f, 0);
	assert_int_equal(f->manifest.sector_bytes, 512);
	assert_int_equal(f->manifest.n_partitions, 0);
	assert_string_equal(f->note.text, "");
}

static void sector_size_asked_for_is_taken(void **state)
{
	struct fixture *f = *state;

	take_good(f, 4096);
	assert_int_equal(f->manifest.sector_bytes, 4096);
}

static void sector_size_of_the_gpt_is_taken(void **state)
{
	struct fixture *f = *state;

	put_gpt_magic(f, 4096);
	take_good(f, 0);
	assert_int_equal(f->manifest.sector_bytes, 4096);
}

static void sector_size_that_contradicts_the_gpt_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e;

	put_gpt_magic(f, 512);
	assert_int_equal(image_table_take(f->survey, 4096, &f->manifest, &f->note, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void sector_size_of_2048_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e;

	assert_int_equal(image_table_take(f->survey, 2048, &f->manifest, &f->note, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void partitions_without_names_are_numbered(void **state)
{
	struct fixture *f = *state;

	put_mbr_entry(f, 0, 0x0c, 2048, 4096);
	put_mbr_entry(f, 2, 0x83, 8192, 2048);
	take_good(f, 0);
	assert_string_equal(f->note.text, "");
	assert_int_equal(f->manifest.n_partitions, 2);
	assert_string_equal(f->manifest.partitions[0].name, "p1");
	assert_int_equal(f->manifest.partitions[0].start_bytes, MIB);
	assert_int_equal(f->manifest.partitions[0].size_bytes, 2 * MIB);
	assert_string_equal(f->manifest.partitions[1].name, "p3");
	assert_string_equal(f->manifest.partitions[1].slot, "");
}

static void partitions_side_by_side_up_to_the_end_are_named(void **state)
{
	struct fixture *f = *state;

	put_mbr_entry(f, 0, 0x83, 16384, 16384);
	put_mbr_entry(f, 1, 0x83, 2048, 14336);
	take_good(f, 0);
	assert_string_equal(f->note.text, "");
	assert_int_equal(f->manifest.n_partitions, 2);
}

static void extended_partition_is_left_out(void **state)
{
	struct fixture *f = *state;

	put_mbr_entry(f, 0, 0x83, 2048, 2048);
	put_mbr_entry(f, 1, 0x0f, 4096, 4096);
	take_good(f, 0);
	assert_int_equal(f->manifest.n_partitions, 1);
}

static void partition_past_the_end_leaves_out_all(void **state)
{
	struct fixture *f = *state;

	put_mbr_entry(f, 0, 0x83, 2048, 2048);
	put_mbr_entry(f, 1, 0x83, 4096, 1 << 20);
	take_good(f, 0);
	assert_int_equal(f->manifest.n_partitions, 0);
	assert_string_not_equal(f->note.text, "");
}

static void overlapping_partitions_leave_out_all(void **state)
{
	struct fixture *f = *state;

	put_mbr_entry(f, 0, 0x83, 2048, 4096);
	put_mbr_entry(f, 1, 0x83, 4096, 2048);
	take_good(f, 0);
	assert_int_equal(f->manifest.n_partitions, 0);
	assert_string_not_equal(f->note.text, "");
}

static void damaged_gpt_is_noted(void **state)
{
	struct fixture *f = *state;

	put_gpt_magic(f, 512);
	take_good(f, 0);
	assert_int_equal(f->manifest.n_partitions, 0);
	assert_string_not_equal(f->note.text, "");
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(image_without_a_table_has_sectors_of_512_bytes),
		WITH_FIXTURE(sector_size_asked_for_is_taken),
		WITH_FIXTURE(sector_size_of_the_gpt_is_taken),
		WITH_FIXTURE(sector_size_that_contradicts_the_gpt_is_refused),
		WITH_FIXTURE(sector_size_of_2048_is_refused),
		WITH_FIXTURE(partitions_without_names_are_numbered),
		WITH_FIXTURE(partitions_side_by_side_up_to_the_end_are_named),
		WITH_FIXTURE(extended_partition_is_left_out),
		WITH_FIXTURE(partition_past_the_end_leaves_out_all),
		WITH_FIXTURE(overlapping_partitions_leave_out_all),
		WITH_FIXTURE(damaged_gpt_is_noted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
