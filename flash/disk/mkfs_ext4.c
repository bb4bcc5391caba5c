/* An ext4, by mke2fs and debugfs.
 *
 * mke2fs makes it empty, and debugfs fills it by a script, entry for entry in the order of the
 * tree. `mke2fs -d FOLDER` would fill it at once, but e2fsprogs 1.47 takes names in the order of
 * readdir, owners and modes from the folder (which without root are ours), change times from the
 * clock, and device nodes not at all without root: a second pass would have to set every inode
 * anyway. With the script nothing of the folder counts but the bytes of the files, and of those
 * blocks of zeros are holes whether they were or not.
 *
 * What could differ between machines is said by name: features, sizes, the number of inodes, the
 * seed of the hash. No configuration file is read, and E2FSPROGS_FAKE_TIME is the clock. No block
 * is reserved for root (-m 0): on these machines nearly everything is root's, who could fill them
 * too. The journal and inode tables are not written, as the range holds zeros.
 *
 * Features are those that kernels, U-Boot and GRUB have known for years: without metadata_csum_seed
 * and orphan_file, which e2fsprogs 1.47 would add. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/base/scratch.h"
#include "flash/base/spawn.h"
#include "flash/disk/ext4_room.h"
#include "flash/disk/ext4_script.h"
#include "flash/disk/mkfs.h"
#include "flash/disk/stage.h"

enum { NUMBER_BYTES = 24, UUID_TEXT_BYTES = 37, OPTIONS_BYTES = 256, CLOCK_BYTES = 48 };

static const char packages[] = "e2fsprogs";

#define FEATURES                                                                                   \
	"none,has_journal,ext_attr,dir_index,filetype,extent,64bit,flex_bg,sparse_super,"          \
	"large_file,huge_file,dir_nlink,extra_isize,metadata_csum"

/* The file, as a link in the folder where the programs run: they take what follows a question mark
 * in a path for options. */
static const char image_name[] = "image";
static const char script_name[] = "script";

/* What all steps need. */
struct job {
	const struct mkfs_request *r;
	char *stage; /* owned; a folder */
	char clock[CLOCK_BYTES];
	const char *environment[3];
};

static void job_release(struct job *j)
{
	scratch_free(j->stage);
}

static char *stage_path(const struct job *j, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", j->stage, name) < 0 ? NULL : path;
}

static int job_init(struct job *j, const struct mkfs_request *r, struct err *e)
{
	CLEANUP(freep) char *image = realpath(r->path, NULL);

	j->r = r;
	(void)snprintf(j->clock, sizeof j->clock, "E2FSPROGS_FAKE_TIME=%" PRId64,
		       ext4_script_time(r->time_s));
	j->environment[0] = j->clock;
	j->environment[1] = "MKE2FS_CONFIG=/dev/null";
	if (!image)
		return err_errno(e, "%s", r->path);
	if (scratch_new(r->scratch_folder, &j->stage, e) < 0)
		return -1;
	CLEANUP(freep) char *link = stage_path(j, image_name);
	if (!link)
		return err_set(e, ERR_IO, "out of memory");
	if (symlink(image, link) < 0)
		return err_errno(e, "linking %s as %s", image, link);
	return 0;
}

static int start(const struct job *j, const char *const *argv, struct buf *messages, struct err *e)
{
	struct spawn s = {
		.argv = argv,
		.environment = j->environment,
		.folder = j->stage,
		.messages = messages,
		.packages = packages,
		.cancel = j->r->cancel,
	};

	return spawn_run(&s, e);
}

/* ---- An empty file system ------------------------------------------------------------------- */

static void format_uuid(const uint8_t uuid[MKFS_UUID_BYTES], char text[UUID_TEXT_BYTES])
{
	char hex[2 * MKFS_UUID_BYTES + 1];

	(void)format_hex(uuid, MKFS_UUID_BYTES, hex);
	(void)snprintf(text, UUID_TEXT_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		       hex + 16, hex + 20);
}

