/* How much room an ext4 takes for itself. See ext4_room.h, and the Linux kernel's
 * Documentation/filesystems/ext4 for what lies where. */
#include "flash/disk/ext4_room.h"

#include <inttypes.h>
#include <string.h>

#include "flash/base/units.h"

enum {
	GROUP_BLOCKS = EXT4_BLOCK_BYTES * 8, /* as many as one bitmap block counts: 128 MiB */
	INODES_PER_BLOCK = EXT4_BLOCK_BYTES / EXT4_INODE_BYTES,
	DESCRIPTORS_PER_BLOCK = EXT4_BLOCK_BYTES / 64, /* of feature 64bit */
	/* One for 16 KiB, as e2fsprogs has it, so that one that is grown has enough of them. */
	GROUP_INODES = GROUP_BLOCKS / 4,
	RESERVED_INODES = 11, /* the last one is lost+found's */
	SPARE_INODES = 2,     /* one is for a moment in use while a hard link is made */
	JOURNAL_MIN_MIB = 4,  /* 1024 blocks, the least that mke2fs makes */
	/* The root folder, lost+found, what resize_inode and journal point through. */
	OTHER_BLOCKS = 16,
	ENTRY_HEAD_BYTES = 8,      /* of a name in a folder, which is padded to 4 bytes */
	FOLDER_BLOCK_BYTES = 3800, /* of 4096, less a checksum and the gap that the longest name
				    * leaves */
	EXTENTS_IN_INODE = 4,
	LONG_FILE_BLOCKS =
		1024, /* below that a file lies in so few pieces that its inode has them */
	LEAF_FILE_BLOCKS =
		8192,         /* that a further block of extents is for: 340 with room to spare */
	FAST_LINK_BYTES = 60, /* from here on a symbolic link has a block */
	SLACK_DIVISOR = 64,   /* of the content, for pieces that metadata lies between */
};

/* 2 TiB: what an MBR's partition can have, and more than the cards and disks of these boards. It
 * takes 1 MiB of reserved descriptors. */
#define GROW_BLOCKS (2048 * GIB / EXT4_BLOCK_BYTES)

/* What a tree asks for. */
struct demand {
	uint64_t n_blocks;
	uint64_t n_inodes;
};

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b > 0);
}

static uint64_t file_blocks(uint64_t size_bytes)
{
	const uint64_t n_blocks = divide_up(size_bytes, EXT4_BLOCK_BYTES);

	return n_blocks <= LONG_FILE_BLOCKS ? n_blocks : n_blocks + 1 + n_blocks / LEAF_FILE_BLOCKS;
}

static uint64_t entry_blocks(const struct tree_entry *entry)
{
	const uint64_t n_blocks = entry->n_attributes > 0;

	if (entry->kind == TREE_FILE)
		return n_blocks + file_blocks(entry->size_bytes);
	if (entry->kind == TREE_FOLDER)
		return n_blocks + 1;
	if (entry->kind == TREE_SYMLINK)
		return n_blocks + (strlen(entry->link) >= FAST_LINK_BYTES);
	return n_blocks;
}

static struct demand demand_of(const struct tree *t)
{
	struct demand d = {.n_inodes = RESERVED_INODES + SPARE_INODES};
	uint64_t names_bytes = 0;

	for (size_t i = 0; i < t->n_entries; i++) {
		const struct tree_entry *entry = &t->entries[i];
		d.n_blocks += entry_blocks(entry);
		d.n_inodes += entry->kind != TREE_HARD_LINK;
		names_bytes += ENTRY_HEAD_BYTES + align_up(strlen(basename(entry->path)), 4);
	}
	const uint64_t folder_blocks = names_bytes / FOLDER_BLOCK_BYTES;
	d.n_blocks += folder_blocks + folder_blocks / EXTENTS_IN_INODE;
	d.n_blocks += divide_up(d.n_blocks, SLACK_DIVISOR);
	return d;
}

/* Feature sparse_super: group 0, and those whose number is 1 or a power of 3, 5 or 7, begin with a
 * copy of the superblock and the descriptors. */
static uint64_t count_powers(uint64_t base, uint64_t n_groups)
{
	uint64_t n = 0;

	for (uint64_t power = base; power < n_groups; power *= base)
		n++;
	return n;
}

static uint64_t count_copies(uint64_t n_groups)
{
	return (n_groups > 1 ? 2U : 1U) + count_powers(3, n_groups) + count_powers(5, n_groups) +
	       count_powers(7, n_groups);
}

