/* What `linuxkit build` wrote, in all its forms. */
#include "provision/build/linuxkit.h"
#include "provision/build/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/scratch.h"

enum { PATH_BYTES = 256, CMDLINE_MAX_BYTES = 65536 };

/* A folder for a build that is called "os", and what was found of it. */
struct scene {
	char *folder; /* owned */
	char prefix[PATH_BYTES];
	struct payload_maps *maps; /* owned */
	struct linuxkit k;         /* owned */
	struct err e;
};

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof *s);

	assert_non_null(s);
	assert_int_equal(scratch_new("/tmp", &s->folder, &s->e), 0);
	assert_int_equal(maps_new(&s->maps, &s->e), 0);
	(void)snprintf(s->prefix, sizeof s->prefix, "%s/os", s->folder);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	linuxkit_release(&s->k);
	maps_free(s->maps);
	scratch_free(s->folder);
	free(s);
	return 0;
}

/* A file of the build. */
static void put(struct scene *s, const char *ending, const char *text)
{
	char path[PATH_BYTES + 32];

	(void)snprintf(path, sizeof path, "%s%s", s->prefix, ending);
	assert_int_equal(fdio_save(path, text, strlen(text), 0644, &s->e), 0);
}

/* A tar of the build. */
static void put_tar(struct scene *s, const char *ending, struct tree *t)
{
	char path[PATH_BYTES + 32];

	(void)snprintf(path, sizeof path, "%s%s", s->prefix, ending);
	assert_int_equal(tree_sort(t, &s->e), 0);
	assert_int_equal(tree_write_tar(t, path, 0, &s->e), 0);
}

static void add(struct scene *s, struct tree *t, const char *path, const char *text)
{
	assert_int_equal(tree_add_text(t, path, text, &s->e), 0);
}

static int load(struct scene *s)
{
	const struct payload_request r = {.linuxkit = s->prefix, .scratch_folder = s->folder};

	return linuxkit_load(&r, s->maps, &s->k, &s->e);
}

static void assert_refused(struct scene *s, enum err_code code, const char *text)
{
	assert_int_equal(load(s), -1);
	assert_int_equal(s->e.code, code);
	assert_non_null(strstr(s->e.text, text));
	assert_null(s->k.kernel_name);
}

static void assert_span(struct span got, const char *wanted)
{
	assert_int_equal(got.n_bytes, strlen(wanted));
	assert_memory_equal(got.bytes, wanted, got.n_bytes);
}

/* ---- Files beside each other ---------------------------------------------------------------- */

static void kernel_and_initrd_are_taken(void **state)
{
	struct scene *s = *state;

	put(s, "-kernel", "KERNEL");
	put(s, "-initrd.img", "INITRD");
	put(s, "-cmdline", "quiet");
	assert_int_equal(load(s), 0);
	assert_span(s->k.kernel, "KERNEL");
	assert_span(s->k.initrd, "INITRD");
	assert_string_equal(s->k.cmdline, "quiet");
	assert_false(s->k.has_root);
}

static void end_of_line_does_not_belong_to_the_command_line(void **state)
{
	struct scene *s = *state;

	put(s, "-kernel", "KERNEL");
	put(s, "-initrd.img", "INITRD");
	put(s, "-cmdline", "console=ttyS0 quiet \r\n");
	assert_int_equal(load(s), 0);
	assert_string_equal(s->k.cmdline, "console=ttyS0 quiet");
}

static void root_file_system_is_taken_as_an_image(void **state)
{
	struct scene *s = *state;

	put(s, "-kernel", "KERNEL");
	put(s, "-cmdline", "quiet");
	put(s, "-erofs.img", "EROFS");
	assert_int_equal(load(s), 0);
	assert_non_null(strstr(s->k.root_image_path, "/os-erofs.img"));
	assert_int_equal(s->k.initrd.n_bytes, 0);
}

static void prefix_of_nothing_is_refused(void **state)
{
	assert_refused(*state, ERR_USAGE, "os.tar; give the prefix of what `linuxkit build` wrote");
}

static void kernel_alone_is_refused(void **state)
{
	struct scene *s = *state;

	put(s, "-kernel", "KERNEL");
	put(s, "-cmdline", "quiet");
	assert_refused(s, ERR_USAGE, "os-kernel is there, but neither ");
}

