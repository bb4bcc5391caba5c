/* The firmware files of a board. See firmware.h. */
#include "provision/build/firmware.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/log.h"
#include "flash/base/parse.h"

enum {
	FIRMWARE_MAX_BYTES = 128 << 20, /* a coprocessor's or a vendor's whole firmware partition */
	MAGIC_MAX_BYTES = 64,           /* profile.h: at most 128 hex digits */
};

struct firmware_set {
	struct boot_firmware *files; /* owned; their contents too */
	char **paths;                /* owned */
	size_t n_files;
};

enum place {
	PLACE_FOLDER,
	PLACE_CACHE,
	PLACE_MACHINE,
	N_PLACES,
};

static bool is_place_given(const struct firmware_places *p, const struct board_firmware *f,
			   enum place place)
{
	switch (place) {
	case PLACE_FOLDER:
		return p->folder != NULL;
	case PLACE_CACHE:
		return p->cache != NULL;
	case PLACE_MACHINE:
		return p->root != NULL && f->path != NULL;
	case N_PLACES:
		break;
	}
	return false;
}

static int path_at(const struct board *b, const struct board_firmware *f,
		   const struct firmware_places *p, enum place place, char **out, struct err *e)
{
	char *path = NULL;
	int n_bytes = -1;

	switch (place) {
	case PLACE_FOLDER:
		n_bytes = asprintf(&path, "%s/%s", p->folder, f->file);
		break;
	case PLACE_CACHE:
		n_bytes = asprintf(&path, "%s/" FIRMWARE_CACHE_FOLDER "/%s/%s", p->cache, b->id,
				   f->file);
		break;
	case PLACE_MACHINE:
		n_bytes = asprintf(&path, "%s%s%s", p->root,
				   parse_has_suffix(p->root, "/") ? "" : "/", f->path);
		break;
	case N_PLACES:
		break;
	}
	if (n_bytes < 0)
		return err_errno(e, "looking for %s", f->file);
	*out = path;
	return 0;
}

