/* Boards as a list and as YAML. See board_text.h. */
#include "provision/cli/board_text.h"

#include <inttypes.h>
#include <string.h>

static int longest_id(const struct registry *r)
{
	size_t n_longest = strlen("ID");

	for (size_t i = 0; i < r->n_boards; i++) {
		size_t n_bytes = strlen(r->boards[i]->id);
		n_longest = n_bytes > n_longest ? n_bytes : n_longest;
	}
	return (int)n_longest; /* parse_is_name: at most 64 */
}

void board_text_list(const struct registry *r, struct buf *out)
{
	static const char row[] = "%-*s  %-8s  %-10s  %-6s  %s\n";
	int width = longest_id(r);

	buf_printf(out, row, width, "ID", "ARCH", "TABLE", "TESTED", "NAME");
	for (size_t i = 0; i < r->n_boards; i++) {
		const struct board *b = r->boards[i];
		buf_printf(out, row, width, b->id, b->arch, board_table_name(b->table),
			   board_tested_name(b->tested), b->name);
	}
}

/* In double quotes, so that no text is taken for something else. A profile's texts have no control
 * characters. */
static void put_quoted(const char *key, const char *text, struct buf *out)
{
	buf_printf(out, "%s\"", key);
	for (const char *p = text; *p; p++)
		buf_printf(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
	buf_append_text(out, "\"\n");
}

static void put_partition(const struct board_partition *p, struct buf *out)
{
	put_quoted("  - name: ", p->name, out);
	buf_append_text(out, "    types:\n");
	for (unsigned i = 0; i < p->n_types; i++)
		put_quoted("      - ", p->types[i], out);
	if (p->file_system)
		put_quoted("    file_system: ", p->file_system, out);
}

/* What is not said has the value that is left out. */
static void put_text_if(const char *key, const char *text, struct buf *out)
{
	if (text)
		put_quoted(key, text, out);
}

static void put_number_if(const char *key, uint64_t number, struct buf *out)
{
	if (number > 0)
		buf_printf(out, "%s%" PRIu64 "\n", key, number);
}

static void put_yes_if(const char *key, bool is_so, struct buf *out)
{
	if (is_so)
		buf_printf(out, "%s\"yes\"\n", key);
}

static void put_blob(const struct board_blob *blob, struct buf *out)
{
	put_quoted("  - name: ", blob->name, out);
	buf_printf(out, "    offset: %" PRIu64 "\n", blob->offset_bytes);
	put_text_if("    magic: ", blob->magic, out);
	put_number_if("    magic_at: ", blob->magic_at_bytes, out);
	put_text_if("    file: ", blob->file, out);
	put_number_if("    maximum: ", blob->maximum_bytes, out);
	if (blob->n_holes > 0)
		buf_append_text(out, "    holes:\n");
	for (unsigned i = 0; i < blob->n_holes; i++)
		buf_printf(out, "      - offset: %" PRIu64 "\n        size: %" PRIu64 "\n",
			   blob->holes[i].offset_bytes, blob->holes[i].size_bytes);
}

static void put_build_partition(const struct board_build_partition *p, struct buf *out)
{
	put_quoted("    - name: ", p->name, out);
	put_quoted("      type: ", p->type, out);
	put_text_if("      mbr_type: ", p->mbr_type, out);
	put_number_if("      start: ", p->start_bytes, out);
	put_number_if("      size: ", p->size_bytes, out);
	put_text_if("      size: ", p->is_rest ? "rest" : NULL, out);
	put_number_if("      minimum: ", p->minimum_bytes, out);
	put_quoted("      content: ", board_content_name(p->content), out);
	put_text_if("      file: ", p->file, out);
	put_text_if("      magic: ", p->magic, out);
	put_text_if("      file_system: ", p->file_system, out);
	put_yes_if("      slotted: ", p->is_slotted, out);
	put_yes_if("      bootable: ", p->is_bootable, out);
	put_yes_if("      grow: ", p->does_grow, out);
}

static void put_boot_file(const struct board_boot_file *f, struct buf *out)
{
	put_quoted("    - file: ", f->file, out);
	put_quoted("      to: ", f->to, out);
	put_text_if("      magic: ", f->magic, out);
	put_number_if("      maximum: ", f->maximum_bytes, out);
}

static void put_build(const struct board_build *build, struct buf *out)
{
	buf_append_text(out, "build:\n  methods:\n");
	for (unsigned i = 0; i < build->n_methods; i++)
		put_quoted("    - ", build->methods[i], out);
	put_quoted("  table: ", board_table_name(build->table), out);
	put_number_if("  gpt_entries: ", build->gpt_entries, out);
	put_number_if("  slots: ", build->slots_max, out);
	put_number_if("  size: ", build->size_bytes, out);
	put_text_if("  dtb: ", build->dtb, out);
	put_text_if("  cmdline: ", build->cmdline, out);
	buf_append_text(out, "  partitions:\n");
	for (unsigned i = 0; i < build->n_partitions; i++)
		put_build_partition(&build->partitions[i], out);
	if (build->n_boot_files > 0)
		buf_append_text(out, "  boot_files:\n");
	for (unsigned i = 0; i < build->n_boot_files; i++)
		put_boot_file(&build->boot_files[i], out);
}

static void put_firmware(const struct board_firmware *f, struct buf *out)
{
	put_quoted("  - file: ", f->file, out);
	put_text_if("    package: ", f->package, out);
	put_text_if("    suite: ", f->suite, out);
	put_text_if("    path: ", f->path, out);
	put_text_if("    source: ", f->source, out);
	put_yes_if("    optional: ", f->is_optional, out);
}

static void put_qemu(const struct board_qemu *q, struct buf *out)
{
	buf_append_text(out, "qemu:\n");
	put_quoted("  program: ", q->program, out);
	put_quoted("  package: ", q->package, out);
	buf_append_text(out, "  arguments:\n");
	for (unsigned i = 0; i < q->n_arguments; i++)
		put_quoted("    - ", q->arguments[i], out);
	put_number_if("  console: ", q->console, out);
	put_yes_if("  power_of_two: ", q->is_power_of_two, out);
}

void board_text_yaml(const struct board *b, struct buf *out)
{
	put_quoted("id: ", b->id, out);
	put_quoted("name: ", b->name, out);
	put_quoted("arch: ", b->arch, out);
	put_quoted("boot: ", b->boot, out);
	put_quoted("tested: ", board_tested_name(b->tested), out);
	put_quoted("table: ", board_table_name(b->table), out);
	if (b->n_partitions > 0)
		buf_append_text(out, "partitions:\n");
	for (unsigned i = 0; i < b->n_partitions; i++)
		put_partition(&b->partitions[i], out);
	if (b->n_blobs > 0)
		buf_append_text(out, "blobs:\n");
	for (unsigned i = 0; i < b->n_blobs; i++)
		put_blob(&b->blobs[i], out);
	if (b->build)
		put_build(b->build, out);
	if (b->n_firmware > 0)
		buf_append_text(out, "firmware:\n");
	for (unsigned i = 0; i < b->n_firmware; i++)
		put_firmware(&b->firmware[i], out);
	if (b->qemu)
		put_qemu(b->qemu, out);
}
