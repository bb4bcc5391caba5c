/* What an image will hold, settled from boards and payloads made by hand. */
#include "provision/build/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "provision/build/build_private.h"

/* Members of a board are its own; nothing changes them here. */
#define TEXT(text) ((char *)(text))

enum { BOOT, ROOT, DATA, SPARE, N_PARTITIONS };

/* A board of U-Boot's with boot, root and data, and a kernel with a root file system. */
struct scene {
	struct board board;
	struct board_build build;
	struct board_build_partition partitions[N_PARTITIONS];
	struct board_blob blob;
	struct board_firmware file;
	char *methods[2];
	struct firmware_set *firmware; /* owned */
	struct payload payload;
	struct build_request r;
	struct build *b; /* owned */
	struct err e;
};

static void scene_release(struct scene *s)
{
	build_free(s->b);
	firmware_free(s->firmware);
}

/* s must stay where it is, since it points into itself. */
static void set_scene(struct scene *s)
{
	*s = (struct scene){
		.partitions = {{.name = TEXT("boot"),
				.type = TEXT("fat"),
				.minimum_bytes = 64 * MIB,
				.content = CONTENT_BOOT,
				.file_system = TEXT("vfat"),
				.is_bootable = true},
			       {.name = TEXT("root"),
				.type = TEXT("root"),
				.content = CONTENT_ROOT,
				.file_system = TEXT("ext4"),
				.is_slotted = true},
			       {.name = TEXT("data"),
				.type = TEXT("linux"),
				.minimum_bytes = 16 * MIB,
				.is_rest = true,
				.content = CONTENT_DATA,
				.file_system = TEXT("ext4"),
				.does_grow = true}},
		.methods = {TEXT("extlinux")},
	};
	s->build = (struct board_build){
		.methods = s->methods,
		.n_methods = 1,
		.table = BOARD_TABLE_GPT,
		.slots_max = 2,
		.cmdline = TEXT("console=ttyS0"),
		.partitions = s->partitions,
		.n_partitions = 3,
	};
	s->board = (struct board){
		.id = TEXT("acme-gw"),
		.name = TEXT("Acme Gateway"),
		.arch = TEXT("arm64"),
		.table = BOARD_TABLE_MBR_OR_GPT,
		.build = &s->build,
	};
	s->payload = (struct payload){
		.boot = {.kernel = {(const uint8_t *)"KERNEL", 6}, .version = ""},
		.cmdline = TEXT("quiet"),
		.has_root = true,
	};
	s->r = (struct build_request){
		.board = &s->board,
		.payload = &s->payload,
		.out_path = "image.raw",
		.seed = "golden",
	};
}

/* A blob of the board's, for raw-blobs to put at an offset; its firmware file is missing. */
static void add_blob(struct scene *s)
{
	s->blob = (struct board_blob){
		.name = TEXT("SPL"), .offset_bytes = 8192, .file = TEXT("spl.bin")};
	s->file = (struct board_firmware){.file = TEXT("spl.bin"), .source = TEXT("the maker")};
	s->board.blobs = &s->blob;
	s->board.n_blobs = 1;
	s->board.firmware = &s->file;
	s->board.n_firmware = 1;
	s->methods[1] = TEXT("raw-blobs");
	s->build.n_methods = 2;
}

static int prepare(struct scene *s)
{
	const struct firmware_places nowhere = {0};

	assert_int_equal(firmware_load(&s->board, &nowhere, &s->firmware, &s->e), 0);
	s->r.firmware = s->firmware;
	return build_prepare(&s->r, &s->b, &s->e);
}

static void assert_prepared(struct scene *s)
{
	assert_int_equal(prepare(s), 0);
}

static void assert_refused(struct scene *s, const char *text)
{
	assert_int_equal(prepare(s), -1);
	assert_int_equal(s->e.code, ERR_USAGE);
	assert_non_null(strstr(s->e.text, text));
	assert_null(s->b);
}

/* The names of all partitions, each with a space behind it. */
static void assert_parts(const struct scene *s, const char *wanted)
{
	CLEANUP(buf_release) struct buf names = {0};
	const char *text = NULL;
	struct err e = {0};

	for (size_t i = 0; i < s->b->n_parts; i++)
		buf_printf(&names, "%s ", s->b->parts[i].name);
	assert_int_equal(buf_text(&names, &text, &e), 0);
	assert_string_equal(text, wanted);
}

