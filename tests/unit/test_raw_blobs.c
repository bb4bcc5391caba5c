/* Firmware outside of file systems and in the boot partition: where it goes, and what is too much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/method_fixture.h"

#define METHOD "raw-blobs"

static struct board_blob blob;
static struct board_hole holes[2];
static struct board_boot_file boot_file;
static struct board_build_partition partition;

/* A board with a blob of at most 16 bytes at byte 8192, whose file is there. */
static int set_up(void **state)
{
	static struct method_fixture f;

	method_fixture_init(&f);
	method_fixture_firmware(&f, 0, "spl.bin", method_span("0123456789"));
	blob = (struct board_blob){.name = PROFILE_TEXT("SPL"),
				   .offset_bytes = 8192,
				   .file = PROFILE_TEXT("spl.bin"),
				   .maximum_bytes = 16,
				   .holes = holes};
	boot_file = (struct board_boot_file){
		.file = PROFILE_TEXT("spl.bin"), .to = PROFILE_TEXT("MLO"), .maximum_bytes = 16};
	partition = (struct board_build_partition){.name = PROFILE_TEXT("fsbl1"),
						   .content = CONTENT_FILE,
						   .file = PROFILE_TEXT("spl.bin"),
						   .size_bytes = 16};
	f.listed[0] = (struct board_firmware){.file = PROFILE_TEXT("spl.bin"),
					      .source = PROFILE_TEXT("acme.example")};
	f.board.blobs = &blob;
	f.board.n_blobs = 1;
	f.board.firmware = f.listed;
	f.board.n_firmware = 1;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	method_fixture_release(*state);
	return 0;
}

/* The same board with its file in the boot partition instead. */
static struct method_fixture *with_boot_file(void **state)
{
	struct method_fixture *f = *state;

	f->board.n_blobs = 0;
	f->build.boot_files = &boot_file;
	f->build.n_boot_files = 1;
	return f;
}

static struct method_fixture *with_partition(void **state)
{
	struct method_fixture *f = *state;

	f->board.n_blobs = 0;
	f->build.partitions = &partition;
	f->build.n_partitions = 1;
	return f;
}

static void assert_raw(const struct boot_raw *raw, uint64_t offset_bytes, const char *text)
{
	assert_string_equal(raw->name, "SPL");
	assert_int_equal(raw->offset_bytes, offset_bytes);
	assert_int_equal(raw->n_bytes, strlen(text));
	assert_memory_equal(raw->bytes, text, strlen(text));
}

static void blob_is_put_at_its_offset(void **state)
{
	struct method_fixture *f = *state;

	method_fixture_add(f, METHOD);
	assert_int_equal(f->out.n_raw, 1);
	assert_raw(&f->out.raw[0], 8192, "0123456789");
	method_assert_files(&f->boot, "");
}

static void holes_of_a_blob_are_not_written(void **state)
{
	struct method_fixture *f = *state;

	holes[0] = (struct board_hole){2, 3};
	holes[1] = (struct board_hole){7, 1};
	blob.n_holes = 2;
	method_fixture_add(f, METHOD);
	assert_int_equal(f->out.n_raw, 3);
	assert_raw(&f->out.raw[0], 8192, "01");
	assert_raw(&f->out.raw[1], 8192 + 5, "56");
	assert_raw(&f->out.raw[2], 8192 + 8, "89");
}

static void hole_at_the_start_leaves_the_rest(void **state)
{
	struct method_fixture *f = *state;

	holes[0] = (struct board_hole){0, 8};
	blob.n_holes = 1;
	method_fixture_add(f, METHOD);
	assert_int_equal(f->out.n_raw, 1);
	assert_raw(&f->out.raw[0], 8192 + 8, "89");
}

static void hole_behind_the_end_of_the_file_is_none(void **state)
{
	struct method_fixture *f = *state;

	holes[0] = (struct board_hole){9, 4};
	blob.n_holes = 1;
	method_fixture_add(f, METHOD);
	assert_int_equal(f->out.n_raw, 1);
	assert_raw(&f->out.raw[0], 8192, "012345678");
}

static void blob_of_its_maximum_will_do(void **state)
{
	struct method_fixture *f = *state;

	blob.maximum_bytes = 10;
	method_fixture_add(f, METHOD);
	assert_int_equal(f->out.n_raw, 1);
}

static void blob_above_its_maximum_is_refused(void **state)
{
	struct method_fixture *f = *state;

	blob.maximum_bytes = 9;
	method_fixture_refuses(
		f, METHOD,
		"firmware file spl.bin has 10 bytes, and SPL takes 9; take a smaller "
		"build of it");
}

static void blob_that_is_only_looked_for_is_not_written(void **state)
{
	struct method_fixture *f = *state;

	blob.file = NULL;
	method_fixture_add(f, METHOD);
	assert_int_equal(f->out.n_raw, 0);
}

