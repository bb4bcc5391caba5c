/* The first step of an image: which methods, which table, how many slots. See build_private.h. */
#include <string.h>

#include "provision/build/build_private.h"

/* The request's method in place of the profile's of its kind. */
static int replace_method(struct build *b, struct err *e)
{
	const struct boot_method *given = NULL;

	if (!b->r.method)
		return 0;
	if (boot_method_by_name(b->r.method, &given, e) < 0)
		return err_wrap(e, "--method");
	for (size_t i = 0; i < b->n_methods; i++)
		if (b->methods[i]->kind == given->kind) {
			b->methods[i] = given;
			return 0;
		}
	return err_set(e, ERR_USAGE,
		       "--method %s: %s does not start that way; leave it out, the profile says %s",
		       b->r.method, b->r.board->id, b->methods[0]->name);
}

static int choose_methods(struct build *b, struct err *e)
{
	const struct board_build *wish = b->r.board->build;

	if (wish->n_methods == 0 || wish->n_methods > BUILD_METHODS_MAX)
		return err_set(e, ERR_USAGE,
			       "the profile of %s names %u boot methods; 1 to %d it is",
			       b->r.board->id, wish->n_methods, BUILD_METHODS_MAX);
	for (unsigned i = 0; i < wish->n_methods; i++)
		if (boot_method_by_name(wish->methods[i], &b->methods[b->n_methods++], e) < 0)
			return err_wrap(e, "the profile of %s", b->r.board->id);
	return replace_method(b, e);
}

static bool has_firmware_to_place(const struct board *board)
{
	for (unsigned i = 0; i < board->n_blobs; i++)
		if (board->blobs[i].file)
			return true;
	return board->build->n_boot_files > 0;
}

/* An image without its firmware would be made in silence, and start nothing. */
static int check_firmware_is_placed(const struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->n_methods; i++)
		if (b->methods[i]->kind == BOOT_FIRMWARE)
			return 0;
	if (!has_firmware_to_place(b->r.board))
		return 0;
	return err_set(e, ERR_USAGE,
		       "the profile of %s has firmware for blobs or boot files, and no method that "
		       "puts it there; name raw-blobs among its methods",
		       b->r.board->id);
}

static enum table_kind kind_of(enum board_table table)
{
	switch (table) {
	case BOARD_TABLE_MBR:
		return TABLE_MBR;
	case BOARD_TABLE_GPT:
	case BOARD_TABLE_ANY:
	case BOARD_TABLE_MBR_OR_GPT:
		break;
	}
	return TABLE_GPT;
}

static bool does_read(enum board_table board, enum board_table table)
{
	return board == BOARD_TABLE_ANY || board == BOARD_TABLE_MBR_OR_GPT || board == table;
}

static int choose_table(struct build *b, struct err *e)
{
	const struct board *board = b->r.board;

	if (b->r.table != BOARD_TABLE_ANY && !does_read(board->table, b->r.table))
		return err_set(
			e, ERR_USAGE, "--table %s: %s starts only from a medium with table %s",
			board_table_name(b->r.table), board->id, board_table_name(board->table));
	b->table = kind_of(b->r.table != BOARD_TABLE_ANY ? b->r.table : board->build->table);
	return 0;
}

static bool has_slotted_method(const struct build *b)
{
	for (size_t i = 0; i < b->n_methods; i++)
		if (b->methods[i]->has_slots)
			return true;
	return false;
}

static int choose_slots(struct build *b, struct err *e)
{
	const struct board *board = b->r.board;

	b->n_slots = b->r.n_slots > 0 ? b->r.n_slots : 1;
	if (b->n_slots == 1)
		return 0;
	if (b->n_slots > board->build->slots_max)
		return err_set(e, ERR_USAGE,
			       "--slots %u: the profile of %s makes at most %u; build it with "
			       "--slots 1",
			       b->n_slots, board->id, board->build->slots_max);
	if (!has_slotted_method(b))
		return err_set(e, ERR_USAGE,
			       "--slots %u: %s cannot choose between slots; name a --method that "
			       "can, or build it with --slots 1",
			       b->n_slots, b->methods[0]->title);
	return 0;
}

int build_choose(struct build *b, struct err *e)
{
	if (!b->r.board->build)
		return err_set(e, ERR_USAGE,
			       "the profile of %s has no `build` section: it says what an image "
			       "must hold, not how to make one",
			       b->r.board->id);
	if (choose_methods(b, e) < 0 || check_firmware_is_placed(b, e) < 0 ||
	    choose_table(b, e) < 0)
		return -1;
	return choose_slots(b, e);
}
