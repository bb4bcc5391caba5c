/* Fetching firmware that Debian packages, for any architecture: see provision/build/apt.h. */
#pragma once

#include "boards/profile.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/base/event.h"

struct fetch_request {
	const struct board *board;
	const char *folder;     /* where the files go, by name; made if missing */
	const char *apt_folder; /* where apt keeps its lists; made if missing */
	const char *mirror;     /* "http://deb.debian.org/debian" */
	const char *keyring;    /* whose signatures count: Debian's */
	const struct listener *listener;
	const struct cancel *cancel;
};

/* What came. Zero-initialise ({0}). */
struct fetch_result {
	char **versions; /* owned; in the order of board->firmware: of the package that the file is
			  * from; NULL: it was not fetched */
	unsigned n_versions;
};
void fetch_result_release(struct fetch_result *r);

/* Files that no package has are passed over. A file appears when it is complete. When the archive
 * cannot be reached and all files of a package are there from before, they stay, and a note tells
 * why. Fails with ERR_IO (no network, no such package, no such file in it: with names),
 * ERR_UNTRUSTED when the archive's signature does not hold or a package is not what was signed,
 * ERR_USAGE for a mirror that is none, ERR_CANCELLED. */
int fetch_firmware(const struct fetch_request *r, struct fetch_result *out, struct err *e);
