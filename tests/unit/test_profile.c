/* Board profiles: what is read from them, and what is refused, with the line. */
#include "boards/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "tests/unit/profile_fixture.h"

/* Five of the six keys that every profile has; "table" would be line 6. */
#define HEAD "id: a\nname: A board\narch: arm64\nboot: somehow\ntested: layout\n"

#define SIXTY_FOUR_DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define ENTRIES(entry)                                                                             \
	entry entry entry entry entry entry entry entry entry entry entry entry entry entry entry  \
		entry entry

static void assert_refused(const char *yaml, const char *text)
{
	struct board *b = NULL;
	struct err e = {0};

	assert_int_equal(board_parse("boards.d/a.yaml", yaml, strlen(yaml), &b, &e), -1);
	assert_string_equal(e.text, text);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(b);
}

static void smallest_profile_has_its_texts(void **state)
{
	(void)state;
	CLEANUP(board_freep) struct board *b = profile_parse(HEAD "table: any\n");

	assert_string_equal(b->id, "a");
	assert_string_equal(b->name, "A board");
	assert_string_equal(b->arch, "arm64");
	assert_string_equal(b->boot, "somehow");
	assert_int_equal(b->tested, TESTED_LAYOUT);
	assert_int_equal(b->table, BOARD_TABLE_ANY);
	assert_int_equal(b->n_partitions, 0);
	assert_int_equal(b->n_blobs, 0);
}

static void partitions_are_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b =
		profile_parse(HEAD "table: mbr-or-gpt\npartitions:\n- name: ESP\n  types: "
				   "[c12a7328-f81f-11d2-ba4b-00a0c93ec93b, 0xef]\n"
				   "- name: root\n  types: [0x83]\n  file_system: ext4\n");

	assert_int_equal(b->table, BOARD_TABLE_MBR_OR_GPT);
	assert_int_equal(b->n_partitions, 2);
	assert_string_equal(b->partitions[0].name, "ESP");
	assert_int_equal(b->partitions[0].n_types, 2);
	assert_string_equal(b->partitions[0].types[0], "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_string_equal(b->partitions[0].types[1], "0xef");
	assert_null(b->partitions[0].file_system);
	assert_string_equal(b->partitions[1].file_system, "ext4");
}

static void blobs_are_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b =
		profile_parse(HEAD "table: any\nblobs:\n- name: SPL\n  offset: 8K\n  magic: "
				   "65474f4e\n- name: end\n  offset: 16777215\n  magic: ff\n");

	assert_int_equal(b->n_blobs, 2);
	assert_string_equal(b->blobs[0].name, "SPL");
	assert_int_equal(b->blobs[0].offset_bytes, 8192);
	assert_string_equal(b->blobs[0].magic, "65474f4e");
	assert_int_equal(b->blobs[1].offset_bytes, 16777215);
}

static void unknown_key_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_refused(HEAD "\n# a comment\ntabel: any\n",
		       "boards.d/a.yaml:8: unknown key `tabel`");
}

static void unknown_key_of_a_partition_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_refused(HEAD "table: mbr\npartitions:\n- name: x\n  typs: [0x83]\n",
		       "boards.d/a.yaml:9: unknown key `typs`");
}

static void unknown_first_key_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_refused("\nident: a\n", "boards.d/a.yaml:2: unknown key `ident`");
}

static void missing_key_is_refused(void **state)
{
	(void)state;
	assert_refused("# a comment\n" HEAD, "boards.d/a.yaml:2: key `table` is missing");
}

static void missing_key_of_a_blob_is_refused_with_the_blobs_line(void **state)
{
	(void)state;
	assert_refused(HEAD "table: any\nblobs:\n- magic: aa\n  offset: 1\n  name: x\n- name: y\n"
			    "  magic: bb\n",
		       "boards.d/a.yaml:11: key `offset` is missing");
}

static void key_given_twice_is_refused_with_the_second_line(void **state)
{
	(void)state;
	assert_refused(HEAD "id: b\n", "boards.d/a.yaml:6: key `id` is there twice");
}

static void value_outside_its_choices_is_refused_with_the_choices(void **state)
{
	(void)state;
	assert_refused(HEAD "table: gtp\n",
		       "boards.d/a.yaml:6: unknown value `gtp`; `table` is one "
		       "of any mbr gpt mbr-or-gpt");
}

static void list_for_a_text_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: mbr\npartitions:\n- name: [x]\n",
		       "boards.d/a.yaml:8: `name` must be a text");
}

