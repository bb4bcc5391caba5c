/* Where the chunks for a target come from: flash/copy.c hands one image to many targets, tests and
 * comparisons take it chunk by chunk in their own thread. */
#pragma once

#include "flash/base/err.h"
#include "flash/image/verified.h"

struct feed;

struct feed_ops {
	/* The next chunk in order of offset, NULL at the end; a share of it is the caller's. Fails
	 * with the image's errors or ERR_CANCELLED. */
	int (*next)(struct feed *f, struct chunk **out, struct err *e);
	/* From now on next() gives these chunks only (is_wanted[number] != 0, one byte a chunk;
	 * copied), from the beginning. Before the first next(), of a signed image. Fails with
	 * ERR_IO when memory or threads are short, or as cursor_new does. */
	int (*want)(struct feed *f, const uint8_t *is_wanted, struct err *e);
	/* Chunk number once more, verified again; a share of it is the caller's. Fails with
	 * ERR_USAGE when the image can be read only once, ERR_UNTRUSTED when it has changed. */
	int (*again)(struct feed *f, uint64_t number, struct chunk **out, struct err *e);
	void (*free)(struct feed *f);
};

/* The base of every feed; first member of each kind's own struct. */
struct feed {
	const struct feed_ops *ops;
};

/* Straight from an image, in the caller's thread. im is borrowed. */
int feed_image_new(struct image *im, struct feed **out, struct err *e);

/* Chunk number of im, with a cursor of its own: what feed_ops.again does for every kind. */
int feed_chunk_again(struct image *im, uint64_t number, struct chunk **out, struct err *e);

/* A copy of one byte a chunk of im, which is signed; the caller's. */
int feed_copy_wanted(const struct image *im, const uint8_t *is_wanted, uint8_t **out,
		     struct err *e);

static inline void feed_free(struct feed *f)
{
	if (f)
		f->ops->free(f);
}
static inline void feed_freep(struct feed **f)
{
	feed_free(*f);
}
