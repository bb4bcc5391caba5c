/* PE/COFF images, which UEFI programs are: their machine, and putting sections behind those that
 * are there. Pure.
 *
 * Source: Microsoft, PE Format; UEFI Specification 2.10, section 2.1.1 "UEFI Images". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/bytes.h"
#include "flash/base/err.h"

enum pe_machine {
	PE_MACHINE_I386 = 0x014c,
	PE_MACHINE_ARM = 0x01c2, /* Thumb: what UEFI asks of arm */
	PE_MACHINE_RISCV64 = 0x5064,
	PE_MACHINE_X86_64 = 0x8664,
	PE_MACHINE_ARM64 = 0xaa64,
};

enum { PE_SECTION_NAME_BYTES = 8 };

/* False, with *out left alone, when file does not start with the headers of a PE image. */
bool pe_machine_of(struct span file, uint16_t *out);

struct pe_section {
	const char *name; /* borrowed; 1 to PE_SECTION_NAME_BYTES letters: ".linux" */
	struct span content;
};

/* A copy of image with sections behind its own, to be read only, each at the next page. What is
 * behind the image's last section (symbols of a debugger) is left out. Fails with ERR_USAGE for
 * what is no PE image or a damaged one, for one that is signed, has a section of that name already,
 * or has no room for more headers, and for what makes 4 GiB or more; with ERR_IO without memory.
 * out_bytes becomes the caller's. */
int pe_append(struct span image, const struct pe_section *sections, size_t n_sections,
	      uint8_t **out_bytes, size_t *out_n_bytes, struct err *e);
