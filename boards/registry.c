/* All board profiles. See registry.h. */
#include "boards/registry.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boards/builtin.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/nearest.h"
#include "flash/base/parse.h"

static const char suffix[] = ".yaml";

/* Put b, which becomes the registry's, in its place; one with the same id gives way. */
static int add(struct registry *r, struct board *b, struct err *e)
{
	size_t i = 0;

	while (i < r->n_boards && strcmp(r->boards[i]->id, b->id) < 0)
		i++;
	if (i < r->n_boards && strcmp(r->boards[i]->id, b->id) == 0) {
		board_free(r->boards[i]);
		r->boards[i] = b;
		return 0;
	}
	struct board **boards = reallocarray(r->boards, r->n_boards + 1, sizeof *boards);
	if (!boards) {
		(void)err_errno(e, "board %s", b->id);
		board_free(b);
		return -1;
	}
	memmove(boards + i + 1, boards + i, (r->n_boards - i) * sizeof *boards);
	boards[i] = b;
	r->boards = boards;
	r->n_boards++;
	return 0;
}

/* A profile that must be called after its id, so that no two files can have the same. */
static int parse(const char *path, const void *yaml, size_t yaml_bytes, struct board **out,
		 struct err *e)
{
	CLEANUP(board_freep) struct board *b = NULL;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (board_parse(path, yaml, yaml_bytes, &b, e) < 0)
		return -1;
	size_t id_bytes = strlen(b->id);
	if (strncmp(name, b->id, id_bytes) != 0 || strcmp(name + id_bytes, suffix) != 0)
		return err_set(e, ERR_USAGE, "%s:1: the profile's id is `%s`; rename it to %s%s",
			       path, b->id, b->id, suffix);
	*out = TAKE(b);
	return 0;
}

int registry_load_file(const char *path, struct board **out, struct err *e)
{
	CLEANUP(freep) uint8_t *yaml = NULL;
	size_t yaml_bytes = 0;

	if (fdio_load(path, PROFILE_MAX_BYTES, &yaml, &yaml_bytes, e) < 0)
		return err_wrap(e, "board profile");
	return parse(path, yaml, yaml_bytes, out, e);
}

static int add_builtins(struct registry *r, struct err *e)
{
	for (size_t i = 0; i < n_board_builtins; i++) {
		const struct board_builtin *builtin = &board_builtins[i];
		struct board *b = NULL;
		if (parse(builtin->file, builtin->yaml, strlen(builtin->yaml), &b, e) < 0)
			return err_wrap(e, "built-in board profile");
		if (add(r, b, e) < 0)
			return -1;
	}
	return 0;
}

static bool is_profile(const char *name)
{
	return name[0] != '.' && parse_has_suffix(name, suffix);
}

static int add_file(struct registry *r, const char *folder, const char *name, struct err *e)
{
	CLEANUP(freep) char *path = NULL;
	struct board *b = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return err_errno(e, "%s", folder);
	}
	if (registry_load_file(path, &b, e) < 0)
		return -1;
	return add(r, b, e);
}

static void closedirp(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static int add_folder(struct registry *r, const char *path, struct err *e)
{
	CLEANUP(closedirp) DIR *folder = opendir(path);

	if (!folder && errno == ENOENT)
		return 0;
	if (!folder)
		return err_errno(e, "reading board profiles in %s", path);
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(folder);
		if (!entry && errno != 0)
			return err_errno(e, "reading board profiles in %s", path);
		if (!entry)
			return 0;
		if (is_profile(entry->d_name) && add_file(r, path, entry->d_name, e) < 0)
			return -1;
	}
}

int registry_load(const char *folder, struct registry **out, struct err *e)
{
	CLEANUP(registry_freep) struct registry *r = calloc(1, sizeof *r);

	if (!r)
		return err_errno(e, "board profiles");
	if (add_builtins(r, e) < 0 || (folder && add_folder(r, folder, e) < 0))
		return -1;
	*out = TAKE(r);
	return 0;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_boards; i++)
		board_free(r->boards[i]);
	free(r->boards);
	free(r);
}

int registry_by_id(const struct registry *r, const char *id, const struct board **out,
		   struct err *e)
{
	const char *nearest = NULL;

	for (size_t i = 0; i < r->n_boards; i++) {
		if (strcmp(r->boards[i]->id, id) == 0) {
			*out = r->boards[i];
			return 0;
		}
		nearest = nearest_of(id, r->boards[i]->id, nearest);
	}
	(void)err_set(e, ERR_USAGE, "there is no board %s", id);
	if (nearest)
		(void)err_hint(e, "perhaps %s", nearest);
	return err_hint(e, "`lkflash boards` lists all");
}
