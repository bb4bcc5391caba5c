/* PE headers, read and extended. See pe.h. */
#include "bootloader/pe.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"

/* Where things are, from the start of the header that they are in. */
enum {
	DOS_HEADER_BYTES = 64,
	DOS_PE_AT = 60,

	COFF_BYTES = 24, /* with the four of its signature */
	COFF_MACHINE = 4,
	COFF_N_SECTIONS = 6,
	COFF_SYMBOLS = 12,
	COFF_N_SYMBOLS = 16,
	COFF_OPTIONAL_BYTES = 20,

	OPTIONAL_MAGIC = 0,
	OPTIONAL_DATA_BYTES = 8, /* SizeOfInitializedData */
	OPTIONAL_SECTION_ALIGN = 32,
	OPTIONAL_FILE_ALIGN = 36,
	OPTIONAL_IMAGE_BYTES = 56,
	OPTIONAL_HEADERS_BYTES = 60,
	OPTIONAL_CHECKSUM = 64,
	OPTIONAL_N_DIRECTORIES_32 = 92,
	OPTIONAL_N_DIRECTORIES_64 = 108,

	PE32_MAGIC = 0x10b,
	PE32_PLUS_MAGIC = 0x20b,
	DIRECTORY_BYTES = 8,
	DIRECTORY_SECURITY = 4, /* its number: where a signature is in the file */

	SECTION_BYTES = 40,
	SECTION_VIRTUAL_BYTES = 8,
	SECTION_ADDRESS = 12,
	SECTION_RAW_BYTES = 16,
	SECTION_RAW_AT = 20,
	SECTION_FLAGS = 36,
	SECTION_IS_DATA_TO_READ = 0x40000040,

	/* Firmware that protects sections does so by pages: of 4 KiB, on all machines of UEFI. */
	PAGE_BYTES = 4096,
	ALIGN_MAX_BYTES = 65536,
};

/* What the headers say. */
struct pe {
	struct span image;
	size_t coff_at;
	size_t optional_at;
	size_t sections_at;
	size_t n_sections;
	uint32_t section_align_bytes;
	uint32_t file_align_bytes;
	uint32_t headers_bytes;
	uint64_t raw_end_bytes;     /* of the last section in the file */
	uint64_t virtual_end_bytes; /* and in memory */
};

static bool has_bytes(struct span s, uint64_t at, uint64_t n_bytes)
{
	return n_bytes <= s.n_bytes && at <= s.n_bytes - n_bytes;
}

static bool find_coff(struct span file, size_t *out_at)
{
	if (file.n_bytes < DOS_HEADER_BYTES || memcmp(file.bytes, "MZ", 2) != 0)
		return false;
	uint32_t at = le32(file.bytes + DOS_PE_AT);
	if (!has_bytes(file, at, COFF_BYTES) || memcmp(file.bytes + at, "PE\0\0", 4) != 0)
		return false;
	*out_at = at;
	return true;
}

bool pe_machine_of(struct span file, uint16_t *out)
{
	size_t coff_at = 0;

	if (!find_coff(file, &coff_at))
		return false;
	*out = le16(file.bytes + coff_at + COFF_MACHINE);
	return true;
}

static int refuse(const char *reason, struct err *e)
{
	return err_set(e, ERR_USAGE, "%s; take the file as its package has it", reason);
}

static bool is_alignment(uint32_t bytes)
{
	return bytes > 0 && bytes <= ALIGN_MAX_BYTES && (bytes & (bytes - 1)) == 0;
}

/* The fields of the optional header that both formats have at the same place. */
static int read_optional(struct pe *pe, size_t n_bytes, struct err *e)
{
	const uint8_t *optional = pe->image.bytes + pe->optional_at;

	if (n_bytes < OPTIONAL_CHECKSUM + 4 || !has_bytes(pe->image, pe->optional_at, n_bytes))
		return refuse("its optional header is cut off", e);
	uint16_t magic = le16(optional + OPTIONAL_MAGIC);
	if (magic != PE32_MAGIC && magic != PE32_PLUS_MAGIC)
		return refuse("its optional header is neither PE32 nor PE32+", e);
	pe->section_align_bytes = le32(optional + OPTIONAL_SECTION_ALIGN);
	pe->file_align_bytes = le32(optional + OPTIONAL_FILE_ALIGN);
	pe->headers_bytes = le32(optional + OPTIONAL_HEADERS_BYTES);
	if (!is_alignment(pe->section_align_bytes) || !is_alignment(pe->file_align_bytes))
		return refuse("its sections are not aligned to a power of two up to 64 KiB", e);

	size_t count_at =
		magic == PE32_MAGIC ? OPTIONAL_N_DIRECTORIES_32 : OPTIONAL_N_DIRECTORIES_64;
	size_t security_at = count_at + 4 + (size_t)DIRECTORY_SECURITY * DIRECTORY_BYTES;
	bool has_security = n_bytes >= security_at + DIRECTORY_BYTES &&
			    le32(optional + count_at) > DIRECTORY_SECURITY;
	if (has_security && !bytes_are_zero(optional + security_at, DIRECTORY_BYTES))
		return refuse("it is signed, which more sections would break", e);
	return 0;
}

