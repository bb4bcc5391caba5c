/* Partition tables, read and moved. */
#include "flash/disk/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "tests/lib/gpt_bytes.h"

/* ---- Fixtures ------------------------------------------------------------------------------- */

static const struct gpt_bytes gpt_512 = {
	.sector_bytes = 512, .n_sectors = 2048, .n_entries = 128}; /* a medium of 1 MiB */
static const struct gpt_bytes gpt_4096 = {
	.sector_bytes = 4096, .n_sectors = 1024, .n_entries = 128}; /* a medium of 4 MiB */

struct head {
	uint8_t bytes[TABLE_HEAD_BYTES];
};

static void freehead(struct head **h)
{
	free(*h);
}

static struct head *blank_head(void)
{
	struct head *h = calloc(1, sizeof *h);

	assert_non_null(h);
	return h;
}

static struct head *gpt_head(const struct gpt_bytes *g)
{
	struct head *h = blank_head();

	gpt_put_head(g, h->bytes);
	return h;
}

/* Entry i of the table in a boot sector or extended record. */
static void put_mbr_entry(uint8_t *sector, unsigned i, uint8_t flag, uint8_t type,
			  uint32_t start_lba, uint32_t n_sectors)
{
	uint8_t *entry = sector + 446 + i * 16;

	entry[0] = flag;
	entry[4] = type;
	put_le32(entry + 8, start_lba);
	put_le32(entry + 12, n_sectors);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static struct table *parse(const struct head *h, uint64_t medium_size_bytes, uint32_t sector_bytes)
{
	struct table *t = NULL;
	struct err e = {0};

	assert_int_equal(
		table_parse(h->bytes, sizeof h->bytes, medium_size_bytes, sector_bytes, &t, &e), 0);
	return t;
}

static void assert_untrusted(const struct head *h, uint64_t medium_size_bytes,
			     uint32_t sector_bytes, const char *text)
{
	struct table *t = NULL;
	struct err e = {0};

	assert_int_equal(
		table_parse(h->bytes, sizeof h->bytes, medium_size_bytes, sector_bytes, &t, &e),
		-1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.text, text));
	assert_null(t);
}

static struct table_ends *move(const struct head *h, uint64_t medium_size_bytes,
			       uint32_t sector_bytes)
{
	struct table_ends *m = NULL;
	struct err e = {0};

	assert_int_equal(
		table_move_gpt(h->bytes, sizeof h->bytes, medium_size_bytes, sector_bytes, &m, &e),
		0);
	return m;
}

/* ---- GPT ------------------------------------------------------------------------------------ */

static void gpt_partition_is_told_in_bytes_and_lower_case(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	(void)state;
	assert_int_equal(t->kind, TABLE_GPT);
	assert_int_equal(t->sector_bytes, 512);
	assert_int_equal(t->n_partitions, 2);
	assert_int_equal(t->partitions[0].number, 1);
	assert_int_equal(t->partitions[0].start_bytes, 32768);
	assert_int_equal(t->partitions[0].size_bytes, 32768);
	assert_string_equal(t->partitions[0].type, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_string_equal(t->partitions[0].uuid, "11111111-1111-1111-1111-111111111111");
	assert_string_equal(t->partitions[0].name, "efi");
	assert_false(t->partitions[0].is_bootable);
}

static void gpt_attribute_of_legacy_boot_is_bootable(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	(void)state;
	assert_string_equal(t->partitions[1].name, "root");
	assert_true(t->partitions[1].is_bootable);
}

static void gpt_of_large_sectors_is_read(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_4096);
	CLEANUP(table_freep) struct table *t = parse(h, 4 * MIB, 4096);

	(void)state;
	assert_int_equal(t->kind, TABLE_GPT);
	assert_int_equal(t->partitions[0].start_bytes, 262144);
}

static void gpt_with_few_entries_is_read(void **state)
{
	static const struct gpt_bytes g = {.sector_bytes = 512, .n_sectors = 2048, .n_entries = 56};
	CLEANUP(freehead) struct head *h = gpt_head(&g);
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	(void)state;
	assert_int_equal(t->kind, TABLE_GPT);
	assert_int_equal(t->n_partitions, 2);
}