static void text_for_a_list_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: mbr\npartitions: boot\n",
		       "boards.d/a.yaml:7: `partitions` must be a list");
}

static void text_for_a_partition_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: mbr\npartitions:\n- boot\n",
		       "boards.d/a.yaml:8: `partitions` must be made of `key: value`");
}

static void partition_without_types_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: mbr\npartitions:\n- name: x\n  types: []\n",
		       "boards.d/a.yaml:9: `types` needs an entry");
}

static void too_many_types_are_refused(void **state)
{
	(void)state;
	assert_refused(HEAD
		       "table: mbr\npartitions:\n- name: x\n  types: [1, 2, 3, 4, 5, 6, 7, 8,\n"
		       "    9, 10, 11, 12, 13, 14, 15, 16, 17]\n",
		       "boards.d/a.yaml:10: `types` has too many entries");
}

static void empty_text_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\nname:\n", "boards.d/a.yaml:2: `name` is empty");
}

static void long_text_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\nname: 0123456789012345678901234567890123456789012345678901234567890"
		       "123456789012345678901234567890123456789012345678901234567890\n",
		       "boards.d/a.yaml:2: `name` is too long");
}

static void id_that_is_no_name_is_refused(void **state)
{
	(void)state;
	assert_refused("name: x\nid: a/b\narch: arm\nboot: x\ntested: no\ntable: any\n",
		       "boards.d/a.yaml:2: id `a/b` must be 1 to 64 of A-Z a-z 0-9 . _ -");
}

static void unknown_arch_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\nname: x\narch: amd64\nboot: x\ntested: no\ntable: any\n",
		       "boards.d/a.yaml:3: unknown arch `amd64`; choose one of any arm arm64 i386 "
		       "riscv64 s390x x86_64");
}

static void upper_case_guid_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: gpt\npartitions:\n- name: x\n  types:\n"
			    "  - c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n"
			    "  - C12A7328-f81f-11d2-ba4b-00a0c93ec93b\n",
		       "boards.d/a.yaml:11: partition type `C12A7328-f81f-11d2-ba4b-00a0c93ec93b` "
		       "is neither a lower-case GUID nor like 0xef");
}

static void guid_with_shifted_dash_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: gpt\npartitions:\n- name: x\n  types:\n"
			    "  - c12a7328f-81f-11d2-ba4b-00a0c93ec93b\n",
		       "boards.d/a.yaml:10: partition type `c12a7328f-81f-11d2-ba4b-00a0c93ec93b` "
		       "is neither a lower-case GUID nor like 0xef");
}

static void short_mbr_type_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: mbr\npartitions:\n- name: x\n  types: [0xc]\n",
		       "boards.d/a.yaml:9: partition type `0xc` is neither a lower-case GUID nor "
		       "like 0xef");
}

static void long_mbr_type_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: mbr\npartitions:\n- name: x\n  types: [0x0cc]\n",
		       "boards.d/a.yaml:9: partition type `0x0cc` is neither a lower-case GUID nor "
		       "like 0xef");
}

static void guid_for_an_mbr_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: mbr\npartitions:\n- name: x\n"
			    "  types: [c12a7328-f81f-11d2-ba4b-00a0c93ec93b]\n",
		       "boards.d/a.yaml:9: partition type `c12a7328-f81f-11d2-ba4b-00a0c93ec93b` "
		       "does not occur in mbr tables");
}

static void mbr_type_for_a_gpt_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: gpt\npartitions:\n- name: x\n  types: [0x0c]\n",
		       "boards.d/a.yaml:9: partition type `0x0c` does not occur in gpt tables");
}

static void partitions_without_a_table_are_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: any\npartitions:\n- name: x\n  types: [0x0c]\n",
		       "boards.d/a.yaml:7: partitions are wanted, but `table` is any");
}

static void magic_with_odd_digits_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: any\nblobs:\n- name: x\n  offset: 0\n  magic: 55a\n",
		       "boards.d/a.yaml:10: magic `55a` must be 2 to 128 lower-case hex digits, an "
		       "even number");
}

static void magic_that_is_not_hex_is_refused(void **state)
{
	(void)state;
	assert_refused(
		HEAD "table: any\nblobs:\n- name: x\n  offset: 0\n  magic: eGON\n",
		"boards.d/a.yaml:10: magic `eGON` must be 2 to 128 lower-case hex digits, an "
		"even number");
}