static void missing_file_is_refused_with_its_source(void **state)
{
	struct method_fixture *f = *state;

	f->in.n_firmware = 0;
	method_fixture_refuses(f, METHOD,
			       "firmware file spl.bin is missing; Debian does not carry it: get it "
			       "from acme.example, and name its folder with --firmware DIR");
}

static void optional_file_that_is_missing_is_left_out(void **state)
{
	struct method_fixture *f = *state;

	f->in.n_firmware = 0;
	f->listed[0].is_optional = true;
	f->build.boot_files = &boot_file;
	f->build.n_boot_files = 1;
	f->build.partitions = &partition;
	f->build.n_partitions = 1;
	method_fixture_add(f, METHOD);
	assert_int_equal(f->out.n_raw, 0);
	method_assert_files(&f->boot, "");
}

static void optional_file_that_is_there_is_written(void **state)
{
	struct method_fixture *f = *state;

	f->listed[0].is_optional = true;
	method_fixture_add(f, METHOD);
	assert_int_equal(f->out.n_raw, 1);
}

static void boot_file_is_put_into_the_boot_partition(void **state)
{
	struct method_fixture *f = with_boot_file(state);

	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "MLO\n");
	method_assert_text(&f->boot, "MLO", "0123456789");
}

static void boot_file_is_put_once_into_a_partition_of_two_slots(void **state)
{
	struct method_fixture *f = with_boot_file(state);

	method_fixture_two_slots(f, true);
	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "MLO\n");
}

static void boot_file_is_put_into_each_boot_partition(void **state)
{
	struct method_fixture *f = with_boot_file(state);

	method_fixture_two_slots(f, false);
	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "MLO\n");
	method_assert_files(&f->boot_b, "MLO\n");
}

static void boot_file_above_its_maximum_is_refused(void **state)
{
	struct method_fixture *f = with_boot_file(state);

	boot_file.maximum_bytes = 9;
	method_fixture_refuses(
		f, METHOD,
		"firmware file spl.bin has 10 bytes, and MLO takes 9; take a smaller "
		"build of it");
}

static void boot_file_without_a_maximum_may_be_of_any_size(void **state)
{
	struct method_fixture *f = with_boot_file(state);

	boot_file.maximum_bytes = 0;
	method_fixture_add(f, METHOD);
	method_assert_files(&f->boot, "MLO\n");
}

static void file_of_a_partition_must_be_there(void **state)
{
	struct method_fixture *f = with_partition(state);

	f->in.n_firmware = 0;
	method_fixture_refuses(f, METHOD,
			       "firmware file spl.bin is missing; Debian does not carry it: get it "
			       "from acme.example, and name its folder with --firmware DIR");
}

static void file_larger_than_its_partition_is_refused(void **state)
{
	struct method_fixture *f = with_partition(state);

	partition.size_bytes = 9;
	method_fixture_refuses(
		f, METHOD,
		"firmware file spl.bin has 10 bytes, and fsbl1 takes 9; take a smaller "
		"build of it");
}

static void files_of_blobs_partitions_and_boot_files_are_its_firmware(void **state)
{
	struct method_fixture *f = *state;
	const struct boot_method *method = NULL;
	struct err e = {0};

	partition.file = PROFILE_TEXT("fip.bin");
	boot_file.file = PROFILE_TEXT("tispl.bin");
	f->build.partitions = &partition;
	f->build.n_partitions = 1;
	f->build.boot_files = &boot_file;
	f->build.n_boot_files = 1;
	assert_int_equal(boot_method_by_name(METHOD, &method, &e), 0);
	assert_string_equal(method->firmware(&f->board, 0), "spl.bin");
	assert_string_equal(method->firmware(&f->board, 1), "fip.bin");
	assert_string_equal(method->firmware(&f->board, 2), "tispl.bin");
	assert_null(method->firmware(&f->board, 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(blob_is_put_at_its_offset),
		TEST(holes_of_a_blob_are_not_written),
		TEST(hole_at_the_start_leaves_the_rest),
		TEST(hole_behind_the_end_of_the_file_is_none),
		TEST(blob_of_its_maximum_will_do),
		TEST(blob_above_its_maximum_is_refused),
		TEST(blob_that_is_only_looked_for_is_not_written),
		TEST(missing_file_is_refused_with_its_source),
		TEST(optional_file_that_is_missing_is_left_out),
		TEST(optional_file_that_is_there_is_written),
		TEST(boot_file_is_put_into_the_boot_partition),
		TEST(boot_file_is_put_once_into_a_partition_of_two_slots),
		TEST(boot_file_is_put_into_each_boot_partition),
		TEST(boot_file_above_its_maximum_is_refused),
		TEST(boot_file_without_a_maximum_may_be_of_any_size),
		TEST(file_of_a_partition_must_be_there),
		TEST(file_larger_than_its_partition_is_refused),
		TEST(files_of_blobs_partitions_and_boot_files_are_its_firmware),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
