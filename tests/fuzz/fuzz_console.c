/* Fuzzing of what a console says: a machine may say anything, in pieces of any size. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "provision/build/console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(console_freep) struct console *whole = NULL;
	CLEANUP(console_freep) struct console *pieces = NULL;
	struct err e;

	if (console_new("ab", &whole, &e) < 0 || console_new("ab", &pieces, &e) < 0)
		return 0;
	console_take(whole, data, size);
	for (size_t i = 0; i < size; i++)
		console_take(pieces, data + i, 1);
	assert(console_has_said_it(whole) == console_has_said_it(pieces));
	assert(strcmp(console_last_line(whole), console_last_line(pieces)) == 0);
	return 0;
}
