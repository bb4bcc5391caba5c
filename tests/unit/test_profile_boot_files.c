/* Firmware files for the boot partition, in a profile. */
#include "boards/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/profile_fixture.h"

#define HEAD                                                                                       \
	"id: a\nname: A\narch: arm\nboot: x\ntested: no\ntable: mbr\n"                             \
	"firmware:\n- {file: MLO, source: somewhere}\n"                                            \
	"build:\n  methods: [raw-blobs]\n  table: mbr\n  partitions:\n"                            \
	"  - {name: boot, type: \"0x0c\", content: boot, file_system: vfat}\n  boot_files:\n"

static void file_has_a_place_a_magic_and_a_maximum(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b =
		profile_parse(HEAD "  - {file: MLO, to: a/MLO, magic: 4300, maximum: 109K}\n");

	assert_int_equal(b->build->n_boot_files, 1);
	assert_string_equal(b->build->boot_files[0].file, "MLO");
	assert_string_equal(b->build->boot_files[0].to, "a/MLO");
	assert_string_equal(b->build->boot_files[0].magic, "4300");
	assert_int_equal(b->build->boot_files[0].maximum_bytes, 109 * 1024);
}

static void magic_and_maximum_may_be_left_out(void **state)
{
	(void)state;
	CLEANUP(board_freep) struct board *b = profile_parse(HEAD "  - {file: MLO, to: MLO}\n");

	assert_null(b->build->boot_files[0].magic);
	assert_int_equal(b->build->boot_files[0].maximum_bytes, 0);
}

static void file_that_is_not_firmware_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "  - {file: SPL, to: MLO}\n",
		"a.yaml:15: file `SPL` is not under `firmware`, which tells where it comes from");
}

static void place_outside_of_the_partition_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "  - {file: MLO, to: ../MLO}\n",
		"a.yaml:15: `../MLO` must be a path below the folder of the boot partition");
}

static void magic_that_is_not_hex_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "  - {file: MLO, to: MLO, magic: xy}\n",
		"a.yaml:15: magic `xy` must be 2 to 128 lower-case hex digits, an even number");
}

static void maximum_that_is_no_size_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "  - {file: MLO, to: MLO, maximum: -5}\n",
			"a.yaml:15: `maximum` must be a number of bytes, as 512 or 8K");
}

/* A FAT does not tell letters by their case. */
static void place_that_is_taken_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "  - {file: MLO, to: MLO}\n  - {file: MLO, to: mlo}\n",
			"a.yaml:16: `mlo` is there twice");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_has_a_place_a_magic_and_a_maximum),
		cmocka_unit_test(magic_and_maximum_may_be_left_out),
		cmocka_unit_test(file_that_is_not_firmware_is_refused),
		cmocka_unit_test(place_outside_of_the_partition_is_refused),
		cmocka_unit_test(magic_that_is_not_hex_is_refused),
		cmocka_unit_test(maximum_that_is_no_size_is_refused),
		cmocka_unit_test(place_that_is_taken_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
