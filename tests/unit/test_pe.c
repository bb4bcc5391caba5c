/* PE images: sections behind those that are there, and no trust in what headers say. */
#include "bootloader/pe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"

/* A program of one section of 0x200 bytes, with eight bytes of symbols behind it. */
enum {
	COFF_AT = 0x40,
	OPTIONAL_AT = COFF_AT + 24,
	OPTIONAL_BYTES = 240,
	SECTIONS_AT = OPTIONAL_AT + OPTIONAL_BYTES,
	HEADERS_BYTES = 0x200,
	RAW_AT = HEADERS_BYTES,
	RAW_BYTES = 0x200,
	FILE_BYTES = RAW_AT + RAW_BYTES + 8,
	ADDED_AT = SECTIONS_AT + 40, /* the header of the first section that is added */
};

struct program {
	uint8_t bytes[FILE_BYTES];
};

static struct program program(void)
{
	struct program p = {{0}};
	uint8_t *coff = p.bytes + COFF_AT;
	uint8_t *optional = p.bytes + OPTIONAL_AT;
	uint8_t *section = p.bytes + SECTIONS_AT;

	memcpy(p.bytes, "MZ", 2);
	put_le32(p.bytes + 60, COFF_AT);
	memcpy(coff, "PE\0\0", 4);
	put_le16(coff + 4, PE_MACHINE_X86_64);
	put_le16(coff + 6, 1);
	put_le32(coff + 12, RAW_AT + RAW_BYTES); /* symbols */
	put_le32(coff + 16, 1);
	put_le16(coff + 20, OPTIONAL_BYTES);
	put_le16(optional, 0x20b);
	put_le32(optional + 8, 0x100); /* SizeOfInitializedData */
	put_le32(optional + 32, 0x200);
	put_le32(optional + 36, 0x200);
	put_le32(optional + 56, 0x5200); /* SizeOfImage */
	put_le32(optional + 60, HEADERS_BYTES);
	put_le32(optional + 64, 0x1234); /* CheckSum */
	put_le32(optional + 108, 16);
	memcpy(section, ".text", 5);
	put_le32(section + 8, 0x1f0);
	put_le32(section + 12, 0x5000);
	put_le32(section + 16, RAW_BYTES);
	put_le32(section + 20, RAW_AT);
	memset(p.bytes + RAW_AT, 't', RAW_BYTES);
	memset(p.bytes + RAW_AT + RAW_BYTES, 's', 8);
	return p;
}

static struct program program_with_le32(size_t at_bytes, uint32_t value)
{
	struct program p = program();

	put_le32(p.bytes + at_bytes, value);
	return p;
}

static const struct pe_section two[] = {
	{".cmdline", {(const uint8_t *)"quiet", 5}},
	{".linux", {(const uint8_t *)"kernel", 6}},
};

/* With both sections; freed by the caller. */
static uint8_t *append(const struct program *p, size_t *out_n_bytes)
{
	uint8_t *bytes = NULL;
	struct err e = {0};

	if (pe_append((struct span){p->bytes, FILE_BYTES}, two, 2, &bytes, out_n_bytes, &e) < 0)
		fail_msg("%s", e.text);
	return bytes;
}

static void refuses_sections(struct span image, const struct pe_section *sections,
			     size_t n_sections, const char *text)
{
	uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	assert_int_equal(pe_append(image, sections, n_sections, &bytes, &n_bytes, &e), -1);
	assert_string_equal(e.text, text);
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(bytes);
	assert_int_equal(n_bytes, 0);
}

static void refuses(const struct program *p, size_t n_bytes, const char *text)
{
	refuses_sections((struct span){p->bytes, n_bytes}, two, 2, text);
}

static void section_starts_at_the_next_page_of_memory(void **state)
{
	struct program p = program();
	size_t n_bytes = 0;

	(void)state;
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_int_equal(le32(bytes + ADDED_AT + 12), 0x6000);
	assert_int_equal(le32(bytes + ADDED_AT + 40 + 12), 0x7000);
}

static void section_starts_at_the_files_alignment(void **state)
{
	struct program p = program();
	size_t n_bytes = 0;

	(void)state;
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_int_equal(le32(bytes + ADDED_AT + 20), 0x400);
	assert_int_equal(le32(bytes + ADDED_AT + 40 + 20), 0x600);
	assert_memory_equal(bytes + 0x400, "quiet\0", 6);
	assert_memory_equal(bytes + 0x600, "kernel\0", 7);
	assert_int_equal(n_bytes, 0x800);
}

