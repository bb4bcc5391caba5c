/* Options as the part of a manifest that no image can tell. See manifest_options.h. */
#include "provision/cli/manifest_options.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/image/index.h"

/* ---- A name from the file's ---- */

/* Cut off an ending that tells how the file is made up, not what it holds. */
static bool cut_ending(char *name)
{
	static const char *const endings[] = {".raw", ".img", ".iso", ".wic", ".gz",
					      ".xz",  ".zst", ".bz2", ".lz4"};
	size_t n_bytes = strlen(name);

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t n_ending = strlen(endings[i]);
		if (n_bytes > n_ending && strcmp(name + n_bytes - n_ending, endings[i]) == 0) {
			name[n_bytes - n_ending] = '\0';
			return true;
		}
	}
	return false;
}

void manifest_options_name_of(const char *where, char name[MANIFEST_NAME_BYTES])
{
	const char *slash = strrchr(where, '/');
	const char *text = slash ? slash + 1 : where;
	size_t n_bytes = strcspn(text, "?#"); /* of a URL */

	if (n_bytes > MANIFEST_NAME_BYTES - 1)
		n_bytes = MANIFEST_NAME_BYTES - 1;
	memcpy(name, text, n_bytes);
	name[n_bytes] = '\0';
	while (cut_ending(name))
		;
	for (char *p = name; *p; p++) {
		const char one[] = {*p, '\0'};
		if (*p != '.' && !parse_is_name(one))
			*p = '-';
	}
	if (strspn(name, ".-") == strlen(name))
		name[0] = '\0';
}

/* ---- What was asked for ---- */

static int take_name(const char *option, const char *text, char out[MANIFEST_NAME_BYTES],
		     struct err *e)
{
	if (!parse_is_name(text))
		return err_set(e, ERR_USAGE,
			       "%s %s: it takes 1 to 64 letters, digits, dots, dashes and "
			       "underscores",
			       option, text);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int take_labels(const struct options *o, struct manifest *m, struct err *e)
{
	char name[MANIFEST_NAME_BYTES];

	if (!o->image_version)
		return err_set(e, ERR_USAGE, "--version TEXT is needed: which image is it");
	if (take_name("--version", o->image_version, m->version, e) < 0)
		return -1;
	if (o->name)
		return take_name("--name", o->name, m->name, e);
	manifest_options_name_of(o->operands[0], name);
	if (!*name)
		return err_set(e, ERR_USAGE, "--name NAME is needed: %s gives none",
			       o->operands[0]);
	return take_name("--name", name, m->name, e);
}

static int take_boards(const struct options *o, struct manifest *m, struct err *e)
{
	const struct option_list *ids = &o->board_ids;

	if (ids->n_items == 0)
		return err_set(e, ERR_USAGE,
			       "--board ID is needed: which boards the image is for; "
			       "see `lkflash boards`");
	m->boards = calloc(ids->n_items, sizeof *m->boards);
	if (!m->boards)
		return err_errno(e, "making a manifest");
	m->n_boards = ids->n_items;
	for (size_t i = 0; i < ids->n_items; i++)
		if (take_name("--board", ids->items[i], m->boards[i], e) < 0)
			return -1;
	return 0;
}

static int take_rollback(const struct options *o, struct manifest *m, struct err *e)
{
	m->security_version = o->security_version;
	if (o->rollback_group)
		return take_name("--rollback-group", o->rollback_group, m->rollback_group, e);
	if (o->security_version != 0)
		return err_set(e, ERR_USAGE,
			       "--security-version needs --rollback-group NAME: images that share "
			       "a floor");
	return 0;
}

static int take_build_time(const struct options *o, struct manifest *m, struct err *e)
{
	int64_t time_s = 0;

	if (environment_source_date(&o->environment, (int64_t)time(NULL), &time_s, e) < 0)
		return -1;
	m->build_time_s = (uint64_t)time_s;
	return 0;
}

int manifest_options_new(const struct options *o, struct manifest **out, struct err *e)
{
	CLEANUP(manifest_freep) struct manifest *m = calloc(1, sizeof *m);

	if (!m)
		return err_errno(e, "making a manifest");
	if (take_labels(o, m, e) < 0 || take_boards(o, m, e) < 0 || take_rollback(o, m, e) < 0 ||
	    take_build_time(o, m, e) < 0)
		return -1;
	*out = TAKE(m);
	return 0;
}

int manifest_options_chunk_log2(const struct options *o, unsigned *out, struct err *e)
{
	uint64_t chunk_bytes = o->chunk_bytes;

	if (chunk_bytes == 0)
		chunk_bytes = UINT64_C(1) << INDEX_CHUNK_LOG2_DEFAULT;
	if ((chunk_bytes & (chunk_bytes - 1)) != 0)
		return err_set(e, ERR_USAGE,
			       "--chunk-size %llu is no power of two; take 64K, 128K ... 16M",
			       (unsigned long long)chunk_bytes);
	*out = (unsigned)__builtin_ctzll(chunk_bytes);
	return 0;
}
