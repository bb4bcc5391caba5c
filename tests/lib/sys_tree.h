/* A /sys and /proc that a test makes, in a folder of its own: an idle USB disk with one partition,
 * a kernel without swap areas, and whatever the test adds. */
#pragma once

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

#define USB_DISK "sys/devices/pci0000:00/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sda"

/* A file of the tree; the folders above it are made. */
static inline void put(const char *root, const char *name, const char *text)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *folder = NULL;
	struct err e = {0};

	assert_true(asprintf(&path, "%s/%s", root, name) > 0);
	folder = strdup(path);
	assert_non_null(folder);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(fdio_mkdir(folder, 0755, &e), 0);
	CLEANUP(fclosep) FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static inline void put_in(const char *root, const char *folder, const char *name, const char *text)
{
	CLEANUP(freep) char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	put(root, path, text);
}

/* The link root/folder/name, to root/to. */
static inline void put_link(const char *root, const char *folder, const char *name, const char *to)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *target = NULL;
	struct err e = {0};

	assert_true(asprintf(&path, "%s/%s", root, folder) > 0);
	assert_int_equal(fdio_mkdir(path, 0755, &e), 0);
	free(TAKE(path));
	assert_true(asprintf(&path, "%s/%s/%s", root, folder, name) > 0);
	assert_true(asprintf(&target, "%s/%s", root, to) > 0);
	assert_int_equal(symlink(target, path), 0);
}

/* What the kernel shows of every block device: 1 MiB, the links that find it. */
static inline void put_device(const char *root, const char *folder, const char *number)
{
	put_in(root, folder, "dev", number);
	put_in(root, folder, "size", "2048\n");
	put_in(root, folder, "ro", "0\n");
	put_link(root, "sys/dev/block", number, folder);
	put_link(root, "sys/class/block", strrchr(folder, '/') + 1, folder);
}

static inline void put_disk(const char *root, const char *folder, const char *number)
{
	put_device(root, folder, number);
	put_in(root, folder, "removable", "0\n");
	put_in(root, folder, "queue/logical_block_size", "512\n");
	put_link(root, "sys/block", strrchr(folder, '/') + 1, folder);
}

static inline void put_partition(const char *root, const char *folder, const char *number)
{
	put_device(root, folder, number);
	put_in(root, folder, "partition", "1\n");
}

static inline int setup_tree(void **state)
{
	char *root = strdup("/tmp/lkflash-facts.XXXXXX");

	assert_non_null(root);
	assert_non_null(mkdtemp(root));
	put(root, "proc/self/mountinfo", "21 1 254:0 / / rw - ext4 /dev/vda rw\n");
	put(root, "proc/swaps", "Filename\t\t\tType\t\tSize\tUsed\tPriority\n");
	put_disk(root, USB_DISK, "8:0");
	put_partition(root, USB_DISK "/sda1", "8:1");
	*state = root;
	return 0;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline int teardown_tree(void **state)
{
	char *root = *state;

	(void)nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(root);
	return 0;
}
