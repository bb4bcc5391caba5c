/* What an image shall start. See payload.h. */
#include "provision/build/payload.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/kernel.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"
#include "provision/build/inputs_digest.h"
#include "provision/build/linuxkit.h"
#include "provision/build/maps.h"
#include "provision/build/root_source.h"

enum {
	KERNEL_MAX_BYTES = 512 << 20, /* unpacked; what no kernel is, and no bomb may be more */
	CPIO_ALIGN_BYTES = 4, /* where a cpio may start behind another: linux/init/initramfs.c */
};

/* Pieces that are not yet what methods get. */
struct pieces {
	const char *kernel_name; /* borrowed */
	struct span kernel;      /* held by the payload's maps, as the rest */
	struct span initrd;
	struct span microcode;
	struct linuxkit linuxkit;
};

static void pieces_release(struct pieces *p)
{
	linuxkit_release(&p->linuxkit);
}

/* ---- What goes together ---- */

static int check_request(const struct payload_request *r, struct err *e)
{
	if (!r->kernel_path && !r->linuxkit)
		return err_set(
			e, ERR_USAGE,
			"there is nothing to start; give --kernel FILE or --linuxkit PREFIX");
	if (r->linuxkit && (r->kernel_path || r->initrd_path))
		return err_set(e, ERR_USAGE,
			       "--linuxkit brings kernel and initrd; leave out --kernel and "
			       "--initrd");
	return 0;
}

static int load_linuxkit(const struct payload_request *r, struct payload *p, struct pieces *in,
			 struct err *e)
{
	struct linuxkit *k = &in->linuxkit;

	if (linuxkit_load(r, p->maps, k, e) < 0)
		return -1;
	if (r->rootfs_path && (k->has_root || k->root_image_path))
		return err_set(e, ERR_USAGE,
			       "--linuxkit %s brings a root file system; leave out --rootfs",
			       r->linuxkit);
	if (r->microcode_path && k->microcode.n_bytes > 0)
		return err_set(e, ERR_USAGE, "--linuxkit %s brings microcode; leave out --ucode",
			       r->linuxkit);
	in->kernel_name = k->kernel_name;
	in->kernel = k->kernel;
	in->initrd = k->initrd;
	in->microcode = k->microcode;
	return 0;
}

static int load_pieces(const struct payload_request *r, struct payload *p, struct pieces *in,
		       struct err *e)
{
	in->kernel_name = r->kernel_path;
	if (r->linuxkit && load_linuxkit(r, p, in, e) < 0)
		return -1;
	if (r->kernel_path && maps_file(p->maps, r->kernel_path, &in->kernel, e) < 0)
		return -1;
	if (r->initrd_path && maps_file(p->maps, r->initrd_path, &in->initrd, e) < 0)
		return -1;
	if (r->microcode_path && maps_file(p->maps, r->microcode_path, &in->microcode, e) < 0)
		return -1;
	return 0;
}

/* ---- Kernel and initrd ---- */

/* All that s gives, at most max_bytes. */
static int read_all(struct source *s, size_t max_bytes, uint8_t **out, size_t *out_n_bytes,
		    struct err *e)
{
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t capacity_bytes = 0;
	size_t n_bytes = 0;

	while (n_bytes == capacity_bytes) {
		size_t n_read = 0;
		if (capacity_bytes > max_bytes)
			return err_set(e, ERR_USAGE, "unpacked it has more than %zu bytes",
				       max_bytes);
		capacity_bytes = capacity_bytes > 0 ? 2 * capacity_bytes : 32 * MIB;
		uint8_t *grown = realloc(bytes, capacity_bytes);
		if (!grown)
			return err_errno(e, "unpacking");
		bytes = grown;
		if (source_read_full(s, bytes + n_bytes, capacity_bytes - n_bytes, &n_read, e) < 0)
			return -1;
		n_bytes += n_read;
	}
	*out = TAKE(bytes);
	*out_n_bytes = n_bytes;
	return 0;
}

