/* How far, how fast, how long. See progress.h. */
#include "provision/cli/progress.h"

#include "flash/base/units.h"

enum {
	MARK_EVERY_MS = 2000,
	RATE_AFTER_MS = 500, /* a rate of less time than this jumps about */
	PERCENT_MAX = 99,
};

void progress_begin(struct progress *p, uint64_t done_bytes, uint64_t total_bytes, uint64_t now_ms)
{
	struct progress_mark start = {.at_ms = now_ms, .done_bytes = done_bytes};

	*p = (struct progress){.total_bytes = total_bytes,
			       .done_bytes = done_bytes,
			       .now_ms = now_ms,
			       .marks = {start, start}};
}

void progress_update(struct progress *p, uint64_t done_bytes, uint64_t total_bytes, uint64_t now_ms)
{
	p->done_bytes = done_bytes;
	p->total_bytes = total_bytes;
	p->now_ms = now_ms;
	if (now_ms - p->marks[1].at_ms >= MARK_EVERY_MS) {
		p->marks[0] = p->marks[1];
		p->marks[1] = (struct progress_mark){now_ms, done_bytes};
	}
}

int progress_percent(const struct progress *p)
{
	if (p->total_bytes == SIZE_UNKNOWN || p->total_bytes == 0)
		return -1;
	double percent = 100.0 * (double)p->done_bytes / (double)p->total_bytes;
	return percent > PERCENT_MAX ? PERCENT_MAX : (int)percent;
}

uint64_t progress_rate(const struct progress *p)
{
	uint64_t passed_ms = p->now_ms - p->marks[0].at_ms;

	if (passed_ms < RATE_AFTER_MS || p->done_bytes < p->marks[0].done_bytes)
		return 0;
	double moved_bytes = (double)(p->done_bytes - p->marks[0].done_bytes);
	return (uint64_t)(moved_bytes * 1000 / (double)passed_ms);
}

uint64_t progress_left_s(const struct progress *p)
{
	uint64_t rate = progress_rate(p);

	if (rate == 0 || p->total_bytes == SIZE_UNKNOWN || p->total_bytes < p->done_bytes)
		return UINT64_MAX;
	return (p->total_bytes - p->done_bytes + rate - 1) / rate;
}
