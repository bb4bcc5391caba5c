/* Sizes and numbers out of a profile's text. See profile_sizes.h. */
#include "boards/profile_sizes.h"

#include <string.h>

#include "boards/profile_spot.h"
#include "flash/base/parse.h"

static const char *text_of(const struct profile_spot *s, const char *key)
{
	const struct yaml_node *node = profile_spot_node(s, key);

	return node ? node->text : NULL;
}

/* A key that is not there leaves *out alone. */
static int read_size(const struct profile_spot *s, const char *key, uint64_t *out, struct err *e)
{
	const char *text = text_of(s, key);

	if (profile_spot_node(s, key) && (!text || !parse_size(text, out)))
		return profile_spot_fault(s, key, e, "`%s` must be a number of bytes, as 512 or 8K",
					  key);
	return 0;
}

static int read_number(const struct profile_spot *s, const char *key, unsigned maximum,
		       unsigned *out, struct err *e)
{
	const char *text = text_of(s, key);
	uint64_t number = *out;

	if (profile_spot_node(s, key) && (!text || !parse_u64(text, &number) || number > maximum))
		return profile_spot_fault(s, key, e, "`%s` must be a number of at most %u", key,
					  maximum);
	*out = (unsigned)number;
	return 0;
}

static int read_blob(const struct profile_spot *s, struct board_blob *blob, struct err *e)
{
	if (read_size(s, "offset", &blob->offset_bytes, e) < 0 ||
	    read_size(s, "magic_at", &blob->magic_at_bytes, e) < 0 ||
	    read_size(s, "maximum", &blob->maximum_bytes, e) < 0)
		return -1;
	for (unsigned i = 0; i < blob->n_holes; i++) {
		struct profile_spot hole = profile_spot_entry(s, "holes", i);
		if (read_size(&hole, "offset", &blob->holes[i].offset_bytes, e) < 0 ||
		    read_size(&hole, "size", &blob->holes[i].size_bytes, e) < 0)
			return -1;
	}
	return 0;
}

/* A size, or `rest`. */
static int read_partition_size(const struct profile_spot *s, struct board_build_partition *p,
			       struct err *e)
{
	const char *text = text_of(s, "size");

	p->is_rest = text && strcmp(text, "rest") == 0;
	if (!p->is_rest && profile_spot_node(s, "size") &&
	    (!text || !parse_size(text, &p->size_bytes)))
		return profile_spot_fault(
			s, "size", e, "`size` must be a number of bytes, as 512 or 8K, or `rest`");
	return 0;
}

static int read_build(const struct profile_spot *s, struct board_build *build, struct err *e)
{
	build->slots_max = 1;
	if (read_number(s, "gpt_entries", 128, &build->gpt_entries, e) < 0 ||
	    read_number(s, "slots", SLOTS_MAX, &build->slots_max, e) < 0 ||
	    read_size(s, "size", &build->size_bytes, e) < 0)
		return -1;
	for (unsigned i = 0; i < build->n_partitions; i++) {
		struct profile_spot at = profile_spot_entry(s, "partitions", i);
		struct board_build_partition *p = &build->partitions[i];
		if (read_size(&at, "start", &p->start_bytes, e) < 0 ||
		    read_size(&at, "minimum", &p->minimum_bytes, e) < 0 ||
		    read_partition_size(&at, p, e) < 0)
			return -1;
	}
	for (unsigned i = 0; i < build->n_boot_files; i++) {
		struct profile_spot at = profile_spot_entry(s, "boot_files", i);
		if (read_size(&at, "maximum", &build->boot_files[i].maximum_bytes, e) < 0)
			return -1;
	}
	return 0;
}

int profile_sizes_read(struct board *b, const char *where, const struct yaml_lines *lines,
		       struct err *e)
{
	const struct profile_spot top = {where, lines, ""};
	const struct profile_spot build = profile_spot_at(&top, "build");
	const struct profile_spot qemu = profile_spot_at(&top, "qemu");

	for (unsigned i = 0; i < b->n_blobs; i++) {
		struct profile_spot blob = profile_spot_entry(&top, "blobs", i);
		if (read_blob(&blob, &b->blobs[i], e) < 0)
			return -1;
	}
	if (b->build && read_build(&build, b->build, e) < 0)
		return -1;
	if (b->qemu && read_number(&qemu, "console", 3, &b->qemu->console, e) < 0)
		return -1;
	return 0;
}