static int format(const struct job *j, const struct ext4_shape *shape, struct err *e)
{
	char uuid[UUID_TEXT_BYTES];
	char options[OPTIONS_BYTES];
	char resize[NUMBER_BYTES + 8] = "";
	char n_inodes[NUMBER_BYTES];
	char journal[NUMBER_BYTES + 8];
	char n_blocks[NUMBER_BYTES];

	format_uuid(j->r->uuid, uuid);
	if (shape->grow_blocks > 0)
		(void)snprintf(resize, sizeof resize, ",resize=%" PRIu64, shape->grow_blocks);
	(void)snprintf(options, sizeof options,
		       "offset=%" PRIu64 ",hash_seed=%s,root_owner=0:0,nodiscard,"
		       "lazy_itable_init=0,lazy_journal_init=1%s",
		       j->r->offset_bytes, uuid, resize);
	(void)snprintf(n_inodes, sizeof n_inodes, "%" PRIu64, shape->n_inodes);
	(void)snprintf(journal, sizeof journal, "size=%" PRIu64, shape->journal_mib);
	(void)snprintf(n_blocks, sizeof n_blocks, "%" PRIu64, shape->n_blocks);
	const char *const argv[] = {
		"mke2fs",
		"-F",
		"-q",
		"-b",
		"4096",
		"-I",
		"256",
		"-m",
		"0",
		"-e",
		"continue",
		"-o",
		"Linux",
		"-N",
		n_inodes,
		"-J",
		journal,
		"-U",
		uuid,
		"-L",
		j->r->label,
		"-O",
		shape->grow_blocks > 0 ? FEATURES ",resize_inode" : FEATURES,
		"-E",
		options,
		image_name,
		n_blocks,
		NULL,
	};
	return start(j, argv, NULL, e);
}

/* ---- Filling it ----------------------------------------------------------------------------- */

static int stage_values(const struct job *j, size_t i, struct err *e)
{
	const struct tree_entry *entry = &j->r->tree->entries[i];
	char name[EXT4_NAME_BYTES];

	for (size_t k = 0; k < entry->n_attributes; k++) {
		const struct tree_attribute *a = &entry->attributes[k];
		CLEANUP(freep) char *path = stage_path(j, ext4_script_value(name, i, k));
		if (!path)
			return err_set(e, ERR_IO, "out of memory");
		if (stage_bytes((struct span){a->value, a->n_bytes}, path, e) < 0)
			return -1;
	}
	return 0;
}

static int stage_entry(const struct job *j, size_t i, struct err *e)
{
	const struct tree_entry *entry = &j->r->tree->entries[i];
	char name[EXT4_NAME_BYTES];
	CLEANUP(freep) char *path = stage_path(j, ext4_script_content(name, i));

	if (!path)
		return err_set(e, ERR_IO, "out of memory");
	if (entry->kind == TREE_FILE && stage_file(entry, path, e) < 0)
		return -1;
	return stage_values(j, i, e);
}

static int stage_script(const struct job *j, const struct buf *script, struct err *e)
{
	CLEANUP(freep) char *path = stage_path(j, script_name);

	if (!path)
		return err_set(e, ERR_IO, "out of memory");
	if (stage_bytes((struct span){script->bytes, script->n_bytes}, path, e) < 0)
		return -1;
	for (size_t i = 0; i < j->r->tree->n_entries; i++) {
		if (stage_entry(j, i, e) < 0)
			return err_wrap(e, "%s", j->r->tree->entries[i].path);
	}
	return 0;
}

/* debugfs goes on after a command that failed, and its status is that of the last one. It says its
 * version on the first line of standard error, and then nothing but what failed. */
static int check_messages(struct buf *messages, struct err *e)
{
	const char *text = NULL;

	if (buf_text(messages, &text, e) < 0)
		return -1;
	const char *line = strchr(text, '\n');
	if (!line || line[1] == '\0')
		return 0;
	return err_set(e, ERR_IO, "debugfs: %.*s", (int)strcspn(line + 1, "\n"), line + 1);
}

static int fill(const struct job *j, struct err *e)
{
	CLEANUP(buf_release) struct buf messages = {0};
	char file[NUMBER_BYTES + 24];

	(void)snprintf(file, sizeof file, "%s?offset=%" PRIu64, image_name, j->r->offset_bytes);
	const char *const argv[] = {"debugfs", "-w", "-f", script_name, file, NULL};
	if (start(j, argv, &messages, e) < 0)
		return -1;
	return check_messages(&messages, e);
}

static int make(const struct mkfs_request *r, struct err *e)
{
	CLEANUP(job_release) struct job j = {0};
	CLEANUP(buf_release) struct buf script = {0};
	struct ext4_shape shape;

	if (ext4_room_shape(r->tree, r->size_bytes, r->does_grow, &shape, e) < 0 ||
	    ext4_script(r->tree, ext4_script_time(r->time_s), &script, e) < 0)
		return -1;
	if (job_init(&j, r, e) < 0 || stage_script(&j, &script, e) < 0)
		return -1;
	return format(&j, &shape, e) < 0 ? -1 : fill(&j, e);
}

static const char *const programs[] = {"mke2fs", "debugfs", NULL};

const struct mkfs_kind mkfs_ext4 = {
	.name = "ext4",
	.programs = programs,
	.packages = packages,
	.need_bytes = ext4_room_need_bytes,
	.make = make,
};
