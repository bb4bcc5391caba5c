/* The firmware files of a board: where they are, and whether they are what they should be. */
#pragma once

#include "boards/profile.h"
#include "bootloader/bootloader.h"
#include "flash/base/err.h"

/* In the cache: CACHE/firmware/ID/file. */
#define FIRMWARE_CACHE_FOLDER "firmware"

/* Where to look, in this order; NULL: not there. Borrowed. */
struct firmware_places {
	const char *folder; /* --firmware DIR: files by name */
	const char *cache;  /* lkflash's, where `lkflash firmware` puts them */
	const char *root;   /* of this machine's packages: "/"; for firmware installed by Debian */
};

struct firmware_set;

/* Load all files that b lists and that are there; those that are missing are told when they are
 * needed. b must outlive the set. Fails with ERR_IO for what is there and cannot be read, and for a
 * folder that is not there; with ERR_USAGE for what is empty, no regular file, or has not the magic
 * that the profile asks for, naming file and place. */
int firmware_load(const struct board *b, const struct firmware_places *places,
		  struct firmware_set **out, struct err *e);
void firmware_free(struct firmware_set *s);
static inline void firmware_freep(struct firmware_set **s)
{
	firmware_free(*s);
}

/* In the order of the profile. Borrowed from s. */
const struct boot_firmware *firmware_files(const struct firmware_set *s, size_t *out_n_files);

/* The path a file was found at; NULL when it was not. Borrowed from s. */
const char *firmware_path(const struct firmware_set *s, const char *file);
