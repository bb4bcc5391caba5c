/* The commands by which debugfs fills an empty ext4. See ext4_script.h and debugfs(8). */
#include "flash/disk/ext4_script.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"

enum {
	/* debugfs reads lines into BUFSIZ bytes, which are 8192 in glibc and 1024 in musl; a longer
	 * one would become two commands. */
	LINE_MAX_BYTES = BUFSIZ - 2,
	LINK_MAX_BYTES = 4095,       /* a symbolic link is one block at most, and ends in a NUL */
	LINKS_MAX = 65000,           /* ext4's EXT4_LINK_MAX */
	DEVICE_MAX = 65535,          /* debugfs refuses larger numbers */
	ATTRIBUTES_MAX_BYTES = 4000, /* one block, less its header */
	ATTRIBUTE_HEAD_BYTES = 20,   /* of each one, with padding */
};

static const char lost_found[] = "lost+found";

struct script {
	const struct tree *t;
	int64_t default_time_s;
	struct buf *out;
	unsigned *n_links;  /* owned; of each entry, those that are hard links */
	const char *folder; /* where debugfs is; borrowed from an entry; not ended */
	size_t n_folder;
};

static void script_release(struct script *s)
{
	free(s->n_links);
}

const char *ext4_script_content(char name[EXT4_NAME_BYTES], size_t i)
{
	(void)snprintf(name, EXT4_NAME_BYTES, "content-%zu", i);
	return name;
}

const char *ext4_script_value(char name[EXT4_NAME_BYTES], size_t i, size_t j)
{
	(void)snprintf(name, EXT4_NAME_BYTES, "value-%zu-%zu", i, j);
	return name;
}

int64_t ext4_script_time(int64_t time_s)
{
	/* To libext2fs 0 is "no time given", for which it takes the clock. */
	if (time_s < 1)
		return 1;
	return time_s > INT32_MAX ? INT32_MAX : time_s;
}

/* ---- Words of a command --------------------------------------------------------------------- */

static void put_inside(struct buf *out, const char *text, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++)
		buf_append(out, text[i] == '"' ? "\"\"" : &text[i], text[i] == '"' ? 2 : 1);
}

/* The word prefix + text; within quotes a quote is written twice. */
static void put_word(struct buf *out, const char *prefix, const char *text)
{
	buf_append_text(out, " \"");
	buf_append_text(out, prefix);
	put_inside(out, text, strlen(text));
	buf_append_text(out, "\"");
}

/* The name in the folder where debugfs is. Without the dot "<2>" would be an inode, and "-f" an
 * option. */
static void put_name(struct buf *out, const struct tree_entry *entry)
{
	put_word(out, "./", basename(entry->path));
}

static void set_field(struct script *s, const struct tree_entry *entry, const char *field,
		      const char *value)
{
	buf_append_text(s->out, "set_inode_field");
	put_name(s->out, entry);
	buf_printf(s->out, " %s %s\n", field, value);
}

/* ---- Commands ------------------------------------------------------------------------------- */

static void go_to_folder(struct script *s, const struct tree_entry *entry)
{
	size_t n_bytes = (size_t)(basename(entry->path) - entry->path);

	if (s->folder && n_bytes == s->n_folder && memcmp(s->folder, entry->path, n_bytes) == 0)
		return;
	s->folder = entry->path;
	s->n_folder = n_bytes;
	buf_append_text(s->out, "cd \"/");
	put_inside(s->out, entry->path, n_bytes ? n_bytes - 1 : 0);
	buf_append_text(s->out, "\"\n");
}

static void put_device(struct script *s, const struct tree_entry *entry, char kind)
{
	buf_append_text(s->out, "mknod");
	put_word(s->out, "", basename(entry->path));
	buf_printf(s->out, " %c %u %u\n", kind, entry->major, entry->minor);
}

static void put_fifo(struct script *s, const struct tree_entry *entry)
{
	buf_append_text(s->out, "mknod");
	put_word(s->out, "", basename(entry->path));
	buf_append_text(s->out, " p\n");
}

/* ln does not make a folder larger, as mknod does. What mknod made is removed again, and leaves a
 * place for a name of that length. */
static void put_hard_link(struct script *s, const struct tree_entry *entry)
{
	buf_append_text(s->out, "mknod");
	put_word(s->out, "", basename(entry->path));
	buf_append_text(s->out, " p\nrm");
	put_name(s->out, entry);
	buf_append_text(s->out, "\nln");
	put_word(s->out, "/", entry->link);
	put_name(s->out, entry);
	buf_append_text(s->out, "\n");
}

