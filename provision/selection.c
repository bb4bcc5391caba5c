/* Board, image and floor against each other. See selection.h. */
#include "provision/selection.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/check.h"
#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/log.h"
#include "flash/base/units.h"
#include "flash/trust/floor.h"

/* "a, b, c" */
static int list_boards(const struct manifest *m, struct buf *out, const char **out_text,
		       struct err *e)
{
	for (size_t i = 0; i < m->n_boards; i++)
		buf_printf(out, "%s%s", i ? ", " : "", m->boards[i]);
	return buf_text(out, out_text, e);
}

int selection_board(const struct registry *r, const struct manifest *m, const char *id,
		    const struct board **out, struct err *e)
{
	CLEANUP(buf_release) struct buf boards = {0};
	const char *names = NULL;

	if (m && list_boards(m, &boards, &names, e) < 0)
		return -1;
	if (!id && !m)
		return err_set(e, ERR_USAGE,
			       "an unsigned image does not say its board; name it "
			       "with --board ID (`lkflash boards` lists them)");
	if (!id && m->n_boards != 1)
		return err_set(e, ERR_USAGE,
			       "the image is for the boards %s; say which with --board ID", names);
	if (id && m && !manifest_has_board(m, id))
		return err_set(e, ERR_REFUSED,
			       "the image is for %s, not for %s; get the image for this board, or "
			       "name the right board with --board",
			       names, id);
	return registry_by_id(r, id ? id : m->boards[0], out, e);
}

int selection_check_state(const char *state_dir, const struct manifest *m, struct err *e)
{
	bool is_raised = m && (m->rollback_group[0] || m->build_time_s);

	if (is_raised && floor_check_folder(state_dir, e) < 0)
		return err_hint(e, "name another with --state-dir DIR");
	return 0;
}

int selection_check_floor(const char *state_dir, const struct manifest *m, struct err *e)
{
	uint64_t floor_version = 0;

	if (!m || !m->rollback_group[0])
		return 0;
	if (floor_security_version(state_dir, m->rollback_group, &floor_version, e) < 0)
		return -1;
	if (m->security_version < floor_version)
		return err_set(e, ERR_REFUSED,
			       "security version %" PRIu64 " of %s is below %" PRIu64
			       ", which was written from here before; get a newer image",
			       m->security_version, m->rollback_group, floor_version);
	return 0;
}

void layout_seen_release(struct layout_seen *l)
{
	table_free(l->table);
}

/* What the image itself says, else what its manifest says, else the usual. */
static uint32_t sector_of(const struct image *im, const uint8_t *head, size_t head_bytes)
{
	const struct manifest *m = image_manifest(im);
	uint32_t sector_bytes = table_gpt_sector_bytes(head, head_bytes);

	if (sector_bytes)
		return sector_bytes;
	return m ? m->sector_bytes : 512;
}

/* Parse the table in what was seen. Who expects no layout takes a damaged table for none: an image
 * may well begin with something else that looks like one. */
static int read_table(const struct layout_seen *l, bool is_expected, uint64_t medium_size_bytes,
		      uint32_t sector_bytes, struct table **out, struct err *e)
{
	size_t head_bytes = (size_t)min_u64(l->head_bytes, TABLE_HEAD_BYTES);
	struct err why = {0};

	if (table_parse(l->head, head_bytes, medium_size_bytes, sector_bytes, out, &why) == 0)
		return 0;
	if (is_expected || why.code != ERR_UNTRUSTED) {
		*e = why;
		return err_wrap(e, "partition table of the image");
	}
	log_debug("taken for no partition table: %s", why.text);
	struct table *none = calloc(1, sizeof *none);
	if (!none)
		return err_errno(e, "partition table of the image");
	none->sector_bytes = sector_bytes;
	*out = none;
	return 0;
}

static bool is_for_generic(const struct image *im)
{
	const struct manifest *m = image_manifest(im);

	return !m || manifest_has_board(m, "generic");
}

int selection_look(struct image *im, const struct board *b, uint64_t medium_size_bytes,
		   struct layout_seen *out, struct err *e)
{
	size_t wanted_bytes = TABLE_HEAD_BYTES;
	bool is_layout_expected = b && b->table != BOARD_TABLE_ANY;
	CLEANUP(table_freep) struct table *table = NULL;
	struct layout_seen seen = {0};

	if (b && boot_check_head_bytes(b) > wanted_bytes)
		wanted_bytes = boot_check_head_bytes(b);
	if (image_head(im, wanted_bytes, &seen.head, &seen.head_bytes, e) < 0)
		return err_wrap(e, "image");
	/* An image may end before its last partition does: it is the medium that must hold it. */
	medium_size_bytes = max_u64(medium_size_bytes, seen.head_bytes);
	if (image_size_bytes(im) != SIZE_UNKNOWN)
		medium_size_bytes = max_u64(medium_size_bytes, image_size_bytes(im));
	if (read_table(&seen, is_layout_expected, medium_size_bytes,
		       sector_of(im, seen.head, seen.head_bytes), &table, e) < 0)
		return -1;
	if (b && boot_check_image(b, table, seen.head, seen.head_bytes, e) < 0)
		return err_hint((err_wrap(e, "board %s", b->id), e),
				"`lkflash boards show %s` tells what it needs%s", b->id,
				is_for_generic(im) ? "; --board generic takes any layout" : "");
	seen.table = TAKE(table);
	*out = seen;
	return 0;
}

int selection_move_gpt(const struct layout_seen *l, uint64_t medium_size_bytes,
		       struct table_moved **out, struct err *e)
{
	size_t head_bytes = (size_t)min_u64(l->head_bytes, TABLE_HEAD_BYTES);

	if (l->table->kind != TABLE_GPT ||
	    !table_gpt_is_short(l->head, head_bytes, medium_size_bytes))
		return 0;
	return table_move_gpt(l->head, head_bytes, medium_size_bytes, l->table->sector_bytes, out,
			      e);
}