static void gpt_on_a_larger_medium_is_read(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_freep) struct table *t = parse(h, GIB, 512);

	(void)state;
	assert_int_equal(t->n_partitions, 2);
}

static void gpt_with_a_flipped_bit_in_its_header_is_untrusted(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	h->bytes[512 + 60] ^= 1;
	assert_untrusted(h, MIB, 512, "the GPT is damaged");
}

static void gpt_with_a_flipped_bit_in_its_entries_is_untrusted(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	h->bytes[1024 + 32] ^= 1;
	assert_untrusted(h, MIB, 512, "the GPT is damaged");
}

static void gpt_on_a_smaller_medium_is_untrusted(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	assert_untrusted(h, MIB - 512 * 64, 512, "larger than the medium");
}

static void gpt_of_large_sectors_is_untrusted_where_sectors_are_small(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_4096);

	(void)state;
	assert_untrusted(h, 4 * MIB, 512, "not for sectors of 512 bytes");
}

static void gpt_with_more_entries_than_a_head_holds_is_untrusted(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	put_le32(h->bytes + 512 + 80, 513);
	gpt_seal(h->bytes + 512);
	assert_untrusted(h, MIB, 512, "or more than 65536 bytes hold");
}

static void gpt_whose_backup_has_huge_entries_is_untrusted(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	put_le64(h->bytes + 512 + 32, 100);
	gpt_seal(h->bytes + 512);
	memcpy(h->bytes + 100 * 512, h->bytes + 512, 92);
	put_le32(h->bytes + 100 * 512 + 84, UINT32_MAX);
	gpt_seal(h->bytes + 100 * 512);
	assert_untrusted(h, MIB, 512, "or more than 65536 bytes hold");
}

static void gpt_whose_entries_are_over_its_header_is_untrusted(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	put_le64(h->bytes + 512 + 72, 1);
	gpt_seal(h->bytes + 512);
	assert_untrusted(h, MIB, 512, "in the wrong place");
}

static void gpt_without_a_boot_sector_is_untrusted(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	memset(h->bytes, 0, 512);
	assert_untrusted(h, MIB, 512, "no protective MBR");
}

/* ---- MBR and none --------------------------------------------------------------------------- */

static void mbr_partition_is_told(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	put_mbr_entry(h->bytes, 0, 0x80, 0x0c, 64, 128);
	put_mbr_entry(h->bytes, 2, 0, 0x83, 192, 256);
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	assert_int_equal(t->kind, TABLE_MBR);
	assert_int_equal(t->n_partitions, 2);
	assert_string_equal(t->partitions[0].type, "0x0c");
	assert_int_equal(t->partitions[0].start_bytes, 32768);
	assert_int_equal(t->partitions[0].size_bytes, 65536);
	assert_true(t->partitions[0].is_bootable);
	assert_string_equal(t->partitions[0].uuid, "");
	assert_int_equal(t->partitions[1].number, 3);
	assert_false(t->partitions[1].is_bootable);
}

static void logical_partition_is_told_with_its_number(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	put_mbr_entry(h->bytes, 0, 0, 0x05, 64, 1024);
	put_mbr_entry(h->bytes + 64 * 512, 0, 0, 0x83, 8, 128);
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	assert_int_equal(t->n_partitions, 2);
	assert_string_equal(t->partitions[0].type, "0x05");
	assert_int_equal(t->partitions[1].number, 5);
	assert_int_equal(t->partitions[1].start_bytes, UINT64_C(72) * 512);
}

static void extended_partition_whose_record_is_behind_the_head_is_told(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	put_mbr_entry(h->bytes, 0, 0, 0x05, 1024, 512);
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	assert_int_equal(t->n_partitions, 1);
}

