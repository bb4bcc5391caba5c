/* Debug messages on stderr, for people who look for a fault in lkflash itself. */
#pragma once

#include <stdbool.h>

/* Turn debug messages on or off. The only mutable state of file scope in the program. */
void log_set_debug(bool is_on);

/* Print one line when debug messages are on. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
