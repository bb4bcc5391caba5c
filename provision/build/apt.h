/* Debian packages of any architecture, through apt with a configuration of our own: neither the
 * machine's sources nor its package database are read or changed. */
#pragma once

#include "flash/base/buf.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"

/* An archive, and where apt keeps what it knows of it. All is borrowed. */
struct apt {
	const char *folder;  /* ours alone; made if missing */
	const char *mirror;  /* "http://deb.debian.org/debian" */
	const char *suite;   /* "bookworm" */
	const char *arch;    /* Debian's name: "armhf" */
	const char *keyring; /* whose signatures count */
	const struct cancel *cancel;
};

/* Make the folder and the configuration in it. Fails with ERR_USAGE for a mirror that is no address
 * and the like, with ERR_IO. */
int apt_prepare(const struct apt *a, struct err *e);

/* Fetch the lists of packages, after apt_prepare. Fails with ERR_IO (no network, no such suite),
 * ERR_UNTRUSTED when the archive's signature does not hold or a list is not what was signed, as of
 * a mirror in the middle of its update, ERR_CANCELLED. */
int apt_update(const struct apt *a, struct err *e);

/* Fetch the package into the folder, which is empty, once the lists are there. *out_path and
 * *out_version are the caller's. Fails with ERR_IO, with ERR_UNTRUSTED when the package is not the
 * one that the signed list names, with ERR_CANCELLED. */
int apt_download(const struct apt *a, const char *package, const char *folder, char **out_path,
		 char **out_version, struct err *e);

/* Unpack the package at path into the folder. */
int apt_unpack(const char *path, const char *folder, const struct cancel *c, struct err *e);

/* What matters of what apt wrote to standard error, in one line: its errors, and what it has
 * against a signature. Pure. */
void apt_format_errors(const char *messages, struct buf *out);
