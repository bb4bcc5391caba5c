/* A program that takes sections once is whole: it is read again, has each of them, and refuses them
 * a second time. What kernels are is told from the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "bootloader/kernel.h"
#include "bootloader/pe.h"
#include "flash/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pe_section section = {".linux", {(const uint8_t *)"kernel", 6}};
	struct span file = {data, size};
	CLEANUP(freep) uint8_t *once = NULL;
	CLEANUP(freep) uint8_t *twice = NULL;
	size_t n_once = 0;
	size_t n_twice = 0;
	uint16_t machine = 0;
	struct err e;

	(void)kernel_check(file, "arm64", &e);
	(void)kernel_is_efi(file);
	(void)kernel_is_efi_zboot(file);
	if (pe_append(file, &section, 1, &once, &n_once, &e) < 0)
		return 0;
	struct span image = {once, n_once};
	if (!pe_machine_of(image, &machine) || !memmem(once, n_once, "kernel", 6) ||
	    pe_append(image, &section, 1, &twice, &n_twice, &e) == 0)
		abort();
	return 0;
}
