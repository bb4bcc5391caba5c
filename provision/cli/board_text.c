/* A board as text. See board_text.h. */
#include "provision/cli/board_text.h"

#include <inttypes.h>
#include <string.h>

#include "flash/base/json.h"

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

static void put_blob(const struct board_blob *blob, struct buf *out)
{
	put_quoted("  - name: ", blob->name, out);
	buf_printf(out, "    offset: %" PRIu64 "\n", blob->offset_bytes);
	put_quoted("    magic: ", blob->magic, out);
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
}

static void put_json_partition(const struct board_partition *p, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "name", p->name);
	json_open(out, "types", '[');
	for (unsigned i = 0; i < p->n_types; i++)
		json_text(out, NULL, p->types[i]);
	json_close(out, ']');
	if (p->file_system)
		json_text(out, "file_system", p->file_system);
	json_close(out, '}');
}

static void put_json_blob(const struct board_blob *blob, struct buf *out)
{
	json_open(out, NULL, '{');
	json_text(out, "name", blob->name);
	json_u64(out, "offset_bytes", blob->offset_bytes);
	json_text(out, "magic", blob->magic);
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
		put_json_partition(&b->partitions[i], out);
	json_close(out, ']');
	json_open(out, "blobs", '[');
	for (unsigned i = 0; i < b->n_blobs; i++)
		put_json_blob(&b->blobs[i], out);
	json_close(out, ']');
	json_close(out, '}');
	buf_append_text(out, "\n");
}
