/* What goes into a file system that is to be made: folders, files, links, devices. In memory, but
 * for the content of files that are read from where they are. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/bytes.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"

#define TREE_NO_TIME INT64_MIN

enum {
	TREE_NAME_MAX_BYTES = 255, /* between two slashes: NAME_MAX of Linux */
	TREE_MODE_MASK = 07777,
};

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
	uint32_t mode;       /* permissions, without the kind; 0777 of a symlink; 0 of a hard
			      * link, which has no owner and time either */
	uint32_t uid;
	uint32_t gid;
	unsigned major;
	unsigned minor;
	int64_t mtime_s;                   /* since 1970; TREE_NO_TIME: none of its own */
	uint64_t size_bytes;               /* of a file's content; not of a hard link */
	struct tree_attribute *attributes; /* owned */
	size_t n_attributes;
};

/* Zero-initialise ({0}). The folder that all is in is no entry: it is root's, 0755. */
struct tree {
	struct tree_entry *entries; /* owned; in order of path after tree_sort */
	size_t n_entries;
	size_t capacity;
	uint32_t *slots; /* owned; a hash table of 1 + index in entries; 0: free */
	size_t n_slots;  /* a power of two */
	/* Borrowed, may be NULL: reading folders, tars and contents fails with ERR_CANCELLED when
	 * it asks to stop. */
	const struct cancel *cancel;
};

void tree_release(struct tree *t);

/* Add a file of mode 0644 of root's, and the folders above it (0755) that are not there yet. The
 * content is borrowed. A path may start with a slash. Fails with ERR_USAGE for a path that leaves
 * the tree, or is there already, or goes through what is no folder, naming it; with ERR_IO when
 * memory is short. */
int tree_add(struct tree *t, const char *path, struct span content, struct err *e);

/* The same with a copy of the bytes. */
int tree_add_copy(struct tree *t, const char *path, const void *bytes, size_t n_bytes,
		  struct err *e);
int tree_add_text(struct tree *t, const char *path, const char *text, struct err *e);

/* The same with a file of this machine, which must be a regular one that can be read. Of it only
 * the content counts. */
int tree_add_path(struct tree *t, const char *path, const char *source_path, struct err *e);

/* Add *entry, whose owned members become the tree's, success or not. A folder that is there already
 * takes its owner, mode, time and attributes. What a hard link points to must be a file that is
 * there. */
int tree_add_entry(struct tree *t, struct tree_entry *entry, struct err *e);

/* The same, standing in for what was at that path, as in a tar the last one counts. Fails with
 * ERR_USAGE when one is a folder and the other is not, or a hard link points to what was there. */
int tree_put_entry(struct tree *t, struct tree_entry *entry, struct err *e);

void tree_entry_release(struct tree_entry *entry);

/* Add an attribute with copies of name and value, in place of one of that name. Fails with ERR_IO
 * when memory is short. */
int tree_entry_add_attribute(struct tree_entry *entry, const char *name, const void *value,
			     size_t n_bytes, struct err *e);

/* The entry at path; NULL when there is none. Borrowed from t until something is added. */
const struct tree_entry *tree_find(const struct tree *t, const char *path);

/* Everything below folder, links as they are, owned by root: who built it does not matter. mtimes
 * are cut to at most time_s. Of attributes those of user.* and security.capability are taken: the
 * rest belongs to this machine. Special files other than FIFOs and devices are refused by name.
 * t is sorted afterwards. Fails with ERR_USAGE, or ERR_IO for what cannot be read. */
int tree_read_folder(struct tree *t, const char *folder, int64_t time_s, struct err *e);

/* Everything in the tar at path (compressed or not), owners, device numbers and attributes as in
 * it, through libarchive; mtimes are cut to at most time_s. Contents are put into new files below
 * scratch_folder, which have numbers for names. t is sorted afterwards. Fails with ERR_USAGE for
 * what is no tar or leaves the tree, with ERR_IO. */
int tree_read_tar(struct tree *t, const char *path, const char *scratch_folder, int64_t time_s,
		  struct err *e);

/* Put t, which is sorted, as a tar (POSIX pax) into the new file at path; time_s is for what has no
 * time of its own. The same tree gives the same bytes. Fails with ERR_IO. */
int tree_write_tar(const struct tree *t, const char *path, int64_t time_s, struct err *e);

/* By path, each folder followed by all it holds; of files that are one, the first one is the file
 * and the others are links to it. Fails with ERR_IO when memory is short. */
int tree_sort(struct tree *t, struct err *e);

/* The bytes of all files, for sizes and progress. */
uint64_t tree_content_bytes(const struct tree *t);
