/* A signed image as a stream of verified chunks; the only maker of struct chunk.
 *
 * Order of checks: manifest and signature (bounded) against the trust store, index against its
 * digest, then per chunk: stored digest, decompression into exactly the chunk's size, plain digest.
 * The buffer that was checked is the one that is handed out; nothing is read twice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/err.h"
#include "flash/image/chunk.h"
#include "flash/image/index.h"
#include "flash/image/pool.h"
#include "flash/image/source.h"
#include "flash/trust/manifest.h"
#include "flash/trust/trust.h"

/* What stands behind the bytes, from strongest to weakest. */
enum guarantee {
	GUARANTEE_SIGNATURE, /* each chunk was checked before it was handed out */
	GUARANTEE_BMAP,      /* each range was checked, at the latest when it ended */
	GUARANTEE_SHA256SUM, /* the whole was checked when it ended */
	GUARANTEE_NONE,
};
/* "signature", "bmap", "sha256sum", "none". */
const char *guarantee_name(enum guarantee g);

struct image_request {
	const char *where;          /* borrowed; path, "-" or URL */
	const char *manifest_where; /* borrowed; NULL: in the image itself, else beside it (.lkm) */
	const char *bmap_where;     /* borrowed; NULL: none. Only for unsigned images */
	const char *sums_where;     /* borrowed; NULL: none. Only for unsigned images */
	const struct trust_store *store; /* borrowed; NULL: nothing is trusted */
	struct trust_policy policy;
	bool is_unsigned_allowed;
	/* Read and check also what need not be read to write the image: what is signed to be zeros,
	 * and what is stored for holes. For who looks at the image for its own sake. */
	bool is_every_byte_read;
	struct source_options source;
};

struct image;

/* Open an image and settle what stands behind it. Reads no payload but, for an unsigned image, its
 * first bytes. Fails with ERR_UNTRUSTED and the reason; an unsigned image is refused with the flag
 * that allows it. ERR_USAGE when a signed image comes with a block map or SHA256SUMS. */
int image_open(const struct image_request *r, struct image **out, struct err *e);
void image_free(struct image *im);
static inline void image_freep(struct image **im)
{
	image_free(*im);
}

enum guarantee image_guarantee(const struct image *im);
const struct manifest *image_manifest(const struct image *im);     /* NULL when unsigned */
const struct trust_verdict *image_verdict(const struct image *im); /* NULL when unsigned */
/* SIZE_UNKNOWN for an unsigned stream that has not ended yet. */
uint64_t image_size_bytes(const struct image *im);
size_t image_chunk_bytes(const struct image *im);
/* The signed index; NULL when unsigned. Borrowed from im. */
const struct index *image_index(const struct image *im);

/* Buffers for the chunks of this image, and for whoever reads a target back: each holds one chunk,
 * whole or as it is stored. Borrowed from im. */
struct pool *image_pool(const struct image *im);
/* The seed of the fingerprints of this image's chunks, drawn when it was opened. */
uint64_t image_seed(const struct image *im);

/* ---- Chunks, by several threads
 *
 * One thread fetches with a cursor, in order; any number of threads verify what was fetched. */

/* A way through the chunks of an image, with a source of its own. One thread uses it. */
struct cursor;

/* The bytes of one chunk as they were read. Nothing but image_verify can make a chunk of them. */
struct unverified;

/* Chunks from number first_chunk on; of these only the wanted ones (is_wanted[number] != 0;
 * borrowed, one byte a chunk; NULL: all). The first cursor of an image that begins at its beginning
 * takes the source that was opened (and the chunks that image_head looked at), and it alone holds
 * an unsigned image against its bmap or SHA256SUMS; every other reads the same bytes once more.
 * Where it can seek it reads nothing that is not wanted, and runs of wanted chunks at once; a
 * stream is read over, unverified. May be called by several threads at once. Fails with ERR_USAGE
 * when the image can be read only once (a pipe), or when some chunks are wanted and its size is
 * unknown yet; else as the source does. */
int cursor_new(struct image *im, uint64_t first_chunk, const uint8_t *is_wanted,
	       struct cursor **out, struct err *e);
void cursor_free(struct cursor *k);
static inline void cursor_freep(struct cursor **k)
{
	cursor_free(*k);
}
/* Can cursor_new be called more than once? */
bool image_can_be_read_again(const struct image *im);

/* Read the next chunk, NULL at the end; the caller's. What needs no bytes (zeros and holes of a
 * signed image that can seek) is not read. At the end nothing may follow that was not signed (where
 * all chunks are wanted), an unsigned image's bmap or SHA256SUMS must have matched, and every
 * further pass must be as long as the first. Fails with ERR_UNTRUSTED or as the source does; after
 * a failure every further call fails alike. */
int cursor_fetch(struct cursor *k, struct unverified **out, struct err *e);
void unverified_free(struct unverified *u);
static inline void unverified_freep(struct unverified **u)
{
	unverified_free(*u);
}

enum { VERIFY_MAX = 2 }; /* chunks at once: as many as the SHA instructions interleave */

/* Make chunks of n (at most VERIFY_MAX) fetched ones, which are consumed: stored digest,
 * decompression, plain digest, fingerprint. May be called by several threads at once. Where one
 * does not match, out[i] is NULL and failures[i] is filled (ERR_UNTRUSTED, ERR_IO when memory is
 * short); the others come out nevertheless. */
void image_verify(const struct image *im, struct unverified *const *u, size_t n, struct chunk **out,
		  struct err *failures);

/* The next chunk, in order of offset, or NULL at the end, by a single thread: fetched and verified.
 * It is borrowed from im until the next call. Fails as cursor_new, cursor_fetch and image_verify
 * do, and for good. */
int image_next(struct image *im, const struct chunk **out, struct err *e);

/* The first n_bytes of the image (fewer when it is smaller), verified, without taking them from the
 * first cursor or image_next, and before either. Holes and zeros read as zeros. Borrowed from im.
 * Fails with ERR_USAGE above IMAGE_HEAD_MAX_BYTES. */
enum { IMAGE_HEAD_MAX_BYTES = 16 << 20 };
int image_head(struct image *im, size_t n_bytes, const uint8_t **out_bytes, size_t *out_n_bytes,
	       struct err *e);

/* Chunks that are made from verified ones, or hold no bytes of an image at all. The caller owns
 * them, and they may outlive the image. Fingerprints of their bytes have the seed given. */

/* A copy of [from, to) of a DATA chunk, counted from the chunk's start. */
int chunk_slice_new(const struct chunk *c, size_t from_bytes, size_t to_bytes, uint64_t seed,
		    struct chunk **out, struct err *e);
/* Zeros: for wiping what a signature does not speak of. */
int chunk_zero_new(uint64_t offset_bytes, uint64_t size_bytes, struct chunk **out, struct err *e);
/* Bytes that lkflash itself derived: a partition table moved to the real end of a larger disk
 * (flash/disk/table), or the marks by which a capacity that wraps is found, and what was there
 * before them (flash/plan/capacity). Nothing else may be passed. */
int chunk_derived_new(uint64_t offset_bytes, const uint8_t *bytes, size_t n_bytes, uint64_t seed,
		      struct chunk **out, struct err *e);
