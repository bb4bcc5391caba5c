/* A FAT, by mkfs.fat and mtools.
 *
 * Folders are made in the order of the tree, and files copied folder by folder, so that the result
 * does not depend on the order in which anything is read. All times are the request's: mtools takes
 * SOURCE_DATE_EPOCH for the clock. Files that are in memory and large go through a pipe; the others
 * are laid out below the scratch folder, those of this machine as links. The programs run there,
 * and the image is a link there too: "@@" in its path would be an offset to mtools, and a path that
 * starts with a dash an option. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/scratch.h"
#include "flash/base/spawn.h"
#include "flash/disk/fat.h"
#include "flash/disk/mkfs.h"
#include "flash/disk/stage.h"

enum {
	ARGUMENTS_MAX = 256,      /* of one mmd or mcopy: far below what the kernel takes */
	STAGED_MAX_BYTES = 65536, /* larger files in memory are not copied to the scratch folder */
	NUMBER_BYTES = 24,
	VOLUME_ID_BYTES = 4,
};

static const char packages[] = "dosfstools mtools";
static const char image_name[] = "image";
static const char files_name[] = "files";

/* What all steps need. */
struct job {
	const struct mkfs_request *r;
	char *stage;                   /* owned; the folder where the programs run */
	char image[NUMBER_BYTES + 8];  /* as mtools wants it: "image@@offset" */
	char clock[NUMBER_BYTES + 32]; /* "SOURCE_DATE_EPOCH=..." */
	const char *environment[5];
};

static void job_release(struct job *j)
{
	scratch_free(j->stage);
}

/* The file as image_name in the stage, and an empty folder beside it. */
static int lay_out(const struct job *j, struct err *e)
{
	CLEANUP(freep) char *image = realpath(j->r->path, NULL);
	CLEANUP(freep) char *link = NULL;
	CLEANUP(freep) char *files = NULL;

	if (!image)
		return err_errno(e, "%s", j->r->path);
	if (asprintf(&link, "%s/%s", j->stage, image_name) < 0) {
		link = NULL;
		return err_errno(e, "%s", j->stage);
	}
	if (asprintf(&files, "%s/%s", j->stage, files_name) < 0) {
		files = NULL;
		return err_errno(e, "%s", j->stage);
	}
	if (symlink(image, link) < 0)
		return err_errno(e, "linking %s as %s", image, link);
	return mkdir(files, 0700) < 0 ? err_errno(e, "making %s", files) : 0;
}

/* What a FAT can say: 1980 to 2107 ("Date and Time Formats"). mtools wraps around what is outside,
 * or crashes. */
static long long clock_of(int64_t time_s)
{
	const int64_t first_s = 315532800;
	const int64_t last_s = INT64_C(4354819198); /* in steps of two seconds */

	return time_s < first_s ? first_s : time_s > last_s ? last_s : time_s;
}

static int job_init(struct job *j, const struct mkfs_request *r, struct err *e)
{
	j->r = r;
	(void)snprintf(j->clock, sizeof j->clock, "SOURCE_DATE_EPOCH=%lld", clock_of(r->time_s));
	j->environment[0] = j->clock;
	j->environment[1] = "MTOOLSRC=/dev/null";
	j->environment[2] = "MTOOLS_SKIP_CHECK=1";
	j->environment[3] = "HOME=/"; /* no ~/.mtoolsrc */
	(void)snprintf(j->image, sizeof j->image, "%s@@%llu", image_name,
		       (unsigned long long)r->offset_bytes);
	if (scratch_new(r->scratch_folder, &j->stage, e) < 0)
		return -1;
	return lay_out(j, e);
}

static int start(const struct job *j, const char *const *argv, struct span input, struct err *e)
{
	struct spawn s = {
		.argv = argv,
		.environment = j->environment,
		.folder = j->stage,
		.input = input,
		.packages = packages,
		.cancel = j->r->cancel,
	};

	return spawn_run(&s, e);
}

/* ---- An empty file system ------------------------------------------------------------------- */

