/* What will be built, in words. See build.h. */
#include <inttypes.h>

#include "flash/base/units.h"
#include "provision/build/build_private.h"

static const char *content_words(const struct build_part *p)
{
	switch (p->wish->content) {
	case CONTENT_NONE:
		return "nothing in it";
	case CONTENT_BOOT:
		return "boot files";
	case CONTENT_SELECT:
		return "what chooses the slot";
	case CONTENT_ROOT:
		return "the root file system";
	case CONTENT_DATA:
		return "room for data";
	case CONTENT_FILE:
		return "firmware";
	}
	return "";
}

static bool are_files_listed(const struct build_part *p)
{
	return p->tree == &p->own;
}

static uint64_t tree_files(const struct tree *t)
{
	uint64_t n_files = 0;

	for (size_t i = 0; i < t->n_entries; i++)
		n_files += t->entries[i].kind != TREE_FOLDER;
	return n_files;
}

/* ---- For people ---- */

static void put_size(struct buf *out, uint64_t size_bytes)
{
	char text[UNITS_TEXT_BYTES];

	buf_printf(out, "%" PRIu64 " bytes (%s)", size_bytes, units_format_bytes(size_bytes, text));
}

static void put_head(const struct build *b, struct buf *out)
{
	const struct board *board = b->r.board;

	buf_printf(out, "board   %s, %s\n", board->id, board->name);
	buf_append_text(out, "medium  ");
	put_size(out, b->layout.medium_size_bytes);
	buf_printf(out, ", at least %" PRIu64 "\n", b->minimum_bytes);
	buf_printf(out, "table   %s, %s\n", table_kind_name(b->table), b->disk_id);
	for (size_t i = 0; i < b->n_methods; i++)
		buf_printf(out, "boot    %s: %s\n", b->methods[i]->name, b->methods[i]->title);
	for (unsigned slot = 0; slot < b->n_slots; slot++) {
		buf_append_text(out, b->n_slots > 1 ? "slot " : "kernel");
		buf_append_text(out, b->slots[slot].name);
		buf_append_text(out, "  ");
		buf_append_clean(out, b->cmdlines[slot]);
		buf_append_text(out, "\n");
	}
}

static void put_tree(const struct tree *t, struct buf *out)
{
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct tree_entry *entry = &t->entries[i];
		if (entry->kind == TREE_FOLDER)
			continue;
		buf_printf(out, "    %12" PRIu64 "  ", entry->size_bytes);
		buf_append_clean(out, entry->path);
		buf_append_text(out, "\n");
	}
}

static void put_content(const struct build_part *p, struct buf *out)
{
	char uuid[UUID_TEXT_BYTES];

	buf_printf(out, "    %s", content_words(p));
	if (p->file)
		buf_printf(out, ": %s, %zu bytes", p->file, p->bytes.n_bytes);
	if (p->image_path)
		buf_printf(out, ": an image of %s, %" PRIu64 " bytes", p->file_system,
			   p->need_bytes);
	if (p->mkfs)
		buf_printf(out, ": %s, uuid %s", p->file_system, uuid_format(p->fs_uuid, uuid));
	if (p->mkfs && !are_files_listed(p))
		buf_printf(out, ", %" PRIu64 " files of %" PRIu64 " bytes", tree_files(p->tree),
			   tree_content_bytes(p->tree));
	buf_append_text(out, "\n");
	if (p->mkfs && are_files_listed(p))
		put_tree(p->tree, out);
}

static void put_part(const struct build *b, size_t i, struct buf *out)
{
	const struct build_part *p = &b->parts[i];
	const struct layout_partition *place = &b->places[i];

	buf_printf(out, "\npartition %zu, %s: from %" PRIu64 ", ", i + 1, p->name,
		   place->start_bytes);
	put_size(out, place->size_bytes);
	buf_printf(out, "\n    type %s, PARTUUID %s%s%s\n", p->type, p->part_uuid,
		   build_is_bootable(b, p) ? ", bootable" : "",
		   build_does_grow(b, p) ? ", grows to the end of the medium" : "");
	put_content(p, out);
}

static void put_pieces(const struct build *b, struct buf *out)
{
	if (b->n_pieces > 0)
		buf_append_text(out, "\noutside of file systems\n");
	for (size_t i = 0; i < b->n_pieces; i++) {
		const struct build_piece *piece = &b->pieces[i];
		buf_printf(out, "    from %" PRIu64 ", %zu bytes: %s\n", piece->offset_bytes,
			   piece->bytes.n_bytes, piece->name);
	}
}

void build_format(const struct build *b, struct buf *out)
{
	put_head(b, out);
	for (size_t i = 0; i < b->n_parts; i++)
		put_part(b, i, out);
	put_pieces(b, out);
}
