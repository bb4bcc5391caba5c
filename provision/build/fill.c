/* The fourth step of an image: command lines, and the files and raw bytes that boot methods make.
 * See build_private.h. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"
#include "flash/base/spawn.h"
#include "provision/build/build_private.h"
#include "provision/build/cmdline.h"

/* ---- Slots ---- */

static int make_cmdline(struct build *b, unsigned slot, struct err *e)
{
	const struct build_part *root = build_part_with(b, CONTENT_ROOT, slot);
	const struct build_part *boot = build_part_with(b, CONTENT_BOOT, slot);
	char root_text[UUID_TEXT_BYTES + sizeof "PARTUUID="];
	char boot_text[UUID_TEXT_BYTES + sizeof "PARTUUID="];
	struct cmdline_request r = {
		.profile = b->r.board->build->cmdline,
		.given = b->r.payload->cmdline,
		.slot = b->slots[slot].name,
	};

	if (root) {
		(void)snprintf(root_text, sizeof root_text, "PARTUUID=%s", root->part_uuid);
		r.root = root_text;
	}
	if (boot) {
		(void)snprintf(boot_text, sizeof boot_text, "PARTUUID=%s", boot->part_uuid);
		r.boot = boot_text;
	}
	if (cmdline_make(&r, &b->cmdlines[slot], e) < 0)
		return -1;
	b->slots[slot].cmdline = b->cmdlines[slot];
	return 0;
}

static int make_slots(struct build *b, struct err *e)
{
	static const char *const names[SLOTS_MAX] = {"a", "b"};

	for (unsigned slot = 0; slot < b->n_slots; slot++) {
		struct build_part *boot = build_part_with(b, CONTENT_BOOT, slot);
		if (!boot)
			return err_set(e, ERR_USAGE,
				       "the profile of %s has no partition with content boot",
				       b->r.board->id);
		b->slots[slot] = (struct boot_slot){
			.name = b->n_slots > 1 ? names[slot] : "",
			.boot_partition = (unsigned)(boot - b->parts) + 1,
			.boot = &boot->own,
			.is_boot_shared = b->n_slots > 1 && !boot->wish->is_slotted,
		};
		if (make_cmdline(b, slot, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- Methods ---- */

static struct boot_input input_of(const struct build *b)
{
	struct boot_input in = {
		.board = b->r.board,
		.payload = &b->r.payload->boot,
		.table = b->table,
		.slots = b->slots,
		.n_slots = b->n_slots,
		.time_s = b->r.time_s,
		.signer = b->r.signer,
		.scratch_folder = b->r.scratch_folder,
		.cancel = b->r.cancel,
	};

	in.firmware = firmware_files(b->r.firmware, &in.n_firmware);
	return in;
}

int build_firmware(const struct build *b, const char *file, struct span *out, struct err *e)
{
	const struct boot_input in = input_of(b);

	return boot_firmware_find(&in, file, out, e);
}

/* Where the partitions will be that methods put raw bytes into, or in front of. */
static int place_for_methods(struct build *b, struct boot_input *in, struct err *e)
{
	struct layout_partition places[BUILD_PARTS_MAX];
	struct layout l;

	if (build_place_roughly(b, &l, places, e) < 0)
		return -1;
	in->first_partition_bytes = build_first_partition_bytes(&l);
	const struct layout_partition *bios_boot = build_bios_boot(b, &l);
	if (bios_boot) {
		in->bios_boot_offset_bytes = bios_boot->start_bytes;
		in->bios_boot_bytes = bios_boot->size_bytes;
	}
	return 0;
}

static int run_methods(struct build *b, struct err *e)
{
	struct build_part *select = build_part_with(b, CONTENT_SELECT, 0);
	struct boot_input in = input_of(b);

	in.select = select ? &select->own : NULL;
	if (place_for_methods(b, &in, e) < 0)
		return -1;
	for (size_t i = 0; i < b->n_methods; i++)
		if (b->methods[i]->add(&in, &b->output, e) < 0)
			return err_wrap(e, "%s", b->methods[i]->name);
	return 0;
}

/* ---- The files of --boot-file ---- */

static int add_boot_file(struct tree *t, const struct tree_entry *file, struct err *e)
{
	if (file->kind != TREE_FILE)
		return 0; /* a folder above one */
	if (file->source_path)
		return tree_add_path(t, file->path, file->source_path, e);
	return tree_add(t, file->path, file->content, e);
}

static int add_boot_files(struct build *b, struct build_part *p, struct err *e)
{
	const struct tree *files = &b->r.payload->boot_files;

	for (size_t i = 0; i < files->n_entries; i++)
		if (add_boot_file(&p->own, &files->entries[i], e) < 0)
			return err_wrap(e, "--boot-file");
	return 0;
}

/* A file system whose size only making it tells; it is copied like one that was given. */
static int make_image(const struct build *b, struct build_part *p, struct err *e)
{
	struct stat st;

	if (asprintf(&p->own_image_path, "%s/%s.image", b->r.scratch_folder, p->name) < 0) {
		p->own_image_path = NULL;
		return err_set(e, ERR_IO, "out of memory");
	}
	CLEANUP(closep)
	int fd = open(p->own_image_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct mkfs_request r = {
		.path = p->own_image_path,
		.tree = p->tree,
		.label = "",
		.time_s = b->r.time_s,
		.scratch_folder = b->r.scratch_folder,
		.cancel = b->r.cancel,
	};

	memcpy(r.uuid, p->fs_uuid, sizeof r.uuid);
	if (fd < 0)
		return err_errno(e, "making %s", p->own_image_path);
	if (p->mkfs->make(&r, e) < 0)
		return err_wrap(e, "partition %s", p->name);
	if (stat(p->own_image_path, &st) < 0)
		return err_errno(e, "%s", p->own_image_path);
	p->image_path = p->own_image_path;
	p->need_bytes = (uint64_t)st.st_size;
	p->mkfs = NULL;
	p->tree = NULL;
	return 0;
}

/* A plan must not promise what making it would refuse. */
static int check_file_system(const struct build_part *p, struct err *e)
{
	for (const char *const *program = p->mkfs->programs; *program; program++) {
		CLEANUP(freep) char *path = NULL;
		if (spawn_find(*program, p->mkfs->packages, &path, e) < 0)
			return -1;
	}
	if (p->mkfs->check && p->mkfs->check(p->tree, e) < 0)
		return err_wrap(e, "partition %s", p->name);
	return 0;
}

static int measure(const struct build *b, struct build_part *p, struct err *e)
{
	if (!p->mkfs)
		return 0;
	if (check_file_system(p, e) < 0)
		return -1;
	if (p->mkfs->is_image)
		return make_image(b, p, e);
	p->need_bytes = p->mkfs->need_bytes(p->tree);
	return 0;
}

int build_fill(struct build *b, struct err *e)
{
	if (make_slots(b, e) < 0 || run_methods(b, e) < 0)
		return -1;
	for (size_t i = 0; i < b->n_parts; i++) {
		struct build_part *p = &b->parts[i];
		if (p->wish->content == CONTENT_BOOT && add_boot_files(b, p, e) < 0)
			return -1;
		if (tree_sort(&p->own, e) < 0)
			return -1;
		if (measure(b, p, e) < 0)
			return -1;
	}
	return 0;
}
