/* What will be built, for programs. See build.h. */
#include "flash/base/json.h"
#include "provision/build/build_private.h"

static void put_text(struct buf *out, const char *key, const char *text)
{
	if (text && *text)
		json_text(out, key, text);
}

static void put_files(const struct tree *t, struct buf *out)
{
	json_open(out, "files", '[');
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct tree_entry *entry = &t->entries[i];
		if (entry->kind == TREE_FOLDER)
			continue;
		json_open(out, NULL, '{');
		json_text(out, "path", entry->path);
		json_u64(out, "size_bytes", entry->size_bytes);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_part(const struct build *b, size_t i, struct buf *out)
{
	const struct build_part *p = &b->parts[i];
	char uuid[UUID_TEXT_BYTES];

	json_open(out, NULL, '{');
	json_u64(out, "number", i + 1);
	json_text(out, "name", p->name);
	json_text(out, "type", p->type);
	json_text(out, "part_uuid", p->part_uuid);
	json_u64(out, "start_bytes", b->places[i].start_bytes);
	json_u64(out, "size_bytes", b->places[i].size_bytes);
	json_text(out, "content", board_content_name(p->wish->content));
	json_bool(out, "bootable", build_is_bootable(b, p));
	json_bool(out, "grows", build_does_grow(b, p));
	put_text(out, "file_system", p->file_system);
	if (p->mkfs)
		json_text(out, "uuid", uuid_format(p->fs_uuid, uuid));
	put_text(out, "file", p->file);
	if (p->mkfs && p->tree == &p->own) /* a root file system has too many */
		put_files(p->tree, out);
	json_close(out, '}');
}

static void put_pieces(const struct build *b, struct buf *out)
{
	json_open(out, "blobs", '[');
	for (size_t i = 0; i < b->n_pieces; i++) {
		const struct build_piece *piece = &b->pieces[i];
		json_open(out, NULL, '{');
		json_text(out, "name", piece->name);
		json_u64(out, "offset_bytes", piece->offset_bytes);
		json_u64(out, "size_bytes", piece->bytes.n_bytes);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_slots(const struct build *b, struct buf *out)
{
	json_open(out, "slots", '[');
	for (unsigned slot = 0; slot < b->n_slots; slot++) {
		json_open(out, NULL, '{');
		json_text(out, "name", b->slots[slot].name);
		json_text(out, "cmdline", b->cmdlines[slot]);
		json_u64(out, "boot_partition", b->slots[slot].boot_partition);
		json_close(out, '}');
	}
	json_close(out, ']');
}

void build_format_json(const struct build *b, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "event", "build-plan");
	json_text(out, "board", b->r.board->id);
	json_u64(out, "size_bytes", b->layout.medium_size_bytes);
	json_u64(out, "minimum_bytes", b->minimum_bytes);
	json_text(out, "table", table_kind_name(b->table));
	json_text(out, "disk_id", b->disk_id);
	json_open(out, "methods", '[');
	for (size_t i = 0; i < b->n_methods; i++)
		json_text(out, NULL, b->methods[i]->name);
	json_close(out, ']');
	put_slots(b, out);
	json_open(out, "partitions", '[');
	for (size_t i = 0; i < b->n_parts; i++)
		put_part(b, i, out);
	json_close(out, ']');
	put_pieces(b, out);
	json_close(out, '}');
	buf_append_text(out, "\n");
}
