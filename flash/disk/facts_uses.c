/* Who uses a target. See facts_uses.h. */
#include "flash/disk/facts_uses.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/disk/stack.h"
#include "flash/disk/sysfs.h"

enum { MAX_TABLE_BYTES = 64 << 20 }; /* of /proc/self/mountinfo: 150 bytes a mount */

static int add_use(struct facts *f, enum facts_use_kind kind, const char *what, const char *by,
		   struct err *e)
{
	struct facts_use *uses = realloc(f->uses, (f->n_uses + 1) * sizeof *uses);

	if (!uses)
		return err_errno(e, "listing who uses %s", f->path);
	f->uses = uses;
	struct facts_use *use = &uses[f->n_uses++];
	*use = (struct facts_use){.kind = kind, .what = strdup(what), .by = strdup(by)};
	if (!use->what || !use->by)
		return err_errno(e, "listing who uses %s", f->path);
	return 0;
}

/* ---- Tables in /proc ------------------------------------------------------------------------ */

/* The text of root/name, owned by the caller. */
static int load_table(const char *root, const char *name, char **out, struct err *e)
{
	CLEANUP(freep) char *path = sysfs_join(root, name);
	uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	if (!path)
		return err_errno(e, "reading /%s", name);
	if (fdio_load(path, MAX_TABLE_BYTES, &bytes, &n_bytes, e) < 0)
		return -1;
	*out = (char *)bytes;
	return 0;
}

/* The next word of a line, unescaped; "" at its end. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	char *end = word + strcspn(word, " \t");

	*rest = *end ? end + 1 : end;
	*end = '\0';
	sysfs_unescape(word);
	return word;
}

struct mount {
	dev_t device;
	const char *point;  /* borrowed from the line */
	const char *source; /* borrowed from the line */
};

/* A line of mountinfo: "36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/sda1 rw". */
static bool parse_mount(char *line, struct mount *out)
{
	(void)next_word(&line);
	(void)next_word(&line);
	if (!sysfs_parse_device(next_word(&line), &out->device))
		return false;
	(void)next_word(&line);
	out->point = next_word(&line);
	const char *word = next_word(&line);
	while (*word && strcmp(word, "-") != 0)
		word = next_word(&line);
	(void)next_word(&line);
	out->source = next_word(&line);
	return *out->source != '\0';
}

/* ---- Disks ---------------------------------------------------------------------------------- */

static const struct stacked *find_node(const struct stack *k, const char *root, const char *path)
{
	dev_t device = 0;

	return sysfs_device_by_node(root, path, &device) ? stack_find(k, device) : NULL;
}

static int add_mounts(struct facts *f, const char *root, const struct stack *k, struct err *e)
{
	CLEANUP(freep) char *table = NULL;

	if (load_table(root, "proc/self/mountinfo", &table, e) < 0)
		return -1;
	char *rest = table;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		struct mount m = {0};
		if (!parse_mount(line, &m))
			continue;
		/* btrfs mounts devices that are in no other table, so its source counts as well. */
		const struct stacked *on = stack_find(k, m.device);
		on = on ? on : find_node(k, root, m.source);
		enum facts_use_kind kind = strcmp(m.point, "/") == 0 ? USE_SYSTEM : USE_MOUNT;
		if (on && add_use(f, kind, m.point, on->node, e) < 0)
			return -1;
	}
	return 0;
}

/* The areas of /proc/swaps that are on the stack or, without one, the file f itself. */
static int add_swaps(struct facts *f, const char *root, const struct stack *k, struct err *e)
{
	CLEANUP(freep) char *table = NULL;

	if (!sysfs_exists(root, "proc/swaps"))
		return 0; /* a kernel without swap */
	if (load_table(root, "proc/swaps", &table, e) < 0)
		return -1;
	char *rest = table;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		const char *path = next_word(&line);
		bool is_on = k ? find_node(k, root, path) != NULL : strcmp(path, f->real_path) == 0;
		if (is_on && add_use(f, USE_SWAP, "swap", path, e) < 0)
			return -1;
	}
	return 0;
}

static int add_holders(struct facts *f, const struct stack *k, struct err *e)
{
	for (size_t i = 0; i < k->n_items; i++) {
		const struct stacked *s = &k->items[i];
		if (s->held_by && add_use(f, USE_HOLDER, s->held_by, s->on_node, e) < 0)
			return -1;
	}
	return 0;
}