static void put_symlink(struct script *s, const struct tree_entry *entry)
{
	buf_append_text(s->out, "symlink");
	put_name(s->out, entry);
	put_word(s->out, "", entry->link);
	buf_append_text(s->out, "\n");
}

static void put_folder(struct script *s, const struct tree_entry *entry)
{
	if (strcmp(entry->path, lost_found) == 0)
		return; /* mke2fs made it */
	buf_append_text(s->out, "mkdir");
	put_name(s->out, entry);
	buf_append_text(s->out, "\n");
}

static void put_file(struct script *s, const struct tree_entry *entry)
{
	char content[EXT4_NAME_BYTES];

	buf_append_text(s->out, "write");
	put_word(s->out, "", ext4_script_content(content, (size_t)(entry - s->t->entries)));
	put_word(s->out, "", basename(entry->path));
	buf_append_text(s->out, "\n");
}

static void put_entry(struct script *s, const struct tree_entry *entry)
{
	switch (entry->kind) {
	case TREE_FOLDER:
		put_folder(s, entry);
		break;
	case TREE_FILE:
		put_file(s, entry);
		break;
	case TREE_SYMLINK:
		put_symlink(s, entry);
		break;
	case TREE_HARD_LINK:
		put_hard_link(s, entry);
		break;
	case TREE_CHARACTER_DEVICE:
		put_device(s, entry, 'c');
		break;
	case TREE_BLOCK_DEVICE:
		put_device(s, entry, 'b');
		break;
	case TREE_FIFO:
		put_fifo(s, entry);
		break;
	}
}

/* ---- What an inode says --------------------------------------------------------------------- */

static mode_t kind_bits(enum tree_kind kind)
{
	switch (kind) {
	case TREE_FOLDER:
		return S_IFDIR;
	case TREE_FILE:
		return S_IFREG;
	case TREE_SYMLINK:
		return S_IFLNK;
	case TREE_CHARACTER_DEVICE:
		return S_IFCHR;
	case TREE_BLOCK_DEVICE:
		return S_IFBLK;
	case TREE_FIFO:
		return S_IFIFO;
	case TREE_HARD_LINK:
		break;
	}
	return 0;
}

static void set_number(struct script *s, const struct tree_entry *entry, const char *field,
		       const char *format_prefix, int64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%s%" PRId64, format_prefix, value);
	set_field(s, entry, field, text);
}

static void put_attributes(struct script *s, const struct tree_entry *entry)
{
	const size_t i = (size_t)(entry - s->t->entries);
	char value[EXT4_NAME_BYTES];

	for (size_t j = 0; j < entry->n_attributes; j++) {
		buf_append_text(s->out, "ea_set -f");
		put_word(s->out, "", ext4_script_value(value, i, j));
		put_name(s->out, entry);
		put_word(s->out, "", entry->attributes[j].name);
		buf_append_text(s->out, "\n");
	}
}

static void put_inode(struct script *s, const struct tree_entry *entry)
{
	const unsigned n_links = s->n_links[entry - s->t->entries];
	const int64_t time_s = entry->mtime_s == TREE_NO_TIME ? s->default_time_s : entry->mtime_s;
	char mode[16];

	(void)snprintf(mode, sizeof mode, "0%o", kind_bits(entry->kind) | entry->mode);
	set_field(s, entry, "mode", mode);
	if (entry->uid > 0)
		set_number(s, entry, "uid", "", entry->uid);
	if (entry->gid > 0)
		set_number(s, entry, "gid", "", entry->gid);
	if (time_s != s->default_time_s)
		set_number(s, entry, "mtime", "@", ext4_script_time(time_s));
	if (n_links > 0)
		set_number(s, entry, "links_count", "", 1 + (int64_t)n_links);
	put_attributes(s, entry);
}

/* ---- What cannot be said -------------------------------------------------------------------- */

static bool has_newline(const struct tree_entry *entry)
{
	if (strchr(entry->path, '\n') || (entry->link && strchr(entry->link, '\n')))
		return true;
	for (size_t j = 0; j < entry->n_attributes; j++) {
		if (strchr(entry->attributes[j].name, '\n'))
			return true;
	}
	return false;
}

