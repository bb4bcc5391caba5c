/* What goes into a file system that is to be made: folders, files, links, devices. In memory, but
 * for the content of files that are read from where they are. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/bytes.h"
#include "flash/base/err.h"

enum tree_kind {
	TREE_FOLDER,
	TREE_FILE,
	TREE_SYMLINK,
	TREE_HARD_LINK, /* to an entry before it */
	TREE_CHARACTER_DEVICE,
	TREE_BLOCK_DEVICE,
	TREE_FIFO,
};

struct tree_attribute {
	char *name;     /* owned; "security.capability" */
	uint8_t *value; /* owned */
	size_t n_bytes;
};

struct tree_entry {
	enum tree_kind kind;
	char *path; /* owned; "EFI/BOOT/BOOTX64.EFI": no slash at either end, no "." or ".." */
	char *source_path;   /* owned; of a file: where its content is; NULL: it is content */
	struct span content; /* borrowed, or owned below */
	uint8_t *owned;      /* owned; NULL when content is borrowed */
	char *link;          /* owned; what a link points to */
	uint32_t mode;       /* permissions, without the kind */
	uint32_t uid;
	uint32_t gid;
	unsigned major;
	unsigned minor;
	int64_t mtime_s;                   /* since 1970 */
	uint64_t size_bytes;               /* of a file's content */
	struct tree_attribute *attributes; /* owned */
	size_t n_attributes;
};

/* Zero-initialise ({0}). */
struct tree {
	struct tree_entry *entries; /* owned; in order of path after tree_sort */
	size_t n_entries;
	size_t capacity;
};

void tree_release(struct tree *t);

/* Add a file of mode 0644 of root's, and the folders above it (0755) that are not there yet. The
 * content is borrowed. A path may start with a slash. Fails with ERR_USAGE for a path that leaves
 * the tree, or is there already, naming it; with ERR_IO when memory is short. */
int tree_add(struct tree *t, const char *path, struct span content, struct err *e);

/* The same with a copy of the bytes. */
int tree_add_copy(struct tree *t, const char *path, const void *bytes, size_t n_bytes,
		  struct err *e);
int tree_add_text(struct tree *t, const char *path, const char *text, struct err *e);

/* The same with a file of this machine, which must be a regular one that can be read. */
int tree_add_path(struct tree *t, const char *path, const char *source_path, struct err *e);

/* Add *entry, whose owned members become the tree's, success or not. */
int tree_add_entry(struct tree *t, struct tree_entry *entry, struct err *e);

/* The entry at path; NULL when there is none. Borrowed from t. */
const struct tree_entry *tree_find(const struct tree *t, const char *path);

/* Everything below folder, links as they are, owned by root: who built it does not matter. mtimes
 * are cut to at most time_s. Special files other than FIFOs and devices are refused by name. */
int tree_read_folder(struct tree *t, const char *folder, int64_t time_s, struct err *e);

/* Everything in the tar at path (compressed or not), owners and device numbers as in it, through
 * libarchive. Contents are put into files below scratch_folder. Fails with ERR_USAGE for what is no
 * tar or leaves the tree. */
int tree_read_tar(struct tree *t, const char *path, const char *scratch_folder, struct err *e);

/* By path, parents first. */
void tree_sort(struct tree *t);

/* FILES and their bytes, for sizes and progress. */
uint64_t tree_content_bytes(const struct tree *t);
