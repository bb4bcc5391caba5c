/* The last step of an image: where everything goes. See build_private.h. */
#include <string.h>

#include "flash/base/units.h"
#include "provision/build/build_private.h"

/* ---- Partitions ---- */

static struct layout_partition place_of(const struct build_part *p, uint64_t need_bytes)
{
	return (struct layout_partition){
		.name = p->name,
		.wanted_start_bytes = p->wish->start_bytes,
		.wanted_bytes = p->wish->size_bytes,
		.minimum_bytes = p->wish->minimum_bytes,
		.need_bytes = need_bytes,
		.is_rest = p->wish->is_rest,
	};
}

static struct layout layout_of(const struct build *b, struct layout_partition *places)
{
	return (struct layout){
		.kind = b->table,
		.sector_bytes = BUILD_SECTOR_BYTES,
		.gpt_entries = b->r.board->build->gpt_entries,
		.partitions = places,
		.n_partitions = b->n_parts,
	};
}

int build_place_roughly(struct build *b, struct layout *out,
			struct layout_partition places[BUILD_PARTS_MAX], struct err *e)
{
	for (size_t i = 0; i < b->n_parts; i++)
		places[i] = place_of(&b->parts[i], 1);
	*out = layout_of(b, places);
	return layout_make(out, e);
}

uint64_t build_first_partition_bytes(const struct layout *l)
{
	uint64_t first_bytes = UINT64_MAX;

	for (size_t i = 0; i < l->n_partitions; i++)
		first_bytes = min_u64(first_bytes, l->partitions[i].start_bytes);
	return first_bytes;
}

const struct layout_partition *build_bios_boot(const struct build *b, const struct layout *l)
{
	/* UEFI has no name for it: GRUB's, util-linux's and gdisk's "BIOS boot". */
	static const char guid[] = "21686148-6449-6e6f-744e-656564454649";

	for (size_t i = 0; i < l->n_partitions; i++)
		if (strcmp(b->parts[i].type, guid) == 0)
			return &l->partitions[i];
	return NULL;
}

/* ---- Pieces outside of partitions ---- */

static int add_piece(struct build *b, const struct build_piece *piece, struct err *e)
{
	if (piece->bytes.n_bytes == 0)
		return 0;
	if (b->n_pieces == BUILD_PIECES_MAX)
		return err_set(e, ERR_USAGE,
			       "%s: there are more than %d pieces outside of partitions",
			       piece->name, BUILD_PIECES_MAX);
	b->pieces[b->n_pieces++] = *piece;
	return 0;
}

/* What boot methods put outside of file systems. */
static int list_pieces(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->output.n_raw; i++) {
		const struct boot_raw *raw = &b->output.raw[i];
		const struct build_piece piece = {
			raw->name, raw->offset_bytes, {raw->bytes, raw->n_bytes}};
		if (add_piece(b, &piece, e) < 0)
			return -1;
	}
	return 0;
}

/* Is the piece where it may be inside a partition: one that was made for such bytes? */
static bool is_inside_its_partition(const struct build *b, const struct layout *l,
				    const struct build_piece *piece)
{
	for (size_t i = 0; i < l->n_partitions; i++) {
		const struct layout_partition *place = &l->partitions[i];
		if (b->parts[i].wish->content == CONTENT_NONE &&
		    piece->offset_bytes >= place->start_bytes &&
		    piece->offset_bytes + piece->bytes.n_bytes <=
			    place->start_bytes + place->size_bytes)
			return true;
	}
	return false;
}

/* ---- All ---- */

/* Once without the pieces, since one may be inside a partition, then with the others. */
static int make_layout(struct build *b, uint64_t medium_size_bytes, struct err *e)
{
	struct layout l = layout_of(b, b->places);

	l.medium_size_bytes = medium_size_bytes;
	if (layout_make(&l, e) < 0)
		return -1;
	size_t n_blobs = 0;
	for (size_t i = 0; i < b->n_pieces; i++)
		if (!is_inside_its_partition(b, &l, &b->pieces[i]))
			b->blobs[n_blobs++] =
				(struct layout_blob){b->pieces[i].name, b->pieces[i].offset_bytes,
						     b->pieces[i].bytes.n_bytes};
	l.medium_size_bytes = medium_size_bytes;
	l.blobs = b->blobs;
	l.n_blobs = n_blobs;
	if (layout_make(&l, e) < 0)
		return -1;
	b->layout = l;
	return 0;
}

/* Methods were told where these are before they said how large their files are. */
static int check_rough_places(struct build *b, struct err *e)
{
	struct layout_partition places[BUILD_PARTS_MAX];
	struct layout rough;

	if (build_place_roughly(b, &rough, places, e) < 0)
		return -1;
	const struct layout_partition *was = build_bios_boot(b, &rough);
	const struct layout_partition *is = build_bios_boot(b, &b->layout);
	if (build_first_partition_bytes(&rough) != build_first_partition_bytes(&b->layout) ||
	    (was && is && was->start_bytes != is->start_bytes))
		return err_set(
			e, ERR_USAGE,
			"the profile of %s has the BIOS boot partition behind one whose size "
			"follows from its content; it must be in front of it",
			b->r.board->id);
	return 0;
}

int build_place(struct build *b, struct err *e)
{
	uint64_t size_bytes = b->r.size_bytes;

	if (size_bytes % BUILD_SECTOR_BYTES != 0)
		return err_set(e, ERR_USAGE, "--size: %llu bytes are no multiple of %d",
			       (unsigned long long)size_bytes, BUILD_SECTOR_BYTES);
	for (size_t i = 0; i < b->n_parts; i++)
		b->places[i] = place_of(&b->parts[i], b->parts[i].need_bytes);
	if (list_pieces(b, e) < 0 || make_layout(b, 0, e) < 0)
		return -1;
	b->minimum_bytes = b->layout.medium_size_bytes;
	if (size_bytes == 0)
		size_bytes = max_u64(b->minimum_bytes, b->r.board->build->size_bytes);
	if (make_layout(b, size_bytes, e) < 0)
		return -1;
	return check_rough_places(b, e);
}
