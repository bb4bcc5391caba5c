/* What goes into a file system. See tree.h. */
#include "flash/disk/tree.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"

enum { MODE_FILE = 0644, MODE_FOLDER = 0755, FIRST_SLOTS = 64 };

static void attributes_release(struct tree_entry *entry)
{
	for (size_t i = 0; i < entry->n_attributes; i++) {
		free(entry->attributes[i].name);
		free(entry->attributes[i].value);
	}
	free(entry->attributes);
	entry->attributes = NULL;
	entry->n_attributes = 0;
}

void tree_entry_release(struct tree_entry *entry)
{
	attributes_release(entry);
	free(entry->path);
	free(entry->source_path);
	free(entry->owned);
	free(entry->link);
	*entry = (struct tree_entry){0};
}

void tree_release(struct tree *t)
{
	for (size_t i = 0; i < t->n_entries; i++)
		tree_entry_release(&t->entries[i]);
	free(t->entries);
	free(t->slots);
	*t = (struct tree){0};
}

/* Add an attribute without a value. */
static struct tree_attribute *append_attribute(struct tree_entry *entry, const char *name)
{
	struct tree_attribute *grown =
		reallocarray(entry->attributes, entry->n_attributes + 1, sizeof *grown);
	char *copy = grown ? strdup(name) : NULL;

	if (grown)
		entry->attributes = grown;
	if (!copy)
		return NULL;
	grown += entry->n_attributes++;
	*grown = (struct tree_attribute){.name = copy};
	return grown;
}

static struct tree_attribute *find_attribute(const struct tree_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->n_attributes; i++)
		if (strcmp(entry->attributes[i].name, name) == 0)
			return &entry->attributes[i];
	return NULL;
}

int tree_entry_add_attribute(struct tree_entry *entry, const char *name, const void *value,
			     size_t n_bytes, struct err *e)
{
	CLEANUP(freep) uint8_t *copy = malloc(n_bytes ? n_bytes : 1);
	/* libarchive writes each attribute twice into a tar, in two spellings, and reads both. */
	struct tree_attribute *to = find_attribute(entry, name);

	if (!to && copy)
		to = append_attribute(entry, name);
	if (!to || !copy)
		return err_set(e, ERR_IO, "out of memory");
	if (n_bytes > 0)
		memcpy(copy, value, n_bytes);
	free(to->value);
	to->value = TAKE(copy);
	to->n_bytes = n_bytes;
	return 0;
}

/* ---- Paths ---------------------------------------------------------------------------------- */

/* Append the name of n_bytes at name to the path of *n_path bytes. */
static int append_name(char *path, size_t *n_path, const char *name, size_t n_bytes,
		       const char *whole, struct err *e)
{
	if (n_bytes == 0 || (n_bytes == 1 && name[0] == '.'))
		return 0;
	if (n_bytes == 2 && memcmp(name, "..", 2) == 0)
		return err_set(e, ERR_USAGE, "%s would leave the file system; leave out the \"..\"",
			       whole);
	if (n_bytes > TREE_NAME_MAX_BYTES)
		return err_set(e, ERR_USAGE,
			       "%.40s... is a name of %zu bytes; the longest one has %d", name,
			       n_bytes, TREE_NAME_MAX_BYTES);
	if (*n_path > 0)
		path[(*n_path)++] = '/';
	memcpy(path + *n_path, name, n_bytes);
	*n_path += n_bytes;
	return 0;
}

/* path without slashes at its ends or in a row, and without "."; the caller's. "" for the root. */
static int clean_path(const char *path, char **out, struct err *e)
{
	CLEANUP(freep) char *cleaned = calloc(1, strlen(path) + 1);
	size_t n = 0;

	if (!cleaned)
		return err_set(e, ERR_IO, "out of memory");
	for (const char *name = path; *name;) {
		size_t n_bytes = strcspn(name, "/");
		if (append_name(cleaned, &n, name, n_bytes, path, e) < 0)
			return -1;
		name += n_bytes + (name[n_bytes] == '/');
	}
	*out = TAKE(cleaned);
	return 0;
}

/* ---- The hash table ------------------------------------------------------------------------- */

