/* Any bytes as the three sections of a signed image, in their order. */
#include "flash/image/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTION_MAX_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tags[] = {"MANI", "SIGN", "INDX"};
	struct source *s = NULL;
	struct err e;

	if (source_mem_new(data, size, &s, &e) < 0)
		return 0;
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		struct buf content = {0};
		if (frame_read(s, tags[i], 1, SECTION_MAX_BYTES, &content, &e) < 0)
			break;
		buf_release(&content);
	}
	source_free(s);
	return 0;
}
