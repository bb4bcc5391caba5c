/* Sections of a signed image. See frame.h. */
#include "flash/image/frame.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"

enum {
	TAG_BYTES = 4,
	/* Where the members of a section begin: image format, "Two shapes". */
	AT_LENGTH = 4,
	AT_OWNER = 8,
	AT_TAG = 12,
	AT_N_BYTES = 16,
	/* What the skippable frame's own length counts besides the content. */
	INNER_HEADER_BYTES = FRAME_HEADER_BYTES - AT_OWNER,
};

static const uint32_t skippable_magic = 0x184d2a50; /* RFC 8878, 3.1.2 */
static const char owner[TAG_BYTES] = {'L', 'K', 'F', '1'};

bool frame_has_magic(const uint8_t *bytes, size_t n_bytes)
{
	return n_bytes >= AT_TAG && le32(bytes) == skippable_magic &&
	       memcmp(bytes + AT_OWNER, owner, sizeof owner) == 0;
}

void frame_append(struct buf *out, const char *tag, const void *bytes, size_t n_bytes)
{
	uint8_t h[FRAME_HEADER_BYTES] = {0};

	if (n_bytes > UINT32_MAX - INNER_HEADER_BYTES) {
		out->is_failed = true; /* no frame holds so much */
		return;
	}
	put_le32(h, skippable_magic);
	put_le32(h + AT_LENGTH, (uint32_t)n_bytes + INNER_HEADER_BYTES);
	memcpy(h + AT_OWNER, owner, sizeof owner);
	memcpy(h + AT_TAG, tag, TAG_BYTES);
	put_le64(h + AT_N_BYTES, n_bytes);
	buf_append(out, h, sizeof h);
	buf_append(out, bytes, n_bytes);
}

static int read_whole(struct source *s, const char *tag, uint8_t *bytes, size_t n_bytes,
		      struct err *e)
{
	size_t n_read = 0;

	if (source_read_full(s, bytes, n_bytes, &n_read, e) < 0)
		return err_wrap(e, "reading section %s", tag);
	if (n_read < n_bytes)
		return err_set(e, ERR_UNTRUSTED,
			       "section %s is cut short; get the signed image again", tag);
	return 0;
}

static int check_header(const uint8_t *h, const char *tag, size_t min_bytes, size_t max_bytes,
			struct err *e)
{
	if (!frame_has_magic(h, FRAME_HEADER_BYTES) || memcmp(h + AT_TAG, tag, TAG_BYTES) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "section %s is not where it belongs; get the signed image again",
			       tag);
	uint64_t n_bytes = le64(h + AT_N_BYTES);
	if (n_bytes < min_bytes || n_bytes > max_bytes)
		return err_set(e, ERR_UNTRUSTED,
			       "section %s has %llu bytes; %zu to %zu are allowed", tag,
			       (unsigned long long)n_bytes, min_bytes, max_bytes);
	if (le32(h + AT_LENGTH) != n_bytes + INNER_HEADER_BYTES)
		return err_set(e, ERR_UNTRUSTED, "section %s has two different lengths", tag);
	return 0;
}

int frame_read(struct source *s, const char *tag, size_t min_bytes, size_t max_bytes,
	       struct buf *out, struct err *e)
{
	uint8_t h[FRAME_HEADER_BYTES];

	if (read_whole(s, tag, h, sizeof h, e) < 0 ||
	    check_header(h, tag, min_bytes, max_bytes, e) < 0)
		return -1;
	size_t n_bytes = le64(h + AT_N_BYTES);
	CLEANUP(freep) uint8_t *bytes = malloc(n_bytes ? n_bytes : 1);
	if (!bytes)
		return err_errno(e, "reading section %s", tag);
	if (read_whole(s, tag, bytes, n_bytes, e) < 0)
		return -1;
	*out = (struct buf){.bytes = TAKE(bytes), .n_bytes = n_bytes, .capacity_bytes = n_bytes};
	return 0;
}
