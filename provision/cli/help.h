/* Help texts, generated from the tables of verbs and options. */
#pragma once

#include <stdio.h>

#include "flash/base/buf.h"
#include "provision/cli/command.h"

/* What lkflash is and its verbs. */
void help_overview(struct buf *out);

/* Usage, purpose and options of one verb. */
void help_command(const struct command *c, struct buf *out);

/* Print the help of c, or the overview when c is NULL. */
int help_print(const struct command *c, FILE *file, struct err *e);