static const uint8_t *section(const struct pe *pe, size_t index)
{
	return pe->image.bytes + pe->sections_at + index * SECTION_BYTES;
}

static int read_section(struct pe *pe, size_t index, struct err *e)
{
	const uint8_t *s = section(pe, index);
	uint64_t raw_at = le32(s + SECTION_RAW_AT);
	uint64_t raw_bytes = le32(s + SECTION_RAW_BYTES);
	uint64_t virtual_bytes = max_u64(raw_bytes, le32(s + SECTION_VIRTUAL_BYTES));

	if (raw_bytes > 0 &&
	    (raw_at < pe->headers_bytes || !has_bytes(pe->image, raw_at, raw_bytes)))
		return err_set(e, ERR_USAGE,
			       "its section %zu is at bytes %" PRIu64 " to %" PRIu64
			       " of the file, which has %zu; take the file as its package has it",
			       index + 1, raw_at, raw_at + raw_bytes, pe->image.n_bytes);
	if (raw_bytes > 0)
		pe->raw_end_bytes = max_u64(pe->raw_end_bytes, raw_at + raw_bytes);
	pe->virtual_end_bytes =
		max_u64(pe->virtual_end_bytes, le32(s + SECTION_ADDRESS) + virtual_bytes);
	return 0;
}

static int read_headers(struct span image, struct pe *pe, struct err *e)
{
	*pe = (struct pe){.image = image};
	if (!find_coff(image, &pe->coff_at))
		return refuse("it is no PE image", e);

	const uint8_t *coff = image.bytes + pe->coff_at;
	size_t optional_bytes = le16(coff + COFF_OPTIONAL_BYTES);
	pe->n_sections = le16(coff + COFF_N_SECTIONS);
	pe->optional_at = pe->coff_at + COFF_BYTES;
	pe->sections_at = pe->optional_at + optional_bytes;
	if (read_optional(pe, optional_bytes, e) < 0)
		return -1;
	if (pe->headers_bytes > image.n_bytes ||
	    pe->sections_at + pe->n_sections * SECTION_BYTES > pe->headers_bytes)
		return refuse("its headers are cut off", e);
	pe->raw_end_bytes = pe->headers_bytes;
	pe->virtual_end_bytes = pe->headers_bytes;
	for (size_t i = 0; i < pe->n_sections; i++)
		if (read_section(pe, i, e) < 0)
			return -1;
	return 0;
}

static bool has_section(const struct pe *pe, const char *name)
{
	for (size_t i = 0; i < pe->n_sections; i++)
		if (strncmp((const char *)section(pe, i), name, PE_SECTION_NAME_BYTES) == 0)
			return true;
	return false;
}

static int check_room(const struct pe *pe, const struct pe_section *sections, size_t n_sections,
		      struct err *e)
{
	size_t n_free = (pe->headers_bytes - pe->sections_at) / SECTION_BYTES - pe->n_sections;

	if (n_sections > n_free)
		return err_set(e, ERR_USAGE,
			       "its headers have room for %zu more sections, and %zu are to be "
			       "added; take another version of it",
			       n_free, n_sections);
	for (size_t i = 0; i < n_sections; i++)
		if (has_section(pe, sections[i].name))
			return err_set(e, ERR_USAGE,
				       "it has a section %s already; take the file as its package "
				       "has it",
				       sections[i].name);
	return 0;
}

/* Where sections go, in the file and in memory. */
struct place {
	uint64_t raw_at;
	uint64_t address;
};

static uint64_t address_align(const struct pe *pe)
{
	return max_u64(pe->section_align_bytes, PAGE_BYTES);
}

static struct place first_place(const struct pe *pe)
{
	return (struct place){
		.raw_at = align_up(pe->raw_end_bytes, pe->file_align_bytes),
		.address = align_up(pe->virtual_end_bytes, address_align(pe)),
	};
}