static void magic_of_128_digits_is_read(void **state)
{
	(void)state;
	CLEANUP(board_freep)
	struct board *b = profile_parse(
		HEAD "table: any\nblobs:\n- name: x\n  offset: 0\n  magic: " SIXTY_FOUR_DIGITS
			SIXTY_FOUR_DIGITS "\n");

	assert_int_equal(strlen(b->blobs[0].magic), 128);
}

static void longer_magic_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD
		       "table: any\nblobs:\n- name: x\n  offset: 0\n  magic: " SIXTY_FOUR_DIGITS
			       SIXTY_FOUR_DIGITS "ab\n",
		       "boards.d/a.yaml:10: magic `" SIXTY_FOUR_DIGITS SIXTY_FOUR_DIGITS
		       "ab` must be 2 to 128 lower-case hex digits, an even number");
}

static void negative_offset_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: any\nblobs:\n- name: x\n  offset: -1\n  magic: aa\n",
		       "boards.d/a.yaml:9: `offset` must be a number of bytes, as 512 or 8K");
}

static void list_for_an_offset_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: any\nblobs:\n- name: x\n  offset: [1]\n  magic: aa\n",
		       "boards.d/a.yaml:9: `offset` must be a number of bytes, as 512 or 8K");
}

static void blob_that_ends_behind_the_limit_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: any\nblobs:\n- name: x\n  offset: 16777215\n  magic: aabb\n",
		       "boards.d/a.yaml:9: offset 16777215: the magic must end before byte "
		       "16777216");
}

static void blob_offset_that_overflows_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: any\nblobs:\n- name: x\n  offset: 18446744073709551615\n"
			    "  magic: aabb\n",
		       "boards.d/a.yaml:9: offset 18446744073709551615: the magic must end before "
		       "byte 16777216");
}

static void alias_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\nname: *id\n",
		       "boards.d/a.yaml:2: anchors, aliases and tags are not for profiles");
}

static void anchor_is_refused(void **state)
{
	(void)state;
	assert_refused("id: &id a\n",
		       "boards.d/a.yaml:1: anchors, aliases and tags are not for profiles");
}

static void second_document_is_refused(void **state)
{
	(void)state;
	assert_refused(HEAD "table: any\n---\nid: b\n",
		       "boards.d/a.yaml:7: a second document begins; one file holds one profile");
}

static void empty_file_is_refused(void **state)
{
	(void)state;
	assert_refused("", "boards.d/a.yaml:1: there is no profile in it");
}

static void comment_alone_is_refused(void **state)
{
	(void)state;
	assert_refused("# nothing\n", "boards.d/a.yaml:1: there is no profile in it");
}

static void empty_mapping_is_refused(void **state)
{
	(void)state;
	assert_refused("\n{}\n", "boards.d/a.yaml:2: key `id` is missing");
}

static void list_for_a_profile_is_refused(void **state)
{
	(void)state;
	assert_refused("- id: a\n", "boards.d/a.yaml:1: a profile starts with `key: value`");
}

static void text_for_a_profile_is_refused(void **state)
{
	(void)state;
	assert_refused("\nhello\n", "boards.d/a.yaml:2: a profile starts with `key: value`");
}

static void list_for_a_key_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\n? [a]\n: b\n", "boards.d/a.yaml:2: a key must be plain text");
}

static void long_key_is_refused(void **state)
{
	(void)state;
	assert_refused(
		"id: a\n0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567: b\n",
		"boards.d/a.yaml:2: a key is too long");
}

static void deep_nesting_is_refused(void **state)
{
	(void)state;
	assert_refused("id:\n [[[[[[[[[[]]]]]]]]]]\n",
		       "boards.d/a.yaml:2: mappings and sequences are nested too deeply");
}

static void control_character_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\nname: \"\\e[2J\"\n",
		       "boards.d/a.yaml:2: a text has a control character");
}

static void delete_character_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\nname: \"a\\x7fb\"\n",
		       "boards.d/a.yaml:2: a text has a control character");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\n\nname: \xff\n", "boards.d/a.yaml:3: invalid leading UTF-8 octet");
}

static void tab_for_indentation_is_refused(void **state)
{
	(void)state;
	assert_refused("id: a\n\tname: b\n",
		       "boards.d/a.yaml:2: found a tab character that violates indentation, while "
		       "scanning a plain scalar that starts in line 1");
}