static uint64_t copy_blocks(uint64_t n_groups)
{
	return 1 + divide_up(n_groups, DESCRIPTORS_PER_BLOCK) +
	       GROW_BLOCKS / GROUP_BLOCKS / DESCRIPTORS_PER_BLOCK;
}

static uint64_t group_inodes(const struct demand *d, uint64_t n_groups)
{
	return max_u64(GROUP_INODES, align_up(divide_up(d->n_inodes, n_groups), INODES_PER_BLOCK));
}

/* A last group that is hardly larger than what it has to hold is left out, as mke2fs would. */
static uint64_t usable_blocks(const struct demand *d, uint64_t n_blocks)
{
	enum { LEAST_GAIN_BLOCKS = 50 };
	const uint64_t n_groups = divide_up(n_blocks, GROUP_BLOCKS);
	const uint64_t rest = n_blocks % GROUP_BLOCKS;

	if (n_groups < 2 || rest == 0)
		return n_blocks;
	const uint64_t own = 2 + group_inodes(d, n_groups) / INODES_PER_BLOCK +
			     copy_blocks(n_groups) + LEAST_GAIN_BLOCKS;
	return rest < own ? n_blocks - rest : n_blocks;
}

/* What of n_blocks is taken. mke2fs wants to have at least as much left as the journal takes. */
static uint64_t taken_blocks(const struct demand *d, uint64_t n_blocks, uint64_t journal_mib)
{
	const uint64_t n_groups = max_u64(1, divide_up(n_blocks, GROUP_BLOCKS));
	const uint64_t per_group = 2 + group_inodes(d, n_groups) / INODES_PER_BLOCK;
	const uint64_t journal_blocks = journal_mib * (MIB / EXT4_BLOCK_BYTES);

	return n_groups * per_group + count_copies(n_groups) * copy_blocks(n_groups) +
	       OTHER_BLOCKS + journal_blocks + max_u64(journal_blocks, d->n_blocks);
}

uint64_t ext4_room_need_bytes(const struct tree *t)
{
	const struct demand d = demand_of(t);
	/* A bitmap block counts GROUP_BLOCKS inodes as well. */
	const uint64_t n_groups = divide_up(d.n_inodes, GROUP_BLOCKS);
	uint64_t n_blocks = n_groups > 1 ? n_groups * GROUP_BLOCKS : d.n_blocks;

	/* Each step adds what is missing, so it ends at the first size that has it. */
	for (;;) {
		const uint64_t usable = usable_blocks(&d, n_blocks);
		const uint64_t wanted = taken_blocks(&d, usable, JOURNAL_MIN_MIB);
		if (wanted <= usable)
			break;
		n_blocks += wanted - usable;
	}
	return n_blocks > UINT64_MAX / EXT4_BLOCK_BYTES ? UINT64_MAX - KIB + 1
							: n_blocks * EXT4_BLOCK_BYTES;
}

/* The largest journal that is at most a sixteenth of the whole and leaves room for the tree. */
static uint64_t choose_journal(const struct demand *d, uint64_t n_blocks)
{
	static const uint64_t sizes_mib[] = {64, 16};

	for (size_t i = 0; i < sizeof sizes_mib / sizeof *sizes_mib; i++) {
		if (sizes_mib[i] * 16 <= n_blocks / (MIB / EXT4_BLOCK_BYTES) &&
		    taken_blocks(d, n_blocks, sizes_mib[i]) <= n_blocks)
			return sizes_mib[i];
	}
	return JOURNAL_MIN_MIB;
}

int ext4_room_shape(const struct tree *t, uint64_t size_bytes, bool does_grow,
		    struct ext4_shape *out, struct err *e)
{
	const struct demand d = demand_of(t);
	const uint64_t need_bytes = ext4_room_need_bytes(t);
	const uint64_t n_blocks = usable_blocks(&d, size_bytes / EXT4_BLOCK_BYTES);

	if (size_bytes < need_bytes)
		return err_set(e, ERR_USAGE,
			       "an ext4 of %" PRIu64 " bytes has no room for these %zu entries; it "
			       "needs %" PRIu64 "; make its partition larger",
			       size_bytes, t->n_entries, need_bytes);
	const uint64_t n_groups = divide_up(n_blocks, GROUP_BLOCKS);
	*out = (struct ext4_shape){
		.n_blocks = n_blocks,
		.n_inodes = group_inodes(&d, n_groups) * n_groups,
		.journal_mib = choose_journal(&d, n_blocks),
		.grow_blocks = does_grow && n_blocks < GROW_BLOCKS ? GROW_BLOCKS : 0,
	};
	return 0;
}
