/* What the kernel says about a path that could be a target. Gathers, and decides nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "flash/base/err.h"

enum target_kind {
	TARGET_BLOCK,
	TARGET_FILE,    /* a regular file that exists */
	TARGET_MISSING, /* nothing there: a file will be created */
	TARGET_FOLDER,
	TARGET_OTHER, /* character device, pipe, socket */
};

/* One reason why a disk is in use. */
struct facts_use {
	enum facts_use_kind {
		USE_MOUNT,  /* what: the mount point; by: the device that is mounted */
		USE_SWAP,   /* by: the device or file swapped to */
		USE_HOLDER, /* what: "dm-0 (vg-root)", "md127", "loop3", ...: who holds by */
		USE_SYSTEM, /* what: "/": the running system lives on it */
	} kind;
	char *what; /* owned */
	char *by;   /* owned */
};

struct facts {
	enum target_kind kind;
	char *path;      /* owned; as given */
	char *real_path; /* owned; links resolved: "/dev/sda" */
	dev_t device;    /* of a block device; of a file, what it lies on */
	ino_t inode;     /* of a file */
	uint64_t size_bytes;
	uint32_t sector_bytes; /* logical; 512 for files */
	bool is_partition;
	char *disk_path; /* owned; of a partition: its whole disk; else NULL */
	bool is_read_only;
	bool is_removable; /* the medium can be taken out */
	bool is_hotplug;   /* the device itself can be: USB, SD card, Thunderbolt; or somebody
			    * attached it by hand: nbd, zram, loop. Not a soldered eMMC */
	bool is_loop;      /* a loop device on a file; one on a block device is a fixed disk */
	char *model;       /* owned; "" when not told, as the rest; of a loop device its file */
	char *serial;      /* owned */
	char *transport;   /* owned; "usb", "sata", "nvme", "mmc", "virtio", "loop", "zram", ... */
	char *by_id;       /* owned; a stable /dev/disk/by-id path */
	struct facts_use *uses; /* owned; of the disk and of everything on it */
	size_t n_uses;
};

/* Gather the facts about path. root is put in front of /sys, /proc and /dev/disk ("" for the real
 * ones; a folder made by a test otherwise). A path where nothing is gives TARGET_MISSING. Fails
 * with ERR_IO when the kernel's answers cannot be read. */
int facts_gather(const char *path, const char *root, struct facts **out, struct err *e);
/* 0 when fd is open on what f describes. Else another thing got the name meanwhile: ERR_REFUSED. */
int facts_check_open(const struct facts *f, int fd, struct err *e);

void facts_free(struct facts *f);
static inline void facts_freep(struct facts **f)
{
	facts_free(*f);
}

/* The paths of all whole disks that could ever be targets (no ram, no empty loop devices), sorted
 * by name, ended by NULL; owned by the caller with facts_free_paths. */
int facts_list_disks(const char *root, char ***out_paths, struct err *e);
void facts_free_paths(char **paths);
