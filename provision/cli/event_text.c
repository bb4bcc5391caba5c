/* Pieces of text about events. See event_text.h. */
#include "provision/cli/event_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flash/image/verified.h"

const char *phase_words(enum phase phase)
{
	static const char *const words[N_PHASES] = {
		[PHASE_CHECK] = "checking",    [PHASE_SCAN] = "scanning",
		[PHASE_WIPE] = "wiping",       [PHASE_WRITE] = "writing",
		[PHASE_FLUSH] = "flushing",    [PHASE_READ_BACK] = "reading back",
		[PHASE_COMMIT] = "committing", [PHASE_PROBE] = "probing",
	};
	return words[phase];
}

const char *guarantee_words(const char *name)
{
	static const char *const words[] = {
		[GUARANTEE_SIGNATURE] = "the signature holds",
		[GUARANTEE_BMAP] = "not signed; it matches its block map",
		[GUARANTEE_SHA256SUM] = "not signed; it matches its SHA256SUMS",
		[GUARANTEE_NONE] = "not signed; nothing tells whether it is the right image",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(guarantee_name((enum guarantee)i), name) == 0)
			return words[i];
	return name;
}

const char *text_duration(uint64_t duration_s, char text[DURATION_TEXT_BYTES])
{
	uint64_t minutes = duration_s / 60;

	if (minutes >= 60)
		(void)snprintf(text, DURATION_TEXT_BYTES, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
			       minutes / 60, minutes % 60, duration_s % 60);
	else
		(void)snprintf(text, DURATION_TEXT_BYTES, "%" PRIu64 ":%02" PRIu64, minutes,
			       duration_s % 60);
	return text;
}

struct progress_text text_of_progress(const struct progress *p)
{
	struct progress_text t = {0};
	uint64_t rate = progress_rate(p);
	uint64_t left_s = progress_left_s(p);
	char text[UNITS_TEXT_BYTES];
	char duration[DURATION_TEXT_BYTES];

	if (p->total_bytes > 0)
		(void)units_format_bytes(p->done_bytes, t.done);
	if (progress_percent(p) >= 0) {
		(void)snprintf(t.percent, sizeof t.percent, "%d %%", progress_percent(p));
		(void)snprintf(t.total, sizeof t.total, " of %s",
			       units_format_bytes(p->total_bytes, text));
	}
	if (rate > 0)
		(void)snprintf(t.rate, sizeof t.rate, "%s/s", units_format_bytes(rate, text));
	if (left_s != UINT64_MAX)
		(void)snprintf(t.left, sizeof t.left, "%s left", text_duration(left_s, duration));
	return t;
}
