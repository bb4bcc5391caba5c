/* Pieces of text about events, for people. Pure. */
#pragma once

#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/event.h"
#include "flash/base/units.h"
#include "provision/cli/progress.h"

enum { DURATION_TEXT_BYTES = 32 };

/* The colours of a terminal: all is well, something is not, and neither (ECMA-48, SGR). */
#define TEXT_GREEN "\x1b[32m"
#define TEXT_RED   "\x1b[31m"
#define TEXT_PLAIN "\x1b[0m"

/* "writing", "reading back", ... */
const char *phase_words(enum phase phase);

/* What is known of the image, given a name of guarantee_name; any other text is returned as it is.
 */
const char *guarantee_words(const char *name);

/* "0:07", "12:34" or "1:02:03", into text, which is returned. */
const char *text_duration(uint64_t duration_s, char text[DURATION_TEXT_BYTES]);

/* What can be told of a progress, piece by piece; "" for what cannot. */
struct progress_text {
	char percent[8];                    /* "45 %" */
	char done[UNITS_TEXT_BYTES];        /* "1.35 GiB" */
	char total[UNITS_TEXT_BYTES + 4];   /* " of 3.00 GiB" */
	char rate[UNITS_TEXT_BYTES + 4];    /* "210 MiB/s" */
	char left[DURATION_TEXT_BYTES + 8]; /* "0:08 left" */
};
struct progress_text text_of_progress(const struct progress *p);