static void section_has_its_size_in_memory_and_a_padded_one_in_the_file(void **state)
{
	struct program p = program();
	size_t n_bytes = 0;

	(void)state;
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_int_equal(le32(bytes + ADDED_AT + 8), 5);
	assert_int_equal(le32(bytes + ADDED_AT + 16), 0x200);
}

static void section_has_its_name_and_is_data_to_read(void **state)
{
	struct program p = program();
	size_t n_bytes = 0;

	(void)state;
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_memory_equal(bytes + ADDED_AT, ".cmdline", 8);
	assert_memory_equal(bytes + ADDED_AT + 40, ".linux\0\0", 8);
	assert_int_equal(le32(bytes + ADDED_AT + 36), 0x40000040);
}

static void headers_count_the_new_sections(void **state)
{
	struct program p = program();
	size_t n_bytes = 0;

	(void)state;
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_int_equal(le16(bytes + COFF_AT + 6), 3);
	assert_int_equal(le32(bytes + OPTIONAL_AT + 8), 0x100 + 0x400);
	assert_int_equal(le32(bytes + OPTIONAL_AT + 56), 0x8000);
	assert_int_equal(le32(bytes + OPTIONAL_AT + 64), 0);
}

static void symbols_behind_the_sections_are_left_out(void **state)
{
	struct program p = program();
	size_t n_bytes = 0;

	(void)state;
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_null(memchr(bytes + RAW_AT, 's', n_bytes - RAW_AT));
	assert_int_equal(le32(bytes + COFF_AT + 12), 0);
	assert_int_equal(le32(bytes + COFF_AT + 16), 0);
}

static void what_was_there_stays(void **state)
{
	struct program p = program();
	size_t n_bytes = 0;

	(void)state;
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_memory_equal(bytes + SECTIONS_AT, p.bytes + SECTIONS_AT, 40);
	assert_memory_equal(bytes + RAW_AT, p.bytes + RAW_AT, RAW_BYTES);
}

static void memory_alignment_above_a_page_is_kept(void **state)
{
	struct program p = program_with_le32(OPTIONAL_AT + 32, 0x10000);
	size_t n_bytes = 0;

	(void)state;
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_int_equal(le32(bytes + ADDED_AT + 12), 0x10000);
}

static void section_without_bytes_in_the_file_takes_memory(void **state)
{
	struct program p = program_with_le32(SECTIONS_AT + 16, 0);
	size_t n_bytes = 0;

	(void)state;
	put_le32(p.bytes + SECTIONS_AT + 8, 0x2001);
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_int_equal(le32(bytes + ADDED_AT + 12), 0x8000);
	assert_int_equal(le32(bytes + ADDED_AT + 20), HEADERS_BYTES);
}

static void file_of_32_bits_will_do(void **state)
{
	struct program p = program();
	size_t n_bytes = 0;

	(void)state;
	put_le16(p.bytes + OPTIONAL_AT, 0x10b);
	CLEANUP(freep) uint8_t *bytes = append(&p, &n_bytes);

	assert_int_equal(le16(bytes + COFF_AT + 6), 3);
}

static void file_that_is_no_program_is_refused(void **state)
{
	struct program p = program();

	(void)state;
	p.bytes[0] = 'm';
	refuses(&p, FILE_BYTES, "it is no PE image; take the file as its package has it");
}

static void file_that_ends_before_its_headers_is_refused(void **state)
{
	struct program p = program();

	(void)state;
	refuses(&p, OPTIONAL_AT - 1, "it is no PE image; take the file as its package has it");
}

static void header_far_behind_the_end_is_refused(void **state)
{
	struct program p = program_with_le32(60, UINT32_MAX);

	(void)state;
	refuses(&p, FILE_BYTES, "it is no PE image; take the file as its package has it");
}

static void optional_header_that_is_cut_off_is_refused(void **state)
{
	struct program p = program();

	(void)state;
	refuses(&p, SECTIONS_AT - 1,
		"its optional header is cut off; take the file as its package has it");
}

