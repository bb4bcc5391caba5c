/* Sizes as text. See units.h. */
#include "flash/base/units.h"

#include <stdio.h>

const char *units_format_bytes(uint64_t size_bytes, char text[UNITS_TEXT_BYTES])
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)size_bytes;
	size_t unit = 0;

	if (size_bytes == SIZE_UNKNOWN) {
		(void)snprintf(text, UNITS_TEXT_BYTES, "unknown size");
		return text;
	}
	/* From 1023.5 on it would be rounded to 1024 of the smaller unit. */
	while (value >= 1023.5 && unit + 1 < sizeof names / sizeof *names) {
		value /= 1024;
		unit++;
	}
	int n_decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	(void)snprintf(text, UNITS_TEXT_BYTES, "%.*f %s", n_decimals, value, names[unit]);
	return text;
}
