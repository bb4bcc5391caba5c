/* Partition types by name. */
#include "flash/disk/part_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_type(const char *type, const char *arch, enum table_kind kind,
			const char *wanted)
{
	char found[PART_TYPE_BYTES] = "";
	struct err e = {0};

	assert_int_equal(part_type_find(type, arch, kind, found, &e), 0);
	assert_string_equal(found, wanted);
}

static void assert_refused(const char *type, const char *arch, enum table_kind kind,
			   const char *text)
{
	char found[PART_TYPE_BYTES] = "untouched";
	struct err e = {0};

	assert_int_equal(part_type_find(type, arch, kind, found, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, text));
	assert_string_equal(found, "untouched");
}

static void name_is_a_guid_in_a_gpt_and_a_code_in_an_mbr(void **state)
{
	(void)state;
	assert_type("esp", "arm64", TABLE_GPT, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_type("esp", "arm64", TABLE_MBR, "0xef");
	assert_type("fat", "arm", TABLE_GPT, "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7");
	assert_type("fat", "arm", TABLE_MBR, "0x0c");
	assert_type("linux", "any", TABLE_GPT, "0fc63daf-8483-4772-8e79-3d69d8477de4");
	assert_type("swap", "any", TABLE_MBR, "0x82");
	assert_type("xbootldr", "x86_64", TABLE_MBR, "0xea");
}

static void root_is_that_of_the_architecture(void **state)
{
	(void)state;
	assert_type("root", "x86_64", TABLE_GPT, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
	assert_type("root", "i386", TABLE_GPT, "44479540-f297-41b2-9af7-d131d5f0458a");
	assert_type("root", "arm64", TABLE_GPT, "b921b045-1df0-41c3-af44-4c6f280d3fae");
	assert_type("root", "riscv64", TABLE_GPT, "72ec70a6-cf74-40e6-bd49-4bda08e8f224");
	assert_type("root", "arm", TABLE_MBR, "0x83");
	assert_type("root-verity", "arm64", TABLE_GPT, "df3300ce-d69f-4c92-978c-9bfb0f38d820");
	assert_type("root-verity-sig", "x86_64", TABLE_GPT, "41092b05-9fc8-4523-994f-2def0408b176");
}

static void firmware_types_are_known(void **state)
{
	(void)state;
	assert_type("u-boot-env", "riscv64", TABLE_GPT, "3de21764-95bd-54bd-a5c3-4abe786f38a8");
	assert_type("bios-boot", "x86_64", TABLE_GPT, "21686148-6449-6e6f-744e-656564454649");
	assert_type("linux-reserved", "arm64", TABLE_GPT, "8da63339-0007-60c0-c436-083ac8230908");
}

static void guid_and_code_are_taken_as_they_are_in_lower_case(void **state)
{
	(void)state;
	assert_type("5B193300-FC78-40CD-8002-E86C45580B47", "riscv64", TABLE_GPT,
		    "5b193300-fc78-40cd-8002-e86c45580b47");
	assert_type("0xA2", "arm", TABLE_MBR, "0xa2");
}

static void unknown_name_is_refused_with_those_that_are_known(void **state)
{
	(void)state;
	assert_refused("efi", "x86_64", TABLE_GPT, "there is no partition type \"efi\"");
	assert_refused("efi", "x86_64", TABLE_GPT, "esp, xbootldr, fat, ");
	assert_refused("efi", "x86_64", TABLE_GPT, "root, root-verity, root-verity-sig, a GUID");
}

static void what_is_nearly_a_guid_or_a_code_is_refused(void **state)
{
	(void)state;
	assert_refused("5b193300-fc78-40cd-8002-e86c45580b4", "any", TABLE_GPT,
		       "no partition type");
	assert_refused("5b193300-fc78-40cd-8002_e86c45580b47", "any", TABLE_GPT, "no partition");
	assert_refused("5b193300-fc78-40cd-8002-e86c45580b4g", "any", TABLE_GPT, "no partition");
	assert_refused("0x", "any", TABLE_MBR, "no partition type");
	assert_refused("0x00", "any", TABLE_MBR, "no partition type");
	assert_refused("0x123", "any", TABLE_MBR, "no partition type");
	assert_refused("", "any", TABLE_MBR, "no partition type");
}

static void name_of_another_architecture_is_refused(void **state)
{
	(void)state;
	assert_refused("root", "any", TABLE_GPT, "not defined for the architecture any");
	assert_refused("root-verity-sig", "s390x", TABLE_GPT, "architecture s390x; give its GUID");
}

static void what_the_table_cannot_tell_is_refused(void **state)
{
	(void)state;
	assert_refused("bios-boot", "x86_64", TABLE_MBR,
		       "an MBR cannot tell partition type \"bios");
	assert_refused("5b193300-fc78-40cd-8002-e86c45580b47", "any", TABLE_MBR,
		       "an MBR cannot tell partition type 5b193300");
	assert_refused("0x0c", "any", TABLE_GPT, "a GPT cannot tell partition type 0x0c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_is_a_guid_in_a_gpt_and_a_code_in_an_mbr),
		cmocka_unit_test(root_is_that_of_the_architecture),
		cmocka_unit_test(firmware_types_are_known),
		cmocka_unit_test(guid_and_code_are_taken_as_they_are_in_lower_case),
		cmocka_unit_test(unknown_name_is_refused_with_those_that_are_known),
		cmocka_unit_test(what_is_nearly_a_guid_or_a_code_is_refused),
		cmocka_unit_test(name_of_another_architecture_is_refused),
		cmocka_unit_test(what_the_table_cannot_tell_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
