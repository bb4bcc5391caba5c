/* The Content-Range of a reply. */
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/http_resource.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *range = strndup((const char *)data, size);
	const struct http_resource r = {.size_bytes = SIZE_UNKNOWN};
	const struct http_reply reply = {.status = 206, .content_range = range};
	uint64_t skip_bytes = 0;
	struct err e;

	if (range)
		(void)http_resource_check(&r, &reply, 4, &skip_bytes, &e);
	return 0;
}
