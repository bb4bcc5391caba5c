/* Does a partition that is built make sense? See profile_check_partition.h. */
#include "boards/profile_check_partition.h"

#include <inttypes.h>
#include <string.h>

#include "boards/profile_check.h"
#include "boards/profile_words.h"
#include "flash/base/parse.h"

enum {
	SECTOR_BYTES = 512,
	NAME_MAX_BYTES = 34, /* 36 in a GPT (UEFI specification, 5.3.3); 2 are for "-a" */
};

/* What may hold each content, ended by NULL; with none, there is no file system. */
static const char *const file_systems[][5] = {
	[CONTENT_NONE] = {NULL},
	[CONTENT_BOOT] = {"vfat", "ext4", NULL},
	[CONTENT_SELECT] = {"vfat", "ext4", NULL},
	[CONTENT_ROOT] = {"ext4", "squashfs", "vfat", NULL},
	[CONTENT_DATA] = {"ext4", "vfat", NULL},
	[CONTENT_FILE] = {NULL},
};

static int check_name(const struct board_build *build, unsigned i, const struct profile_spot *s,
		      struct err *e)
{
	const char *name = build->partitions[i].name;

	if (!parse_is_name(name) || strlen(name) > NAME_MAX_BYTES)
		return profile_spot_fault(
			s, "name", e, "partition name `%s` must be 1 to %d of A-Z a-z 0-9 . _ -",
			name, NAME_MAX_BYTES);
	for (unsigned j = 0; j < i; j++)
		if (strcmp(build->partitions[j].name, name) == 0)
			return profile_spot_fault(s, "name", e,
						  "partition name `%s` is there twice", name);
	return 0;
}

/* Which names there are is known to those who make tables. */
static int check_type(const struct board_build *build, const struct board_build_partition *p,
		      const struct profile_spot *s, struct err *e)
{
	bool is_guid = profile_is_guid(p->type);
	bool is_mbr_type = profile_is_mbr_type(p->type);

	if (!is_guid && !is_mbr_type &&
	    (!profile_is_word(p->type) || strncmp(p->type, "0x", 2) == 0))
		return profile_spot_fault(
			s, "type", e,
			"type `%s` is neither a name, nor a lower-case GUID, nor like 0xef",
			p->type);
	if (is_mbr_type && build->table == BOARD_TABLE_GPT)
		return profile_spot_fault(s, "type", e, "type `%s` does not occur in gpt tables",
					  p->type);
	if (is_guid && !p->mbr_type && build->table == BOARD_TABLE_MBR)
		return profile_spot_fault(s, "type", e,
					  "type `%s` needs an `mbr_type`, as 0x83, in mbr tables",
					  p->type);
	if (p->mbr_type && !is_guid)
		return profile_spot_fault(s, "mbr_type", e,
					  "`mbr_type` is for a GUID; `%s` tells it already",
					  p->type);
	if (p->mbr_type && !profile_is_mbr_type(p->mbr_type))
		return profile_spot_fault(s, "mbr_type", e, "mbr_type `%s` is not like 0xef",
					  p->mbr_type);
	return 0;
}

static int check_size(const struct board_build *build, unsigned i, const struct profile_spot *s,
		      struct err *e)
{
	const struct board_build_partition *p = &build->partitions[i];
	bool is_last = i == build->n_partitions - 1;

	if (p->start_bytes % SECTOR_BYTES != 0)
		return profile_spot_fault(s, "start", e,
					  "start %" PRIu64 " is not a multiple of %d bytes",
					  p->start_bytes, SECTOR_BYTES);
	if (p->size_bytes % SECTOR_BYTES != 0)
		return profile_spot_fault(s, "size", e,
					  "size %" PRIu64 " is not a multiple of %d bytes",
					  p->size_bytes, SECTOR_BYTES);
	if (p->size_bytes > 0 && p->minimum_bytes > 0)
		return profile_spot_fault(s, "minimum", e,
					  "`minimum` and `size` exclude each other");
	if (p->is_rest && !is_last)
		return profile_spot_fault(s, "size", e,
					  "only the last partition can take the rest");
	if (p->does_grow && !is_last)
		return profile_spot_fault(s, "grow", e, "only the last partition can grow");
	if (p->content == CONTENT_NONE && p->size_bytes == 0 && p->minimum_bytes == 0 &&
	    !p->is_rest)
		return profile_spot_fault(s, "size", e,
					  "partition `%s` has no content that tells its size: "
					  "give a `size`",
					  p->name);
	return 0;
}

static int check_content(const struct board *b, const struct board_build_partition *p,
			 const struct profile_spot *s, struct err *e)
{
	const char *const *choices = file_systems[p->content];
	const char *content = board_content_name(p->content);
	bool is_file = p->content == CONTENT_FILE;

	if (p->file_system && !choices[0])
		return profile_spot_fault(s, "file_system", e, "the content %s has no file system",
					  content);
	if (choices[0] && !p->file_system)
		return profile_spot_fault(s, "content", e, "the content %s needs a `file_system`",
					  content);
	if (p->file_system && !profile_is_one_of(p->file_system, choices))
		return profile_spot_fault(s, "file_system", e,
					  "file system `%s` is not for the content %s, but %s is",
					  p->file_system, content, choices[0]);
	if (is_file && !p->file)
		return profile_spot_fault(s, "content", e, "the content file needs a `file`");
	if (!is_file && p->file)
		return profile_spot_fault(s, "file", e, "`file` is for the content file");
	if (p->magic && (!is_file || !profile_is_magic(p->magic)))
		return profile_spot_fault(s, "magic", e,
					  "magic `%s` must be 2 to %d lower-case hex digits, an "
					  "even number, and is for "
					  "the content file",
					  p->magic, MAGIC_MAX_DIGITS);
	return is_file ? profile_check_file(b, s, "file", p->file, e) : 0;
}

/* What is made for each slot, and what must be there but once. */
static int check_slots(const struct board_build *build, const struct board_build_partition *p,
		       const struct profile_spot *s, struct err *e)
{
	bool can_be_slotted = p->content == CONTENT_BOOT || p->content == CONTENT_ROOT;

	if (p->is_slotted && !can_be_slotted)
		return profile_spot_fault(s, "slotted", e, "the content %s is not made for slots",
					  board_content_name(p->content));
	if (build->slots_max == 1 && (p->is_slotted || p->content == CONTENT_SELECT))
		return profile_spot_fault(
			s, p->is_slotted ? "slotted" : "content", e,
			"there are no slots to choose from; `slots: 2` makes them");
	if (build->slots_max > 1 && p->content == CONTENT_ROOT && !p->is_slotted)
		return profile_spot_fault(s, "content", e,
					  "each slot needs a root of its own: `slotted: yes`");
	if (p->is_slotted && (p->is_rest || p->does_grow || p->start_bytes > 0))
		return profile_spot_fault(
			s, "slotted", e,
			"a partition that is made for each slot has no `start`, nor all the rest");
	return 0;
}

int profile_check_partition(const struct board *b, unsigned i, const struct profile_spot *build,
			    struct err *e)
{
	const struct board_build_partition *p = &b->build->partitions[i];
	const struct profile_spot s = profile_spot_entry(build, "partitions", i);

	if (check_name(b->build, i, &s, e) < 0 || check_type(b->build, p, &s, e) < 0 ||
	    check_size(b->build, i, &s, e) < 0 || check_content(b, p, &s, e) < 0)
		return -1;
	return check_slots(b->build, p, &s, e);
}
