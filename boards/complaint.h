/* What libcyaml logs when it refuses a text, turned into one sentence with the line. Pure. */
#pragma once

#include "boards/yaml_lines.h"
#include "flash/base/err.h"

enum { COMPLAINT_FIELD_BYTES = 40 };

/* One line of its backtrace: what was being read, innermost first. */
struct complaint_spot {
	unsigned line;
	unsigned column;
	char field[COMPLAINT_FIELD_BYTES]; /* "" for a whole mapping or an entry of a sequence */
};

/* Zero-initialise a struct complaint ({0}). */
struct complaint {
	char reason[ERR_TEXT_BYTES]; /* the first line: "Unexpected key: tabel" */
	unsigned n_spots;
	struct complaint_spot spots[2];
};

/* Take one line of libcyaml's log, from level "error" on, in its order. */
void complaint_add(struct complaint *c, const char *log_line);

/* Of the innermost spots the key that names one, "" when none does. Borrowed from c. */
const char *complaint_field(const struct complaint *c);

/* Fill *e with ERR_USAGE, "where:line: reason". Returns -1. */
int complaint_explain(const struct complaint *c, const char *where, const struct yaml_lines *lines,
		      struct err *e);
