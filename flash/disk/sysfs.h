/* Reading the kernel's description of block devices: small text files in folders. root is put in
 * front of /sys; "" for the real one. A name may have several parts: "queue/rotational". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "flash/base/err.h"

enum { SYSFS_TEXT_BYTES = 4097 }; /* an attribute is at most one page */

/* "folder/name", owned by the caller; NULL without memory. */
char *sysfs_join(const char *folder, const char *name);

/* The text of an attribute without white space around it. False, with text "", when there is none.
 */
bool sysfs_text(const char *folder, const char *name, char text[SYSFS_TEXT_BYTES]);
bool sysfs_u64(const char *folder, const char *name, uint64_t *out);
/* True for an attribute that is there and not "0". */
bool sysfs_flag(const char *folder, const char *name);
bool sysfs_exists(const char *folder, const char *name);

/* The names in the folder folder/name, sorted as people count (sd2 before sd10), ended by NULL,
 * owned by the caller; none when the folder is missing. ERR_IO when it cannot be read. */
int sysfs_names(const char *folder, const char *name, char ***out, struct err *e);
void sysfs_names_free(char **names);
static inline void sysfs_names_freep(char ***names)
{
	sysfs_names_free(*names);
}

/* The folder that describes a block device, links resolved: ".../block/sda/sda1". Owned by the
 * caller. ERR_IO when the kernel knows no such device. */
int sysfs_block_folder(const char *root, dev_t device, char **out, struct err *e);
/* The device that folder describes. */
bool sysfs_device(const char *folder, dev_t *out);
/* Its node: "/dev/sda1". Owned by the caller; NULL without memory. */
char *sysfs_node(const char *folder);
/* The block device that a path like "/dev/sda1" means; false when it means none. */
bool sysfs_device_by_node(const char *root, const char *path, dev_t *out);

/* "8:1" as the kernel writes it. */
bool sysfs_parse_device(const char *text, dev_t *out);
/* Turn "\040" and its like, by which the kernel's tables hide white space, back, in place. */
void sysfs_unescape(char *text);
