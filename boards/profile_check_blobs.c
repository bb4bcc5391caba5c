/* Do a profile's blobs make sense? See profile_check.h. */
#include "boards/profile_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boards/profile_words.h"
#include "flash/base/units.h"

static int check_magic(const struct board_blob *blob, const struct profile_spot *s, struct err *e)
{
	uint64_t end_bytes = 0;

	if (!blob->magic && !blob->file)
		return profile_spot_fault(
			s, "name", e, "blob `%s` has neither a `magic` to look for nor a `file`",
			blob->name);
	if (!blob->magic)
		return 0;
	if (!profile_is_magic(blob->magic))
		return profile_spot_fault(
			s, "magic", e,
			"magic `%s` must be 2 to %d lower-case hex digits, an even number",
			blob->magic, MAGIC_MAX_DIGITS);
	if (!checked_add(blob->offset_bytes, blob->magic_at_bytes, &end_bytes) ||
	    !checked_add(end_bytes, strlen(blob->magic) / 2, &end_bytes) ||
	    end_bytes > PROFILE_BLOB_END_MAX_BYTES)
		return profile_spot_fault(s, "offset", e,
					  "offset %" PRIu64 ": the magic must end before byte %d",
					  blob->offset_bytes, PROFILE_BLOB_END_MAX_BYTES);
	return 0;
}

/* The magic is in the image only when it is in no hole. */
static bool is_magic_written(const struct board_blob *blob)
{
	uint64_t magic_end_bytes =
		blob->magic_at_bytes + (blob->magic ? strlen(blob->magic) / 2 : 0);

	for (unsigned i = 0; blob->magic && i < blob->n_holes; i++)
		if (blob->holes[i].offset_bytes < magic_end_bytes &&
		    blob->holes[i].offset_bytes + blob->holes[i].size_bytes > blob->magic_at_bytes)
			return false;
	return magic_end_bytes <= blob->maximum_bytes;
}

static int check_holes(const struct board_blob *blob, const struct profile_spot *s, struct err *e)
{
	uint64_t end_bytes = 0;

	for (unsigned i = 0; i < blob->n_holes; i++) {
		const struct board_hole *hole = &blob->holes[i];
		struct profile_spot at = profile_spot_entry(s, "holes", i);
		if (hole->size_bytes == 0)
			return profile_spot_fault(&at, "size", e, "a hole has no bytes");
		if (hole->offset_bytes < end_bytes)
			return profile_spot_fault(&at, "offset", e,
						  "hole at %" PRIu64
						  ": holes stand in order and do not overlap",
						  hole->offset_bytes);
		if (!checked_add(hole->offset_bytes, hole->size_bytes, &end_bytes) ||
		    end_bytes > blob->maximum_bytes)
			return profile_spot_fault(&at, "size", e,
						  "hole at %" PRIu64
						  " ends behind `maximum` %" PRIu64,
						  hole->offset_bytes, blob->maximum_bytes);
	}
	return 0;
}

/* What only a blob that build writes has. */
static int check_written(const struct board *b, const struct board_blob *blob,
			 const struct profile_spot *s, struct err *e)
{
	uint64_t end_bytes = 0;

	if (!blob->file && (blob->maximum_bytes > 0 || blob->n_holes > 0))
		return profile_spot_fault(s, blob->n_holes > 0 ? "holes" : "maximum", e,
					  "blob `%s` has no `file` that this could be of",
					  blob->name);
	if (!blob->file)
		return 0;
	if (profile_check_file(b, s, "file", blob->file, e) < 0)
		return -1;
	if (blob->maximum_bytes == 0)
		return profile_spot_fault(
			s, "file", e,
			"`maximum` is missing: how many bytes the file may have there at most");
	if (!checked_add(blob->offset_bytes, blob->maximum_bytes, &end_bytes))
		return profile_spot_fault(s, "maximum", e, "maximum %" PRIu64 " is too much",
					  blob->maximum_bytes);
	if (check_holes(blob, s, e) < 0)
		return -1;
	if (!is_magic_written(blob))
		return profile_spot_fault(s, "magic", e,
					  "the magic is in a hole, or behind `maximum`");
	return 0;
}

static bool do_overlap(const struct board_blob *a, const struct board_blob *b)
{
	return a->offset_bytes < b->offset_bytes + b->maximum_bytes &&
	       b->offset_bytes < a->offset_bytes + a->maximum_bytes;
}

/* Blob i against those before it. */
static int check_overlap(const struct board *b, unsigned i, const struct profile_spot *s,
			 struct err *e)
{
	const struct board_blob *blob = &b->blobs[i];

	for (unsigned j = 0; j < i; j++) {
		const struct board_blob *other = &b->blobs[j];
		if (blob->file && other->file && do_overlap(blob, other))
			return profile_spot_fault(
				s, "offset", e,
				"`%s` at byte %" PRIu64 " with %" PRIu64
				" bytes overlaps `%s` at byte %" PRIu64 " with %" PRIu64,
				blob->name, blob->offset_bytes, blob->maximum_bytes, other->name,
				other->offset_bytes, other->maximum_bytes);
	}
	return 0;
}

int profile_check_blobs(const struct board *b, const struct profile_spot *top, struct err *e)
{
	for (unsigned i = 0; i < b->n_blobs; i++) {
		const struct profile_spot s = profile_spot_entry(top, "blobs", i);
		if (check_magic(&b->blobs[i], &s, e) < 0 ||
		    check_written(b, &b->blobs[i], &s, e) < 0 || check_overlap(b, i, &s, e) < 0)
			return -1;
	}
	return 0;
}
