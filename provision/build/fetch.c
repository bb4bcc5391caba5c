/* Firmware out of Debian's packages. See fetch.h. */
#include "provision/build/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/parse.h"
#include "flash/base/scratch.h"
#include "provision/build/apt.h"

#define SUITE_DEFAULT "bookworm"
/* Packages for all architectures are in the list of each; Debian always has this one. */
#define ARCH_DEFAULT "amd64"

enum { FILE_MAX_BYTES = 128 << 20 };

/* A request under way. */
struct fetch {
	const struct fetch_request *r;
	char *apt_folder; /* owned; from the root */
	char *scratch;    /* owned; below it: packages, and what was unpacked */
	int lock_fd;      /* owned */
	bool *has_list;   /* owned; in the order of the firmware: its archive's list is there */
	struct fetch_result result;
};

/* A package that was fetched. */
struct parcel {
	char *folder;  /* owned; scratch */
	char *path;    /* owned */
	char *version; /* owned */
};

static void parcel_release(struct parcel *p)
{
	scratch_free(p->folder);
	free(p->path);
	free(p->version);
}

static void fetch_release(struct fetch *f)
{
	scratch_free(f->scratch);
	free(f->apt_folder);
	free(f->has_list);
	closep(&f->lock_fd);
	fetch_result_release(&f->result);
}

void fetch_result_release(struct fetch_result *r)
{
	for (unsigned i = 0; i < r->n_versions; i++)
		free(r->versions[i]);
	free(r->versions);
	*r = (struct fetch_result){0};
}

__attribute__((format(printf, 2, 3))) static void note(const struct fetch *f, const char *fmt, ...)
{
	CLEANUP(freep) char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	const struct event ev = {.kind = EVENT_NOTE, .text = text};
	if (text)
		event_emit(f->r->listener, &ev);
}

/* ---- What to fetch -------------------------------------------------------------------------- */

static const char *suite_of(const struct board_firmware *file)
{
	return file->suite ? file->suite : SUITE_DEFAULT;
}

/* "armhf" of "u-boot-sunxi:armhf"; NULL for a package that all share. */
static const char *arch_in(const struct board_firmware *file)
{
	const char *colon = strchr(file->package, ':');

	return colon && strcmp(colon, ":all") != 0 ? colon + 1 : NULL;
}

/* The architecture whose list has the package; one that is needed anyway where it does not matter.
 */
static const char *arch_of(const struct board *b, const struct board_firmware *file)
{
	const char *arch = arch_in(file);

	for (unsigned i = 0; !arch && i < b->n_firmware; i++)
		if (b->firmware[i].package &&
		    strcmp(suite_of(&b->firmware[i]), suite_of(file)) == 0)
			arch = arch_in(&b->firmware[i]);
	return arch ? arch : ARCH_DEFAULT;
}

static bool is_of_same_archive(const struct board *b, const struct board_firmware *x,
			       const struct board_firmware *y)
{
	return x->package && y->package && strcmp(suite_of(x), suite_of(y)) == 0 &&
	       strcmp(arch_of(b, x), arch_of(b, y)) == 0;
}

static bool is_of_same_package(const struct board_firmware *x, const struct board_firmware *y)
{
	return x->package && y->package && strcmp(x->package, y->package) == 0 &&
	       strcmp(suite_of(x), suite_of(y)) == 0;
}

/* Has a file before file i the same package? */
static bool is_package_done(const struct board *b, unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (is_of_same_package(&b->firmware[j], &b->firmware[i]))
			return true;
	return false;
}

static bool has_list(const struct fetch *f, unsigned i)
{
	const struct board *b = f->r->board;

	for (unsigned j = 0; j < i; j++)
		if (f->has_list[j] && is_of_same_archive(b, &b->firmware[j], &b->firmware[i]))
			return true;
	return false;
}

/* ---- Files of a package --------------------------------------------------------------------- */

static int join(const char *folder, const char *name, char **out, struct err *e)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return err_errno(e, "%s", folder);
	*out = path;
	return 0;
}

