/* What stands on a disk. See stack.h. */
#include "flash/disk/stack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/disk/sysfs.h"

enum { MAX_DEPTH = 16 }; /* of loop devices on loop devices */

static void stacked_release(struct stacked *s)
{
	free(s->folder);
	free(s->node);
	free(s->held_by);
}

void stack_free(struct stack *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n_items; i++)
		stacked_release(&k->items[i]);
	free(k->items);
	free(k);
}

const struct stacked *stack_find(const struct stack *k, dev_t device)
{
	for (size_t i = 0; i < k->n_items; i++)
		if (k->items[i].device == device)
			return &k->items[i];
	return NULL;
}

/* "dm-0 (vg-root)", "md127", "loop3". NULL without memory. */
static char *holder_name(const char *folder)
{
	const char *slash = strrchr(folder, '/');
	const char *name = slash ? slash + 1 : folder;
	char dm_name[SYSFS_TEXT_BYTES];
	char *text = NULL;

	if (!sysfs_text(folder, "dm/name", dm_name))
		return strdup(name);
	return asprintf(&text, "%s (%s)", name, dm_name) < 0 ? NULL : text;
}

/* Add a device, unless it is there. on_node: what it holds; NULL when it is a part, no holder. */
static int stack_add(struct stack *k, const char *root, dev_t device, const char *on_node,
		     struct err *e)
{
	struct stacked added = {.device = device, .on_node = on_node};

	if (stack_find(k, device))
		return 0;
	struct stacked *items = realloc(k->items, (k->n_items + 1) * sizeof *items);
	if (!items)
		return err_errno(e, "listing what is on a disk");
	k->items = items;
	if (sysfs_block_folder(root, device, &added.folder, e) < 0)
		return -1;
	added.node = sysfs_node(added.folder);
	added.held_by = on_node ? holder_name(added.folder) : NULL;
	items[k->n_items++] = added;
	if (!added.node || (on_node && !added.held_by))
		return err_errno(e, "listing what is on a disk");
	return 0;
}

static int stack_add_folder(struct stack *k, const char *root, const char *folder,
			    const char *on_node, struct err *e)
{
	dev_t device = 0;

	if (!sysfs_device(folder, &device))
		return err_set(e, ERR_IO, "%s names no block device", folder);
	return stack_add(k, root, device, on_node, e);
}

/* The partitions that the kernel knows of: the folders in the disk's own that have a number. */
static int add_partitions(struct stack *k, const char *root, const char *folder, struct err *e)
{
	CLEANUP(sysfs_names_freep) char **names = NULL;

	if (sysfs_names(folder, ".", &names, e) < 0)
		return -1;
	for (char **name = names; *name; name++) {
		CLEANUP(freep) char *part = sysfs_join(folder, *name);
		if (!part)
			return err_errno(e, "reading %s", folder);
		if (sysfs_exists(part, "partition") && stack_add_folder(k, root, part, NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int add_holders(struct stack *k, const char *root, const char *folder, const char *node,
		       struct err *e)
{
	CLEANUP(sysfs_names_freep) char **names = NULL;
	CLEANUP(freep) char *holders = sysfs_join(folder, "holders");

	if (!holders)
		return err_errno(e, "reading %s", folder);
	if (sysfs_names(holders, ".", &names, e) < 0)
		return -1;
	for (char **name = names; *name; name++) {
		CLEANUP(freep) char *holder = sysfs_join(holders, *name);
		if (!holder)
			return err_errno(e, "reading %s", folder);
		if (stack_add_folder(k, root, holder, node, e) < 0)
			return -1;
	}
	return 0;
}

bool stack_loop_backing(const char *root, const char *folder, dev_t *out)
{
	char path[SYSFS_TEXT_BYTES];

	return sysfs_text(folder, "loop/backing_file", path) &&
	       sysfs_device_by_node(root, path, out);
}

/* The kernel does not list loop devices as holders of what they lie on. */
static int add_loops(struct stack *k, const char *root, dev_t device, const char *node,
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
		dev_t backing = 0;
		if (!folder)
			return err_errno(e, "listing loop devices");
		if (stack_loop_backing(root, folder, &backing) && backing == device &&
		    stack_add_folder(k, root, folder, node, e) < 0)
			return -1;
	}
	return 0;
}

/* Add what stands on item i, one level up. */
static int add_level(struct stack *k, const char *root, size_t i, struct err *e)
{
	/* Their memory stays where it is when items moves. */
	const char *folder = k->items[i].folder;
	const char *node = k->items[i].node;

	if (add_partitions(k, root, folder, e) < 0)
		return -1;
	if (add_holders(k, root, folder, node, e) < 0)
		return -1;
	return add_loops(k, root, k->items[i].device, node, e);
}

char *stack_disk_folder(const char *folder)
{
	char *disk = strdup(folder);

	if (disk && sysfs_exists(folder, "partition"))
		*strrchr(disk, '/') = '\0';
	return disk;
}

/* Put the disk itself on the stack, and below it what it lies on when it is a loop device: they are
 * no holders of one another, but whoever else is on them matters. */
static int add_ground(struct stack *k, const char *root, const char *folder, struct err *e)
{
	CLEANUP(freep) char *disk = stack_disk_folder(folder);
	dev_t backing = 0;

	if (!disk)
		return err_errno(e, "reading %s", folder);
	if (stack_add_folder(k, root, disk, NULL, e) < 0)
		return -1;
	for (unsigned depth = 0; stack_loop_backing(root, disk, &backing); depth++) {
		CLEANUP(freep) char *below = NULL;
		if (depth == MAX_DEPTH)
			return err_set(e, ERR_IO, "%s: loop devices on loop devices without end",
				       folder);
		if (sysfs_block_folder(root, backing, &below, e) < 0)
			return -1;
		free(disk);
		disk = stack_disk_folder(below);
		if (!disk)
			return err_errno(e, "reading %s", folder);
		if (stack_add_folder(k, root, disk, NULL, e) < 0)
			return -1;
	}
	return 0;
}

int stack_new(const char *root, const char *folder, struct stack **out, struct err *e)
{
	CLEANUP(stack_freep) struct stack *k = calloc(1, sizeof *k);

	if (!k)
		return err_errno(e, "listing what is on a disk");
	if (add_ground(k, root, folder, e) < 0)
		return -1;
	for (size_t i = 0; i < k->n_items; i++)
		if (add_level(k, root, i, e) < 0)
			return -1;
	*out = TAKE(k);
	return 0;
}
