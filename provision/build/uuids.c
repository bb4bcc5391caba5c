/* Identifiers made from a seed. See uuids.h. */
#include "provision/build/uuids.h"

#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/parse.h"

int uuid_make(const uint8_t seed[SHA256_BYTES], const char *purpose, const char *name,
	      uint8_t out[UUID_BYTES], struct err *e)
{
	CLEANUP(digest_freep) struct digest *d = NULL;
	uint8_t sha256[SHA256_BYTES];

	/* The NUL behind purpose keeps it apart from the name. */
	if (digest_new(DIGEST_SHA256, &d, e) < 0 || digest_update(d, seed, SHA256_BYTES, e) < 0 ||
	    digest_update(d, purpose, strlen(purpose) + 1, e) < 0 ||
	    digest_update(d, name, strlen(name), e) < 0 || digest_finish(d, sha256, e) < 0)
		return -1;
	memcpy(out, sha256, UUID_BYTES);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x80); /* version 8 */
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
	return 0;
}

const char *uuid_format(const uint8_t uuid[UUID_BYTES], char text[UUID_TEXT_BYTES])
{
	static const uint8_t group_bytes[] = {4, 2, 2, 2, 6};
	char *at = text;

	for (size_t i = 0; i < sizeof group_bytes; i++) {
		if (i > 0)
			*at++ = '-';
		(void)format_hex(uuid, group_bytes[i], at);
		uuid += group_bytes[i];
		at += (size_t)2 * group_bytes[i];
	}
	return text;
}

uint32_t uuid_disk_id(const uint8_t uuid[UUID_BYTES])
{
	uint32_t id = le32(uuid);

	return id ? id : 1;
}
