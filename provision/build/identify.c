/* The third step of an image: identifiers. See build_private.h and uuids.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "provision/build/build_private.h"
#include "provision/build/inputs_digest.h"

/* Everything that decides what the image holds, but for how large its medium is. */
static int digest_all(const struct build *b, struct digest *d, struct err *e)
{
	const struct payload *p = b->r.payload;
	const struct span payload = {p->digest, sizeof p->digest};
	size_t n_files = 0;
	const struct boot_firmware *files = firmware_files(b->r.firmware, &n_files);

	if (inputs_digest_text(d, "board", b->r.board->id, e) < 0 ||
	    inputs_digest_bytes(d, "payload", payload, e) < 0 ||
	    inputs_digest_u64(d, "table", b->table, e) < 0 ||
	    inputs_digest_u64(d, "slots", b->n_slots, e) < 0)
		return -1;
	for (size_t i = 0; i < b->n_methods; i++)
		if (inputs_digest_text(d, "method", b->methods[i]->name, e) < 0)
			return -1;
	for (size_t i = 0; i < n_files; i++)
		if (inputs_digest_text(d, "firmware", files[i].file, e) < 0 ||
		    inputs_digest_bytes(d, "content", files[i].content, e) < 0)
			return -1;
	return 0;
}

static int make_seed(struct build *b, struct err *e)
{
	CLEANUP(digest_freep) struct digest *d = NULL;

	if (b->r.seed)
		return digest_sha256(b->r.seed, strlen(b->r.seed), b->seed, e);
	if (digest_new(DIGEST_SHA256, &d, e) < 0 || digest_all(b, d, e) < 0)
		return -1;
	return digest_finish(d, b->seed, e);
}

static int identify_disk(struct build *b, uint32_t *out_id, struct err *e)
{
	uint8_t uuid[UUID_BYTES];
	char text[UUID_TEXT_BYTES];

	if (uuid_make(b->seed, "disk", "", uuid, e) < 0)
		return -1;
	*out_id = uuid_disk_id(uuid);
	if (b->table == TABLE_MBR)
		(void)snprintf(b->disk_id, sizeof b->disk_id, "0x%08" PRIx32, *out_id);
	else
		(void)snprintf(b->disk_id, sizeof b->disk_id, "%s", uuid_format(uuid, text));
	return 0;
}

/* PARTUUID= of an MBR's partition: Linux, block/partitions/msdos.c. */
static int identify_part(struct build *b, size_t i, uint32_t disk_id, struct err *e)
{
	struct build_part *p = &b->parts[i];
	uint8_t uuid[UUID_BYTES];

	if (uuid_make(b->seed, "partition", p->name, uuid, e) < 0 ||
	    uuid_make(b->seed, "file system", p->name, p->fs_uuid, e) < 0)
		return -1;
	if (b->table == TABLE_MBR) {
		(void)snprintf(p->part_uuid, sizeof p->part_uuid, "%08" PRIx32 "-%02zx", disk_id,
			       i + 1);
		return 0;
	}
	(void)uuid_format(uuid, p->uuid);
	memcpy(p->part_uuid, p->uuid, sizeof p->part_uuid);
	return 0;
}

int build_identify(struct build *b, struct err *e)
{
	uint32_t disk_id = 0;

	if (make_seed(b, e) < 0 || identify_disk(b, &disk_id, e) < 0)
		return -1;
	for (size_t i = 0; i < b->n_parts; i++)
		if (identify_part(b, i, disk_id, e) < 0)
			return -1;
	return 0;
}
