/* Board profiles: any bytes give a board or an error, and nothing leaks. */
#include <stddef.h>
#include <stdint.h>

#include "boards/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct board *b = NULL;
	struct err e;

	if (board_parse("fuzz.yaml", data, size, &b, &e) == 0)
		board_free(b);
	return 0;
}
