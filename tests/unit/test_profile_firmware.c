/* Firmware files and machines in QEMU, in a profile. */
#include "boards/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/profile_fixture.h"

#define HEAD                                                                                       \
	"id: a\n"                                                                                  \
	"name: A\n"                                                                                \
	"arch: arm\n"                                                                              \
	"boot: x\n"                                                                                \
	"tested: no\n"                                                                             \
	"table: any\n"

static void firmware_is_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b =
		profile_parse(HEAD "firmware:\n"
				   "- {file: a.bin, package: \"u-boot-x:armhf\", suite: trixie, "
				   "path: usr/lib/a.bin}\n"
				   "- {file: b.bin, source: the vendor, optional: yes}\n");

	assert_int_equal(b->n_firmware, 2);
	assert_string_equal(b->firmware[0].package, "u-boot-x:armhf");
	assert_string_equal(b->firmware[0].suite, "trixie");
	assert_string_equal(b->firmware[0].path, "usr/lib/a.bin");
	assert_false(b->firmware[0].is_optional);
	assert_string_equal(b->firmware[1].source, "the vendor");
	assert_null(b->firmware[1].package);
	assert_true(b->firmware[1].is_optional);
}

static void firmware_is_found_by_its_file(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b =
		profile_parse(HEAD "firmware: [{file: a, source: x}, {file: b, source: y}]\n");

	assert_ptr_equal(board_firmware_by_file(b, "b"), &b->firmware[1]);
	assert_null(board_firmware_by_file(b, "c"));
}

static void file_in_a_folder_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: x/a.bin, source: x}\n",
			"a.yaml:8: file name `x/a.bin` must be 1 to 64 of A-Z a-z 0-9 . _ -");
}

static void file_that_is_there_twice_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, source: x}\n- {file: a.bin, source: x}\n",
			"a.yaml:9: file `a.bin` is there twice");
}

static void file_from_nowhere_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin}\n",
			"a.yaml:8: file `a.bin` comes either from a "
			"`package` of Debian or from a `source`");
}

static void file_from_two_places_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: x, path: y, source: z}\n",
			"a.yaml:8: file `a.bin` comes either from a `package` of Debian or from a "
			"`source`");
}

static void path_without_a_package_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, source: x, path: y}\n",
			"a.yaml:8: `path` and `suite` are of a `package`");
}

static void suite_without_a_package_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, source: x, suite: trixie}\n",
			"a.yaml:8: `path` and `suite` are of a `package`");
}

static void package_that_is_none_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: U-Boot, path: y}\n",
			"a.yaml:8: package `U-Boot` is not like u-boot-sunxi:armhf");
}

static void package_of_no_arch_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: \"u-boot:\", path: y}\n",
			"a.yaml:8: package `u-boot:` is not like u-boot-sunxi:armhf");
}

static void package_that_is_an_option_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: -oX, path: y}\n",
			"a.yaml:8: package `-oX` is not like u-boot-sunxi:armhf");
}

static void suite_that_is_none_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: x, path: y, suite: a b}\n",
			"a.yaml:8: suite `a b` is not like trixie");
}

static void package_without_a_path_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: x}\n",
			"a.yaml:8: `path` of package `x` must be one like usr/lib/u-boot/x.bin");
}

static void path_at_a_place_of_its_own_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: x, path: /usr/x}\n",
			"a.yaml:8: `path` of package `x` must be one like usr/lib/u-boot/x.bin");
}

static void path_above_the_package_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: x, path: usr/../../x}\n",
			"a.yaml:8: `path` of package `x` must be one like usr/lib/u-boot/x.bin");
}

static void path_with_an_empty_part_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: x, path: usr//x}\n",
			"a.yaml:8: `path` of package `x` must be one like usr/lib/u-boot/x.bin");
}

static void path_that_ends_in_a_slash_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: x, path: usr/x/}\n",
			"a.yaml:8: `path` of package `x` must be one like usr/lib/u-boot/x.bin");
}

static void path_with_a_dot_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "firmware:\n- {file: a.bin, package: x, path: ./x}\n",
			"a.yaml:8: `path` of package `x` must be one like usr/lib/u-boot/x.bin");
}

static void machine_is_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b =
		profile_parse(HEAD "firmware: [{file: a.bin, source: x}]\n"
				   "qemu:\n  program: qemu-system-arm\n  package: qemu-arm\n"
				   "  arguments: [-drive, \"{drive},if=sd\", -bios, "
				   "\"{firmware:a.bin}\", \"{copy:/x}\"]\n"
				   "  console: 1\n  power_of_two: yes\n");

	assert_string_equal(b->qemu->program, "qemu-system-arm");
	assert_string_equal(b->qemu->package, "qemu-arm");
	assert_int_equal(b->qemu->n_arguments, 5);
	assert_string_equal(b->qemu->arguments[1], "{drive},if=sd");
	assert_int_equal(b->qemu->console, 1);
	assert_true(b->qemu->is_power_of_two);
}

