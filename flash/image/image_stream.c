/* The chunks of an image one by one, and a look at the first ones, for a single thread. See
 * verified.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/units.h"
#include "flash/image/image_private.h"

/* Verify u, which is consumed; a failure is k's for good. */
static int verify_one(struct cursor *k, struct unverified *u, struct chunk **out, struct err *e)
{
	struct chunk *c = NULL;
	struct err failure = {0};

	image_verify(k->image, &u, 1, &c, &failure);
	if (!c) {
		*e = failure;
		return cursor_fail(k, e);
	}
	*out = c;
	return 0;
}

int image_next(struct image *im, const struct chunk **out, struct err *e)
{
	struct unverified *u = NULL;

	chunk_free(im->current);
	im->current = NULL;
	if (!im->own && cursor_new(im, 0, NULL, &im->own, e) < 0)
		return -1;
	if (cursor_fetch(im->own, &u, e) < 0)
		return -1;
	if (u && verify_one(im->own, u, &im->current, e) < 0)
		return -1;
	*out = im->current;
	return 0;
}

/* One more chunk at the end of k->ahead, if there is one. */
static int read_one_ahead(struct cursor *k, struct err *e)
{
	struct unverified *u = NULL;
	struct chunk **grown = reallocarray(k->ahead, k->n_ahead + 1, sizeof *grown);

	if (!grown)
		return err_errno(e, "looking at the first chunks");
	k->ahead = grown;
	if (cursor_advance(k, &u, e) < 0)
		return -1;
	if (u && verify_one(k, u, &k->ahead[k->n_ahead], e) < 0)
		return -1;
	k->n_ahead += u != NULL;
	return 0;
}

int image_head(struct image *im, size_t n_bytes, const uint8_t **out_bytes, size_t *out_n_bytes,
	       struct err *e)
{
	struct cursor *k = atomic_load(&im->first);
	size_t n_done = 0;

	if (n_bytes > IMAGE_HEAD_MAX_BYTES)
		return err_set(e, ERR_USAGE, "%zu bytes are too many to look at ahead", n_bytes);
	assert(k); /* nobody has begun to read */
	while ((k->n_ahead << im->chunk_log2) < n_bytes && !k->is_ended)
		if (read_one_ahead(k, e) < 0)
			return -1;
	free(im->head);
	im->head = calloc(1, n_bytes ? n_bytes : 1);
	if (!im->head)
		return err_errno(e, "the first %zu bytes of the image", n_bytes);
	for (size_t i = 0; i < k->n_ahead && n_done < n_bytes; i++) {
		const struct chunk *c = k->ahead[i];
		size_t n = (size_t)min_u64(chunk_size_bytes(c), n_bytes - n_done);
		if (chunk_kind(c) == CHUNK_DATA)
			memcpy(im->head + n_done, chunk_bytes(c), n);
		n_done += n;
	}
	*out_bytes = im->head;
	*out_n_bytes = n_done;
	return 0;
}