static int format(const struct job *j, const struct fat_shape *shape, struct err *e)
{
	const struct mkfs_request *r = j->r;
	char bits[NUMBER_BYTES];
	char per_cluster[NUMBER_BYTES];
	char offset[NUMBER_BYTES + 16];
	char hidden[NUMBER_BYTES];
	char volume_id[2 * VOLUME_ID_BYTES + 1];
	char blocks[NUMBER_BYTES];
	char reserved[NUMBER_BYTES];

	(void)snprintf(bits, sizeof bits, "%u", shape->bits);
	(void)snprintf(per_cluster, sizeof per_cluster, "%u", shape->sectors_per_cluster);
	(void)snprintf(offset, sizeof offset, "--offset=%llu",
		       (unsigned long long)r->offset_bytes / FAT_SECTOR_BYTES);
	(void)snprintf(hidden, sizeof hidden, "%llu",
		       (unsigned long long)r->offset_bytes / FAT_SECTOR_BYTES);
	(void)snprintf(volume_id, sizeof volume_id, "%08x", le32(r->uuid));
	(void)snprintf(blocks, sizeof blocks, "%llu", (unsigned long long)r->size_bytes / 1024);
	(void)snprintf(reserved, sizeof reserved, "%d",
		       shape->bits == 32 ? FAT32_RESERVED_SECTORS : FAT_RESERVED_SECTORS);
	const char *const argv[] = {
		/* Neither alignment nor the disk's geometry may change the number of clusters. */
		"mkfs.fat", "-a",     "--invariant", "--mbr=n",  "-g",   "255/63",
		"-S",       "512",    "-F",          bits,       "-s",   per_cluster,
		"-R",       reserved, "-h",          hidden,     "-i",   volume_id,
		"-n",       r->label, offset,        image_name, blocks, NULL,
	};
	return start(j, argv, (struct span){0}, e);
}

/* The type that firmware will see: by clusters, from the boot sector ("Boot Sector and BPB"). */
static int check_type(const struct job *j, unsigned bits, struct err *e)
{
	uint8_t sector[FAT_SECTOR_BYTES];
	size_t n_bytes = 0;
	CLEANUP(closep) int fd = open(j->r->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "opening %s", j->r->path);
	if (fdio_pread(fd, sector, sizeof sector, j->r->offset_bytes, &n_bytes, e) < 0)
		return -1;
	const uint64_t n_root_sectors =
		(uint64_t)le16(sector + 17) * FAT_ENTRY_BYTES / FAT_SECTOR_BYTES;
	const uint64_t n_sectors = le16(sector + 19) ? le16(sector + 19) : le32(sector + 32);
	const uint64_t n_fat_sectors = le16(sector + 22) ? le16(sector + 22) : le32(sector + 36);
	const uint64_t n_used = le16(sector + 14) + sector[16] * n_fat_sectors + n_root_sectors;
	const uint64_t n_clusters = n_bytes == sizeof sector && sector[13] && n_sectors > n_used
					    ? (n_sectors - n_used) / sector[13]
					    : 0;
	const unsigned seen = n_clusters < FAT16_CLUSTERS_MIN   ? 12
			      : n_clusters < FAT32_CLUSTERS_MIN ? 16
								: 32;
	if (seen != bits)
		return err_set(
			e, ERR_IO,
			"mkfs.fat made %llu clusters, which firmware takes for FAT%u and not "
			"FAT%u",
			(unsigned long long)n_clusters, seen, bits);
	return 0;
}

/* ---- Filling it ----------------------------------------------------------------------------- */

/* Arguments that are ours to free; the first n_fixed are not. */
struct arguments {
	char *items[ARGUMENTS_MAX + 2];
	size_t n_items;
	size_t n_fixed;
};

static void arguments_release(struct arguments *a)
{
	for (size_t i = a->n_fixed; i < a->n_items; i++)
		free(a->items[i]);
	a->n_items = a->n_fixed;
}

static void arguments_init(struct arguments *a, char *const *fixed, size_t n_fixed)
{
	memcpy(a->items, fixed, n_fixed * sizeof *fixed);
	a->n_items = n_fixed;
	a->n_fixed = n_fixed;
}

static int arguments_add(struct arguments *a, const char *front, const char *back, struct err *e)
{
	char *text = NULL;

	if (asprintf(&text, "%s%s", front, back) < 0)
		return err_errno(e, "%s%s", front, back);
	a->items[a->n_items++] = text;
	a->items[a->n_items] = NULL;
	return 0;
}

static int make_folders(const struct job *j, struct err *e)
{
	CLEANUP(arguments_release) struct arguments a = {0};
	char *const fixed[] = {(char *)"mmd", (char *)"-i", (char *)j->image};

	arguments_init(&a, fixed, sizeof fixed / sizeof *fixed);
	for (size_t i = 0; i < j->r->tree->n_entries; i++) {
		const struct tree_entry *entry = &j->r->tree->entries[i];
		if (entry->kind == TREE_FOLDER && arguments_add(&a, "::/", entry->path, e) < 0)
			return -1;
		const bool is_last = i + 1 == j->r->tree->n_entries;
		if (a.n_items == a.n_fixed || (a.n_items < ARGUMENTS_MAX && !is_last))
			continue;
		if (start(j, (const char *const *)a.items, (struct span){0}, e) < 0)
			return -1;
		arguments_release(&a);
	}
	return 0;
}

