/* The image that sign and pack read, as the options say: from where, with which block map. */
#pragma once

#include "flash/base/err.h"
#include "flash/base/event.h"
#include "flash/image/survey.h"
#include "provision/cli/options.h"

struct survey_options {
	const struct options *o;         /* borrowed, as all here; the image is its first operand */
	const struct listener *listener; /* may be NULL */
	/* As in struct survey_request. */
	int (*store)(void *context, const uint8_t *bytes, size_t n_bytes, struct index_entry *entry,
		     struct err *e);
	void *store_context;
	bool is_packed_refused; /* an image that carries sections already is not taken */
};

/* Read the image once, and write the new block map that --write-bmap asks for. Fails with the codes
 * of survey_run, source_open, codec_open_fitting and bmap_parse; ERR_USAGE for a chunk size that is
 * none, or when --holes skip is asked of an image whose holes nobody can tell. */
int survey_options_run(const struct survey_options *so, struct survey **out, struct err *e);