static int unpack(struct payload *p, struct span packed, struct span *out, struct err *e)
{
	CLEANUP(source_freep) struct source *plain = NULL;
	struct source *in = NULL;
	uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	if (source_mem_new(packed.bytes, packed.n_bytes, &in, e) < 0 ||
	    codec_open_fitting(in, 1, &plain, e) < 0 ||
	    read_all(plain, KERNEL_MAX_BYTES, &bytes, &n_bytes, e) < 0)
		return -1;
	*out = (struct span){bytes, n_bytes};
	return maps_take(p->maps, bytes, e);
}

static int take_kernel(const struct payload_request *r, struct payload *p, const struct pieces *in,
		       struct err *e)
{
	p->boot.kernel = in->kernel;
	if (codec_by_magic(in->kernel.bytes, in->kernel.n_bytes) &&
	    unpack(p, in->kernel, &p->boot.kernel, e) < 0)
		return err_wrap(e, "unpacking %s", in->kernel_name);
	if (kernel_check(p->boot.kernel, r->arch, e) < 0)
		return err_wrap(e, "%s", in->kernel_name);
	return 0;
}

/* The kernel looks for microcode in an uncompressed cpio in front of all others (Linux,
 * Documentation/arch/x86/microcode.rst). */
static int take_initrd(struct payload *p, const struct pieces *in, struct err *e)
{
	size_t first_bytes = (size_t)align_up(in->microcode.n_bytes, CPIO_ALIGN_BYTES);

	p->boot.initrd = in->microcode.n_bytes > 0 ? in->microcode : in->initrd;
	if (in->microcode.n_bytes == 0 || in->initrd.n_bytes == 0)
		return 0;
	uint8_t *both = calloc(1, first_bytes + in->initrd.n_bytes);
	if (!both)
		return err_errno(e, "putting microcode in front of the initrd");
	memcpy(both, in->microcode.bytes, in->microcode.n_bytes);
	memcpy(both + first_bytes, in->initrd.bytes, in->initrd.n_bytes);
	p->boot.initrd = (struct span){both, first_bytes + in->initrd.n_bytes};
	return maps_take(p->maps, both, e);
}

static int take_cmdline(const struct payload_request *r, struct payload *p, const struct pieces *in,
			struct err *e)
{
	const char *text = r->cmdline ? r->cmdline : in->linuxkit.cmdline;

	for (const char *c = text; c && *c; c++)
		if ((unsigned char)*c < ' ')
			return err_set(e, ERR_USAGE,
				       "the command line has an end of line or control character "
				       "at byte %td; it must be one line",
				       c - text);
	p->cmdline = strdup(text ? text : "");
	if (!p->cmdline)
		return err_errno(e, "taking the command line");
	return 0;
}

/* ---- Trees ---- */

static int take_dtbs(const struct payload_request *r, struct payload *p, struct pieces *in,
		     struct err *e)
{
	if (r->dtb_folder) {
		if (tree_read_folder(&p->dtbs, r->dtb_folder, r->time_s, e) < 0)
			return err_wrap(e, "--dtb");
	} else {
		p->dtbs = in->linuxkit.dtbs;
		in->linuxkit.dtbs = (struct tree){0};
	}
	p->boot.dtbs = p->dtbs.n_entries > 0 ? &p->dtbs : NULL;
	return 0;
}

static int take_boot_file(struct payload *p, const char *pair, struct err *e)
{
	const char *colon = strrchr(pair, ':');

	if (!colon || colon == pair || colon[1] == '\0')
		return err_set(e, ERR_USAGE,
			       "it is --boot-file SRC:DST, a file and its name on "
			       "the boot partition");
	CLEANUP(freep) char *source = strndup(pair, (size_t)(colon - pair));
	if (!source)
		return err_errno(e, "%s", pair);
	return tree_add_path(&p->boot_files, colon + 1, source, e);
}