static size_t hash(const char *path, size_t n_bytes)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a, 64 bits */

	for (size_t i = 0; i < n_bytes; i++)
		h = (h ^ (uint8_t)path[i]) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

/* The slot of the path of n_bytes, or the free one where it belongs. There is always a free one. */
static uint32_t *find_slot(const struct tree *t, const char *path, size_t n_bytes)
{
	size_t i = hash(path, n_bytes) & (t->n_slots - 1);

	while (t->slots[i] != 0) {
		const char *other = t->entries[t->slots[i] - 1].path;
		if (strncmp(other, path, n_bytes) == 0 && other[n_bytes] == '\0')
			break;
		i = (i + 1) & (t->n_slots - 1);
	}
	return &t->slots[i];
}

static void fill_slots(struct tree *t)
{
	if (t->n_slots > 0)
		memset(t->slots, 0, t->n_slots * sizeof *t->slots);
	for (size_t i = 0; i < t->n_entries; i++)
		*find_slot(t, t->entries[i].path, strlen(t->entries[i].path)) = (uint32_t)i + 1;
}

static struct tree_entry *find(const struct tree *t, const char *path, size_t n_bytes)
{
	if (t->n_slots == 0)
		return NULL;
	const uint32_t number = *find_slot(t, path, n_bytes);
	return number ? &t->entries[number - 1] : NULL;
}

const struct tree_entry *tree_find(const struct tree *t, const char *path)
{
	return find(t, path, strlen(path));
}

/* Room for one entry more, in a table that is at most half full. */
static int reserve(struct tree *t, struct err *e)
{
	if (t->n_entries == t->capacity) {
		const size_t capacity = t->capacity ? 2 * t->capacity : FIRST_SLOTS / 2;
		struct tree_entry *entries =
			capacity < UINT32_MAX / 2
				? reallocarray(t->entries, capacity, sizeof *entries)
				: NULL;
		if (!entries)
			return err_set(e, ERR_IO, "out of memory");
		t->entries = entries;
		t->capacity = capacity;
	}
	if (2 * (t->n_entries + 1) > t->n_slots) {
		const size_t n_slots = t->n_slots ? 2 * t->n_slots : FIRST_SLOTS;
		uint32_t *slots = reallocarray(t->slots, n_slots, sizeof *slots);
		if (!slots)
			return err_set(e, ERR_IO, "out of memory");
		t->slots = slots;
		t->n_slots = n_slots;
		fill_slots(t);
	}
	return 0;
}

/* ---- Adding --------------------------------------------------------------------------------- */

/* Append *entry, whose path is not there yet. */
static int append(struct tree *t, struct tree_entry *entry, struct err *e)
{
	if (reserve(t, e) < 0)
		return -1;
	assert(t->entries);
	*find_slot(t, entry->path, strlen(entry->path)) = (uint32_t)t->n_entries + 1;
	t->entries[t->n_entries++] = *entry;
	*entry = (struct tree_entry){0};
	return 0;
}

/* The folders above path. */
static int add_parents(struct tree *t, const char *path, struct err *e)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const size_t n_bytes = (size_t)(slash - path);
		const struct tree_entry *there = find(t, path, n_bytes);

		if (there && there->kind != TREE_FOLDER)
			return err_set(e, ERR_USAGE, "%s cannot be added: %s is no folder", path,
				       there->path);
		if (there)
			continue;
		CLEANUP(tree_entry_release)
		struct tree_entry folder = {.kind = TREE_FOLDER,
					    .path = strndup(path, n_bytes),
					    .mode = MODE_FOLDER,
					    .mtime_s = TREE_NO_TIME};
		if (!folder.path)
			return err_set(e, ERR_IO, "out of memory");
		if (append(t, &folder, e) < 0)
			return -1;
	}
	return 0;
}

/* What a kind has not, or always has: links are the same file, and nobody asks for the mode of a
 * symlink. */
static void normalise(struct tree_entry *entry)
{
	entry->mode &= TREE_MODE_MASK;
	if (entry->kind == TREE_SYMLINK)
		entry->mode = 0777;
	if (entry->kind != TREE_HARD_LINK)
		return;
	attributes_release(entry);
	entry->mode = 0;
	entry->uid = 0;
	entry->gid = 0;
	entry->mtime_s = TREE_NO_TIME;
}