/* ---- Methods, tables, slots ----------------------------------------------------------------- */

static void profile_without_a_build_section_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.board.build = NULL;
	assert_refused(&s, "the profile of acme-gw has no `build` section");
}

static void profile_without_methods_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.build.n_methods = 0;
	assert_refused(&s, "the profile of acme-gw names 0 boot methods");
}

static void firmware_that_no_method_puts_there_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	add_blob(&s);
	s.build.n_methods = 1;
	assert_refused(&s, "the profile of acme-gw has firmware for blobs or boot files, and no "
			   "method that puts it there; name raw-blobs among its methods");
}

static void method_of_a_profile_that_there_is_not_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.methods[0] = TEXT("lilo");
	assert_refused(&s, "the profile of acme-gw: ");
}

static void method_that_there_is_not_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.method = "lilo";
	assert_refused(&s, "--method: ");
}

static void method_of_another_kind_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.method = "grub";
	assert_refused(&s, "--method grub: acme-gw does not start that way; leave it out, the "
			   "profile says extlinux");
}

static void method_of_the_same_kind_stands_in(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.methods[0] = TEXT("systemd-boot");
	s.r.method = "uki";
	(void)prepare(&s);
	assert_non_null(strstr(s.e.text, "uki: "));
}

static void table_that_the_board_does_not_read_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.board.table = BOARD_TABLE_MBR;
	s.r.table = BOARD_TABLE_GPT;
	assert_refused(&s, "--table gpt: acme-gw starts only from a medium with table mbr");
}

static void table_that_the_board_reads_is_taken(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.table = BOARD_TABLE_MBR;
	assert_prepared(&s);
	assert_int_equal(s.b->table, TABLE_MBR);
}

static void more_slots_than_the_profile_has_are_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.build.slots_max = 1;
	s.r.n_slots = 2;
	assert_refused(&s, "--slots 2: the profile of acme-gw makes at most 1; build it with "
			   "--slots 1");
}

/* ---- Partitions ----------------------------------------------------------------------------- */

static void partitions_are_those_of_the_profile(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	assert_prepared(&s);
	assert_parts(&s, "boot root data ");
}

static void without_a_root_file_system_there_is_no_partition_for_it(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.payload.has_root = false;
	assert_prepared(&s);
	assert_parts(&s, "boot data ");
}

static void data_can_be_left_out(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.is_data_left_out = true;
	assert_prepared(&s);
	assert_parts(&s, "boot root ");
}

static void two_slots_have_a_slotted_partition_each(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.n_slots = 2;
	assert_prepared(&s);
	assert_parts(&s, "boot root-a root-b data ");
}

static void partition_that_selects_is_made_for_two_slots_alone(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[SPARE] = (struct board_build_partition){.name = TEXT("select"),
							     .type = TEXT("fat"),
							     .size_bytes = 16 * MIB,
							     .content = CONTENT_SELECT,
							     .file_system = TEXT("vfat")};
	s.partitions[DATA].is_rest = false;
	s.build.n_partitions = N_PARTITIONS;
	assert_prepared(&s);
	assert_parts(&s, "boot root data ");
	scene_release(&s);
	s.b = NULL;
	s.firmware = NULL;
	s.r.n_slots = 2;
	assert_prepared(&s);
	assert_parts(&s, "boot root-a root-b data select ");
}

static void bios_boot_partition_is_left_out_of_an_mbr(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[ROOT] = (struct board_build_partition){
		.name = TEXT("bios"), .type = TEXT("bios-boot"), .size_bytes = MIB};
	s.payload.has_root = false;
	s.r.table = BOARD_TABLE_MBR;
	assert_prepared(&s);
	assert_parts(&s, "boot data ");
}

static void root_file_system_without_a_partition_for_it_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[ROOT].content = CONTENT_DATA;
	assert_refused(&s, "the profile of acme-gw has no partition for a root file system; give "
			   "its files as --initrd");
}

static void profile_without_a_boot_partition_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[BOOT].content = CONTENT_DATA;
	assert_refused(&s, "has no partition with content boot");
}

static void files_in_a_partition_without_a_file_system_are_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[BOOT].file_system = NULL;
	assert_refused(&s, "partition boot holds files, and the profile names no file_system");
}

static void type_that_there_is_not_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[DATA].type = TEXT("nonsense");
	assert_refused(&s, "partition data: ");
}

