/* The second step of an image: its partitions, and what is in them. See build_private.h. */
#include <stdio.h>
#include <string.h>

#include "flash/base/units.h"
#include "provision/build/build_private.h"

enum { MBR_PARTS_MAX = 4 }; /* those that are not in an extended one */

static const struct tree no_files;

static bool is_made(const struct build *b, const struct board_build_partition *wish)
{
	/* With an MBR, what would be in it lies in front of the first partition. */
	if (b->table == TABLE_MBR && strcmp(wish->type, "bios-boot") == 0)
		return false;
	switch (wish->content) {
	case CONTENT_SELECT:
		return b->n_slots > 1;
	case CONTENT_ROOT:
		return b->r.payload->has_root;
	case CONTENT_DATA:
		return !b->r.is_data_left_out;
	case CONTENT_NONE:
	case CONTENT_BOOT:
	case CONTENT_FILE:
		break;
	}
	return true;
}

static int find_type(const struct build *b, struct build_part *p, struct err *e)
{
	const struct board_build_partition *wish = p->wish;
	const char *type = b->table == TABLE_MBR && wish->mbr_type ? wish->mbr_type : wish->type;

	if (part_type_find(type, b->r.board->arch, b->table, p->type, e) < 0)
		return err_wrap(e, "partition %s", p->name);
	return 0;
}

/* ---- What is in it ---- */

static int set_file_system(struct build_part *p, const struct tree *tree, struct err *e)
{
	p->file_system = p->wish->file_system;
	if (!p->file_system)
		return err_set(e, ERR_USAGE,
			       "partition %s holds files, and the profile names no file_system for "
			       "it",
			       p->name);
	p->tree = tree;
	return mkfs_by_name(p->file_system, &p->mkfs, e);
}

static int set_root(const struct build *b, struct build_part *p, struct err *e)
{
	const struct payload *payload = b->r.payload;

	if (!payload->root_image_path)
		return set_file_system(p, &payload->root, e);
	p->image_path = payload->root_image_path;
	p->need_bytes = payload->root_image_bytes;
	p->file_system = payload->root_file_system;
	return 0;
}

static int set_file(const struct build *b, struct build_part *p, struct err *e)
{
	p->file = p->wish->file;
	if (build_firmware(b, p->file, &p->bytes, e) < 0)
		return err_wrap(e, "partition %s", p->name);
	p->need_bytes = align_up(p->bytes.n_bytes, BUILD_SECTOR_BYTES);
	return 0;
}

static int set_content(struct build *b, struct build_part *p, struct err *e)
{
	switch (p->wish->content) {
	case CONTENT_NONE:
		break;
	case CONTENT_BOOT:
	case CONTENT_SELECT:
		return set_file_system(p, &p->own, e);
	case CONTENT_ROOT:
		return set_root(b, p, e);
	case CONTENT_DATA:
		return p->wish->file_system ? set_file_system(p, &no_files, e) : 0;
	case CONTENT_FILE:
		return set_file(b, p, e);
	}
	return 0;
}

/* ---- All of them ---- */

static int add_part(struct build *b, const struct board_build_partition *wish, unsigned slot,
		    struct err *e)
{
	const char *ending = !wish->is_slotted || b->n_slots == 1 ? "" : slot == 0 ? "-a" : "-b";
	struct build_part *p = &b->parts[b->n_parts];

	if (b->n_parts == BUILD_PARTS_MAX)
		return err_set(e, ERR_USAGE, "there are more than %d partitions", BUILD_PARTS_MAX);
	*p = (struct build_part){.wish = wish, .slot = slot};
	int n_bytes = snprintf(p->name, sizeof p->name, "%s%s", wish->name, ending);
	if (n_bytes >= (int)sizeof p->name)
		return err_set(e, ERR_USAGE, "the partition's name %s is too long", wish->name);
	b->n_parts++;
	return find_type(b, p, e) < 0 ? -1 : set_content(b, p, e);
}

/* The layout would say so, too, but not what helps. */
static int check_mbr(const struct build *b, struct err *e)
{
	const enum board_table table = b->r.board->table;
	bool is_gpt_read = table == BOARD_TABLE_ANY || table == BOARD_TABLE_MBR_OR_GPT;

	if (b->table != TABLE_MBR || b->n_parts <= MBR_PARTS_MAX)
		return 0;
	if (is_gpt_read)
		return err_set(e, ERR_USAGE,
			       "there are %zu partitions, and an MBR holds %d; say --table gpt",
			       b->n_parts, MBR_PARTS_MAX);
	return err_set(e, ERR_USAGE,
		       "there are %zu partitions, and an MBR holds %d; %s reads no other table; "
		       "leave some out by --no-data or --slots 1, or give the root file system as "
		       "--initrd",
		       b->n_parts, MBR_PARTS_MAX, b->r.board->id);
}

int build_list_parts(struct build *b, struct err *e)
{
	const struct board_build *build = b->r.board->build;

	for (unsigned i = 0; i < build->n_partitions; i++) {
		const struct board_build_partition *wish = &build->partitions[i];
		unsigned n_times = !is_made(b, wish) ? 0 : wish->is_slotted ? b->n_slots : 1;
		for (unsigned slot = 0; slot < n_times; slot++)
			if (add_part(b, wish, slot, e) < 0)
				return -1;
	}
	if (b->r.payload->has_root && !build_part_with(b, CONTENT_ROOT, 0))
		return err_set(e, ERR_USAGE,
			       "the profile of %s has no partition for a root file system; give "
			       "its files as --initrd",
			       b->r.board->id);
	return check_mbr(b, e);
}

struct build_part *build_part_with(struct build *b, enum board_content content, unsigned slot)
{
	for (size_t i = 0; i < b->n_parts; i++) {
		struct build_part *p = &b->parts[i];
		if (p->wish->content == content && (p->slot == slot || !p->wish->is_slotted))
			return p;
	}
	return NULL;
}

bool build_is_bootable(const struct build *b, const struct build_part *p)
{
	return p->wish->is_bootable && (b->table == TABLE_GPT || p->slot == 0);
}

bool build_does_grow(const struct build *b, const struct build_part *p)
{
	return p->wish->does_grow && b->table == TABLE_GPT;
}
