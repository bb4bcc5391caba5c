/* The board's own firmware, where its ROM looks for it: blobs at offsets of the medium (Allwinner,
 * Rockchip, i.MX, Amlogic, OMAP), and files in the boot partition (AM335x, K3, Zynq). Firmware in
 * partitions of its own is placed by those who make the partitions. Which firmware, and where, is
 * data of the profile; that the files have the magic it asks for was settled when they were loaded.
 *
 * A blob is written but for its holes, where the partition table is (Amlogic: bytes 440 to 511). */
#include "bootloader/bootloader.h"

#include <inttypes.h>

#include "flash/base/units.h"

static const char *blob_file(const struct board *b, size_t *index)
{
	for (unsigned i = 0; i < b->n_blobs; i++)
		if (b->blobs[i].file && (*index)-- == 0)
			return b->blobs[i].file;
	return NULL;
}

static const char *partition_file(const struct board *b, size_t *index)
{
	for (unsigned i = 0; i < b->build->n_partitions; i++)
		if (b->build->partitions[i].content == CONTENT_FILE && (*index)-- == 0)
			return b->build->partitions[i].file;
	return NULL;
}

static const char *boot_file(const struct board *b, size_t index)
{
	return index < b->build->n_boot_files ? b->build->boot_files[index].file : NULL;
}

static const char *firmware(const struct board *b, size_t index)
{
	const char *file = blob_file(b, &index);

	if (!file && b->build)
		file = partition_file(b, &index);
	if (!file && b->build)
		file = boot_file(b, index);
	return file;
}

static int check_size(const char *file, size_t n_bytes, uint64_t maximum_bytes, const char *place,
		      struct err *e)
{
	if (maximum_bytes == 0 || n_bytes <= maximum_bytes)
		return 0;
	return err_set(e, ERR_USAGE,
		       "firmware file %s has %zu bytes, and %s takes %" PRIu64
		       "; take a smaller build of it",
		       file, n_bytes, place, maximum_bytes);
}

/* An optional file that was not found: the image boots without it. */
static bool is_left_out(const struct boot_input *in, const char *file)
{
	const struct board_firmware *f = board_firmware_by_file(in->board, file);

	return f && f->is_optional && !boot_firmware_is_there(in, file);
}

/* What of content is before end_bytes. */
static int add_piece(const struct board_blob *blob, struct span content, uint64_t start_bytes,
		     uint64_t end_bytes, struct boot_output *out, struct err *e)
{
	uint64_t end = min_u64(end_bytes, content.n_bytes);

	if (start_bytes >= end)
		return 0;
	struct span piece = {content.bytes + start_bytes, (size_t)(end - start_bytes)};
	return boot_output_add(out, blob->name, blob->offset_bytes + start_bytes, piece, e);
}

static int add_blob(const struct boot_input *in, const struct board_blob *blob,
		    struct boot_output *out, struct err *e)
{
	struct span content = {0};
	uint64_t start_bytes = 0;

	if (!blob->file || is_left_out(in, blob->file))
		return 0;
	if (boot_firmware_find(in, blob->file, &content, e) < 0 ||
	    check_size(blob->file, content.n_bytes, blob->maximum_bytes, blob->name, e) < 0)
		return -1;
	for (unsigned i = 0; i < blob->n_holes; i++) {
		const struct board_hole *hole = &blob->holes[i];
		if (add_piece(blob, content, start_bytes, hole->offset_bytes, out, e) < 0)
			return -1;
		start_bytes = hole->offset_bytes + hole->size_bytes;
	}
	return add_piece(blob, content, start_bytes, UINT64_MAX, out, e);
}

/* In each boot partition, because which one the ROM takes is its own affair. */
static int add_boot_file(const struct boot_input *in, const struct board_boot_file *f,
			 struct err *e)
{
	struct span content = {0};

	if (is_left_out(in, f->file))
		return 0;
	if (boot_firmware_find(in, f->file, &content, e) < 0 ||
	    check_size(f->file, content.n_bytes, f->maximum_bytes, f->to, e) < 0)
		return -1;
	for (size_t i = 0; i < in->n_slots; i++) {
		bool is_there = i > 0 && in->slots[i].boot == in->slots[0].boot;
		if (!is_there && tree_add(in->slots[i].boot, f->to, content, e) < 0)
			return -1;
	}
	return 0;
}

static int check_partition_files(const struct boot_input *in, const struct board_build *build,
				 struct err *e)
{
	for (unsigned i = 0; i < build->n_partitions; i++) {
		const struct board_build_partition *p = &build->partitions[i];
		struct span content = {0};
		if (p->content != CONTENT_FILE || is_left_out(in, p->file))
			continue;
		if (boot_firmware_find(in, p->file, &content, e) < 0 ||
		    check_size(p->file, content.n_bytes, p->size_bytes, p->name, e) < 0)
			return -1;
	}
	return 0;
}

static int add(const struct boot_input *in, struct boot_output *out, struct err *e)
{
	const struct board *b = in->board;

	for (unsigned i = 0; i < b->n_blobs; i++)
		if (add_blob(in, &b->blobs[i], out, e) < 0)
			return -1;
	if (!b->build)
		return 0;
	for (unsigned i = 0; i < b->build->n_boot_files; i++)
		if (add_boot_file(in, &b->build->boot_files[i], e) < 0)
			return -1;
	return check_partition_files(in, b->build, e);
}

const struct boot_method boot_method_raw_blobs = {
	.name = "raw-blobs",
	.title = "firmware where the board's ROM looks for it",
	.kind = BOOT_FIRMWARE,
	.has_slots = true,
	.has_fallback = false,
	.firmware = firmware,
	.add = add,
};
