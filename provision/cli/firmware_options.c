/* Options as firmware files. See firmware_options.h. */
#include "provision/cli/firmware_options.h"

#include "flash/base/cleanup.h"

int firmware_options_load(const struct options *o, const struct board *b, struct firmware_set **out,
			  struct err *e)
{
	CLEANUP(freep) char *cache = NULL;
	struct err ignored = {0};

	/* Who has no cache can still have the files elsewhere. */
	(void)environment_cache_dir(&o->environment, &cache, &ignored);
	const struct firmware_places places = {
		.folder = o->firmware_dir,
		.cache = cache,
		.root = "/",
	};
	return firmware_load(b, &places, out, e);
}
