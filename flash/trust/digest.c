/* Message digests: SHA-256 by a kernel where this machine has one, all else by mbedTLS. See
 * digest.h. */
#include "flash/trust/digest.h"

#include <mbedtls/md.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/trust/digest_kernel.h"
#include "flash/trust/digest_sha256.h"

struct digest {
	const char *name;
	struct sha256 sha256; /* counts when it has a kernel; md does otherwise */
	mbedtls_md_context_t md;
};

static const struct {
	const char *name;
	mbedtls_md_type_t md_type;
	size_t n_bytes;
} kinds[] = {
	[DIGEST_MD5] = {"md5", MBEDTLS_MD_MD5, 16},
	[DIGEST_SHA1] = {"sha1", MBEDTLS_MD_SHA1, 20},
	[DIGEST_SHA256] = {"sha256", MBEDTLS_MD_SHA256, SHA256_BYTES},
	[DIGEST_SHA384] = {"sha384", MBEDTLS_MD_SHA384, 48},
	[DIGEST_SHA512] = {"sha512", MBEDTLS_MD_SHA512, DIGEST_MAX_BYTES},
};

_Static_assert(sizeof kinds / sizeof *kinds == N_DIGESTS, "one row a kind");

size_t digest_size_bytes(enum digest_kind kind)
{
	return kinds[kind].n_bytes;
}

int digest_by_name(const char *name, enum digest_kind *out, struct err *e)
{
	for (size_t i = 0; i < N_DIGESTS; i++) {
		if (strcmp(name, kinds[i].name) == 0) {
			*out = (enum digest_kind)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE,
		       "digest \"%s\" is not known: use md5, sha1, sha256, sha384 or sha512", name);
}

/* The kernel for this kind, or NULL when mbedTLS makes it. */
static const struct digest_kernel *kernel_for(enum digest_kind kind)
{
	return kind == DIGEST_SHA256 ? digest_kernel_pick(digest_kernels()) : NULL;
}

const char *digest_kernel_name(void)
{
	const struct digest_kernel *kernel = kernel_for(DIGEST_SHA256);

	return kernel ? kernel->name : "mbedtls";
}

static int md_of(enum digest_kind kind, const void *bytes, size_t n_bytes, uint8_t *out,
		 struct err *e)
{
	const mbedtls_md_info_t *info = mbedtls_md_info_from_type(kinds[kind].md_type);

	if (!info || mbedtls_md(info, bytes, n_bytes, out) != 0)
		return err_set(e, ERR_IO, "making a %s digest failed", kinds[kind].name);
	return 0;
}

int digest_of(enum digest_kind kind, const void *bytes, size_t n_bytes, uint8_t *out, struct err *e)
{
	const struct digest_kernel *kernel = kernel_for(kind);
	const struct digest_piece piece = {bytes, n_bytes};

	if (!kernel)
		return md_of(kind, bytes, n_bytes, out, e);
	sha256_many(kernel, &piece, 1, (uint8_t(*)[SHA256_BYTES])out);
	return 0;
}

int digest_sha256_many(const struct digest_piece *pieces, size_t n_pieces,
		       uint8_t (*out)[SHA256_BYTES], struct err *e)
{
	const struct digest_kernel *kernel = kernel_for(DIGEST_SHA256);

	if (kernel) {
		sha256_many(kernel, pieces, n_pieces, out);
		return 0;
	}
	for (size_t i = 0; i < n_pieces; i++)
		if (md_of(DIGEST_SHA256, pieces[i].bytes, pieces[i].n_bytes, out[i], e) < 0)
			return -1;
	return 0;
}

static int md_start(struct digest *d, enum digest_kind kind, struct err *e)
{
	const mbedtls_md_info_t *info = mbedtls_md_info_from_type(kinds[kind].md_type);

	if (!info || mbedtls_md_setup(&d->md, info, 0) != 0 || mbedtls_md_starts(&d->md) != 0)
		return err_set(e, ERR_IO, "making a %s digest failed", d->name);
	return 0;
}

int digest_new(enum digest_kind kind, struct digest **out, struct err *e)
{
	CLEANUP(digest_freep) struct digest *d = calloc(1, sizeof *d);

	if (!d)
		return err_errno(e, "making a %s digest", kinds[kind].name);
	d->name = kinds[kind].name;
	mbedtls_md_init(&d->md);
	sha256_init(&d->sha256, kernel_for(kind));
	if (!d->sha256.kernel && md_start(d, kind, e) < 0)
		return -1;
	*out = TAKE(d);
	return 0;
}

int digest_update(struct digest *d, const void *bytes, size_t n_bytes, struct err *e)
{
	if (d->sha256.kernel)
		sha256_update(&d->sha256, bytes, n_bytes);
	else if (mbedtls_md_update(&d->md, bytes, n_bytes) != 0)
		return err_set(e, ERR_IO, "making a %s digest failed", d->name);
	return 0;
}

int digest_finish(struct digest *d, uint8_t *out, struct err *e)
{
	if (d->sha256.kernel)
		sha256_finish(&d->sha256, out);
	else if (mbedtls_md_finish(&d->md, out) != 0)
		return err_set(e, ERR_IO, "making a %s digest failed", d->name);
	return 0;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	mbedtls_md_free(&d->md);
	free(d);
}
