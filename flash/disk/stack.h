/* A disk and all block devices that stand on it: its partitions, and whatever device-mapper, RAID
 * or loop devices use the disk, a partition, or one another. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "flash/base/err.h"

struct stacked {
	dev_t device;
	char *folder;  /* owned; its folder in /sys */
	char *node;    /* owned; "/dev/sda1" */
	char *held_by; /* owned; of a device that holds another: "dm-0 (vg-root)"; else NULL */
	const char *on_node; /* borrowed from a lower one; what it holds */
};

struct stack {
	struct stacked *items; /* owned; what stands lower comes first */
	size_t n_items;
};

/* All that stands on the disk whose folder is given (of a partition: on its whole disk; of a loop
 * device on a block device: on what is below it). ERR_IO when the kernel's answers cannot be read.
 */
int stack_new(const char *root, const char *folder, struct stack **out, struct err *e);
void stack_free(struct stack *k);
static inline void stack_freep(struct stack **k)
{
	stack_free(*k);
}

/* The item that is device, or NULL. */
const struct stacked *stack_find(const struct stack *k, dev_t device);

/* The block device that a loop device lies on, directly. False when it lies on a file or is no loop
 * device. */
bool stack_loop_backing(const char *root, const char *folder, dev_t *out);
/* The folder of the whole disk: that of the partition's disk, or folder itself. Owned by the
 * caller; NULL without memory. */
char *stack_disk_folder(const char *folder);