static void partition_of_a_hybrid_image_with_type_zero_is_told(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	put_mbr_entry(h->bytes, 0, 0x80, 0, 0, 1024);
	put_mbr_entry(h->bytes, 1, 0, 0xef, 1024, 512);
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	assert_int_equal(t->kind, TABLE_MBR);
	assert_int_equal(t->n_partitions, 2);
	assert_string_equal(t->partitions[0].type, "0x00");
	assert_string_equal(t->partitions[1].type, "0xef");
}

static void mbr_partition_past_the_end_is_untrusted(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	put_mbr_entry(h->bytes, 0, 0, 0x83, 64, 2048 - 63);
	assert_untrusted(h, MIB, 512, "partition 1 passes the end of the medium at byte 1048576");
}

static void blank_medium_has_no_table(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	(void)state;
	assert_int_equal(t->kind, TABLE_NONE);
	assert_int_equal(t->n_partitions, 0);
}

static void file_system_on_the_whole_medium_is_no_table(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	memcpy(h->bytes + 54, "FAT16   ", 8);
	h->bytes[510] = 0x55;
	h->bytes[511] = 0xaa;
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	assert_int_equal(t->kind, TABLE_NONE);
}

static void boot_code_where_a_table_would_be_is_no_table(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	memcpy(h->bytes + 440, "BOOTMGR is missing, press Ctrl+Alt+Del to restart", 49);
	h->bytes[510] = 0x55;
	h->bytes[511] = 0xaa;
	CLEANUP(table_freep) struct table *t = parse(h, MIB, 512);

	assert_int_equal(t->kind, TABLE_NONE);
}

static void medium_of_one_byte_has_no_table(void **state)
{
	CLEANUP(table_freep) struct table *t = NULL;
	const uint8_t byte = 0x55;
	struct err e = {0};

	(void)state;
	assert_int_equal(table_parse(&byte, 1, 1, 512, &t, &e), 0);
	assert_int_equal(t->kind, TABLE_NONE);
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(table_kind_name(TABLE_NONE), "none");
	assert_string_equal(table_kind_name(TABLE_MBR), "mbr");
	assert_string_equal(table_kind_name(TABLE_GPT), "gpt");
}

/* ---- Sector size ---------------------------------------------------------------------------- */

static void gpt_tells_its_sector_size(void **state)
{
	CLEANUP(freehead) struct head *small = gpt_head(&gpt_512);
	CLEANUP(freehead) struct head *large = gpt_head(&gpt_4096);

	(void)state;
	assert_int_equal(table_gpt_sector_bytes(small->bytes, sizeof small->bytes), 512);
	assert_int_equal(table_gpt_sector_bytes(large->bytes, sizeof large->bytes), 4096);
}

static void mbr_tells_no_sector_size(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	put_mbr_entry(h->bytes, 0, 0x80, 0x0c, 64, 128);
	assert_int_equal(table_gpt_sector_bytes(h->bytes, sizeof h->bytes), 0);
}

static void head_of_one_sector_tells_no_sector_size(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	assert_int_equal(table_gpt_sector_bytes(h->bytes, 512), 0);
	assert_int_equal(table_gpt_sector_bytes(h->bytes, 511), 0);
}

/* ---- Moving --------------------------------------------------------------------------------- */

static void gpt_of_a_smaller_medium_is_short(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	assert_true(table_gpt_is_short(h->bytes, sizeof h->bytes, MIB + 512));
}

static void gpt_that_ends_with_the_last_whole_sector_is_not_short(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	assert_false(table_gpt_is_short(h->bytes, sizeof h->bytes, MIB + 511));
}

static void what_is_no_gpt_is_not_short(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();

	(void)state;
	assert_false(table_gpt_is_short(h->bytes, sizeof h->bytes, MIB));
}

static void moved_gpt_is_good_on_the_larger_medium(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_ends_freep) struct table_ends *m = move(h, 4 * MIB, 512);
	CLEANUP(table_freep) struct table *t = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(table_parse(m->head, m->head_bytes, 4 * MIB, 512, &t, &e), 0);
	assert_int_equal(t->kind, TABLE_GPT);
	assert_int_equal(t->n_partitions, 2);
	assert_int_equal(t->partitions[1].start_bytes, UINT64_C(128) * 512);
	assert_string_equal(t->partitions[1].uuid, "33333333-3333-3333-3333-333333333333");
}