static void image_of_a_root_file_system_is_taken_as_it_is(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.payload.root_image_path = TEXT("root.squashfs");
	s.payload.root_image_bytes = 12 * MIB + 512;
	s.payload.root_file_system = "squashfs";
	assert_prepared(&s);
	assert_string_equal(s.b->parts[ROOT].file_system, "squashfs");
	assert_null(s.b->parts[ROOT].mkfs);
	assert_int_equal(s.b->places[ROOT].size_bytes, 13 * MIB);
}

static void five_partitions_of_an_mbr_are_refused_with_a_way_out(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[SPARE] = (struct board_build_partition){
		.name = TEXT("spare"), .type = TEXT("linux"), .size_bytes = MIB};
	s.partitions[DATA].is_rest = false;
	s.build.n_partitions = N_PARTITIONS;
	s.r.table = BOARD_TABLE_MBR;
	s.r.n_slots = 2;
	assert_refused(&s, "say --table gpt");
}

static void board_that_reads_no_gpt_is_not_told_to_have_one(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[SPARE] = (struct board_build_partition){
		.name = TEXT("spare"), .type = TEXT("linux"), .size_bytes = MIB};
	s.partitions[DATA].is_rest = false;
	s.build.n_partitions = N_PARTITIONS;
	s.build.table = BOARD_TABLE_MBR;
	s.board.table = BOARD_TABLE_MBR;
	s.r.n_slots = 2;
	assert_refused(&s, "acme-gw reads no other table; leave some out by --no-data or --slots "
			   "1, or give the root file system as --initrd");
}

/* ---- Identifiers and command lines ---------------------------------------------------------- */

static void each_slot_starts_its_own_root(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.payload.cmdline = TEXT("root={root} slot={slot}");
	s.r.n_slots = 2;
	assert_prepared(&s);
	assert_non_null(strstr(s.b->cmdlines[0], s.b->parts[1].part_uuid));
	assert_non_null(strstr(s.b->cmdlines[0], "slot=a"));
	assert_non_null(strstr(s.b->cmdlines[1], s.b->parts[2].part_uuid));
	assert_non_null(strstr(s.b->cmdlines[1], "slot=b"));
}

static void partition_of_an_mbr_is_known_by_disk_and_number(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.table = BOARD_TABLE_MBR;
	assert_prepared(&s);
	assert_memory_equal(s.b->parts[ROOT].part_uuid, s.b->disk_id + 2, 8);
	assert_string_equal(s.b->parts[ROOT].part_uuid + 8, "-02");
}

static void without_a_seed_the_inputs_are_one(void **state)
{
	CLEANUP(scene_release) struct scene a;
	CLEANUP(scene_release) struct scene b;

	(void)state;
	set_scene(&a);
	set_scene(&b);
	a.r.seed = NULL;
	b.r.seed = NULL;
	b.payload.digest[0] = 1;
	assert_prepared(&a);
	assert_prepared(&b);
	assert_string_not_equal(a.b->disk_id, b.b->disk_id);
}

static void of_two_bootable_slots_of_an_mbr_the_first_is_active(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[BOOT].is_bootable = false;
	s.partitions[ROOT].is_bootable = true;
	s.r.table = BOARD_TABLE_MBR;
	s.r.n_slots = 2;
	assert_prepared(&s);
	assert_true(build_is_bootable(s.b, &s.b->parts[1]));
	assert_false(build_is_bootable(s.b, &s.b->parts[2]));
}

static void nothing_grows_in_an_mbr(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.table = BOARD_TABLE_MBR;
	assert_prepared(&s);
	assert_false(build_does_grow(s.b, &s.b->parts[DATA]));
}

/* ---- Places --------------------------------------------------------------------------------- */

static void smallest_medium_is_made_when_none_is_named(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	assert_prepared(&s);
	assert_int_equal(build_size_bytes(s.b), s.b->minimum_bytes);
}

static void medium_that_the_profile_names_is_made(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.build.size_bytes = GIB;
	assert_prepared(&s);
	assert_int_equal(build_size_bytes(s.b), GIB);
}

static void size_of_no_whole_number_of_sectors_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.size_bytes = GIB + 1;
	assert_refused(&s, "--size: 1073741825 bytes are no multiple of 512");
}

static void medium_that_is_too_small_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.r.size_bytes = MIB;
	assert_refused(&s, "must have");
}

