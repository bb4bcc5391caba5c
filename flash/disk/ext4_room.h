/* How much room an ext4 takes for itself, and what size a tree needs. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/disk/tree.h"

enum { EXT4_BLOCK_BYTES = 4096, EXT4_INODE_BYTES = 256 };

struct ext4_shape {
	uint64_t n_blocks;
	uint64_t n_inodes;
	uint64_t journal_mib;
	uint64_t
		grow_blocks; /* it can be grown to that while mounted; 0: it has no room for that */
};

/* The smallest size in which t certainly has room, grown or not. */
uint64_t ext4_room_need_bytes(const struct tree *t);

/* Fails with ERR_USAGE when size_bytes is less than that. */
int ext4_room_shape(const struct tree *t, uint64_t size_bytes, bool does_grow,
		    struct ext4_shape *out, struct err *e);