static void moved_gpt_points_to_the_real_end(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_ends_freep) struct table_ends *m = move(h, 4 * MIB, 512);

	(void)state;
	assert_int_equal(le64(m->head + 512 + 32), 8191);      /* the backup */
	assert_int_equal(le64(m->head + 512 + 48), 8191 - 33); /* the last sector for partitions */
	assert_int_equal(le32(m->head + 446 + 12), 8191);      /* the protective MBR's size */
	assert_int_equal(m->tail_offset_bytes + m->tail_bytes, 4 * MIB);
	assert_int_equal(m->tail_bytes, 33 * 512);
}

static void moved_backup_is_the_mirror_of_the_primary(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_ends_freep) struct table_ends *m = move(h, 4 * MIB, 512);
	uint8_t header[92];

	(void)state;
	memcpy(header, m->tail + 32 * 512, sizeof header);
	assert_memory_equal(header, "EFI PART", 8);
	assert_int_equal(le64(header + 24), 8191);
	assert_int_equal(le64(header + 32), 1);
	assert_int_equal(le64(header + 72), 8191 - 32);
	gpt_seal(header);
	assert_memory_equal(m->tail + 32 * 512, header, sizeof header);
	assert_memory_equal(m->tail, m->head + 1024, 32 * 512);
}

static void moving_keeps_disk_id_entries_and_all_that_follows(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);

	(void)state;
	memset(h->bytes, 0x90, 440); /* boot code */
	memset(h->bytes + 34 * 512, 0xa5, sizeof h->bytes - 34 * 512);
	CLEANUP(table_ends_freep) struct table_ends *m = move(h, 4 * MIB, 512);

	assert_int_equal(m->head_bytes, sizeof h->bytes);
	assert_memory_equal(m->head, h->bytes, 440);
	assert_memory_equal(m->head + 512 + 56, h->bytes + 512 + 56, 16);
	assert_memory_equal(m->head + 1024, h->bytes + 1024, sizeof h->bytes - 1024);
}

static void moving_twice_gives_the_same_bytes(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_ends_freep) struct table_ends *first = move(h, 4 * MIB, 512);
	CLEANUP(table_ends_freep) struct table_ends *second = move(h, 4 * MIB, 512);

	(void)state;
	assert_memory_equal(first->head, second->head, first->head_bytes);
	assert_int_equal(first->tail_bytes, second->tail_bytes);
	assert_memory_equal(first->tail, second->tail, first->tail_bytes);
}

static void moving_to_the_same_size_changes_nothing(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_ends_freep) struct table_ends *m = move(h, MIB, 512);

	(void)state;
	assert_memory_equal(m->head, h->bytes, sizeof h->bytes);
}

static void gpt_of_large_sectors_is_moved(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_4096);
	CLEANUP(table_ends_freep) struct table_ends *m = move(h, 8 * MIB, 4096);

	(void)state;
	assert_int_equal(le64(m->head + 4096 + 32), 2047);
	assert_int_equal(m->tail_bytes, 5 * 4096);
	assert_int_equal(m->tail_offset_bytes + m->tail_bytes, 8 * MIB);
}

static void gpt_with_few_entries_keeps_their_number(void **state)
{
	static const struct gpt_bytes g = {.sector_bytes = 512, .n_sectors = 2048, .n_entries = 56};
	CLEANUP(freehead) struct head *h = gpt_head(&g);
	CLEANUP(table_ends_freep) struct table_ends *m = move(h, 4 * MIB, 512);

	(void)state;
	assert_int_equal(le32(m->head + 512 + 80), 56);
	assert_int_equal(m->tail_bytes, 15 * 512);
}

static void medium_that_ends_in_half_a_sector_gets_the_backup_before_that(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_ends_freep) struct table_ends *m = move(h, 4 * MIB + 100, 512);

	(void)state;
	assert_int_equal(m->tail_offset_bytes + m->tail_bytes, 4 * MIB);
}

