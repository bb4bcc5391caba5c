/* From what is known about an image to its signed sections. See seal.h. */
#include "flash/image/seal.h"

#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/image/frame.h"
#include "flash/trust/match.h"

void seal_release(struct seal *s)
{
	buf_release(&s->manifest_json);
	buf_release(&s->index);
}

/* Nothing is signed that a reader would refuse. */
static int check_readable(const struct buf *json, struct err *e)
{
	CLEANUP(manifest_freep) struct manifest *m = NULL;

	if (manifest_parse(json->bytes, json->n_bytes, &m, e) == 0)
		return 0;
	if (e->code == ERR_UNTRUSTED)
		e->code = ERR_USAGE;
	return err_wrap(e, "such a manifest would be refused");
}

static int fill(struct manifest *m, const struct survey *survey, struct seal *s, struct err *e)
{
	if (index_format(survey->index, &s->index, e) < 0 ||
	    digest_sha256(s->index.bytes, s->index.n_bytes, m->index_sha256, e) < 0)
		return -1;
	m->index_size_bytes = s->index.n_bytes;
	m->image_size_bytes = survey->index->image_size_bytes;
	memcpy(m->image_sha256, survey->image_sha256, SHA256_BYTES);
	if (manifest_format(m, &s->manifest_json, e) < 0)
		return -1;
	return check_readable(&s->manifest_json, e);
}

int seal_prepare(struct manifest *m, const struct survey *survey, struct seal *out, struct err *e)
{
	struct seal s = {0};

	if (fill(m, survey, &s, e) < 0) {
		seal_release(&s);
		return -1;
	}
	*out = s;
	return 0;
}

static int check_signature(const struct signed_bytes *b, const struct seal_trust *t, struct err *e)
{
	struct trust_verdict verdict = {0};
	int status = t ? trust_verify(t->store, &t->policy, b, &verdict, e) : match_signature(b, e);

	return status < 0 ? err_wrap(e, "signature") : 0;
}

static int append_sections(const struct signed_bytes *manifest, const struct buf *index,
			   struct buf *out, struct err *e)
{
	frame_append(out, "MANI", manifest->content, manifest->content_bytes);
	frame_append(out, "SIGN", manifest->signature, manifest->signature_bytes);
	frame_append(out, "INDX", index->bytes, index->n_bytes);
	return buf_check(out, e);
}

int seal_sign(const struct seal *s, struct signing_key *const *keys, size_t n_keys,
	      const struct seal_trust *t, struct buf *out, struct err *e)
{
	CLEANUP(buf_release) struct buf signature = {0};
	struct signed_bytes manifest = {.content = s->manifest_json.bytes,
					.content_bytes = s->manifest_json.n_bytes};

	if (trust_sign(keys, n_keys, manifest.content, manifest.content_bytes, &signature, e) < 0)
		return -1;
	manifest.signature = signature.bytes;
	manifest.signature_bytes = signature.n_bytes;
	if (check_signature(&manifest, t, e) < 0)
		return -1;
	return append_sections(&manifest, &s->index, out, e);
}

/* Is m about the image that was surveyed, and its index the one of the survey? */
static int check_image(const struct manifest *m, const struct survey *survey,
		       const struct buf *index, struct err *e)
{
	uint8_t digest[SHA256_BYTES];

	if (m->image_size_bytes != survey->index->image_size_bytes ||
	    memcmp(m->image_sha256, survey->image_sha256, SHA256_BYTES) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the manifest is about another image; make it again from this one");
	if (digest_sha256(index->bytes, index->n_bytes, digest, e) < 0)
		return -1;
	if (m->index_size_bytes != index->n_bytes ||
	    memcmp(m->index_sha256, digest, SHA256_BYTES) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the manifest was made with other chunks or holes; give the same "
			       "options as when it was made");
	return 0;
}

int seal_attach(const struct survey *survey, const struct signed_bytes *manifest,
		const struct seal_trust *t, struct buf *out, struct err *e)
{
	CLEANUP(buf_release) struct buf index = {0};
	CLEANUP(manifest_freep) struct manifest *m = NULL;

	if (check_signature(manifest, t, e) < 0)
		return -1;
	if (manifest_parse(manifest->content, manifest->content_bytes, &m, e) < 0)
		return err_wrap(e, "manifest");
	if (index_format(survey->index, &index, e) < 0 || check_image(m, survey, &index, e) < 0)
		return -1;
	return append_sections(manifest, &index, out, e);
}
