/* What `linuxkit build` wrote, found by its prefix. LinuxKit's docs/yaml.md and its formats
 * kernel+initrd, kernel+squashfs, kernel+erofs, tar-kernel-initrd and tar. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/bytes.h"
#include "flash/base/err.h"
#include "flash/disk/tree.h"
#include "provision/build/maps.h"

struct payload_request;

/* Zero-initialise; released by linuxkit_release. */
struct linuxkit {
	char *kernel_name;     /* owned; for messages */
	struct span kernel;    /* held by maps, as the rest */
	struct span initrd;    /* no bytes: none */
	struct span microcode; /* no bytes: none, or in front of the initrd already */
	char *cmdline;         /* owned; without an end of line */
	char *root_image_path; /* owned; of kernel+squashfs and kernel+erofs; NULL: none */
	struct tree root;      /* of tar: all but what boots it */
	struct tree dtbs;      /* of tar: what is below boot/dtb */
	bool has_root;         /* root is one */
};

/* r->linuxkit is PREFIX as given to LinuxKit's -name, or the path of a tar that it wrote. A tar is
 * unpacked below r's scratch_folder, and no file of it is younger than its time_s. Fails with
 * ERR_USAGE when there is no build, naming what was looked for, or when a part of it is missing;
 * with ERR_IO.
 */
int linuxkit_load(const struct payload_request *r, struct payload_maps *maps, struct linuxkit *out,
		  struct err *e);
void linuxkit_release(struct linuxkit *k);