static void optional_header_that_is_too_short_is_refused(void **state)
{
	struct program p = program();

	(void)state;
	put_le16(p.bytes + COFF_AT + 20, 67);
	refuses(&p, FILE_BYTES,
		"its optional header is cut off; take the file as its package has it");
}

static void other_format_is_refused(void **state)
{
	struct program p = program();

	(void)state;
	put_le16(p.bytes + OPTIONAL_AT, 0x107);
	refuses(&p, FILE_BYTES,
		"its optional header is neither PE32 nor PE32+; take the file as its package has "
		"it");
}

#define NOT_ALIGNED                                                                                \
	"its sections are not aligned to a power of two up to 64 KiB; take the file as its "       \
	"package has it"

static void alignment_that_is_no_power_of_two_is_refused(void **state)
{
	struct program p = program_with_le32(OPTIONAL_AT + 36, 0x300);

	(void)state;
	refuses(&p, FILE_BYTES, NOT_ALIGNED);
}

static void alignment_of_nothing_is_refused(void **state)
{
	struct program p = program_with_le32(OPTIONAL_AT + 32, 0);

	(void)state;
	refuses(&p, FILE_BYTES, NOT_ALIGNED);
}

static void alignment_above_64_kib_is_refused(void **state)
{
	struct program p = program_with_le32(OPTIONAL_AT + 32, 0x20000);

	(void)state;
	refuses(&p, FILE_BYTES, NOT_ALIGNED);
}

static void signed_file_is_refused(void **state)
{
	struct program p = program_with_le32(OPTIONAL_AT + 112 + 32 + 4, 8);

	(void)state;
	refuses(&p, FILE_BYTES,
		"it is signed, which more sections would break; take the file as its package has "
		"it");
}

static void signed_file_of_32_bits_is_refused(void **state)
{
	struct program p = program_with_le32(OPTIONAL_AT + 96 + 32 + 4, 8);

	(void)state;
	put_le16(p.bytes + OPTIONAL_AT, 0x10b);
	put_le32(p.bytes + OPTIONAL_AT + 92, 16);
	refuses(&p, FILE_BYTES,
		"it is signed, which more sections would break; take the file as its package has "
		"it");
}

static void headers_behind_the_end_are_refused(void **state)
{
	struct program p = program_with_le32(OPTIONAL_AT + 60, FILE_BYTES + 1);

	(void)state;
	refuses(&p, FILE_BYTES, "its headers are cut off; take the file as its package has it");
}

static void more_sections_than_headers_hold_are_refused(void **state)
{
	struct program p = program();

	(void)state;
	put_le16(p.bytes + COFF_AT + 6, 65535);
	refuses(&p, FILE_BYTES, "its headers are cut off; take the file as its package has it");
}

static void section_behind_the_end_is_refused(void **state)
{
	struct program p = program_with_le32(SECTIONS_AT + 16, 0x209);

	(void)state;
	refuses(&p, FILE_BYTES,
		"its section 1 is at bytes 512 to 1033 of the file, which has 1032; take the file "
		"as its package has it");
}

static void section_in_the_headers_is_refused(void **state)
{
	struct program p = program_with_le32(SECTIONS_AT + 20, 0x1ff);

	(void)state;
	refuses(&p, FILE_BYTES,
		"its section 1 is at bytes 511 to 1023 of the file, which has 1032; take the file "
		"as its package has it");
}

static void file_without_room_for_headers_is_refused(void **state)
{
	struct program p = program();
	struct pe_section many[] = {two[0], two[0], two[0], two[0]};

	(void)state;
	refuses_sections((struct span){p.bytes, FILE_BYTES}, many, 4,
			 "its headers have room for 3 more sections, and 4 are to be added; take "
			 "another version of it");
}

static void section_that_is_there_already_is_refused(void **state)
{
	struct program p = program();

	(void)state;
	memcpy(p.bytes + SECTIONS_AT, ".linux", 6);
	refuses(&p, FILE_BYTES,
		"it has a section .linux already; take the file as its package has it");
}

static void section_of_4_gib_is_refused(void **state)
{
	struct program p = program();
	struct pe_section large = {".initrd", {p.bytes, (size_t)UINT32_MAX + 1}};

	(void)state;
	refuses_sections((struct span){p.bytes, FILE_BYTES}, &large, 1,
			 ".initrd has 4294967296 bytes, and a PE image less than 4 GiB; make it "
			 "smaller");
}

