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
static int read_table(const struct selection *s, uint64_t medium_size_bytes, struct table **out,
		      struct err *e)
{
	size_t head_bytes = (size_t)min_u64(s->head_bytes, TABLE_HEAD_BYTES);
	uint32_t sector_bytes = sector_of(s->image, s->head, s->head_bytes);
	bool is_expected = s->board && s->board->table != BOARD_TABLE_ANY;
	struct err why = {0};

	if (table_parse(s->head, head_bytes, medium_size_bytes, sector_bytes, out, &why) == 0)
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

int selection_read_head(struct selection *s, struct err *e)
{
	size_t wanted_bytes = TABLE_HEAD_BYTES;

	if (s->board && boot_check_head_bytes(s->board) > wanted_bytes)
		wanted_bytes = boot_check_head_bytes(s->board);
	if (image_head(s->image, wanted_bytes, &s->head, &s->head_bytes, e) < 0)
		return err_wrap(e, "image");
	return 0;
}

int selection_look(const struct selection *s, uint64_t medium_size_bytes, struct table **out,
		   struct err *e)
{
	const struct board *b = s->board;
	CLEANUP(table_freep) struct table *table = NULL;

	/* An image may end before its last partition does: it is the medium that must hold it. */
	medium_size_bytes = max_u64(medium_size_bytes, s->head_bytes);
	if (image_size_bytes(s->image) != SIZE_UNKNOWN)
		medium_size_bytes = max_u64(medium_size_bytes, image_size_bytes(s->image));
	if (read_table(s, medium_size_bytes, &table, e) < 0)
		return -1;
	if (b && boot_check_image(b, table, s->head, s->head_bytes, e) < 0)
		return err_hint((err_wrap(e, "board %s", b->id), e),
				"`lkflash boards show %s` tells what it needs%s", b->id,
				is_for_generic(s->image) ? "; --board generic takes any layout"
							 : "");
	*out = TAKE(table);
	return 0;
}

int selection_move_gpt(const struct selection *s, const struct table *t, uint64_t medium_size_bytes,
		       struct table_ends **out, struct err *e)
{
	size_t head_bytes = (size_t)min_u64(s->head_bytes, TABLE_HEAD_BYTES);

	if (t->kind != TABLE_GPT || !table_gpt_is_short(s->head, head_bytes, medium_size_bytes))
		return 0;
	return table_move_gpt(s->head, head_bytes, medium_size_bytes, t->sector_bytes, out, e);
}
