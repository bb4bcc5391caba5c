/* An image is settled. See build.h; the steps are in the files that build_private.h names. */
#include "provision/build/build.h"

#include <stdlib.h>

#include "flash/base/cleanup.h"
#include "provision/build/build_private.h"

int build_prepare(const struct build_request *r, struct build **out, struct err *e)
{
	CLEANUP(build_freep) struct build *b = calloc(1, sizeof *b);

	if (!b)
		return err_errno(e, "building an image");
	b->r = *r;
	if (build_choose(b, e) < 0 || build_list_parts(b, e) < 0 || build_identify(b, e) < 0 ||
	    build_fill(b, e) < 0 || build_place(b, e) < 0)
		return -1;
	*out = TAKE(b);
	return 0;
}

void build_free(struct build *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_parts; i++) {
		tree_release(&b->parts[i].own);
		free(b->parts[i].own_image_path);
	}
	for (unsigned slot = 0; slot < SLOTS_MAX; slot++)
		free(b->cmdlines[slot]);
	boot_output_release(&b->output);
	free(b);
}

uint64_t build_size_bytes(const struct build *b)
{
	return b->layout.medium_size_bytes;
}
