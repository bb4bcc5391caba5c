/* Does what a profile says make sense? See profile_check.h. */
#include "boards/profile_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "flash/base/parse.h"
#include "flash/base/units.h"

enum { MAGIC_MAX_DIGITS = 128 };

struct source {
	const char *where;              /* borrowed */
	const struct yaml_lines *lines; /* borrowed */
};

static const char *const archs[] = {
	"any", "arm", "arm64", "i386", "riscv64", "s390x", "x86_64",
};

/* "where:line: " in front of what *e says; the line is that of path. */
static int at(const struct source *s, const char *path, struct err *e)
{
	const struct yaml_node *node = yaml_lines_at(s->lines, path);
	char text[ERR_TEXT_BYTES];

	memcpy(text, e->text, sizeof text);
	return err_set(e, ERR_USAGE, "%s:%u: %s", s->where, node ? node->line : 1, text);
}

static int check_arch(const struct source *s, const char *arch, struct err *e)
{
	for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++)
		if (strcmp(archs[i], arch) == 0)
			return 0;
	(void)err_set(e, ERR_USAGE, "unknown arch `%s`; choose one of", arch);
	for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++)
		(void)snprintf(e->text + strlen(e->text), sizeof e->text - strlen(e->text), " %s",
			       archs[i]);
	return at(s, "arch", e);
}

static bool is_lower_hex(const char *text, size_t n_digits)
{
	return strspn(text, "0123456789abcdef") >= n_digits;
}

/* 8-4-4-4-12 */
static bool is_guid(const char *text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != strlen(shape))
		return false;
	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == '-' ? text[i] != '-' : !is_lower_hex(text + i, 1))
			return false;
	return true;
}

static bool is_mbr_type(const char *text)
{
	return strlen(text) == 4 && strncmp(text, "0x", 2) == 0 && is_lower_hex(text + 2, 2);
}

/* A table that the board cannot have makes the type a mistake. */
static bool fits_table(const char *type, enum board_table table)
{
	switch (table) {
	case BOARD_TABLE_MBR:
		return is_mbr_type(type);
	case BOARD_TABLE_GPT:
		return is_guid(type);
	case BOARD_TABLE_ANY:
	case BOARD_TABLE_MBR_OR_GPT:
		break;
	}
	return true;
}

static int check_type(const struct source *s, const struct board *b, unsigned i, unsigned j,
		      struct err *e)
{
	const char *type = b->partitions[i].types[j];
	char path[YAML_PATH_BYTES];

	(void)snprintf(path, sizeof path, "partitions[%u].types[%u]", i, j);
	if (!is_guid(type) && !is_mbr_type(type)) {
		(void)err_set(e, ERR_USAGE,
			      "partition type `%s` is neither a lower-case GUID nor like 0xef",
			      type);
		return at(s, path, e);
	}
	if (!fits_table(type, b->table)) {
		(void)err_set(e, ERR_USAGE, "partition type `%s` does not occur in %s tables", type,
			      board_table_name(b->table));
		return at(s, path, e);
	}
	return 0;
}

static int check_partitions(const struct source *s, const struct board *b, struct err *e)
{
	if (b->n_partitions > 0 && b->table == BOARD_TABLE_ANY) {
		(void)err_set(e, ERR_USAGE, "partitions are wanted, but `table` is any");
		return at(s, "partitions", e);
	}
	for (unsigned i = 0; i < b->n_partitions; i++)
		for (unsigned j = 0; j < b->partitions[i].n_types; j++)
			if (check_type(s, b, i, j, e) < 0)
				return -1;
	return 0;
}

static int check_blob(const struct source *s, const struct board_blob *blob, unsigned i,
		      struct err *e)
{
	char path[YAML_PATH_BYTES];
	size_t n_digits = strlen(blob->magic);
	uint64_t end_bytes = 0;

	(void)snprintf(path, sizeof path, "blobs[%u].magic", i);
	if (n_digits == 0 || n_digits % 2 != 0 || n_digits > MAGIC_MAX_DIGITS ||
	    !is_lower_hex(blob->magic, n_digits)) {
		(void)err_set(e, ERR_USAGE,
			      "magic `%s` must be 2 to %d lower-case hex digits, an even number",
			      blob->magic, MAGIC_MAX_DIGITS);
		return at(s, path, e);
	}
	(void)snprintf(path, sizeof path, "blobs[%u].offset", i);
	if (!checked_add(blob->offset_bytes, n_digits / 2, &end_bytes) ||
	    end_bytes > PROFILE_BLOB_END_MAX_BYTES) {
		(void)err_set(e, ERR_USAGE, "offset %" PRIu64 ": the magic must end before byte %d",
			      blob->offset_bytes, PROFILE_BLOB_END_MAX_BYTES);
		return at(s, path, e);
	}
	return 0;
}

int profile_check(const struct board *b, const char *where, const struct yaml_lines *lines,
		  struct err *e)
{
	struct source s = {where, lines};

	if (!parse_is_name(b->id)) {
		(void)err_set(e, ERR_USAGE, "id `%s` must be 1 to 64 of A-Z a-z 0-9 . _ -", b->id);
		return at(&s, "id", e);
	}
	if (check_arch(&s, b->arch, e) < 0 || check_partitions(&s, b, e) < 0)
		return -1;
	for (unsigned i = 0; i < b->n_blobs; i++)
		if (check_blob(&s, &b->blobs[i], i, e) < 0)
			return -1;
	return 0;
}