/* A file in memory that is too large for a second copy. */
static int pipe_file(const struct job *j, const struct tree_entry *entry, struct err *e)
{
	CLEANUP(freep) char *target = NULL;

	if (asprintf(&target, "::/%s", entry->path) < 0)
		return err_errno(e, "%s", entry->path);
	const char *const argv[] = {"mcopy", "-Q", "-i", j->image, "-", target, NULL};
	return start(j, argv, entry->content, e);
}

/* Copy what was staged into the folder in which entry is, and begin anew. */
static int copy_staged(const struct job *j, struct arguments *a, const struct tree_entry *entry,
		       struct err *e)
{
	const char *slash = strrchr(entry->path, '/');
	CLEANUP(freep)
	char *folder = strndup(entry->path, slash ? (size_t)(slash - entry->path) + 1 : 0);

	if (a->n_items == a->n_fixed)
		return 0;
	if (!folder)
		return err_errno(e, "%s", entry->path);
	if (arguments_add(a, "::/", folder, e) < 0 ||
	    start(j, (const char *const *)a->items, (struct span){0}, e) < 0)
		return -1;
	arguments_release(a);
	return 0;
}

static bool is_same_folder(const struct tree_entry *a, const struct tree_entry *b)
{
	const char *end_a = strrchr(a->path, '/');
	const char *end_b = strrchr(b->path, '/');
	const size_t n_a = end_a ? (size_t)(end_a - a->path) : 0;
	const size_t n_b = end_b ? (size_t)(end_b - b->path) : 0;

	return n_a == n_b && memcmp(a->path, b->path, n_a) == 0;
}

static int add_file(const struct job *j, struct arguments *a, const struct tree_entry *entry,
		    struct err *e)
{
	CLEANUP(freep) char *path = NULL;

	if (!entry->source_path && entry->content.n_bytes > STAGED_MAX_BYTES)
		return pipe_file(j, entry, e);
	if (asprintf(&path, "%s/%s/%s", j->stage, files_name, basename(entry->path)) < 0) {
		path = NULL;
		return err_errno(e, "%s", entry->path);
	}
	(void)unlink(path); /* one of the same name may be there from another folder */
	if (stage_file(entry, path, e) < 0)
		return -1;
	return arguments_add(a, path + strlen(j->stage) + 1, "", e);
}

static int copy_files(const struct job *j, struct err *e)
{
	CLEANUP(arguments_release) struct arguments a = {0};
	char *const fixed[] = {(char *)"mcopy", (char *)"-Q", (char *)"-i", (char *)j->image};
	const struct tree_entry *before = NULL;

	arguments_init(&a, fixed, sizeof fixed / sizeof *fixed);
	for (size_t i = 0; i < j->r->tree->n_entries; i++) {
		const struct tree_entry *entry = &j->r->tree->entries[i];
		if (entry->kind != TREE_FILE)
			continue;
		if (before && (!is_same_folder(before, entry) || a.n_items >= ARGUMENTS_MAX) &&
		    copy_staged(j, &a, before, e) < 0)
			return -1;
		if (add_file(j, &a, entry, e) < 0)
			return err_wrap(e, "adding %s", entry->path);
		before = entry;
	}
	return before ? copy_staged(j, &a, before, e) : 0;
}

static int make(const struct mkfs_request *r, struct err *e)
{
	CLEANUP(job_release) struct job j = {0};
	const struct fat_shape shape = fat_shape_of(r->size_bytes);

	if (fat_check_tree(r->tree, e) < 0)
		return -1;
	if (!fat_holds(r->tree, r->size_bytes))
		return err_set(e, ERR_USAGE,
			       "its files take %llu bytes, and the file system has %llu",
			       (unsigned long long)fat_need_bytes(r->tree),
			       (unsigned long long)r->size_bytes);
	if (job_init(&j, r, e) < 0 || format(&j, &shape, e) < 0 ||
	    check_type(&j, shape.bits, e) < 0 || make_folders(&j, e) < 0)
		return -1;
	return copy_files(&j, e);
}

static const char *const programs[] = {"mkfs.fat", "mmd", "mcopy", NULL};

const struct mkfs_kind mkfs_fat = {
	.name = "vfat",
	.programs = programs,
	.packages = packages,
	.check = fat_check_tree,
	.need_bytes = fat_need_bytes,
	.make = make,
};
