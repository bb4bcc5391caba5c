/* Chunks from an image, one by one. See feed.h. */
#include "flash/plan/feed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"

/* The next chunk of k, verified; NULL at the end. */
static int next_of(const struct image *im, struct cursor *k, struct chunk **out, struct err *e)
{
	struct unverified *u = NULL;
	struct err failure = {0};

	*out = NULL;
	if (cursor_fetch(k, &u, e) < 0)
		return -1;
	if (!u)
		return 0;
	image_verify(im, &u, 1, out, &failure);
	if (*out)
		return 0;
	*e = failure;
	return -1;
}

int feed_chunk_again(struct image *im, uint64_t number, struct chunk **out, struct err *e)
{
	const struct index *x = image_index(im);
	/* A web server is asked for this chunk alone, if it is known where it is. */
	CLEANUP(freep) uint8_t *is_wanted = x ? calloc(1, (size_t)x->n_chunks) : NULL;
	CLEANUP(cursor_freep) struct cursor *k = NULL;
	struct chunk *c = NULL;

	if (is_wanted)
		is_wanted[number] = 1;
	if (cursor_new(im, number, is_wanted, &k, e) < 0 || next_of(im, k, &c, e) < 0)
		return err_wrap(e, "reading chunk %" PRIu64 " again", number);
	if (!c)
		return err_set(e, ERR_UNTRUSTED, "chunk %" PRIu64 " is gone: the image has changed",
			       number);
	*out = c;
	return 0;
}

int feed_copy_wanted(const struct image *im, const uint8_t *is_wanted, uint8_t **out, struct err *e)
{
	size_t n_bytes = (size_t)image_index(im)->n_chunks;
	uint8_t *copy = malloc(n_bytes);

	if (!copy)
		return err_errno(e, "noting which chunks to read");
	memcpy(copy, is_wanted, n_bytes);
	*out = copy;
	return 0;
}

struct image_feed {
	struct feed base;
	struct image *image;   /* borrowed */
	struct cursor *cursor; /* owned; NULL until the first next() */
	uint8_t *is_wanted;    /* owned; NULL: all are */
};
_Static_assert(offsetof(struct image_feed, base) == 0, "base is first");

static int image_feed_next(struct feed *f, struct chunk **out, struct err *e)
{
	struct image_feed *i = (struct image_feed *)f;

	if (!i->cursor && cursor_new(i->image, 0, i->is_wanted, &i->cursor, e) < 0)
		return -1;
	return next_of(i->image, i->cursor, out, e);
}

static int image_feed_want(struct feed *f, const uint8_t *is_wanted, struct err *e)
{
	struct image_feed *i = (struct image_feed *)f;

	assert(!i->cursor && !i->is_wanted);
	return feed_copy_wanted(i->image, is_wanted, &i->is_wanted, e);
}

static int image_feed_again(struct feed *f, uint64_t number, struct chunk **out, struct err *e)
{
	return feed_chunk_again(((struct image_feed *)f)->image, number, out, e);
}

static void image_feed_free(struct feed *f)
{
	struct image_feed *i = (struct image_feed *)f;

	cursor_free(i->cursor);
	free(i->is_wanted);
	free(i);
}

int feed_image_new(struct image *im, struct feed **out, struct err *e)
{
	static const struct feed_ops ops = {
		.next = image_feed_next,
		.want = image_feed_want,
		.again = image_feed_again,
		.free = image_feed_free,
	};
	struct image_feed *f = calloc(1, sizeof *f);

	if (!f)
		return err_errno(e, "reading the image");
	f->base.ops = &ops;
	f->image = im;
	*out = (struct feed *)f;
	return 0;
}
