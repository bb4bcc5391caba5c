/* What the environment says. Read once, here; everything else gets it passed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/err.h"

struct environment {
	const char *state_dir;      /* LKFLASH_STATE_DIR; NULL when unset or empty, as the rest */
	const char *cache_dir;      /* LKFLASH_CACHE_DIR */
	const char *xdg_state_home; /* XDG_STATE_HOME */
	const char *xdg_cache_home; /* XDG_CACHE_HOME */
	const char *home;           /* HOME */
	const char *temp_dir;       /* TMPDIR, else "/var/tmp": images are large, and /tmp often
				     * memory */
	const char *source_date;    /* SOURCE_DATE_EPOCH */
	bool has_no_color;          /* NO_COLOR is set and not empty */
	bool is_terminal_dumb;      /* TERM is unset or "dumb": no bars, no colours */
	bool is_root;               /* the effective user is root */
};

struct environment environment_read(void);

/* SOURCE_DATE_EPOCH in seconds since 1970, fallback_s when it is not set. Fails with ERR_USAGE when
 * it is no number. */
int environment_source_date(const struct environment *env, int64_t fallback_s, int64_t *out_s,
			    struct err *e);

/* The folder for what must be remembered, into *out, owned by the caller: given (--state-dir), else
 * LKFLASH_STATE_DIR, else /var/lib/lkflash for root and lkflash in XDG_STATE_HOME or
 * ~/.local/state for others. Fails with ERR_USAGE when nothing says where. */
int environment_state_dir(const struct environment *env, const char *given, char **out,
			  struct err *e);

/* The folder for what can be fetched again, into *out, owned by the caller: LKFLASH_CACHE_DIR, else
 * /var/cache/lkflash for root and lkflash in XDG_CACHE_HOME or ~/.cache for others. Fails with
 * ERR_USAGE when nothing says where. */
int environment_cache_dir(const struct environment *env, char **out, struct err *e);
