/* What `linuxkit build` wrote. See linuxkit.h. */
#include "provision/build/linuxkit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/parse.h"
#include "provision/build/payload.h"

enum { CMDLINE_MAX_BYTES = 65536 };

/* ---- Pieces ---- */

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* PREFIX and an ending; NULL when memory is short, *e is set. */
static char *path_of(const char *prefix, const char *ending, struct err *e)
{
	char *path = NULL;

	if (asprintf(&path, "%s%s", prefix, ending) < 0) {
		(void)err_errno(e, "%s", prefix);
		return NULL;
	}
	return path;
}

/* A copy of text without the white space at its end. */
static int copy_line(const void *bytes, size_t n_bytes, char **out, struct err *e)
{
	char *text = strndup(bytes, n_bytes);

	if (!text)
		return err_errno(e, "reading a command line");
	for (size_t n = strlen(text); n > 0 && strchr(" \t\r\n", text[n - 1]); n--)
		text[n - 1] = '\0';
	*out = text;
	return 0;
}

/* ---- Files beside each other ---- */

static int load_cmdline(const char *prefix, char **out, struct err *e)
{
	CLEANUP(freep) char *path = path_of(prefix, "-cmdline", e);
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	if (!path || fdio_load(path, CMDLINE_MAX_BYTES, &bytes, &n_bytes, e) < 0)
		return -1;
	return copy_line(bytes, n_bytes, out, e);
}

/* The path of a file of the build; *out stays NULL when there is none. */
static int find_file(const char *prefix, const char *ending, char **out, struct err *e)
{
	CLEANUP(freep) char *path = path_of(prefix, ending, e);

	if (!path)
		return -1;
	if (is_file(path))
		*out = TAKE(path);
	return 0;
}

/* The image of a root file system, where the build has one. */
static int find_root_image(const char *prefix, char **out, struct err *e)
{
	static const char *const endings[] = {"-squashfs.img", "-erofs.img"};

	for (size_t i = 0; !*out && i < sizeof endings / sizeof *endings; i++)
		if (find_file(prefix, endings[i], out, e) < 0)
			return -1;
	return 0;
}

static int load_files(const char *prefix, struct payload_maps *maps, struct linuxkit *k,
		      struct err *e)
{
	CLEANUP(freep) char *initrd = path_of(prefix, "-initrd.img", e);

	if (!initrd || maps_file(maps, k->kernel_name, &k->kernel, e) < 0 ||
	    load_cmdline(prefix, &k->cmdline, e) < 0)
		return -1;
	if (is_file(initrd))
		return maps_file(maps, initrd, &k->initrd, e);
	if (find_root_image(prefix, &k->root_image_path, e) < 0)
		return -1;
	if (!k->root_image_path)
		return err_set(e, ERR_USAGE,
			       "%s-kernel is there, but neither %s nor %s-squashfs.img; build it "
			       "again with `linuxkit build -format kernel+initrd`",
			       prefix, initrd, prefix);
	return 0;
}

/* ---- Tars ---- */

/* The content of a file in the tree; no bytes when it is not there. */
static int entry_content(const struct tree *t, const char *path, struct payload_maps *maps,
			 struct span *out, struct err *e)
{
	const struct tree_entry *entry = tree_find(t, path);

	if (!entry || entry->kind != TREE_FILE || entry->size_bytes == 0)
		return 0;
	if (entry->source_path)
		return maps_file(maps, entry->source_path, out, e);
	CLEANUP(freep) uint8_t *copy = malloc(entry->content.n_bytes);
	if (!copy)
		return err_errno(e, "%s", path);
	memcpy(copy, entry->content.bytes, entry->content.n_bytes);
	*out = (struct span){copy, entry->content.n_bytes};
	return maps_take(maps, TAKE(copy), e);
}

static int take_boot_parts(const struct tree *t, const char *folder, struct payload_maps *maps,
			   struct linuxkit *k, struct err *e)
{
	CLEANUP(freep) char *kernel = path_of(folder, "kernel", e);
	CLEANUP(freep) char *cmdline = path_of(folder, "cmdline", e);
	CLEANUP(freep) char *microcode = path_of(folder, "ucode.cpio", e);
	struct span line = {0};

	if (!kernel || !cmdline || !microcode ||
	    entry_content(t, kernel, maps, &k->kernel, e) < 0 ||
	    entry_content(t, microcode, maps, &k->microcode, e) < 0 ||
	    entry_content(t, cmdline, maps, &line, e) < 0)
		return -1;
	if (line.n_bytes > CMDLINE_MAX_BYTES)
		return err_set(e, ERR_USAGE, "%s has %zu bytes, too many for a command line",
			       cmdline, line.n_bytes);
	return line.n_bytes > 0 ? copy_line(line.bytes, line.n_bytes, &k->cmdline, e) : 0;
}

