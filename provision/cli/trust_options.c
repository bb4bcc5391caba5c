/* Whom to trust. See trust_options.h. */
#include "provision/cli/trust_options.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flash/base/cleanup.h"
#include "flash/trust/floor.h"
#include "provision/cli/version.h"

struct listing {
	struct dirent **entries; /* owned */
	int n_entries;
};

static void listing_release(struct listing *l)
{
	for (int i = 0; i < l->n_entries; i++)
		free(l->entries[i]);
	free(l->entries);
}

static int is_pem(const struct dirent *entry)
{
	size_t n_bytes = strlen(entry->d_name);

	return n_bytes > 4 && strcmp(entry->d_name + n_bytes - 4, ".pem") == 0;
}

void trust_free_paths(char **paths)
{
	for (char **path = paths; path && *path; path++)
		free(*path);
	free(paths);
}

int trust_list_folder(const char *folder, char ***out_paths, size_t *out_n_paths, struct err *e)
{
	CLEANUP(listing_release) struct listing l = {0};
	CLEANUP(trust_free_pathsp) char **paths = NULL;

	l.n_entries = scandir(folder, &l.entries, is_pem, alphasort);
	if (l.n_entries < 0 && errno != ENOENT)
		return err_errno(e, "listing %s", folder);
	size_t n_paths = l.n_entries < 0 ? 0 : (size_t)l.n_entries;
	paths = calloc(n_paths + 1, sizeof *paths);
	if (!paths)
		return err_errno(e, "listing %s", folder);
	for (size_t i = 0; i < n_paths; i++)
		if (asprintf(&paths[i], "%s/%s", folder, l.entries[i]->d_name) < 0) {
			paths[i] = NULL;
			return err_errno(e, "listing %s", folder);
		}
	*out_paths = TAKE(paths);
	*out_n_paths = n_paths;
	return 0;
}

static int load_store(const struct options *o, struct trust_store **out, struct err *e)
{
	CLEANUP(trust_free_pathsp) char **defaults = NULL;
	size_t n_defaults = 0;
	struct trust_files files = {
		.ca_paths = o->trust_paths.items,
		.n_ca_paths = o->trust_paths.n_items,
		.crl_paths = o->crl_paths.items,
		.n_crl_paths = o->crl_paths.n_items,
	};

	if (files.n_ca_paths == 0) {
		if (trust_list_folder(TRUST_FOLDER, &defaults, &n_defaults, e) < 0)
			return -1;
		files.ca_paths = (const char *const *)defaults;
		files.n_ca_paths = n_defaults;
	}
	if (files.n_ca_paths == 0)
		return 0;
	return trust_store_load(&files, out, e);
}

int trust_options_load(const struct options *o, struct trust_options *out, struct err *e)
{
	CLEANUP(trust_options_release) struct trust_options t = {0};
	uint64_t kept_s = 0;

	if (environment_state_dir(&o->environment, o->state_dir, &t.state_dir, e) < 0 ||
	    floor_clock(t.state_dir, &kept_s, e) < 0 || load_store(o, &t.store, e) < 0)
		return -1;
	t.policy.threshold = (unsigned)o->threshold;
	t.policy.now_s = time(NULL);
	t.policy.floor_s = version_build_time_s();
	if (kept_s <= INT64_MAX && (int64_t)kept_s > t.policy.floor_s)
		t.policy.floor_s = (int64_t)kept_s;
	*out = t;
	t = (struct trust_options){0};
	return 0;
}

void trust_options_release(struct trust_options *t)
{
	trust_store_free(t->store);
	free(t->state_dir);
}

int trust_options_check(const struct options *o, struct err *e)
{
	if (o->trust_paths.n_items > 0 || (o->crl_paths.n_items == 0 && o->threshold == 0))
		return 0;
	return err_set(e, ERR_USAGE,
		       "--crl and --threshold say when a signature is trusted, but not by whom; "
		       "give --trust FILE");
}