static int look_at(const char *path, bool *out_is_there, struct err *e)
{
	struct stat st = {0};
	bool is_there = stat(path, &st) == 0;

	if (!is_there && errno != ENOENT && errno != ENOTDIR)
		return err_errno(e, "opening %s", path);
	if (is_there && !S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s is no regular file", path);
	*out_is_there = is_there;
	return 0;
}

/* Where f is in that place; NULL in *out when it is not there. */
static int find_at(const struct board *b, const struct board_firmware *f,
		   const struct firmware_places *p, enum place place, char **out, struct err *e)
{
	CLEANUP(freep) char *path = NULL;
	bool is_there = false;

	if (is_place_given(p, f, place) &&
	    (path_at(b, f, p, place, &path, e) < 0 || look_at(path, &is_there, e) < 0))
		return -1;
	*out = is_there ? TAKE(path) : NULL;
	return 0;
}

/* Where f is, in the first place that has it; NULL in *out when none has. */
static int find(const struct board *b, const struct board_firmware *f,
		const struct firmware_places *p, char **out, struct err *e)
{
	char *path = NULL;

	for (enum place place = PLACE_FOLDER; place < N_PLACES && !path; place++)
		if (find_at(b, f, p, place, &path, e) < 0)
			return -1;
	*out = path;
	return 0;
}

/* magic: hex digits, as the profile has them; NULL: anything is fine. */
static bool has_magic(const struct boot_firmware *file, const char *magic, uint64_t at_bytes)
{
	uint8_t wanted[MAGIC_MAX_BYTES];
	size_t n_wanted = magic ? strlen(magic) / 2 : 0;

	if (n_wanted == 0)
		return true;
	if (n_wanted > sizeof wanted || !parse_hex(magic, wanted, n_wanted))
		return false;
	return at_bytes <= file->content.n_bytes && n_wanted <= file->content.n_bytes - at_bytes &&
	       memcmp(file->content.bytes + at_bytes, wanted, n_wanted) == 0;
}

static int check_blobs(const struct board *b, const struct boot_firmware *file, const char *path,
		       struct err *e)
{
	for (unsigned i = 0; i < b->n_blobs; i++) {
		const struct board_blob *blob = &b->blobs[i];
		if (!blob->file || strcmp(blob->file, file->file) != 0)
			continue;
		if (!has_magic(file, blob->magic, blob->magic_at_bytes))
			return err_set(e, ERR_USAGE,
				       "%s is not %s's %s: byte %llu should begin with %s", path,
				       b->id, blob->name, (unsigned long long)blob->magic_at_bytes,
				       blob->magic);
	}
	return 0;
}

static int check_partitions(const struct board *b, const struct boot_firmware *file,
			    const char *path, struct err *e)
{
	for (unsigned i = 0; b->build && i < b->build->n_partitions; i++) {
		const struct board_build_partition *part = &b->build->partitions[i];
		if (!part->file || strcmp(part->file, file->file) != 0)
			continue;
		if (!has_magic(file, part->magic, 0))
			return err_set(e, ERR_USAGE,
				       "%s is not for %s's partition %s: it should begin with %s",
				       path, b->id, part->name, part->magic);
	}
	return 0;
}

static int check_boot_files(const struct board *b, const struct boot_firmware *file,
			    const char *path, struct err *e)
{
	for (unsigned i = 0; b->build && i < b->build->n_boot_files; i++) {
		const struct board_boot_file *boot = &b->build->boot_files[i];
		if (strcmp(boot->file, file->file) != 0)
			continue;
		if (!has_magic(file, boot->magic, 0))
			return err_set(e, ERR_USAGE, "%s is not %s's %s: it should begin with %s",
				       path, b->id, boot->to, boot->magic);
	}
	return 0;
}

static int check(const struct board *b, const struct boot_firmware *file, const char *path,
		 struct err *e)
{
	if (file->content.n_bytes == 0)
		return err_set(e, ERR_USAGE, "%s is empty", path);
	if (check_blobs(b, file, path, e) < 0 || check_partitions(b, file, path, e) < 0 ||
	    check_boot_files(b, file, path, e) < 0)
		return -1;
	return 0;
}

/* Take f into s when it is anywhere. */
static int load(struct firmware_set *s, const struct board *b, const struct board_firmware *f,
		const struct firmware_places *p, struct err *e)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) uint8_t *bytes = NULL;
	struct boot_firmware file = {.file = f->file};

	if (find(b, f, p, &path, e) < 0)
		return -1;
	log_debug("firmware %s: %s", f->file, path ? path : "not found");
	if (!path)
		return 0;
	if (fdio_load(path, FIRMWARE_MAX_BYTES, &bytes, &file.content.n_bytes, e) < 0)
		return -1;
	file.content.bytes = bytes;
	if (check(b, &file, path, e) < 0)
		return err_hint(e,
				"`lkflash firmware %s` fetches what Debian has, and --firmware "
				"DIR is where others are",
				b->id);
	s->paths[s->n_files] = TAKE(path);
	s->files[s->n_files++] = file;
	(void)TAKE(bytes);
	return 0;
}

/* A mistyped folder would look like one without the files. */
static int check_folder(const char *folder, struct err *e)
{
	struct stat st = {0};

	if (!folder)
		return 0;
	if (stat(folder, &st) < 0)
		return err_errno(e, "--firmware %s", folder);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "--firmware %s: not a folder", folder);
	return 0;
}

int firmware_load(const struct board *b, const struct firmware_places *places,
		  struct firmware_set **out, struct err *e)
{
	CLEANUP(firmware_freep) struct firmware_set *s = calloc(1, sizeof *s);

	if (check_folder(places->folder, e) < 0)
		return -1;
	if (s) {
		s->files = calloc((size_t)b->n_firmware + 1, sizeof *s->files);
		s->paths = calloc((size_t)b->n_firmware + 1, sizeof *s->paths);
	}
	if (!s || !s->files || !s->paths)
		return err_errno(e, "loading the firmware of %s", b->id);
	for (unsigned i = 0; i < b->n_firmware; i++)
		if (load(s, b, &b->firmware[i], places, e) < 0)
			return err_wrap(e, "firmware %s of %s", b->firmware[i].file, b->id);
	*out = TAKE(s);
	return 0;
}

void firmware_free(struct firmware_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_files; i++) {
		free((void *)s->files[i].content.bytes);
		free(s->paths[i]);
	}
	free(s->files);
	free(s->paths);
	free(s);
}

const struct boot_firmware *firmware_files(const struct firmware_set *s, size_t *out_n_files)
{
	*out_n_files = s->n_files;
	return s->files;
}

const char *firmware_path(const struct firmware_set *s, const char *file)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (strcmp(s->files[i].file, file) == 0)
			return s->paths[i];
	return NULL;
}
