/* Fetching firmware that Debian packages, for any architecture, through an apt configuration of our
 * own: neither the machine's sources nor its package database are touched. */
#pragma once

#include "boards/profile.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/base/event.h"

struct fetch_request {
	const struct board *board;
	const char *folder;     /* where the files go, by name; made if missing */
	const char *apt_folder; /* where apt keeps its lists and packages */
	const char *mirror;     /* "http://deb.debian.org/debian" */
	const char *keyring;    /* whose signatures count: Debian's */
	const struct listener *listener;
	const struct cancel *cancel;
};

/* Files that no package has are passed over, and told by a note. A file appears when it is
 * complete. Fails with ERR_IO (no network, no such package, no such file in it: with names),
 * ERR_UNTRUSTED when the archive's signature does not hold, ERR_CANCELLED. */
int fetch_firmware(const struct fetch_request *r, struct err *e);
