/* Names of phases and events. See event.h. */
#include "flash/base/event.h"

const char *phase_name(enum phase phase)
{
	static const char *const names[N_PHASES] = {
		[PHASE_CHECK] = "check",   [PHASE_SCAN] = "scan",   [PHASE_WIPE] = "wipe",
		[PHASE_WRITE] = "write",   [PHASE_FLUSH] = "flush", [PHASE_READ_BACK] = "read-back",
		[PHASE_COMMIT] = "commit", [PHASE_PROBE] = "probe",
	};
	return names[phase];
}

const char *event_name(enum event_kind kind)
{
	static const char *const names[N_EVENTS] = {
		[EVENT_STARTED] = "started",   [EVENT_PHASE] = "phase",
		[EVENT_PROGRESS] = "progress", [EVENT_OVERRIDE] = "override",
		[EVENT_NOTE] = "note",         [EVENT_DONE] = "done",
		[EVENT_FAILED] = "failed",     [EVENT_MEMORY] = "memory",
	};
	return names[kind];
}
