/* Board against image. See check.h. */
#include "bootloader/check.h"

#include <inttypes.h>
#include <string.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/parse.h"

enum { MAGIC_MAX_BYTES = 64 }; /* profile.h: at most 128 digits */

static size_t magic_bytes(const struct board_blob *blob)
{
	return blob->magic ? strlen(blob->magic) / 2 : 0;
}

/* On the medium; at most PROFILE_BLOB_END_MAX_BYTES. */
static size_t magic_offset_bytes(const struct board_blob *blob)
{
	return (size_t)(blob->offset_bytes + blob->magic_at_bytes);
}

size_t boot_check_head_bytes(const struct board *b)
{
	size_t n_bytes = 0;

	for (unsigned i = 0; i < b->n_blobs; i++) {
		size_t end_bytes = magic_offset_bytes(&b->blobs[i]) + magic_bytes(&b->blobs[i]);
		n_bytes = b->blobs[i].magic && end_bytes > n_bytes ? end_bytes : n_bytes;
	}
	return n_bytes;
}

static bool is_table_wanted(enum board_table wanted, enum table_kind kind)
{
	switch (wanted) {
	case BOARD_TABLE_ANY:
		return true;
	case BOARD_TABLE_MBR:
		return kind == TABLE_MBR;
	case BOARD_TABLE_GPT:
		return kind == TABLE_GPT;
	case BOARD_TABLE_MBR_OR_GPT:
		return kind == TABLE_MBR || kind == TABLE_GPT;
	}
	return false;
}

static bool has_type(const struct board_partition *wanted, const char *type)
{
	for (unsigned i = 0; i < wanted->n_types; i++)
		if (strcmp(wanted->types[i], type) == 0)
			return true;
	return false;
}

const struct table_partition *boot_find_partition(const struct board_partition *wanted,
						  const struct table *t)
{
	for (size_t i = 0; i < t->n_partitions; i++)
		if (has_type(wanted, t->partitions[i].type))
			return &t->partitions[i];
	return NULL;
}

static int check_partition(const struct board_partition *wanted, const struct table *t,
			   struct err *e)
{
	CLEANUP(buf_release) struct buf types = {0};
	const char *text = NULL;

	if (boot_find_partition(wanted, t))
		return 0;
	for (unsigned i = 0; i < wanted->n_types; i++)
		buf_printf(&types, "%s%s", i > 0 ? " or " : "", wanted->types[i]);
	if (buf_text(&types, &text, e) < 0)
		return -1;
	return err_set(e, ERR_REFUSED, "there is no %s: none of the %zu partitions is of type %s",
		       wanted->name, t->n_partitions, text);
}

/* Of a blob without a magic only the place is known, and nothing is asked. */
static int check_blob(const struct board_blob *blob, const uint8_t *head, size_t head_bytes,
		      struct err *e)
{
	uint8_t magic[MAGIC_MAX_BYTES];
	size_t n_bytes = magic_bytes(blob);
	size_t offset_bytes = magic_offset_bytes(blob);

	if (!blob->magic)
		return 0;
	if (!parse_hex(blob->magic, magic, n_bytes))
		return err_set(e, ERR_USAGE, "magic `%s` of %s is not hex", blob->magic,
			       blob->name);
	if (head_bytes < n_bytes || offset_bytes > head_bytes - n_bytes)
		return err_set(
			e, ERR_REFUSED,
			"the image ends at byte %zu, before the end of the %s at byte %" PRIu64,
			head_bytes, blob->name, blob->offset_bytes);
	if (memcmp(head + offset_bytes, magic, n_bytes) != 0)
		return err_set(e, ERR_REFUSED, "there is no %s at byte %" PRIu64 " (%s)",
			       blob->name, blob->offset_bytes, blob->magic);
	return 0;
}

int boot_check_image(const struct board *b, const struct table *t, const uint8_t *head,
		     size_t head_bytes, struct err *e)
{
	if (!is_table_wanted(b->table, t->kind))
		return err_set(e, ERR_REFUSED, "the image has partition table %s, not %s",
			       table_kind_name(t->kind), board_table_name(b->table));
	for (unsigned i = 0; i < b->n_partitions; i++)
		if (check_partition(&b->partitions[i], t, e) < 0)
			return -1;
	for (unsigned i = 0; i < b->n_blobs; i++)
		if (check_blob(&b->blobs[i], head, head_bytes, e) < 0)
			return -1;
	return 0;
}
