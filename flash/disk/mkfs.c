/* The file systems that can be made, by name. See mkfs.h. */
#include "flash/disk/mkfs.h"

#include <string.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"

#define MKFS(name) extern const struct mkfs_kind mkfs_##name;
#include "flash/disk/mkfs.def"
#undef MKFS

#define MKFS(name) &mkfs_##name,
static const struct mkfs_kind *const kinds[] = {
#include "flash/disk/mkfs.def"
};
#undef MKFS

int mkfs_by_name(const char *name, const struct mkfs_kind **out, struct err *e)
{
	CLEANUP(buf_release) struct buf names = {0};
	const char *text = NULL;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i]->name, name) == 0) {
			*out = kinds[i];
			return 0;
		}
		buf_printf(&names, "%s%s", i > 0 ? ", " : "", kinds[i]->name);
	}
	if (buf_text(&names, &text, e) < 0)
		return -1;
	return err_set(e, ERR_USAGE, "there is no file system %s; there are %s", name, text);
}
