/* Which lkflash this is. See version.h. */
#include "provision/cli/version.h"

const char *version_text(void)
{
	return LKFLASH_VERSION;
}

int64_t version_build_time_s(void)
{
	return LKFLASH_BUILD_TIME;
}
