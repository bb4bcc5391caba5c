/* What is found on media: signatures to wipe, labels to show. */
#include "flash/disk/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/sink/sink.h"
#include "tests/lib/gpt_bytes.h"

/* ---- Fixtures ------------------------------------------------------------------------------- */

enum { MEDIUM_BYTES = 4 << 20 };

static const struct gpt_bytes gpt = {.sector_bytes = 512, .n_sectors = 8192, .n_entries = 128};

/* A medium in memory. libblkid looks for no RAID on what could be a floppy disk. */
struct medium {
	struct sink *sink;
	uint8_t *bytes;
};

static int setup(void **state)
{
	struct medium *m = calloc(1, sizeof *m);
	struct err e = {0};

	assert_non_null(m);
	assert_int_equal(sink_mem_new(MEDIUM_BYTES, &m->bytes, &m->sink, &e), 0);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct medium *m = *state;

	sink_free(m->sink);
	free(m);
	return 0;
}

/* The least that is taken for a swap area of 64 KiB, with a label. */
static void put_swap(uint8_t *area, const char *label)
{
	put_le32(area + 1024, 1);
	put_le32(area + 1028, 15);
	memcpy(area + 1052, label, strlen(label));
	memcpy(area + 4086, "SWAPSPACE2", 10);
}

/* The least that is taken for ext2. */
static void put_ext2(uint8_t *area)
{
	put_le16(area + 1024 + 56, 0xef53);
}

/* A RAID member with its superblock at the end: md version 1.0. */
static void put_raid(uint8_t *medium, size_t medium_bytes)
{
	size_t at = (medium_bytes - 8192) & ~(size_t)4095;

	put_le32(medium + at, 0xa92b4efc);
	put_le32(medium + at + 4, 1);
	put_le64(medium + at + 144, at / 512);
}

static void probe(const struct medium *m, struct signatures *out)
{
	struct err e = {0};

	assert_int_equal(probe_signatures(m->sink->probe_fd, MEDIUM_BYTES, 512, out, &e), 0);
}

/* ---- Signatures ----------------------------------------------------------------------------- */

static void blank_medium_has_no_signature(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};

	probe(*state, &s);
	assert_int_equal(s.n_items, 0);
}

static void medium_of_no_size_has_no_signature(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};
	const struct medium *m = *state;
	struct err e = {0};

	assert_int_equal(probe_signatures(m->sink->probe_fd, 0, 512, &s, &e), 0);
	assert_int_equal(s.n_items, 0);
}

static void signature_is_told_with_place_and_label(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};
	const struct medium *m = *state;

	put_swap(m->bytes, "old swap");
	probe(m, &s);
	assert_int_equal(s.n_items, 1);
	assert_string_equal(s.items[0].type, "swap");
	assert_string_equal(s.items[0].label, "old swap");
	assert_int_equal(s.items[0].offset_bytes, 4086);
	assert_int_equal(s.items[0].size_bytes, 10);
	assert_int_equal(s.items[0].area_bytes, 0);
}

static void all_signatures_of_one_area_are_found_in_order(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};
	const struct medium *m = *state;

	put_swap(m->bytes, "");
	put_ext2(m->bytes);
	put_raid(m->bytes, MEDIUM_BYTES);
	probe(m, &s);
	assert_int_equal(s.n_items, 3);
	assert_string_equal(s.items[0].type, "ext2");
	assert_int_equal(s.items[0].offset_bytes, 1080);
	assert_string_equal(s.items[1].type, "swap");
	assert_string_equal(s.items[2].type, "linux_raid_member");
	assert_int_equal(s.items[2].offset_bytes, MEDIUM_BYTES - 8192);
}

static void both_copies_of_a_gpt_are_found(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};
	const struct medium *m = *state;

	gpt_put_head(&gpt, m->bytes);
	gpt_put_tail(&gpt, m->bytes);
	probe(m, &s);
	assert_int_equal(s.n_items, 3);
	assert_string_equal(s.items[0].type, "PMBR");
	assert_string_equal(s.items[1].type, "gpt");
	assert_int_equal(s.items[1].offset_bytes, 512);
	assert_string_equal(s.items[2].type, "gpt");
	assert_int_equal(s.items[2].offset_bytes, MEDIUM_BYTES - 512);
}

