/* Debug messages. See log.h. */
#include "flash/base/log.h"

#include <stdarg.h>
#include <stdio.h>

static bool is_debug_on;

void log_set_debug(bool is_on)
{
	is_debug_on = is_on;
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!is_debug_on)
		return;
	(void)fputs("lkflash: debug: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}
