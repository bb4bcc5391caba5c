/* A board as JSON. See board_text.h. */
#include "flash/base/json.h"
#include "provision/cli/board_text.h"

/* What is not said is not there. */
static void put_text_if(const char *key, const char *text, struct buf *out)
{
	if (text)
		json_text(out, key, text);
}

static void put_u64_if(const char *key, uint64_t number, struct buf *out)
{
	if (number > 0)
		json_u64(out, key, number);
}

static void put_texts(const char *key, char *const *texts, unsigned n_texts, struct buf *out)
{
	json_open(out, key, '[');
	for (unsigned i = 0; i < n_texts; i++)
		json_text(out, NULL, texts[i]);
	json_close(out, ']');
}

static void put_hole(const struct board_hole *hole, struct buf *out)
{
	json_open(out, NULL, '{');
	json_u64(out, "offset_bytes", hole->offset_bytes);
	json_u64(out, "size_bytes", hole->size_bytes);
	json_close(out, '}');
}

static void put_partition(const struct board_partition *p, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "name", p->name);
	put_texts("types", p->types, p->n_types, out);
	if (p->file_system)
		json_text(out, "file_system", p->file_system);
	json_close(out, '}');
}

static void put_blob(const struct board_blob *blob, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "name", blob->name);
	json_u64(out, "offset_bytes", blob->offset_bytes);
	put_text_if("magic", blob->magic, out);
	json_u64(out, "magic_at_bytes", blob->magic_at_bytes);
	if (blob->file) {
		json_text(out, "file", blob->file);
		json_u64(out, "maximum_bytes", blob->maximum_bytes);
		json_open(out, "holes", '[');
		for (unsigned i = 0; i < blob->n_holes; i++)
			put_hole(&blob->holes[i], out);
		json_close(out, ']');
	}
	json_close(out, '}');
}

static void put_build_partition(const struct board_build_partition *p, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "name", p->name);
	json_text(out, "type", p->type);
	put_text_if("mbr_type", p->mbr_type, out);
	put_u64_if("start_bytes", p->start_bytes, out);
	put_u64_if("size_bytes", p->size_bytes, out);
	put_u64_if("minimum_bytes", p->minimum_bytes, out);
	json_bool(out, "rest", p->is_rest);
	json_text(out, "content", board_content_name(p->content));
	put_text_if("file", p->file, out);
	put_text_if("magic", p->magic, out);
	put_text_if("file_system", p->file_system, out);
	json_bool(out, "slotted", p->is_slotted);
	json_bool(out, "bootable", p->is_bootable);
	json_bool(out, "grow", p->does_grow);
	json_close(out, '}');
}

static void put_boot_file(const struct board_boot_file *f, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "file", f->file);
	json_text(out, "to", f->to);
	put_text_if("magic", f->magic, out);
	put_u64_if("maximum_bytes", f->maximum_bytes, out);
	json_close(out, '}');
}

static void put_build(const struct board_build *build, struct buf *out)
{
	json_open(out, "build", '{');
	put_texts("methods", build->methods, build->n_methods, out);
	json_text(out, "table", board_table_name(build->table));
	put_u64_if("gpt_entries", build->gpt_entries, out);
	json_u64(out, "slots", build->slots_max);
	put_u64_if("size_bytes", build->size_bytes, out);
	put_text_if("dtb", build->dtb, out);
	put_text_if("cmdline", build->cmdline, out);
	json_open(out, "partitions", '[');
	for (unsigned i = 0; i < build->n_partitions; i++)
		put_build_partition(&build->partitions[i], out);
	json_close(out, ']');
	json_open(out, "boot_files", '[');
	for (unsigned i = 0; i < build->n_boot_files; i++)
		put_boot_file(&build->boot_files[i], out);
	json_close(out, ']');
	json_close(out, '}');
}

static void put_firmware(const struct board_firmware *f, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "file", f->file);
	put_text_if("package", f->package, out);
	put_text_if("suite", f->suite, out);
	put_text_if("path", f->path, out);
	put_text_if("source", f->source, out);
	json_bool(out, "optional", f->is_optional);
	json_close(out, '}');
}

static void put_qemu(const struct board_qemu *q, struct buf *out)
{
	json_open(out, "qemu", '{');
	json_text(out, "program", q->program);
	json_text(out, "package", q->package);
	put_texts("arguments", q->arguments, q->n_arguments, out);
	json_u64(out, "console", q->console);
	json_bool(out, "power_of_two", q->is_power_of_two);
	json_close(out, '}');
}

void board_text_json(const struct board *b, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "event", "board");
	json_text(out, "id", b->id);
	json_text(out, "name", b->name);
	json_text(out, "arch", b->arch);
	json_text(out, "boot", b->boot);
	json_text(out, "tested", board_tested_name(b->tested));
	json_text(out, "table", board_table_name(b->table));
	json_open(out, "partitions", '[');
	for (unsigned i = 0; i < b->n_partitions; i++)
		put_partition(&b->partitions[i], out);
	json_close(out, ']');
	json_open(out, "blobs", '[');
	for (unsigned i = 0; i < b->n_blobs; i++)
		put_blob(&b->blobs[i], out);
	json_close(out, ']');
	if (b->build)
		put_build(b->build, out);
	json_open(out, "firmware", '[');
	for (unsigned i = 0; i < b->n_firmware; i++)
		put_firmware(&b->firmware[i], out);
	json_close(out, ']');
	if (b->qemu)
		put_qemu(b->qemu, out);
	json_close(out, '}');
	buf_append_text(out, "\n");
}
