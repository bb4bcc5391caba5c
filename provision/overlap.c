/* The same thing under two names. See overlap.h. */
#include "provision/overlap.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"

static bool is_same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode))
		return a->st_rdev == b->st_rdev; /* a device may have several nodes */
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The model of a loop device is its file. */
static bool is_loop_on(const struct facts *f, const struct stat *file)
{
	struct stat backing;

	return f->is_loop && stat(f->model, &backing) == 0 && is_same(&backing, file);
}

/* What is read from where. False when it is not there, or a URL. */
static bool look_at_input(const char *where, struct stat *out)
{
	return (strcmp(where, "-") == 0 ? fstat(STDIN_FILENO, out) : stat(where, out)) == 0;
}

static int check_input(const struct facts *f, const char *where, const char *what, struct err *e)
{
	struct stat input;
	struct stat target;

	if (!where || !look_at_input(where, &input))
		return 0;
	if (stat(f->path, &target) == 0 && is_same(&input, &target))
		return err_set(e, ERR_REFUSED,
			       "it is the %s itself, which would be overwritten while it is read; "
			       "name another target",
			       what);
	if (is_loop_on(f, &input))
		return err_set(e, ERR_REFUSED,
			       "%s is a loop device on the %s itself, which would be overwritten "
			       "while it is read; name another target",
			       f->path, what);
	return 0;
}

int overlap_check(const struct facts *f, const struct image_request *r, struct err *e)
{
	CLEANUP(freep) char *beside = NULL;

	if (asprintf(&beside, "%s.lkm", r->where) < 0) {
		beside = NULL;
		return err_errno(e, "%s", r->where);
	}
	if (check_input(f, r->where, "image", e) < 0 ||
	    check_input(f, r->manifest_where ? r->manifest_where : beside, "manifest of the image",
			e) < 0 ||
	    check_input(f, r->bmap_where, "block map of the image", e) < 0)
		return -1;
	return check_input(f, r->sums_where, "file of checksums", e);
}

static bool is_same_target(const struct facts *a, const struct facts *b)
{
	struct stat first;
	struct stat second;

	if (strcmp(a->real_path, b->real_path) == 0)
		return true;
	return stat(a->path, &first) == 0 && stat(b->path, &second) == 0 &&
	       is_same(&first, &second);
}

static bool is_loop_on_target(const struct facts *a, const struct facts *b)
{
	struct stat file;

	return stat(b->path, &file) == 0 && is_loop_on(a, &file);
}

int overlap_check_targets(const struct facts *a, const struct facts *b, struct err *e)
{
	if (!a || !b)
		return 0;
	if (strcmp(a->path, b->path) == 0)
		return err_set(e, ERR_USAGE, "target %s is named twice; name each once", a->path);
	if (is_same_target(a, b))
		return err_set(e, ERR_USAGE, "targets %s and %s are the same %s; name each once",
			       a->path, b->path, a->kind == TARGET_BLOCK ? "disk" : "file");
	if (is_loop_on_target(a, b) || is_loop_on_target(b, a))
		return err_set(e, ERR_USAGE,
			       "targets %s and %s are a loop device and its file; name one of them",
			       a->path, b->path);
	return 0;
}