static int take_boot_files(const struct payload_request *r, struct payload *p, struct err *e)
{
	for (size_t i = 0; i < r->n_boot_files; i++)
		if (take_boot_file(p, r->boot_files[i], e) < 0)
			return err_wrap(e, "--boot-file %s", r->boot_files[i]);
	return tree_sort(&p->boot_files, e);
}

static int take_root_path(const char *path, const struct payload_request *r, struct payload *p,
			  struct err *e)
{
	struct root_source root = {0};

	if (root_source_load(path, r, &root, e) < 0)
		return err_wrap(e, "taking the root file system");
	p->has_root = true;
	p->root = root.tree;
	p->root_file_system = root.file_system;
	p->root_image_bytes = root.image_bytes;
	if (!root.file_system)
		return 0;
	p->root_image_path = strdup(path);
	return p->root_image_path ? 0 : err_errno(e, "%s", path);
}

static int take_root(const struct payload_request *r, struct payload *p, struct pieces *in,
		     struct err *e)
{
	struct linuxkit *k = &in->linuxkit;

	if (r->rootfs_path)
		return take_root_path(r->rootfs_path, r, p, e);
	if (k->root_image_path)
		return take_root_path(k->root_image_path, r, p, e);
	p->has_root = k->has_root;
	p->root = k->root;
	k->root = (struct tree){0};
	return 0;
}

/* ---- The digest over all inputs ---- */

static int digest_inputs(const struct payload_request *r, struct payload *p, struct err *e)
{
	CLEANUP(digest_freep) struct digest *d = NULL;

	if (digest_new(DIGEST_SHA256, &d, e) < 0 ||
	    inputs_digest_bytes(d, "kernel", p->boot.kernel, e) < 0 ||
	    inputs_digest_bytes(d, "initrd", p->boot.initrd, e) < 0 ||
	    inputs_digest_text(d, "command line", p->cmdline, e) < 0 ||
	    inputs_digest_text(d, "version", p->boot.version, e) < 0 ||
	    inputs_digest_tree(d, "device trees", &p->dtbs, e) < 0 ||
	    inputs_digest_tree(d, "boot files", &p->boot_files, e) < 0 ||
	    inputs_digest_u64(d, "has root", p->has_root, e) < 0 ||
	    inputs_digest_tree(d, "root", &p->root, e) < 0)
		return -1;
	if (p->root_image_path && inputs_digest_file(d, "root image", p->root_image_path,
						     p->root_image_bytes, r->cancel, e) < 0)
		return -1;
	return digest_finish(d, p->digest, e);
}

static int load(const struct payload_request *r, struct payload *p, struct err *e)
{
	CLEANUP(pieces_release) struct pieces in = {0};

	p->dtbs.cancel = r->cancel;
	p->boot_files.cancel = r->cancel;
	p->boot.version = r->version ? r->version : "";
	if (check_request(r, e) < 0 || maps_new(&p->maps, e) < 0 || load_pieces(r, p, &in, e) < 0 ||
	    take_kernel(r, p, &in, e) < 0 || take_initrd(p, &in, e) < 0 ||
	    take_cmdline(r, p, &in, e) < 0 || take_dtbs(r, p, &in, e) < 0 ||
	    take_boot_files(r, p, e) < 0 || take_root(r, p, &in, e) < 0)
		return -1;
	return digest_inputs(r, p, e);
}

int payload_load(const struct payload_request *r, struct payload *out, struct err *e)
{
	*out = (struct payload){0};
	if (load(r, out, e) < 0) {
		payload_release(out);
		return -1;
	}
	return 0;
}

void payload_release(struct payload *p)
{
	tree_release(&p->dtbs);
	tree_release(&p->boot_files);
	tree_release(&p->root);
	free(p->cmdline);
	free(p->root_image_path);
	maps_free(p->maps);
	*p = (struct payload){0};
}
