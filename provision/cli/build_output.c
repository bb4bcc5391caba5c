/* The image of `lkflash build` must not stand in for what it is made of. See build_output.h. */
#include "provision/cli/build_output.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"

static int check(const struct stat *out, const char *path, struct err *e)
{
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return 0; /* who reads it will tell */
	if (st.st_dev != out->st_dev || st.st_ino != out->st_ino)
		return 0;
	return err_set(e, ERR_USAGE,
		       "the image would take the place of %s, which is read for it; give it "
		       "another name",
		       path);
}

static int check_options(const struct stat *out, const struct options *o, struct err *e)
{
	const char *const paths[] = {o->kernel_path, o->initrd_path, o->microcode_path,
				     o->rootfs_path, o->linuxkit,    o->boot_key_path};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (check(out, paths[i], e) < 0)
			return -1;
	return 0;
}

static int check_linuxkit(const struct stat *out, const char *prefix, struct err *e)
{
	static const char *const endings[] = {"-kernel",       "-initrd.img", "-cmdline",
					      "-squashfs.img", "-erofs.img",  "-initrd.tar",
					      ".tar"};

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		CLEANUP(freep) char *path = NULL;
		if (asprintf(&path, "%s%s", prefix, endings[i]) < 0) {
			path = NULL;
			return err_errno(e, "%s", prefix);
		}
		if (check(out, path, e) < 0)
			return -1;
	}
	return 0;
}

static int check_firmware(const struct stat *out, const struct firmware_set *firmware,
			  struct err *e)
{
	size_t n_files = 0;
	const struct boot_firmware *files = firmware_files(firmware, &n_files);

	for (size_t i = 0; i < n_files; i++)
		if (check(out, firmware_path(firmware, files[i].file), e) < 0)
			return -1;
	return 0;
}

static int check_tree(const struct stat *out, const struct tree *t, struct err *e)
{
	for (size_t i = 0; i < t->n_entries; i++)
		if (check(out, t->entries[i].source_path, e) < 0)
			return -1;
	return 0;
}

int build_output_check(const struct options *o, const struct payload *p,
		       const struct firmware_set *firmware, struct err *e)
{
	struct stat out;

	if (!o->out_path || stat(o->out_path, &out) < 0 || !S_ISREG(out.st_mode))
		return 0;
	if (check_options(&out, o, e) < 0 ||
	    (o->linuxkit && check_linuxkit(&out, o->linuxkit, e) < 0))
		return -1;
	if (check_firmware(&out, firmware, e) < 0 || check_tree(&out, &p->dtbs, e) < 0 ||
	    check_tree(&out, &p->boot_files, e) < 0)
		return -1;
	return check_tree(&out, &p->root, e);
}

int build_output_check_path(const char *out_path, const char *path, struct err *e)
{
	struct stat out;

	return stat(out_path, &out) < 0 ? 0 : check(&out, path, e);
}
