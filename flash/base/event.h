/* What happens to a target, told as it happens. Libraries emit events; only the command line
 * renders them, as a bar, as plain lines or as JSON. */
#pragma once

#include <stdint.h>

#include "flash/base/err.h"

enum phase {
	PHASE_CHECK,     /* signature, board, target: nothing is touched */
	PHASE_SCAN,      /* what is on the target already is held against the image */
	PHASE_WIPE,      /* what made the target bootable, and stale signatures, are erased */
	PHASE_WRITE,     /* the image, but for what makes it bootable */
	PHASE_FLUSH,     /* waiting until the device says that it is durable */
	PHASE_READ_BACK, /* reading everything from the medium and comparing */
	PHASE_COMMIT,    /* what makes the target bootable is written, flushed and read back */
	PHASE_PROBE,     /* table and file systems are found again on the target */
	N_PHASES,
};

enum event_kind {
	EVENT_STARTED,  /* work on target begins; text: image name and version */
	EVENT_PHASE,    /* phase begins; total_bytes of it are to be done */
	EVENT_PROGRESS, /* done_bytes of total_bytes (SIZE_UNKNOWN for a pipe) of phase */
	EVENT_OVERRIDE, /* a check was lifted; text: the flag and what it lifted */
	EVENT_NOTE,     /* text: something a user should know, and no failure */
	EVENT_DONE,     /* target is written, durable and read back; text: which guarantee held;
			 * done_bytes of total_bytes had to be written (0 of 0: it is not told) */
	EVENT_FAILED,   /* target failed with code; text: the error, and what state the target is in
			 */
	EVENT_MEMORY,   /* all is done, and this is what memory it took */
	N_EVENTS,
};

/* What a run took of memory, and how much of it was promised. */
struct event_memory {
	uint64_t buffers_bytes; /* of chunks, at most at once */
	uint64_t bound_bytes;   /* the most that they could have been */
	uint64_t process_bytes; /* the program as a whole, at most at once */
};

struct event {
	enum event_kind kind;
	enum phase phase;
	enum err_code code;
	uint64_t done_bytes;
	uint64_t total_bytes;
	const char *target;                /* borrowed; NULL: about all of them */
	const char *text;                  /* borrowed; NULL when there is nothing to say */
	const struct event_memory *memory; /* borrowed; of EVENT_MEMORY, else NULL */
};

struct listener {
	void (*on_event)(void *context, const struct event *ev);
	void *context; /* borrowed */
};

/* l may be NULL: nobody listens. */
static inline void event_emit(const struct listener *l, const struct event *ev)
{
	if (l && l->on_event)
		l->on_event(l->context, ev);
}

/* The names programs see: "check", "scan", "wipe", "write", "flush", "read-back", "commit",
 * "probe". */
const char *phase_name(enum phase phase);
/* "started", "phase", "progress", "override", "note", "done", "failed", "memory". */
const char *event_name(enum event_kind kind);
