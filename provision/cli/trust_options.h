/* Options, folders and the clock as a trust store and a policy. */
#pragma once

#include "flash/base/err.h"
#include "flash/trust/trust.h"
#include "provision/cli/options.h"

#define TRUST_FOLDER "/etc/lkflash/trust.d"

struct trust_options {
	struct trust_store *store; /* owned; NULL: nobody is trusted */
	struct trust_policy policy;
	char *state_dir; /* owned */
};

/* Whom o, and TRUST_FOLDER where o names nobody, say to trust, at the time it is now. The floor of
 * the clock is when lkflash was built, or what a verified manifest proved since. Nobody to trust is
 * no failure: an image may be written unsigned when that is allowed. Fails with the codes of
 * trust_store_load, floor_clock and environment_state_dir. */
int trust_options_load(const struct options *o, struct trust_options *out, struct err *e);
void trust_options_release(struct trust_options *t);

/* For verbs that check a signature only where --trust says by whom. Fails with ERR_USAGE when
 * --crl or --threshold would be held against nothing. */
int trust_options_check(const struct options *o, struct err *e);

/* The *.pem files of folder, sorted, ended by NULL, owned by the caller with trust_free_paths; none
 * when there is no such folder. Fails with ERR_IO. */
int trust_list_folder(const char *folder, char ***out_paths, size_t *out_n_paths, struct err *e);
void trust_free_paths(char **paths);
static inline void trust_free_pathsp(char ***paths)
{
	trust_free_paths(*paths);
}