static void kernel_without_a_command_line_is_a_failure(void **state)
{
	struct scene *s = *state;

	put(s, "-kernel", "KERNEL");
	put(s, "-initrd.img", "INITRD");
	assert_refused(s, ERR_IO, "os-cmdline");
}

static void empty_kernel_is_refused(void **state)
{
	struct scene *s = *state;

	put(s, "-kernel", "");
	put(s, "-initrd.img", "INITRD");
	put(s, "-cmdline", "quiet");
	assert_refused(s, ERR_USAGE, "os-kernel is empty");
}

/* ---- Tars ----------------------------------------------------------------------------------- */

static void tar_of_kernel_and_initrd_is_taken(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct scene *s = *state;

	add(s, &t, "kernel", "KERNEL");
	add(s, &t, "initrd.img", "INITRD");
	add(s, &t, "cmdline", "quiet\n");
	add(s, &t, "ucode.cpio", "UCODE");
	put_tar(s, "-initrd.tar", &t);
	assert_int_equal(load(s), 0);
	assert_span(s->k.kernel, "KERNEL");
	assert_span(s->k.initrd, "INITRD");
	assert_span(s->k.microcode, "UCODE");
	assert_string_equal(s->k.cmdline, "quiet");
	assert_false(s->k.has_root);
}

static void tar_of_a_system_is_split_into_its_parts(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct scene *s = *state;

	add(s, &t, "boot/kernel", "KERNEL");
	add(s, &t, "boot/cmdline", "quiet");
	add(s, &t, "boot/dtb/vendor/board.dtb", "DTB");
	add(s, &t, "etc/hostname", "os");
	put_tar(s, ".tar", &t);
	assert_int_equal(load(s), 0);
	assert_span(s->k.kernel, "KERNEL");
	assert_true(s->k.has_root);
	assert_non_null(tree_find(&s->k.root, "etc/hostname"));
	assert_null(tree_find(&s->k.root, "boot"));
	assert_null(tree_find(&s->k.root, "boot/kernel"));
	assert_non_null(tree_find(&s->k.dtbs, "vendor/board.dtb"));
}

static void tar_of_something_else_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct scene *s = *state;

	add(s, &t, "etc/hostname", "os");
	put_tar(s, ".tar", &t);
	assert_refused(s, ERR_USAGE, "holds neither boot/kernel nor kernel and initrd.img");
}

static void empty_kernel_in_a_tar_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct scene *s = *state;

	add(s, &t, "kernel", "");
	add(s, &t, "initrd.img", "INITRD");
	put_tar(s, "-initrd.tar", &t);
	assert_refused(s, ERR_USAGE, "os-initrd.tar is empty");
}

static void command_line_in_a_tar_that_is_too_long_is_refused(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	CLEANUP(freep) char *line = calloc(1, CMDLINE_MAX_BYTES + 2);
	struct scene *s = *state;

	assert_non_null(line);
	memset(line, 'x', CMDLINE_MAX_BYTES + 1);
	add(s, &t, "kernel", "KERNEL");
	add(s, &t, "initrd.img", "INITRD");
	add(s, &t, "cmdline", line);
	put_tar(s, "-initrd.tar", &t);
	assert_refused(s, ERR_USAGE, "cmdline has 65537 bytes, too many for a command line");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(kernel_and_initrd_are_taken),
		IN_FOLDER(end_of_line_does_not_belong_to_the_command_line),
		IN_FOLDER(root_file_system_is_taken_as_an_image),
		IN_FOLDER(prefix_of_nothing_is_refused),
		IN_FOLDER(kernel_alone_is_refused),
		IN_FOLDER(kernel_without_a_command_line_is_a_failure),
		IN_FOLDER(empty_kernel_is_refused),
		IN_FOLDER(tar_of_kernel_and_initrd_is_taken),
		IN_FOLDER(tar_of_a_system_is_split_into_its_parts),
		IN_FOLDER(tar_of_something_else_is_refused),
		IN_FOLDER(empty_kernel_in_a_tar_is_refused),
		IN_FOLDER(command_line_in_a_tar_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
