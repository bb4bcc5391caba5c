/* Firmware files as text. See firmware_text.h. */
#include "provision/cli/firmware_text.h"

#include <stdbool.h>
#include <string.h>

#include "flash/base/json.h"
#include "flash/base/parse.h"
#include "flash/trust/digest.h"

/* A file of the profile, and what was found of it. */
struct row {
	const struct board_firmware *file;
	const struct boot_firmware *found; /* NULL: it is not there */
	const char *version;               /* of the package; NULL: not fetched now */
	uint8_t sha256[SHA256_BYTES];      /* of what was found */
};

static const struct boot_firmware *find(const struct firmware_report *r, const char *file)
{
	size_t n_files = 0;
	const struct boot_firmware *files = firmware_files(r->set, &n_files);

	for (size_t i = 0; i < n_files; i++)
		if (strcmp(files[i].file, file) == 0)
			return &files[i];
	return NULL;
}

static int row_of(const struct firmware_report *r, unsigned i, struct row *out, struct err *e)
{
	struct row row = {
		.file = &r->board->firmware[i],
		.version = i < r->fetched->n_versions ? r->fetched->versions[i] : NULL,
	};

	row.found = find(r, row.file->file);
	if (row.found &&
	    digest_sha256(row.found->content.bytes, row.found->content.n_bytes, row.sha256, e) < 0)
		return -1;
	*out = row;
	return 0;
}

/* ---- For people ------------------------------------------------------------------------------ */

static int file_columns(const struct board *b)
{
	size_t widest = strlen("FILE");

	for (unsigned i = 0; i < b->n_firmware; i++)
		if (strlen(b->firmware[i].file) > widest)
			widest = strlen(b->firmware[i].file);
	return (int)widest;
}

static void put_found(const struct row *row, int columns, struct buf *out)
{
	char digest[2 * SHA256_BYTES + 1];

	buf_printf(out, "%-*s  %9zu  %s  ", columns, row->file->file, row->found->content.n_bytes,
		   format_hex(row->sha256, sizeof row->sha256, digest));
	if (row->version)
		buf_printf(out, "%s %s\n", row->file->package, row->version);
	else
		buf_append_text(out, "was there\n");
}

static void put_missing(const struct row *row, struct buf *out)
{
	buf_printf(out, "%s is not there%s: ", row->file->file,
		   row->file->is_optional ? ", and not needed by all" : "");
	buf_append_clean(out, row->file->source ? row->file->source : "Debian does not have it");
	buf_append_text(out, "\n");
}

int firmware_text(const struct firmware_report *r, struct buf *out, struct err *e)
{
	const struct board *b = r->board;
	int columns = file_columns(b);
	size_t n_files = 0;
	size_t n_missing = 0;

	(void)firmware_files(r->set, &n_files);
	if (n_files > 0)
		buf_printf(out, "%-*s  %9s  %-*s  FROM\n", columns, "FILE", "BYTES",
			   2 * SHA256_BYTES, "SHA-256");
	for (unsigned i = 0; i < b->n_firmware; i++) {
		struct row row = {0};
		if (row_of(r, i, &row, e) < 0)
			return -1;
		if (row.found)
			put_found(&row, columns, out);
	}
	if (n_files > 0)
		buf_printf(out, "in %s\n", r->folder);
	for (unsigned i = 0; i < b->n_firmware; i++) {
		struct row row = {.file = &b->firmware[i]};
		if (!find(r, row.file->file)) {
			n_missing++;
			put_missing(&row, out);
		}
	}
	if (n_missing > 0)
		buf_append_text(out, "put such files into a folder under these names, and give it "
				     "as --firmware DIR\n");
	return buf_check(out, e);
}

/* ---- For programs --------------------------------------------------------------------------- */

static void put_json(const struct firmware_report *r, const struct row *row, struct buf *out)
{
	const char *path = firmware_path(r->set, row->file->file);

	json_open(out, NULL, '{');
	json_text(out, "event", "firmware");
	json_text(out, "board", r->board->id);
	json_text(out, "file", row->file->file);
	json_bool(out, "optional", row->file->is_optional);
	json_bool(out, "found", row->found != NULL);
	if (row->found) {
		json_text(out, "path", path);
		json_u64(out, "size_bytes", row->found->content.n_bytes);
		json_hex(out, "sha256", row->sha256, sizeof row->sha256);
	}
	if (row->file->package)
		json_text(out, "package", row->file->package);
	if (row->version)
		json_text(out, "version", row->version);
	if (row->file->source)
		json_text(out, "source", row->file->source);
	json_close(out, '}');
	buf_append_text(out, "\n");
}

int firmware_json(const struct firmware_report *r, struct buf *out, struct err *e)
{
	for (unsigned i = 0; i < r->board->n_firmware; i++) {
		struct row row = {0};
		if (row_of(r, i, &row, e) < 0)
			return -1;
		put_json(r, &row, out);
	}
	return buf_check(out, e);
}
