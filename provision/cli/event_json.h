/* Events for programs. The schema is a table in lkflash.8. Pure. */
#pragma once

#include "flash/base/buf.h"
#include "flash/base/event.h"

/* Append ev as one JSON object and a line feed. */
void event_json(const struct event *ev, struct buf *out);