/* The file that path leads to, which must be within folder: a link of a package may lead to
 * anywhere on this machine. */
static int resolve(const char *folder, const char *path, char **out, struct err *e)
{
	CLEANUP(freep) char *full = NULL;

	if (join(folder, path, &full, e) < 0)
		return -1;
	CLEANUP(freep) char *root = realpath(folder, NULL);
	if (!root)
		return err_errno(e, "%s", folder);
	CLEANUP(freep) char *real = realpath(full, NULL);
	if (!real && errno == ENOENT)
		return err_set(e, ERR_IO, "there is no %s in it", path);
	if (!real)
		return err_errno(e, "%s", path);
	size_t n_bytes = strlen(root);
	if (strncmp(real, root, n_bytes) != 0 || real[n_bytes] != '/')
		return err_set(e, ERR_IO, "%s leads out of it", path);
	*out = TAKE(real);
	return 0;
}

/* Put a file of what was unpacked into the firmware folder. */
static int take_file(struct fetch *f, unsigned i, const char *unpacked, const char *version,
		     struct err *e)
{
	const struct board_firmware *file = &f->r->board->firmware[i];
	CLEANUP(freep) char *from = NULL;
	CLEANUP(freep) char *to = NULL;
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	if (resolve(unpacked, file->path, &from, e) < 0)
		return err_wrap(e, "%s %s", file->package, version);
	if (fdio_load(from, FILE_MAX_BYTES, &bytes, &n_bytes, e) < 0 ||
	    join(f->r->folder, file->file, &to, e) < 0 ||
	    fdio_save(to, bytes, n_bytes, 0644, e) < 0)
		return -1;
	f->result.versions[i] = strdup(version);
	return f->result.versions[i] ? 0 : err_errno(e, "%s", file->file);
}

/* All files of the package that file i is the first of. */
static int take_files(struct fetch *f, unsigned i, const struct parcel *p, struct err *e)
{
	const struct board *b = f->r->board;
	CLEANUP(scratch_freep) char *unpacked = NULL;

	if (scratch_new(f->scratch, &unpacked, e) < 0 ||
	    apt_unpack(p->path, unpacked, f->r->cancel, e) < 0)
		return err_wrap(e, "unpacking %s", b->firmware[i].package);
	for (unsigned j = i; j < b->n_firmware; j++)
		if (is_of_same_package(&b->firmware[i], &b->firmware[j]) &&
		    take_file(f, j, unpacked, p->version, e) < 0)
			return -1;
	return 0;
}

/* ---- Packages ------------------------------------------------------------------------------- */

/* apt's own name of a package that all architectures share has no architecture. */
static int download(struct fetch *f, const struct apt *a, unsigned i, struct parcel *p,
		    struct err *e)
{
	const struct board_firmware *file = &f->r->board->firmware[i];
	const int n_all = (int)strcspn(file->package, ":");
	CLEANUP(freep)
	char *name = arch_in(file) ? strdup(file->package) : strndup(file->package, (size_t)n_all);

	if (!name)
		return err_errno(e, "fetching %s", file->package);
	note(f, "fetching %s", file->package);
	if (scratch_new(f->scratch, &p->folder, e) < 0)
		return -1;
	return apt_download(a, name, p->folder, &p->path, &p->version, e);
}

/* All that needs the archive. */
static int reach(struct fetch *f, const struct apt *a, unsigned i, struct parcel *p, struct err *e)
{
	if (!has_list(f, i)) {
		note(f, "fetching the list of packages of %s for %s from %s", a->suite, a->arch,
		     a->mirror);
		if (apt_update(a, e) < 0)
			return -1;
	}
	f->has_list[i] = true;
	return download(f, a, i, p, e);
}

/* ---- What is there from before --------------------------------------------------------------- */

