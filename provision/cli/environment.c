/* The environment. See environment.h. */
#include "provision/cli/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/parse.h"

static const char *get(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

struct environment environment_read(void)
{
	const char *terminal = get("TERM");
	const char *temp_dir = get("TMPDIR");

	return (struct environment){
		.state_dir = get("LKFLASH_STATE_DIR"),
		.cache_dir = get("LKFLASH_CACHE_DIR"),
		.xdg_state_home = get("XDG_STATE_HOME"),
		.xdg_cache_home = get("XDG_CACHE_HOME"),
		.home = get("HOME"),
		.temp_dir = temp_dir ? temp_dir : "/var/tmp",
		.source_date = get("SOURCE_DATE_EPOCH"),
		.has_no_color = get("NO_COLOR") != NULL,
		.is_terminal_dumb = !terminal || strcmp(terminal, "dumb") == 0,
		.is_root = geteuid() == 0,
	};
}

int environment_source_date(const struct environment *env, int64_t fallback_s, int64_t *out_s,
			    struct err *e)
{
	uint64_t seconds = 0;

	if (!env->source_date) {
		*out_s = fallback_s;
		return 0;
	}
	if (!parse_u64(env->source_date, &seconds) || seconds > INT64_MAX)
		return err_set(e, ERR_USAGE, "SOURCE_DATE_EPOCH=%s is no number of seconds",
			       env->source_date);
	*out_s = (int64_t)seconds;
	return 0;
}

/* Empty when nothing says where. xdg and home_folder: what to use of an ordinary user's. */
static char *default_dir(const struct environment *env, const char *system, const char *xdg,
			 const char *home_folder)
{
	char *path = NULL;
	int n_bytes = 0;

	if (env->is_root)
		return strdup(system);
	if (xdg)
		n_bytes = asprintf(&path, "%s/lkflash", xdg);
	else if (env->home)
		n_bytes = asprintf(&path, "%s/%s/lkflash", env->home, home_folder);
	else
		return strdup("");
	return n_bytes < 0 ? NULL : path;
}

int environment_state_dir(const struct environment *env, const char *given, char **out,
			  struct err *e)
{
	const char *said = given ? given : env->state_dir;
	char *path =
		said ? strdup(said)
		     : default_dir(env, "/var/lib/lkflash", env->xdg_state_home, ".local/state");

	if (!path)
		return err_errno(e, "finding the state folder");
	if (!*path) {
		free(path);
		return err_set(e, ERR_USAGE,
			       "no folder to keep state in, as HOME is not set; give --state-dir");
	}
	*out = path;
	return 0;
}

int environment_cache_dir(const struct environment *env, char **out, struct err *e)
{
	char *path = env->cache_dir ? strdup(env->cache_dir)
				    : default_dir(env, "/var/cache/lkflash", env->xdg_cache_home,
						  ".cache");

	if (!path)
		return err_errno(e, "finding the cache folder");
	if (!*path) {
		free(path);
		return err_set(e, ERR_USAGE,
			       "no folder to keep firmware in, as HOME is not set; set "
			       "LKFLASH_CACHE_DIR");
	}
	*out = path;
	return 0;
}