/* One mounted btrfs on several devices shows only one of them in mountinfo. */
static int add_btrfs_members(struct facts *f, const struct stack *k, const char *volume,
			     const char *what, struct err *e)
{
	CLEANUP(sysfs_names_freep) char **names = NULL;
	CLEANUP(freep) char *devices = sysfs_join(volume, "devices");

	if (!devices)
		return err_errno(e, "reading %s", volume);
	if (sysfs_names(devices, ".", &names, e) < 0)
		return -1;
	for (char **name = names; *name; name++) {
		CLEANUP(freep) char *folder = sysfs_join(devices, *name);
		dev_t device = 0;
		if (!folder)
			return err_errno(e, "reading %s", volume);
		if (!sysfs_device(folder, &device))
			continue;
		const struct stacked *on = stack_find(k, device);
		if (on && add_use(f, USE_HOLDER, what, on->node, e) < 0)
			return -1;
	}
	return 0;
}

static int add_btrfs(struct facts *f, const char *root, const struct stack *k, struct err *e)
{
	CLEANUP(sysfs_names_freep) char **uuids = NULL;
	CLEANUP(freep) char *all = sysfs_join(root, "sys/fs/btrfs");

	if (!all)
		return err_errno(e, "listing btrfs volumes");
	if (sysfs_names(all, ".", &uuids, e) < 0)
		return -1;
	for (char **uuid = uuids; *uuid; uuid++) {
		CLEANUP(freep) char *volume = sysfs_join(all, *uuid);
		char what[NAME_MAX + sizeof "btrfs "];
		if (!volume)
			return err_errno(e, "listing btrfs volumes");
		(void)snprintf(what, sizeof what, "btrfs %s", *uuid);
		if (add_btrfs_members(f, k, volume, what, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- Files and their loop devices -------------------------------------------------------------
 */

/* By name, or where it has several, by what it is. */
static bool is_same_file(const char *a_path, const char *b_path)
{
	struct stat a;
	struct stat b;

	return strcmp(a_path, b_path) == 0 ||
	       (a_path[0] == '/' && stat(a_path, &a) == 0 && stat(b_path, &b) == 0 &&
		a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* The loop devices that lie on the file at path, but for the one called own (may be NULL). */
static int add_file_loops(struct facts *f, const char *root, const char *path, const char *own,
			  struct err *e)
{
	CLEANUP(sysfs_names_freep) char **names = NULL;
	CLEANUP(freep) char *blocks = sysfs_join(root, "sys/block");

	if (!blocks)
		return err_errno(e, "listing loop devices");
	if (sysfs_names(blocks, ".", &names, e) < 0)
		return -1;
	for (char **name = names; *name; name++) {
		CLEANUP(freep) char *folder = sysfs_join(blocks, *name);
		char backing[SYSFS_TEXT_BYTES];
		if (!folder)
			return err_errno(e, "listing loop devices");
		if ((!own || strcmp(*name, own) != 0) &&
		    sysfs_text(folder, "loop/backing_file", backing) &&
		    is_same_file(backing, path) && add_use(f, USE_HOLDER, *name, f->path, e) < 0)
			return -1;
	}
	return 0;
}

/* Other loop devices on the file that this one lies on: what they hold is the same. */
static int add_twins(struct facts *f, const char *root, const char *folder, struct err *e)
{
	const char *slash = strrchr(folder, '/');
	char backing[SYSFS_TEXT_BYTES];

	if (!f->is_loop || !sysfs_text(folder, "loop/backing_file", backing))
		return 0;
	return add_file_loops(f, root, backing, slash ? slash + 1 : folder, e);
}

int facts_add_disk_uses(struct facts *f, const char *root, const char *folder, struct err *e)
{
	CLEANUP(stack_freep) struct stack *k = NULL;

	if (stack_new(root, folder, &k, e) < 0)
		return -1;
	if (add_mounts(f, root, k, e) < 0)
		return -1;
	if (add_swaps(f, root, k, e) < 0)
		return -1;
	if (add_holders(f, k, e) < 0)
		return -1;
	if (add_btrfs(f, root, k, e) < 0)
		return -1;
	return add_twins(f, root, folder, e);
}

int facts_add_file_uses(struct facts *f, const char *root, struct err *e)
{
	if (add_file_loops(f, root, f->real_path, NULL, e) < 0)
		return -1;
	return add_swaps(f, root, NULL, e);
}