static bool is_file_there(const struct fetch *f, const struct board_firmware *file)
{
	CLEANUP(freep) char *path = NULL;
	struct err ignored = {0};
	struct stat st = {0};

	return join(f->r->folder, file->file, &path, &ignored) == 0 && stat(path, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

/* Are all files of the package that file i is of? */
static bool is_package_there(const struct fetch *f, unsigned i)
{
	const struct board *b = f->r->board;

	for (unsigned j = 0; j < b->n_firmware; j++)
		if (is_of_same_package(&b->firmware[i], &b->firmware[j]) &&
		    !is_file_there(f, &b->firmware[j]))
			return false;
	return true;
}

static int reach_or_keep(struct fetch *f, const struct apt *a, unsigned i, struct err *e)
{
	CLEANUP(parcel_release) struct parcel p = {0};

	if (reach(f, a, i, &p, e) == 0)
		return take_files(f, i, &p, e);
	if (e->code != ERR_IO || !is_package_there(f, i))
		return -1;
	note(f, "the files of %s in %s stay as they are: %s", f->r->board->firmware[i].package,
	     f->r->folder, e->text);
	return 0;
}

static int fetch_package(struct fetch *f, unsigned i, struct err *e)
{
	const struct board_firmware *file = &f->r->board->firmware[i];
	struct apt a = {
		.mirror = f->r->mirror,
		.suite = suite_of(file),
		.arch = arch_of(f->r->board, file),
		.keyring = f->r->keyring,
		.cancel = f->r->cancel,
	};
	CLEANUP(freep) char *folder = NULL;

	if (asprintf(&folder, "%s/%s-%s", f->apt_folder, a.suite, a.arch) < 0) {
		folder = NULL;
		return err_errno(e, "%s", f->apt_folder);
	}
	a.folder = folder;
	if (apt_prepare(&a, e) < 0)
		return -1;
	return reach_or_keep(f, &a, i, e);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static int lock(struct fetch *f, struct err *e)
{
	CLEANUP(freep) char *path = NULL;

	if (join(f->apt_folder, "lock", &path, e) < 0)
		return -1;
	f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (f->lock_fd < 0)
		return err_errno(e, "opening %s", path);
	if (flock(f->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, ERR_IO, "%s is held by another lkflash; wait for it to end",
			       path);
	return 0;
}

static int make_folders(struct fetch *f, struct err *e)
{
	if (fdio_mkdir(f->r->apt_folder, 0755, e) < 0 || fdio_mkdir(f->r->folder, 0755, e) < 0)
		return -1;
	f->apt_folder = realpath(f->r->apt_folder, NULL);
	if (!f->apt_folder)
		return err_errno(e, "%s", f->r->apt_folder);
	if (lock(f, e) < 0 || join(f->apt_folder, "packages", &f->scratch, e) < 0)
		return -1;
	scratch_free(strdup(f->scratch)); /* what a run that was killed left */
	return fdio_mkdir(f->scratch, 0700, e);
}

static int open_folders(struct fetch *f, struct err *e)
{
	if (make_folders(f, e) == 0)
		return 0;
	return err_hint(e, "LKFLASH_CACHE_DIR names the folder for what is fetched");
}

static bool has_package(const struct board *b)
{
	for (unsigned i = 0; i < b->n_firmware; i++)
		if (b->firmware[i].package)
			return true;
	return false;
}

int fetch_firmware(const struct fetch_request *r, struct fetch_result *out, struct err *e)
{
	CLEANUP(fetch_release) struct fetch f = {.r = r, .lock_fd = -1};
	const struct board *b = r->board;

	f.result.versions = calloc((size_t)b->n_firmware + 1, sizeof *f.result.versions);
	f.has_list = calloc((size_t)b->n_firmware + 1, sizeof *f.has_list);
	if (!f.result.versions || !f.has_list)
		return err_errno(e, "fetching the firmware of %s", b->id);
	f.result.n_versions = b->n_firmware;
	if (has_package(b) && open_folders(&f, e) < 0)
		return -1;
	for (unsigned i = 0; i < b->n_firmware; i++)
		if (b->firmware[i].package && !is_package_done(b, i) && fetch_package(&f, i, e) < 0)
			return -1;
	*out = f.result;
	f.result = (struct fetch_result){0};
	return 0;
}