static struct place next_place(const struct pe *pe, struct place p, size_t n_bytes)
{
	return (struct place){
		.raw_at = align_up(p.raw_at + n_bytes, pe->file_align_bytes),
		.address = align_up(p.address + n_bytes, address_align(pe)),
	};
}

static int check_sizes(const struct pe *pe, const struct pe_section *sections, size_t n_sections,
		       size_t *out_n_bytes, struct err *e)
{
	struct place p = first_place(pe);

	for (size_t i = 0; i < n_sections; i++) {
		if (sections[i].content.n_bytes > UINT32_MAX)
			return err_set(e, ERR_USAGE,
				       "%s has %zu bytes, and a PE image less than 4 GiB; make it "
				       "smaller",
				       sections[i].name, sections[i].content.n_bytes);
		p = next_place(pe, p, sections[i].content.n_bytes);
		uint64_t end_bytes = max_u64(p.raw_at, p.address);
		if (end_bytes > UINT32_MAX)
			return err_set(e, ERR_USAGE,
				       "with %s of %zu bytes it ends at byte %" PRIu64
				       ", and a PE image before 4 GiB; make it smaller",
				       sections[i].name, sections[i].content.n_bytes, end_bytes);
	}
	*out_n_bytes = (size_t)p.raw_at;
	return 0;
}

static void put_section(const struct pe *pe, uint8_t *bytes, size_t index,
			const struct pe_section *s, struct place p)
{
	uint8_t *header = bytes + pe->sections_at + index * SECTION_BYTES;
	size_t n_bytes = s->content.n_bytes;

	memset(header, 0, SECTION_BYTES);
	memcpy(header, s->name, strlen(s->name));
	put_le32(header + SECTION_VIRTUAL_BYTES, (uint32_t)n_bytes);
	put_le32(header + SECTION_ADDRESS, (uint32_t)p.address);
	put_le32(header + SECTION_RAW_BYTES, (uint32_t)align_up(n_bytes, pe->file_align_bytes));
	put_le32(header + SECTION_RAW_AT, (uint32_t)p.raw_at);
	put_le32(header + SECTION_FLAGS, SECTION_IS_DATA_TO_READ);
	if (n_bytes > 0)
		memcpy(bytes + p.raw_at, s->content.bytes, n_bytes);
}

static void put_headers(const struct pe *pe, uint8_t *bytes, size_t n_added, size_t n_raw_bytes,
			uint64_t end_address)
{
	uint8_t *coff = bytes + pe->coff_at;
	uint8_t *optional = bytes + pe->optional_at;

	put_le16(coff + COFF_N_SECTIONS, (uint16_t)(pe->n_sections + n_added));
	put_le32(coff + COFF_SYMBOLS, 0);
	put_le32(coff + COFF_N_SYMBOLS, 0);
	put_le32(optional + OPTIONAL_DATA_BYTES,
		 le32(optional + OPTIONAL_DATA_BYTES) + (uint32_t)n_raw_bytes);
	put_le32(optional + OPTIONAL_IMAGE_BYTES, (uint32_t)end_address);
	/* UEFI does not look at it, and a signature leaves it out. */
	put_le32(optional + OPTIONAL_CHECKSUM, 0);
}

int pe_append(struct span image, const struct pe_section *sections, size_t n_sections,
	      uint8_t **out_bytes, size_t *out_n_bytes, struct err *e)
{
	struct pe pe;
	size_t n_bytes = 0;

	if (read_headers(image, &pe, e) < 0 || check_room(&pe, sections, n_sections, e) < 0 ||
	    check_sizes(&pe, sections, n_sections, &n_bytes, e) < 0)
		return -1;

	CLEANUP(freep) uint8_t *bytes = calloc(1, n_bytes);
	struct place p = first_place(&pe);
	if (!bytes)
		return err_errno(e, "a PE image of %zu bytes", n_bytes);
	memcpy(bytes, image.bytes, (size_t)pe.raw_end_bytes);
	for (size_t i = 0; i < n_sections; i++) {
		assert(strlen(sections[i].name) <= PE_SECTION_NAME_BYTES);
		put_section(&pe, bytes, pe.n_sections + i, &sections[i], p);
		p = next_place(&pe, p, sections[i].content.n_bytes);
	}
	put_headers(&pe, bytes, n_sections, n_bytes - (size_t)first_place(&pe).raw_at, p.address);
	*out_bytes = TAKE(bytes);
	*out_n_bytes = n_bytes;
	return 0;
}