static size_t attribute_bytes(const struct tree_entry *entry)
{
	size_t n_bytes = 0;

	for (size_t j = 0; j < entry->n_attributes; j++)
		n_bytes += strlen(entry->attributes[j].name) + entry->attributes[j].n_bytes +
			   ATTRIBUTE_HEAD_BYTES;
	return n_bytes;
}

static int check_entry(const struct script *s, const struct tree_entry *entry, struct err *e)
{
	if (has_newline(entry))
		return err_set(e, ERR_USAGE,
			       "%s: a newline in a name is more than debugfs can take; rename it, "
			       "or use squashfs",
			       entry->path);
	if (entry->kind == TREE_SYMLINK && entry->link[0] == '\0')
		return err_set(e, ERR_USAGE, "%s is a link to nothing; leave it out", entry->path);
	if (entry->kind == TREE_SYMLINK && strlen(entry->link) > LINK_MAX_BYTES)
		return err_set(e, ERR_USAGE,
			       "%s is a link of %zu bytes; ext4 has at most %d; make it shorter",
			       entry->path, strlen(entry->link), LINK_MAX_BYTES);
	if (s->n_links[entry - s->t->entries] >= LINKS_MAX)
		return err_set(e, ERR_USAGE,
			       "%s has more than %d hard links, which ext4 cannot count; copy it",
			       entry->path, LINKS_MAX);
	if (entry->major > DEVICE_MAX || entry->minor > DEVICE_MAX)
		return err_set(e, ERR_USAGE,
			       "%s is device %u:%u; debugfs knows numbers to %d; leave it out",
			       entry->path, entry->major, entry->minor, DEVICE_MAX);
	if (attribute_bytes(entry) > ATTRIBUTES_MAX_BYTES)
		return err_set(e, ERR_USAGE,
			       "%s has %zu bytes of attributes; ext4 has room for %d; remove some",
			       entry->path, attribute_bytes(entry), ATTRIBUTES_MAX_BYTES);
	if (entry->kind != TREE_FOLDER && strcmp(entry->path, lost_found) == 0)
		return err_set(e, ERR_USAGE, "%s is a folder that every ext4 has; rename the file",
			       entry->path);
	return 0;
}

/* The commands from byte start on. */
static int check_lines(const struct buf *out, size_t start, const struct tree_entry *entry,
		       struct err *e)
{
	for (size_t n = start; !out->is_failed && n < out->n_bytes;) {
		const uint8_t *end = memchr(out->bytes + n, '\n', out->n_bytes - n);
		const size_t n_line = (size_t)(end - (out->bytes + n));
		if (n_line > LINE_MAX_BYTES)
			return err_set(e, ERR_USAGE,
				       "%.200s... is too long a path for debugfs, which takes "
				       "commands of %d bytes; make it shorter",
				       entry->path, LINE_MAX_BYTES);
		n += n_line + 1;
	}
	return 0;
}

/* ---- All of it ------------------------------------------------------------------------------ */

static int count_links(struct script *s, struct err *e)
{
	s->n_links = calloc(s->t->n_entries + 1, sizeof *s->n_links);
	if (!s->n_links)
		return err_set(e, ERR_IO, "out of memory");
	for (size_t i = 0; i < s->t->n_entries; i++) {
		if (s->t->entries[i].kind == TREE_HARD_LINK)
			s->n_links[tree_find(s->t, s->t->entries[i].link) - s->t->entries]++;
	}
	return 0;
}

int ext4_script(const struct tree *t, int64_t default_time_s, struct buf *out, struct err *e)
{
	CLEANUP(script_release)
	struct script s = {.t = t, .default_time_s = default_time_s, .out = out};

	if (count_links(&s, e) < 0)
		return -1;
	/* How characters are signed on the machine that builds, which mke2fs notes for the hash of
	 * names, does not matter: it is always EXT2_FLAGS_SIGNED_HASH. */
	buf_append_text(out, "set_super_value flags 1\n");
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct tree_entry *entry = &t->entries[i];
		const size_t start = out->n_bytes;
		if (check_entry(&s, entry, e) < 0)
			return -1;
		go_to_folder(&s, entry);
		put_entry(&s, entry);
		if (entry->kind != TREE_HARD_LINK)
			put_inode(&s, entry);
		if (check_lines(out, start, entry, e) < 0)
			return -1;
	}
	return buf_check(out, e);
}
