/* A new block map for an image. See holes.h. */
#include "flash/image/holes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"

/* ---- Where the holes are ---- */

/* The next part with data at or behind from_bytes, rounded outwards to blocks. An empty part at the
 * end means that there is none. */
static int next_data(int fd, uint64_t from_bytes, uint64_t size_bytes, struct bmap_range *out,
		     struct err *e)
{
	off_t start = lseek(fd, (off_t)from_bytes, SEEK_DATA);

	*out = (struct bmap_range){.start_bytes = size_bytes, .end_bytes = size_bytes};
	if (start < 0 && errno == ENXIO)
		return 0;
	if (start < 0 && errno == EINVAL) /* a file system without holes */
		start = (off_t)from_bytes;
	if (start < 0)
		return err_errno(e, "looking for holes");
	off_t end = lseek(fd, start, SEEK_HOLE);
	if (end < 0 && errno != EINVAL)
		return err_errno(e, "looking for holes");
	out->start_bytes = align_down((uint64_t)start, HOLES_BLOCK_BYTES);
	if (end >= 0)
		out->end_bytes = min_u64(align_up((uint64_t)end, HOLES_BLOCK_BYTES), size_bytes);
	return 0;
}

static int append_range(struct bmap *b, const struct bmap_range *r, struct err *e)
{
	struct bmap_range *last = b->n_ranges > 0 ? &b->ranges[b->n_ranges - 1] : NULL;

	if (last && r->start_bytes <= last->end_bytes) {
		last->end_bytes = r->end_bytes;
		return 0;
	}
	/* A power of two of ranges is always full. */
	if ((b->n_ranges & (b->n_ranges - 1)) == 0) {
		size_t n_room = b->n_ranges ? 2 * b->n_ranges : 1;
		struct bmap_range *grown = reallocarray(b->ranges, n_room, sizeof *grown);
		if (!grown)
			return err_errno(e, "making a block map");
		b->ranges = grown;
	}
	b->ranges[b->n_ranges++] = *r;
	return 0;
}

static int map_data(int fd, struct bmap *b, struct err *e)
{
	struct bmap_range r = {0};

	while (r.end_bytes < b->image_size_bytes) {
		if (next_data(fd, r.end_bytes, b->image_size_bytes, &r, e) < 0)
			return -1;
		if (r.start_bytes < r.end_bytes && append_range(b, &r, e) < 0)
			return -1;
	}
	return 0;
}

int holes_map_file(const char *path, struct bmap **out, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP(bmap_freep) struct bmap *b = calloc(1, sizeof *b);
	struct stat st;

	if (fd < 0 || !b || fstat(fd, &st) < 0)
		return err_errno(e, "opening %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(e, ERR_USAGE, "%s is no file with something in it", path);
	b->image_size_bytes = (uint64_t)st.st_size;
	b->block_bytes = HOLES_BLOCK_BYTES;
	b->digest_kind = DIGEST_SHA256;
	if (map_data(fd, b, e) < 0)
		return err_wrap(e, "%s", path);
	*out = TAKE(b);
	return 0;
}

/* ---- The digests of what is not a hole ---- */

struct holes_digests {
	struct bmap *map;        /* borrowed */
	size_t next_range;       /* the first that has not ended */
	struct digest *digest;   /* owned; of what was seen of next_range; NULL before its start */
	uint64_t position_bytes; /* seen so far */
};

int holes_digests_new(struct bmap *map, struct holes_digests **out, struct err *e)
{
	struct holes_digests *d = calloc(1, sizeof *d);

	if (!d)
		return err_errno(e, "making a block map");
	d->map = map;
	map->digest_kind = DIGEST_SHA256;
	*out = d;
	return 0;
}

void holes_digests_free(struct holes_digests *d)
{
	if (!d)
		return;
	digest_free(d->digest);
	free(d);
}

static int end_range(struct holes_digests *d, struct bmap_range *r, struct err *e)
{
	if (digest_finish(d->digest, r->digest, e) < 0)
		return -1;
	digest_free(TAKE(d->digest));
	r->has_digest = true;
	d->next_range++;
	return 0;
}

/* Show what of the bytes up to end_bytes belongs to r. */
static int show_range(struct holes_digests *d, struct bmap_range *r, const uint8_t *bytes,
		      uint64_t end_bytes, struct err *e)
{
	uint64_t from_bytes = max_u64(r->start_bytes, d->position_bytes);
	uint64_t to_bytes = min_u64(r->end_bytes, end_bytes);

	if (!d->digest && digest_new(DIGEST_SHA256, &d->digest, e) < 0)
		return -1;
	if (digest_update(d->digest, bytes + (from_bytes - d->position_bytes),
			  (size_t)(to_bytes - from_bytes), e) < 0)
		return -1;
	return to_bytes == r->end_bytes ? end_range(d, r, e) : 0;
}

int holes_digests_show(struct holes_digests *d, const uint8_t *bytes, size_t n_bytes, struct err *e)
{
	uint64_t end_bytes = d->position_bytes + n_bytes;

	for (size_t i = d->next_range;
	     i < d->map->n_ranges && d->map->ranges[i].start_bytes < end_bytes; i++)
		if (show_range(d, &d->map->ranges[i], bytes, end_bytes, e) < 0)
			return -1;
	d->position_bytes = end_bytes;
	return 0;
}

int holes_digests_end(const struct holes_digests *d, struct err *e)
{
	if (d->position_bytes != d->map->image_size_bytes)
		return err_set(e, ERR_UNTRUSTED,
			       "the image has %" PRIu64 " bytes, but had %" PRIu64 " before",
			       d->position_bytes, d->map->image_size_bytes);
	return 0;
}
