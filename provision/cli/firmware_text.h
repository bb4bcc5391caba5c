/* The firmware files of a board, as text. Pure. */
#pragma once

#include "boards/profile.h"
#include "flash/base/buf.h"
#include "provision/build/fetch.h"
#include "provision/build/firmware.h"

/* What there is of b's firmware in a folder after fetching. All is borrowed. */
struct firmware_report {
	const struct board *board;
	const struct firmware_set *set;     /* what is in the folder */
	const struct fetch_result *fetched; /* what came there just now */
	const char *folder;
};

/* A table for people: file, bytes, where it is from, SHA-256; then what is missing, and where to
 * get it. Fails with ERR_IO when memory is short. */
int firmware_text(const struct firmware_report *r, struct buf *out, struct err *e);

/* One JSON object a file, in the order of the profile. Fails as firmware_text does. */
int firmware_json(const struct firmware_report *r, struct buf *out, struct err *e);