static void sections_of_4_gib_together_are_refused(void **state)
{
	struct program p = program();
	struct pe_section large[] = {
		{".initrd", {p.bytes, 3UL << 30}},
		{".linux", {p.bytes, 1UL << 30}},
	};

	(void)state;
	refuses_sections((struct span){p.bytes, FILE_BYTES}, large, 2,
			 "with .linux of 1073741824 bytes it ends at byte 4294991872, and a PE "
			 "image before 4 GiB; make it smaller");
}

static void memory_of_4_gib_is_refused(void **state)
{
	struct program p = program_with_le32(SECTIONS_AT + 12, 0xffffd000);

	(void)state;
	refuses(&p, FILE_BYTES,
		"with .linux of 6 bytes it ends at byte 4294967296, and a PE image before 4 GiB; "
		"make it smaller");
}

static void file_of_4_gib_is_refused(void **state)
{
	struct program p = program_with_le32(OPTIONAL_AT + 36, 0x10000);
	struct pe_section large = {".initrd", {p.bytes, (size_t)UINT32_MAX + 1 - 0x10000}};

	(void)state;
	refuses_sections((struct span){p.bytes, FILE_BYTES}, &large, 1,
			 "with .initrd of 4294901760 bytes it ends at byte 4294967296, and a PE "
			 "image before 4 GiB; make it smaller");
}

static void machine_is_read(void **state)
{
	struct program p = program();
	uint16_t machine = 0;

	(void)state;
	assert_true(pe_machine_of((struct span){p.bytes, FILE_BYTES}, &machine));
	assert_int_equal(machine, PE_MACHINE_X86_64);
}

static void file_without_headers_has_no_machine(void **state)
{
	uint16_t machine = 7;

	(void)state;
	assert_false(pe_machine_of((struct span){(const uint8_t *)"MZ", 2}, &machine));
	assert_int_equal(machine, 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_starts_at_the_next_page_of_memory),
		cmocka_unit_test(section_starts_at_the_files_alignment),
		cmocka_unit_test(section_has_its_size_in_memory_and_a_padded_one_in_the_file),
		cmocka_unit_test(section_has_its_name_and_is_data_to_read),
		cmocka_unit_test(headers_count_the_new_sections),
		cmocka_unit_test(symbols_behind_the_sections_are_left_out),
		cmocka_unit_test(what_was_there_stays),
		cmocka_unit_test(memory_alignment_above_a_page_is_kept),
		cmocka_unit_test(section_without_bytes_in_the_file_takes_memory),
		cmocka_unit_test(file_of_32_bits_will_do),
		cmocka_unit_test(file_that_is_no_program_is_refused),
		cmocka_unit_test(file_that_ends_before_its_headers_is_refused),
		cmocka_unit_test(header_far_behind_the_end_is_refused),
		cmocka_unit_test(optional_header_that_is_cut_off_is_refused),
		cmocka_unit_test(optional_header_that_is_too_short_is_refused),
		cmocka_unit_test(other_format_is_refused),
		cmocka_unit_test(alignment_that_is_no_power_of_two_is_refused),
		cmocka_unit_test(alignment_of_nothing_is_refused),
		cmocka_unit_test(alignment_above_64_kib_is_refused),
		cmocka_unit_test(signed_file_is_refused),
		cmocka_unit_test(signed_file_of_32_bits_is_refused),
		cmocka_unit_test(headers_behind_the_end_are_refused),
		cmocka_unit_test(more_sections_than_headers_hold_are_refused),
		cmocka_unit_test(section_behind_the_end_is_refused),
		cmocka_unit_test(section_in_the_headers_is_refused),
		cmocka_unit_test(file_without_room_for_headers_is_refused),
		cmocka_unit_test(section_that_is_there_already_is_refused),
		cmocka_unit_test(section_of_4_gib_is_refused),
		cmocka_unit_test(sections_of_4_gib_together_are_refused),
		cmocka_unit_test(memory_of_4_gib_is_refused),
		cmocka_unit_test(file_of_4_gib_is_refused),
		cmocka_unit_test(machine_is_read),
		cmocka_unit_test(file_without_headers_has_no_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