/* What a hard link is to: the file itself, also when another link to it was named. */
static int resolve_hard_link(struct tree *t, struct tree_entry *entry, struct err *e)
{
	CLEANUP(freep) char *path = NULL;

	if (clean_path(entry->link ? entry->link : "", &path, e) < 0)
		return -1;
	const struct tree_entry *target = tree_find(t, path);
	if (target && target->kind == TREE_HARD_LINK)
		target = tree_find(t, target->link);
	if (!target || target->kind == TREE_FOLDER || strcmp(target->path, entry->path) == 0)
		return err_set(e, ERR_USAGE, "%s is a link to %s, which is not there before it",
			       entry->path, path);
	char *link = strdup(target->path);
	if (!link)
		return err_set(e, ERR_IO, "out of memory");
	free(entry->link);
	entry->link = link;
	return 0;
}

/* The folder takes what *entry says of it. */
static void update_folder(struct tree_entry *there, struct tree_entry *entry)
{
	attributes_release(there);
	there->attributes = TAKE(entry->attributes);
	there->n_attributes = entry->n_attributes;
	entry->n_attributes = 0;
	there->mode = entry->mode;
	there->uid = entry->uid;
	there->gid = entry->gid;
	there->mtime_s = entry->mtime_s;
}

static int replace(struct tree *t, struct tree_entry *there, struct tree_entry *entry,
		   struct err *e)
{
	if (there->kind == TREE_FOLDER || entry->kind == TREE_FOLDER)
		return err_set(e, ERR_USAGE, "%s is there twice, once as a folder", entry->path);
	for (size_t i = 0; i < t->n_entries; i++) {
		if (t->entries[i].kind == TREE_HARD_LINK &&
		    strcmp(t->entries[i].link, there->path) == 0)
			return err_set(e, ERR_USAGE, "%s is there twice, and %s is a link to one",
				       entry->path, t->entries[i].path);
	}
	tree_entry_release(there);
	*there = *entry;
	*entry = (struct tree_entry){0};
	return 0;
}

/* Add *entry; what is not handed on stays in it. */
static int put(struct tree *t, struct tree_entry *entry, bool may_replace, struct err *e)
{
	char *path = NULL;

	if (clean_path(entry->path, &path, e) < 0)
		return -1;
	free(entry->path);
	entry->path = path;
	if (!*path && entry->kind == TREE_FOLDER)
		return 0;
	if (!*path)
		return err_set(e, ERR_USAGE, "a file needs a name, not only a slash");
	if (add_parents(t, path, e) < 0 ||
	    (entry->kind == TREE_HARD_LINK && resolve_hard_link(t, entry, e) < 0))
		return -1;
	normalise(entry);
	struct tree_entry *there = find(t, path, strlen(path));
	if (!there)
		return append(t, entry, e);
	if (there->kind == TREE_FOLDER && entry->kind == TREE_FOLDER) {
		update_folder(there, entry);
		return 0;
	}
	return may_replace ? replace(t, there, entry, e)
			   : err_set(e, ERR_USAGE, "%s is there already; name it once", path);
}

int tree_add_entry(struct tree *t, struct tree_entry *entry, struct err *e)
{
	const int result = put(t, entry, false, e);

	tree_entry_release(entry);
	return result;
}

int tree_put_entry(struct tree *t, struct tree_entry *entry, struct err *e)
{
	const int result = put(t, entry, true, e);

	tree_entry_release(entry);
	return result;
}

/* A file at path; its content is for the caller to set. */
static int file_entry(const char *path, struct tree_entry *out, struct err *e)
{
	char *copy = strdup(path);

	if (!copy)
		return err_set(e, ERR_IO, "out of memory");
	*out = (struct tree_entry){
		.kind = TREE_FILE, .path = copy, .mode = MODE_FILE, .mtime_s = TREE_NO_TIME};
	return 0;
}

int tree_add(struct tree *t, const char *path, struct span content, struct err *e)
{
	struct tree_entry entry;

	if (file_entry(path, &entry, e) < 0)
		return -1;
	entry.content = content;
	entry.size_bytes = content.n_bytes;
	return tree_add_entry(t, &entry, e);
}