static void file_system_in_a_partition_is_found_by_offset(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};
	const struct medium *m = *state;

	gpt_put_head(&gpt, m->bytes);
	put_ext2(m->bytes + GPT_FIRST_START_LBA * 512);
	probe(m, &s);
	assert_int_equal(s.n_items, 3);
	assert_string_equal(s.items[2].type, "ext2");
	assert_int_equal(s.items[2].area_bytes, GPT_FIRST_START_LBA * 512);
	assert_int_equal(s.items[2].offset_bytes, GPT_FIRST_START_LBA * 512 + 1080);
}

static void partitions_are_found_when_only_the_backup_gpt_is_left(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};
	const struct medium *m = *state;

	gpt_put_tail(&gpt, m->bytes);
	put_ext2(m->bytes + GPT_FIRST_START_LBA * 512);
	probe(m, &s);
	assert_int_equal(s.n_items, 2);
	assert_string_equal(s.items[0].type, "ext2");
	assert_string_equal(s.items[1].type, "gpt");
}

static void partitions_of_an_old_backup_gpt_are_found_behind_a_new_mbr(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};
	const struct medium *m = *state;

	gpt_put_tail(&gpt, m->bytes);
	put_ext2(m->bytes + GPT_FIRST_START_LBA * 512);
	m->bytes[446 + 4] = 0x83;
	put_le32(m->bytes + 446 + 8, 1024);
	put_le32(m->bytes + 446 + 12, 128);
	m->bytes[510] = 0x55;
	m->bytes[511] = 0xaa;
	put_swap(m->bytes + 1024 * 512, "");
	probe(m, &s);
	assert_int_equal(s.n_items, 4);
	assert_string_equal(s.items[0].type, "dos");
	assert_string_equal(s.items[1].type, "ext2");
	assert_string_equal(s.items[2].type, "swap");
	assert_string_equal(s.items[3].type, "gpt");
}

static void medium_that_cannot_be_read_is_an_io_error(void **state)
{
	CLEANUP(signatures_release) struct signatures s = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(probe_signatures(-1, MEDIUM_BYTES, 512, &s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

/* ---- File systems --------------------------------------------------------------------------- */

static void file_system_is_named(void **state)
{
	const struct medium *m = *state;
	char type[40] = "";
	struct err e = {0};

	put_ext2(m->bytes + 65536);
	assert_int_equal(probe_file_system(m->sink->probe_fd, 65536, 65536, type, &e), 0);
	assert_string_equal(type, "ext2");
}

static void range_without_a_file_system_has_no_name(void **state)
{
	const struct medium *m = *state;
	char type[40] = "untouched";
	struct err e = {0};

	put_ext2(m->bytes + 65536);
	assert_int_equal(probe_file_system(m->sink->probe_fd, 0, 65536, type, &e), 0);
	assert_string_equal(type, "");
}

static void range_that_cannot_be_read_is_an_io_error(void **state)
{
	char type[40] = "untouched";
	struct err e = {0};

	(void)state;
	assert_int_equal(probe_file_system(-1, 0, 65536, type, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(type, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(blank_medium_has_no_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(medium_of_no_size_has_no_signature, setup,
						teardown),
		cmocka_unit_test_setup_teardown(signature_is_told_with_place_and_label, setup,
						teardown),
		cmocka_unit_test_setup_teardown(all_signatures_of_one_area_are_found_in_order,
						setup, teardown),
		cmocka_unit_test_setup_teardown(both_copies_of_a_gpt_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(file_system_in_a_partition_is_found_by_offset,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			partitions_are_found_when_only_the_backup_gpt_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(
			partitions_of_an_old_backup_gpt_are_found_behind_a_new_mbr, setup,
			teardown),
		cmocka_unit_test_setup_teardown(medium_that_cannot_be_read_is_an_io_error, setup,
						teardown),
		cmocka_unit_test_setup_teardown(file_system_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(range_without_a_file_system_has_no_name, setup,
						teardown),
		cmocka_unit_test_setup_teardown(range_that_cannot_be_read_is_an_io_error, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