static void profile_of_too_many_bytes_is_refused(void **state)
{
	static const char yaml[PROFILE_MAX_BYTES + 1] = "";
	struct board *b = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(board_parse("a.yaml", yaml, sizeof yaml, &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text,
			    "a.yaml:1: 65537 bytes are too many for a profile; 65536 is all");
}

static void profile_of_too_many_values_is_refused(void **state)
{
	(void)state;
	assert_refused("id:\n" ENTRIES(ENTRIES(ENTRIES("- x\n"))),
		       "boards.d/a.yaml:4097: too many keys and values for a profile");
}

static void names_of_enums_are_those_of_the_files(void **state)
{
	(void)state;
	assert_string_equal(board_tested_name(TESTED_NO), "no");
	assert_string_equal(board_tested_name(TESTED_LAYOUT), "layout");
	assert_string_equal(board_tested_name(TESTED_QEMU), "qemu");
	assert_string_equal(board_table_name(BOARD_TABLE_ANY), "any");
	assert_string_equal(board_table_name(BOARD_TABLE_MBR), "mbr");
	assert_string_equal(board_table_name(BOARD_TABLE_GPT), "gpt");
	assert_string_equal(board_table_name(BOARD_TABLE_MBR_OR_GPT), "mbr-or-gpt");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_profile_has_its_texts),
		cmocka_unit_test(partitions_are_read),
		cmocka_unit_test(blobs_are_read),
		cmocka_unit_test(unknown_key_is_refused_with_its_line),
		cmocka_unit_test(unknown_key_of_a_partition_is_refused_with_its_line),
		cmocka_unit_test(unknown_first_key_is_refused_with_its_line),
		cmocka_unit_test(missing_key_is_refused),
		cmocka_unit_test(missing_key_of_a_blob_is_refused_with_the_blobs_line),
		cmocka_unit_test(key_given_twice_is_refused_with_the_second_line),
		cmocka_unit_test(value_outside_its_choices_is_refused_with_the_choices),
		cmocka_unit_test(list_for_a_text_is_refused),
		cmocka_unit_test(text_for_a_list_is_refused),
		cmocka_unit_test(text_for_a_partition_is_refused),
		cmocka_unit_test(partition_without_types_is_refused),
		cmocka_unit_test(too_many_types_are_refused),
		cmocka_unit_test(empty_text_is_refused),
		cmocka_unit_test(long_text_is_refused),
		cmocka_unit_test(id_that_is_no_name_is_refused),
		cmocka_unit_test(unknown_arch_is_refused),
		cmocka_unit_test(upper_case_guid_is_refused),
		cmocka_unit_test(guid_with_shifted_dash_is_refused),
		cmocka_unit_test(short_mbr_type_is_refused),
		cmocka_unit_test(long_mbr_type_is_refused),
		cmocka_unit_test(guid_for_an_mbr_is_refused),
		cmocka_unit_test(mbr_type_for_a_gpt_is_refused),
		cmocka_unit_test(partitions_without_a_table_are_refused),
		cmocka_unit_test(magic_with_odd_digits_is_refused),
		cmocka_unit_test(magic_that_is_not_hex_is_refused),
		cmocka_unit_test(magic_of_128_digits_is_read),
		cmocka_unit_test(longer_magic_is_refused),
		cmocka_unit_test(negative_offset_is_refused),
		cmocka_unit_test(list_for_an_offset_is_refused),
		cmocka_unit_test(blob_that_ends_behind_the_limit_is_refused),
		cmocka_unit_test(blob_offset_that_overflows_is_refused),
		cmocka_unit_test(alias_is_refused),
		cmocka_unit_test(anchor_is_refused),
		cmocka_unit_test(second_document_is_refused),
		cmocka_unit_test(empty_file_is_refused),
		cmocka_unit_test(comment_alone_is_refused),
		cmocka_unit_test(empty_mapping_is_refused),
		cmocka_unit_test(list_for_a_profile_is_refused),
		cmocka_unit_test(text_for_a_profile_is_refused),
		cmocka_unit_test(list_for_a_key_is_refused),
		cmocka_unit_test(long_key_is_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(control_character_is_refused),
		cmocka_unit_test(delete_character_is_refused),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(tab_for_indentation_is_refused),
		cmocka_unit_test(profile_of_too_many_bytes_is_refused),
		cmocka_unit_test(profile_of_too_many_values_is_refused),
		cmocka_unit_test(names_of_enums_are_those_of_the_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