static void program_that_is_not_qemu_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "qemu:\n  program: sh\n  package: x\n  arguments: [\"{drive}\"]\n",
			"a.yaml:8: program `sh` is not like qemu-system-arm");
}

static void program_in_a_folder_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD
		"qemu:\n  program: qemu-system-../sh\n  package: x\n  arguments: [\"{drive}\"]\n",
		"a.yaml:8: program `qemu-system-../sh` is not like qemu-system-arm");
}

static void package_of_no_name_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD
		"qemu:\n  program: qemu-system-arm\n  package: X\n  arguments: [\"{drive}\"]\n",
		"a.yaml:9: package `X` is not like qemu-system-arm");
}

static void machine_without_the_image_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "qemu:\n  program: qemu-system-arm\n  package: qemu-system-arm\n  arguments: "
		     "[-machine, virt]\n",
		"a.yaml:10: 0 arguments have {drive}, the image; one must");
}

static void machine_with_two_images_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "qemu:\n  program: qemu-system-arm\n  package: qemu-system-arm\n  arguments: "
		     "[\"{drive}\", \"{drive}\"]\n",
		"a.yaml:10: 2 arguments have {drive}, the image; one must");
}

static void unknown_word_in_an_argument_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "qemu:\n  program: qemu-system-arm\n  package: qemu-system-arm\n  "
		     "arguments:\n  - -drive\n  - \"{drve},if=sd\"\n",
		"a.yaml:12: `{drve},if=sd`: what is filled in are {drive}, {firmware:FILE} and "
		"{copy:/PATH}");
}

static void open_brace_in_an_argument_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "qemu:\n  program: qemu-system-arm\n  package: qemu-system-arm\n  "
			     "arguments:\n  - \"{drive\"\n",
			"a.yaml:11: `{drive`: what is filled in are {drive}, {firmware:FILE} and "
			"{copy:/PATH}");
}

static void relative_path_of_a_copy_is_refused(void **state)
{
	(void)state;
	profile_refuses(HEAD "qemu:\n  program: qemu-system-arm\n  package: qemu-system-arm\n  "
			     "arguments:\n  - \"{copy:x}\"\n",
			"a.yaml:11: `{copy:x}`: what is filled in are {drive}, {firmware:FILE} and "
			"{copy:/PATH}");
}

static void argument_with_unknown_firmware_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "qemu:\n  program: qemu-system-arm\n  package: qemu-system-arm\n  "
		     "arguments:\n  - \"a={firmware:x.bin}\"\n",
		"a.yaml:11: file `x.bin` is not under `firmware`, which tells where it comes from");
}

static void console_that_no_machine_has_is_refused(void **state)
{
	(void)state;
	profile_refuses(
		HEAD "qemu:\n  program: qemu-system-arm\n  package: qemu-system-arm\n  arguments: "
		     "[\"{drive}\"]\n  console: 4\n",
		"a.yaml:11: `console` must be a number of at most 3");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(firmware_is_read),
		cmocka_unit_test(firmware_is_found_by_its_file),
		cmocka_unit_test(file_in_a_folder_is_refused),
		cmocka_unit_test(file_that_is_there_twice_is_refused),
		cmocka_unit_test(file_from_nowhere_is_refused),
		cmocka_unit_test(file_from_two_places_is_refused),
		cmocka_unit_test(path_without_a_package_is_refused),
		cmocka_unit_test(suite_without_a_package_is_refused),
		cmocka_unit_test(package_that_is_none_is_refused),
		cmocka_unit_test(package_of_no_arch_is_refused),
		cmocka_unit_test(package_that_is_an_option_is_refused),
		cmocka_unit_test(suite_that_is_none_is_refused),
		cmocka_unit_test(package_without_a_path_is_refused),
		cmocka_unit_test(path_at_a_place_of_its_own_is_refused),
		cmocka_unit_test(path_above_the_package_is_refused),
		cmocka_unit_test(path_with_an_empty_part_is_refused),
		cmocka_unit_test(path_that_ends_in_a_slash_is_refused),
		cmocka_unit_test(path_with_a_dot_is_refused),
		cmocka_unit_test(machine_is_read),
		cmocka_unit_test(program_that_is_not_qemu_is_refused),
		cmocka_unit_test(program_in_a_folder_is_refused),
		cmocka_unit_test(package_of_no_name_is_refused),
		cmocka_unit_test(machine_without_the_image_is_refused),
		cmocka_unit_test(machine_with_two_images_is_refused),
		cmocka_unit_test(unknown_word_in_an_argument_is_refused),
		cmocka_unit_test(open_brace_in_an_argument_is_refused),
		cmocka_unit_test(relative_path_of_a_copy_is_refused),
		cmocka_unit_test(argument_with_unknown_firmware_is_refused),
		cmocka_unit_test(console_that_no_machine_has_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