static void damaged_gpt_is_not_moved(void **state)
{
	CLEANUP(freehead) struct head *h = gpt_head(&gpt_512);
	CLEANUP(table_ends_freep) struct table_ends *m = NULL;
	struct err e = {0};

	(void)state;
	h->bytes[512 + 60] ^= 1;
	assert_int_equal(table_move_gpt(h->bytes, sizeof h->bytes, 4 * MIB, 512, &m, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void mbr_is_not_moved(void **state)
{
	CLEANUP(freehead) struct head *h = blank_head();
	CLEANUP(table_ends_freep) struct table_ends *m = NULL;
	struct err e = {0};

	(void)state;
	put_mbr_entry(h->bytes, 0, 0x80, 0x0c, 64, 128);
	assert_int_equal(table_move_gpt(h->bytes, sizeof h->bytes, 4 * MIB, 512, &m, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_partition_is_told_in_bytes_and_lower_case),
		cmocka_unit_test(gpt_attribute_of_legacy_boot_is_bootable),
		cmocka_unit_test(gpt_of_large_sectors_is_read),
		cmocka_unit_test(gpt_with_few_entries_is_read),
		cmocka_unit_test(gpt_on_a_larger_medium_is_read),
		cmocka_unit_test(gpt_with_a_flipped_bit_in_its_header_is_untrusted),
		cmocka_unit_test(gpt_with_a_flipped_bit_in_its_entries_is_untrusted),
		cmocka_unit_test(gpt_on_a_smaller_medium_is_untrusted),
		cmocka_unit_test(gpt_of_large_sectors_is_untrusted_where_sectors_are_small),
		cmocka_unit_test(gpt_with_more_entries_than_a_head_holds_is_untrusted),
		cmocka_unit_test(gpt_whose_backup_has_huge_entries_is_untrusted),
		cmocka_unit_test(gpt_whose_entries_are_over_its_header_is_untrusted),
		cmocka_unit_test(gpt_without_a_boot_sector_is_untrusted),
		cmocka_unit_test(mbr_partition_is_told),
		cmocka_unit_test(logical_partition_is_told_with_its_number),
		cmocka_unit_test(extended_partition_whose_record_is_behind_the_head_is_told),
		cmocka_unit_test(partition_of_a_hybrid_image_with_type_zero_is_told),
		cmocka_unit_test(mbr_partition_past_the_end_is_untrusted),
		cmocka_unit_test(blank_medium_has_no_table),
		cmocka_unit_test(file_system_on_the_whole_medium_is_no_table),
		cmocka_unit_test(boot_code_where_a_table_would_be_is_no_table),
		cmocka_unit_test(medium_of_one_byte_has_no_table),
		cmocka_unit_test(kinds_have_names),
		cmocka_unit_test(gpt_tells_its_sector_size),
		cmocka_unit_test(mbr_tells_no_sector_size),
		cmocka_unit_test(head_of_one_sector_tells_no_sector_size),
		cmocka_unit_test(gpt_of_a_smaller_medium_is_short),
		cmocka_unit_test(gpt_that_ends_with_the_last_whole_sector_is_not_short),
		cmocka_unit_test(what_is_no_gpt_is_not_short),
		cmocka_unit_test(moved_gpt_is_good_on_the_larger_medium),
		cmocka_unit_test(moved_gpt_points_to_the_real_end),
		cmocka_unit_test(moved_backup_is_the_mirror_of_the_primary),
		cmocka_unit_test(moving_keeps_disk_id_entries_and_all_that_follows),
		cmocka_unit_test(moving_twice_gives_the_same_bytes),
		cmocka_unit_test(moving_to_the_same_size_changes_nothing),
		cmocka_unit_test(gpt_of_large_sectors_is_moved),
		cmocka_unit_test(gpt_with_few_entries_keeps_their_number),
		cmocka_unit_test(medium_that_ends_in_half_a_sector_gets_the_backup_before_that),
		cmocka_unit_test(damaged_gpt_is_not_moved),
		cmocka_unit_test(mbr_is_not_moved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
