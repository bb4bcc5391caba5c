/* Which lkflash this is. The values come from the Makefile. */
#pragma once

#include <stdint.h>

const char *version_text(void);

/* When it was built, seconds since 1970: no clock is believed that is behind this. */
int64_t version_build_time_s(void);