static void files_that_do_not_fit_a_fixed_size_are_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	CLEANUP(freep) uint8_t *initrd = calloc(1, 4 * MIB);
	assert_non_null(initrd);
	s.partitions[BOOT].size_bytes = 2 * MIB;
	s.payload.boot.initrd = (struct span){initrd, 4 * MIB};
	assert_refused(&s, "boot");
}

static void bios_boot_partition_behind_an_elastic_one_is_refused(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	s.partitions[ROOT] = (struct board_build_partition){
		.name = TEXT("bios"), .type = TEXT("bios-boot"), .size_bytes = MIB};
	s.payload.has_root = false;
	s.partitions[BOOT].minimum_bytes = 0;
	CLEANUP(freep) uint8_t *initrd = calloc(1, 4 * MIB);
	assert_non_null(initrd);
	s.payload.boot.initrd = (struct span){initrd, 4 * MIB};
	assert_refused(&s, "has the BIOS boot partition behind one whose size follows from its "
			   "content; it must be in front of it");
}

/* ---- Firmware ------------------------------------------------------------------------------- */

static void blob_that_is_missing_is_refused_with_a_way_out(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	add_blob(&s);
	assert_refused(&s, "spl.bin");
}

static void partition_of_a_file_that_is_missing_is_refused_with_a_way_out(void **state)
{
	CLEANUP(scene_release) struct scene s;

	(void)state;
	set_scene(&s);
	add_blob(&s);
	s.board.n_blobs = 0;
	s.build.n_methods = 1;
	s.partitions[DATA].content = CONTENT_FILE;
	s.partitions[DATA].file = TEXT("spl.bin");
	assert_refused(&s, "partition data: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_without_a_build_section_is_refused),
		cmocka_unit_test(profile_without_methods_is_refused),
		cmocka_unit_test(firmware_that_no_method_puts_there_is_refused),
		cmocka_unit_test(method_of_a_profile_that_there_is_not_is_refused),
		cmocka_unit_test(method_that_there_is_not_is_refused),
		cmocka_unit_test(method_of_another_kind_is_refused),
		cmocka_unit_test(method_of_the_same_kind_stands_in),
		cmocka_unit_test(table_that_the_board_does_not_read_is_refused),
		cmocka_unit_test(table_that_the_board_reads_is_taken),
		cmocka_unit_test(more_slots_than_the_profile_has_are_refused),
		cmocka_unit_test(partitions_are_those_of_the_profile),
		cmocka_unit_test(without_a_root_file_system_there_is_no_partition_for_it),
		cmocka_unit_test(data_can_be_left_out),
		cmocka_unit_test(two_slots_have_a_slotted_partition_each),
		cmocka_unit_test(partition_that_selects_is_made_for_two_slots_alone),
		cmocka_unit_test(bios_boot_partition_is_left_out_of_an_mbr),
		cmocka_unit_test(root_file_system_without_a_partition_for_it_is_refused),
		cmocka_unit_test(profile_without_a_boot_partition_is_refused),
		cmocka_unit_test(files_in_a_partition_without_a_file_system_are_refused),
		cmocka_unit_test(type_that_there_is_not_is_refused),
		cmocka_unit_test(image_of_a_root_file_system_is_taken_as_it_is),
		cmocka_unit_test(five_partitions_of_an_mbr_are_refused_with_a_way_out),
		cmocka_unit_test(board_that_reads_no_gpt_is_not_told_to_have_one),
		cmocka_unit_test(each_slot_starts_its_own_root),
		cmocka_unit_test(partition_of_an_mbr_is_known_by_disk_and_number),
		cmocka_unit_test(without_a_seed_the_inputs_are_one),
		cmocka_unit_test(of_two_bootable_slots_of_an_mbr_the_first_is_active),
		cmocka_unit_test(nothing_grows_in_an_mbr),
		cmocka_unit_test(smallest_medium_is_made_when_none_is_named),
		cmocka_unit_test(medium_that_the_profile_names_is_made),
		cmocka_unit_test(size_of_no_whole_number_of_sectors_is_refused),
		cmocka_unit_test(medium_that_is_too_small_is_refused),
		cmocka_unit_test(files_that_do_not_fit_a_fixed_size_are_refused),
		cmocka_unit_test(bios_boot_partition_behind_an_elastic_one_is_refused),
		cmocka_unit_test(blob_that_is_missing_is_refused_with_a_way_out),
		cmocka_unit_test(partition_of_a_file_that_is_missing_is_refused_with_a_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