/* Move the entry into t, under another name; where it was, an empty one stays. */
static int move_entry(struct tree *t, struct tree_entry *entry, const char *path, struct err *e)
{
	struct tree_entry moved = *entry;
	char *copy = strdup(path);

	if (!copy)
		return err_errno(e, "%s", path);
	free(entry->path);
	moved.path = copy;
	*entry = (struct tree_entry){0};
	return tree_add_entry(t, &moved, e);
}

/* The files of the tar go to where they belong: device trees, the root file system, and nowhere
 * those that boot it. */
static int split_root(struct tree *all, struct linuxkit *k, struct err *e)
{
	for (size_t i = 0; i < all->n_entries; i++) {
		struct tree_entry *entry = &all->entries[i];
		CLEANUP(freep) char *path = strdup(entry->path);
		if (!path)
			return err_errno(e, "%s", entry->path);
		bool is_dtb = parse_has_prefix(path, "boot/dtb/");
		bool is_boot = strcmp(path, "boot") == 0 || parse_has_prefix(path, "boot/");
		if (is_dtb && entry->kind == TREE_FILE &&
		    move_entry(&k->dtbs, entry, path + strlen("boot/dtb/"), e) < 0)
			return -1;
		if (!is_boot && move_entry(&k->root, entry, path, e) < 0)
			return -1;
	}
	k->has_root = true;
	return tree_sort(&k->dtbs, e) < 0 ? -1 : tree_sort(&k->root, e);
}

static int name_kernel(struct linuxkit *k, const char *tar, const char *path, struct err *e)
{
	if (asprintf(&k->kernel_name, "%s in %s", path, tar) < 0) {
		k->kernel_name = NULL;
		return err_errno(e, "%s", tar);
	}
	return 0;
}

static int load_tar(const char *tar, const struct payload_request *r, struct payload_maps *maps,
		    struct linuxkit *k, struct err *e)
{
	CLEANUP(tree_release) struct tree all = {.cancel = r->cancel};

	if (tree_read_tar(&all, tar, r->scratch_folder, r->time_s, e) < 0)
		return e->code == ERR_USAGE ? err_hint(e, "--linuxkit takes the prefix of what "
							  "`linuxkit build` wrote, or its tar")
					    : -1;
	if (tree_find(&all, "boot/kernel"))
		return name_kernel(k, tar, "boot/kernel", e) < 0 ||
				       take_boot_parts(&all, "boot/", maps, k, e) < 0 ||
				       split_root(&all, k, e) < 0
			       ? -1
			       : 0;
	if (!tree_find(&all, "kernel") || !tree_find(&all, "initrd.img"))
		return err_set(e, ERR_USAGE,
			       "%s holds neither boot/kernel nor kernel and initrd.img; build it "
			       "with `linuxkit build -format tar-kernel-initrd`",
			       tar);
	if (name_kernel(k, tar, "kernel", e) < 0 ||
	    entry_content(&all, "initrd.img", maps, &k->initrd, e) < 0)
		return -1;
	return take_boot_parts(&all, "", maps, k, e);
}

/* ---- Which it is ---- */

static int load_any(const struct payload_request *r, struct payload_maps *maps, struct linuxkit *k,
		    struct err *e)
{
	static const char *const tars[] = {"-initrd.tar", ".tar"};
	const char *where = r->linuxkit;

	if (is_file(where))
		return load_tar(where, r, maps, k, e);
	k->kernel_name = path_of(where, "-kernel", e);
	if (!k->kernel_name)
		return -1;
	if (is_file(k->kernel_name))
		return load_files(where, maps, k, e);
	free(TAKE(k->kernel_name));
	for (size_t i = 0; i < sizeof tars / sizeof *tars; i++) {
		CLEANUP(freep) char *tar = path_of(where, tars[i], e);
		if (!tar)
			return -1;
		if (is_file(tar))
			return load_tar(tar, r, maps, k, e);
	}
	return err_set(e, ERR_USAGE,
		       "--linuxkit %s: there is no %s-kernel, %s-initrd.tar or %s.tar; give the "
		       "prefix of what `linuxkit build` wrote",
		       where, where, where, where);
}

int linuxkit_load(const struct payload_request *r, struct payload_maps *maps, struct linuxkit *out,
		  struct err *e)
{
	CLEANUP(linuxkit_release) struct linuxkit k = {0};

	if (load_any(r, maps, &k, e) < 0)
		return -1;
	if (k.kernel.n_bytes == 0)
		return err_set(e, ERR_USAGE, "%s is empty", k.kernel_name);
	*out = k;
	k = (struct linuxkit){0};
	return 0;
}

void linuxkit_release(struct linuxkit *k)
{
	tree_release(&k->root);
	tree_release(&k->dtbs);
	free(k->kernel_name);
	free(k->cmdline);
	free(k->root_image_path);
}