int tree_add_copy(struct tree *t, const char *path, const void *bytes, size_t n_bytes,
		  struct err *e)
{
	CLEANUP(tree_entry_release) struct tree_entry entry = {0};

	if (file_entry(path, &entry, e) < 0)
		return -1;
	entry.owned = malloc(n_bytes ? n_bytes : 1);
	if (!entry.owned)
		return err_set(e, ERR_IO, "out of memory");
	if (n_bytes > 0)
		memcpy(entry.owned, bytes, n_bytes);
	entry.content = (struct span){entry.owned, n_bytes};
	entry.size_bytes = n_bytes;
	return tree_add_entry(t, &entry, e);
}

int tree_add_text(struct tree *t, const char *path, const char *text, struct err *e)
{
	return tree_add_copy(t, path, text, strlen(text), e);
}

int tree_add_path(struct tree *t, const char *path, const char *source_path, struct err *e)
{
	CLEANUP(tree_entry_release) struct tree_entry entry = {0};
	/* What it is comes first: a FIFO would not be opened before somebody writes. */
	CLEANUP(closep) int fd = open(source_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "reading %s", source_path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s is not a file", source_path);
	if (file_entry(path, &entry, e) < 0)
		return -1;
	entry.source_path = strdup(source_path);
	if (!entry.source_path)
		return err_set(e, ERR_IO, "out of memory");
	entry.size_bytes = (uint64_t)st.st_size;
	return tree_add_entry(t, &entry, e);
}

/* ---- Sorting -------------------------------------------------------------------------------- */

/* As if a slash came before all other bytes, so that what a folder holds follows it. */
static int by_path(const void *a, const void *b)
{
	const char *left = ((const struct tree_entry *)a)->path;
	const char *right = ((const struct tree_entry *)b)->path;

	while (*left && *left == *right) {
		left++;
		right++;
	}
	const int x = *left == '/' ? 1 : *left ? (uint8_t)*left + 1 : 0;
	const int y = *right == '/' ? 1 : *right ? (uint8_t)*right + 1 : 0;
	return x - y;
}

/* entry, a link that comes before the file it is to, becomes the file, and that a link to it. */
static int swap_roles(struct tree_entry *entry, struct tree_entry *file, struct err *e)
{
	char *path = entry->path;
	char *link = strdup(path);

	if (!link)
		return err_set(e, ERR_IO, "out of memory");
	free(entry->link);
	*entry = *file;
	entry->path = path;
	*file = (struct tree_entry){
		.kind = TREE_HARD_LINK, .path = file->path, .link = link, .mtime_s = TREE_NO_TIME};
	return 0;
}

/* Links point to the first of the names of a file. */
static int sort_hard_link(struct tree *t, struct tree_entry *entry, struct err *e)
{
	struct tree_entry *target = find(t, entry->link, strlen(entry->link));

	assert(target);
	if (target > entry && target->kind != TREE_HARD_LINK)
		return swap_roles(entry, target, e);
	if (target->kind != TREE_HARD_LINK)
		return 0;
	/* It was the file, until the first link came by. */
	char *link = strdup(target->link);
	if (!link)
		return err_set(e, ERR_IO, "out of memory");
	free(entry->link);
	entry->link = link;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct tree_attribute *left = a;
	const struct tree_attribute *right = b;

	return strcmp(left->name, right->name);
}

int tree_sort(struct tree *t, struct err *e)
{
	if (t->n_entries == 0)
		return 0;
	qsort(t->entries, t->n_entries, sizeof *t->entries, by_path);
	fill_slots(t);
	for (size_t i = 0; i < t->n_entries; i++) {
		struct tree_entry *entry = &t->entries[i];
		if (entry->kind == TREE_HARD_LINK && sort_hard_link(t, entry, e) < 0)
			return -1;
		if (entry->n_attributes > 0)
			qsort(entry->attributes, entry->n_attributes, sizeof *entry->attributes,
			      by_name);
	}
	return 0;
}

uint64_t tree_content_bytes(const struct tree *t)
{
	uint64_t n_bytes = 0;

	for (size_t i = 0; i < t->n_entries; i++) {
		if (t->entries[i].kind == TREE_FILE)
			n_bytes += t->entries[i].size_bytes;
	}
	return n_bytes;
}
