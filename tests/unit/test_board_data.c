/* The built-in boards against what else there is: boot methods, the firmware these ask for,
 * partition types, and places on the smallest medium. */
#include "boards/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootloader/bootloader.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/disk/layout.h"
#include "flash/disk/part_type.h"

enum { PARTITIONS_MAX = 32, BLOBS_MAX = 32 };

static void for_each_board(void (*check)(const struct board *b))
{
	CLEANUP(registry_freep) struct registry *r = NULL;
	struct err e = {0};
	size_t n_built = 0;

	if (registry_load(NULL, &r, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < r->n_boards; i++) {
		if (!r->boards[i]->build)
			continue;
		check(r->boards[i]);
		n_built++;
	}
	assert_true(n_built >= 34);
}

static const struct boot_method *method_of(const struct board *b, unsigned i)
{
	const struct boot_method *m = NULL;
	struct err e = {0};

	if (boot_method_by_name(b->build->methods[i], &m, &e) < 0)
		fail_msg("%s: %s", b->id, e.text);
	return m;
}

static void check_methods(const struct board *b)
{
	for (unsigned i = 0; i < b->build->n_methods; i++) {
		const struct boot_method *m = method_of(b, i);
		if (b->build->slots_max > 1 && !m->has_slots)
			fail_msg("%s: %s has no slots", b->id, m->name);
	}
}

static void check_firmware(const struct board *b)
{
	for (unsigned i = 0; i < b->build->n_methods; i++) {
		const struct boot_method *m = method_of(b, i);
		for (size_t j = 0; m->firmware(b, j); j++)
			if (!board_firmware_by_file(b, m->firmware(b, j)))
				fail_msg("%s: %s needs %s, which is not under firmware", b->id,
					 m->name, m->firmware(b, j));
	}
}

static bool writes_blobs(const struct board *b)
{
	for (unsigned i = 0; i < b->build->n_methods; i++)
		if (strcmp(b->build->methods[i], "raw-blobs") == 0)
			return true;
	return false;
}

static bool has_blob_files(const struct board *b)
{
	for (unsigned i = 0; i < b->n_blobs; i++)
		if (b->blobs[i].file)
			return true;
	for (unsigned i = 0; i < b->build->n_partitions; i++)
		if (b->build->partitions[i].content == CONTENT_FILE)
			return true;
	return b->build->n_boot_files > 0;
}

static void check_raw(const struct board *b)
{
	if (writes_blobs(b) != has_blob_files(b))
		fail_msg("%s: raw-blobs is for boards with firmware files, and for these", b->id);
}

static enum table_kind kind_of(const struct board *b)
{
	return b->build->table == BOARD_TABLE_GPT ? TABLE_GPT : TABLE_MBR;
}

/* With an MBR, what would be in it lies in front of the first partition. */
static bool is_made(const struct board *b, const struct board_build_partition *p)
{
	return kind_of(b) == TABLE_GPT || strcmp(p->type, "bios-boot") != 0;
}

static void check_types(const struct board *b)
{
	for (unsigned i = 0; i < b->build->n_partitions; i++) {
		char type[PART_TYPE_BYTES];
		struct err e = {0};
		const struct board_build_partition *p = &b->build->partitions[i];
		if (is_made(b, p) && part_type_find(p->type, b->arch, kind_of(b), type, &e) < 0)
			fail_msg("%s: %s", b->id, e.text);
	}
}

/* What build makes of it, with two systems, or with one when that has more partitions. */
static size_t list_partitions(const struct board *b, unsigned n_slots, struct layout_partition *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < b->build->n_partitions; i++) {
		const struct board_build_partition *p = &b->build->partitions[i];
		bool is_there = p->content != CONTENT_SELECT || n_slots > 1;
		for (unsigned j = 0; is_there && j < (p->is_slotted ? n_slots : 1); j++)
			out[n++] = (struct layout_partition){
				.name = p->name,
				.wanted_start_bytes = p->start_bytes,
				.wanted_bytes = p->size_bytes,
				.minimum_bytes = p->minimum_bytes,
				.need_bytes = MIB / 4,
				.is_rest = p->is_rest,
			};
	}
	return n;
}

/* As large as they may be; what is in a hole is in the table's place. */
static size_t list_blobs(const struct board *b, struct layout_blob *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < b->n_blobs; i++) {
		const struct board_blob *blob = &b->blobs[i];
		uint64_t skip_bytes = 0;
		if (!blob->file)
			continue;
		if (blob->n_holes > 0)
			skip_bytes = blob->holes[0].offset_bytes + blob->holes[0].size_bytes;
		out[n++] = (struct layout_blob){
			.name = blob->name,
			.offset_bytes = blob->offset_bytes + skip_bytes,
			.size_bytes = blob->maximum_bytes - skip_bytes,
		};
	}
	return n;
}

static void check_layout(const struct board *b)
{
	struct layout_partition partitions[PARTITIONS_MAX];
	struct layout_blob blobs[BLOBS_MAX];
	struct layout l = {
		.kind = kind_of(b),
		.sector_bytes = 512,
		.gpt_entries = b->build->gpt_entries,
		.partitions = partitions,
		.n_partitions = list_partitions(b, 1, partitions),
		.blobs = blobs,
		.n_blobs = list_blobs(b, blobs),
	};
	struct err e = {0};

	if (layout_make(&l, &e) < 0)
		fail_msg("%s: %s", b->id, e.text);
	assert_true(l.medium_size_bytes < 512 * MIB);
	l.medium_size_bytes -= l.sector_bytes;
	if (layout_make(&l, &e) == 0)
		fail_msg("%s is placed on a medium that is too small", b->id);
}

static void every_board_is_built_by_methods_that_there_are(void **state)
{
	(void)state;
	for_each_board(check_methods);
}

static void every_board_lists_the_firmware_of_its_methods(void **state)
{
	(void)state;
	for_each_board(check_firmware);
}

static void every_board_with_firmware_of_its_own_has_the_method_that_writes_it(void **state)
{
	(void)state;
	for_each_board(check_raw);
}

static void every_type_of_a_partition_is_known(void **state)
{
	(void)state;
	for_each_board(check_types);
}

static void every_board_can_be_placed_and_on_one_sector_less_cannot(void **state)
{
	(void)state;
	for_each_board(check_layout);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_board_is_built_by_methods_that_there_are),
		cmocka_unit_test(every_board_lists_the_firmware_of_its_methods),
		cmocka_unit_test(
			every_board_with_firmware_of_its_own_has_the_method_that_writes_it),
		cmocka_unit_test(every_type_of_a_partition_is_known),
		cmocka_unit_test(every_board_can_be_placed_and_on_one_sector_less_cannot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
