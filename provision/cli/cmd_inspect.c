/* lkflash inspect: what the manifest of an image says. Nothing is verified unless a CA is named,
 * and the output says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/image/frame.h"
#include "flash/image/index.h"
#include "provision/cli/command.h"
#include "provision/cli/inspect_text.h"
#include "provision/cli/print.h"
#include "provision/cli/trust_options.h"

/* The parts of a signed image, as they are. */
struct parts {
	char *path; /* owned; where they were found */
	struct buf json;
	struct buf signature;
	struct buf index;
};

static void parts_release(struct parts *p)
{
	free(p->path);
	buf_release(&p->json);
	buf_release(&p->signature);
	buf_release(&p->index);
}

static int has_sections(struct source *s, bool *out, struct err *e)
{
	const uint8_t *head = NULL;
	size_t n_head = 0;

	if (source_peek(s, SOURCE_PEEK_BYTES, &head, &n_head, e) < 0)
		return -1;
	*out = frame_has_magic(head, n_head);
	return 0;
}

/* path with end behind it, the caller's; NULL with *e filled on failure. */
static char *join(const char *path, const char *end, struct err *e)
{
	char *joined = NULL;

	if (asprintf(&joined, "%s%s", path, end) < 0) {
		(void)err_errno(e, "%s", path);
		return NULL;
	}
	return joined;
}

/* The sections in what was named, or beside it. */
static int open_sections(const struct options *o, char **out_path, struct source **out,
			 struct err *e)
{
	const char *where = o->operands[0];
	struct source_options options = {.cancel = o->cancel, .tls_ca_path = o->tls_ca_path};
	CLEANUP(source_freep) struct source *s = NULL;
	bool is_found = false;

	if (source_open(where, &options, &s, e) < 0 || has_sections(s, &is_found, e) < 0)
		return -1;
	bool is_beside = !is_found && strcmp(where, "-") != 0;
	CLEANUP(freep) char *path = join(where, is_beside ? ".lkm" : "", e);
	if (!path)
		return -1;
	if (is_beside) {
		source_free(TAKE(s));
		if (source_open(path, &options, &s, e) < 0 || has_sections(s, &is_found, e) < 0)
			return err_wrap(e, "%s carries no manifest, nor is there one beside it",
					where);
	}
	if (!is_found)
		return err_set(e, ERR_UNTRUSTED, "%s is no manifest of lkflash", path);
	*out_path = TAKE(path);
	*out = TAKE(s);
	return 0;
}

static int load_parts(const struct options *o, struct parts *p, struct err *e)
{
	CLEANUP(source_freep) struct source *s = NULL;

	if (open_sections(o, &p->path, &s, e) < 0)
		return -1;
	if (frame_read(s, "MANI", 1, MANIFEST_MAX_BYTES, &p->json, e) < 0 ||
	    frame_read(s, "SIGN", 1, SIGNATURE_MAX_BYTES, &p->signature, e) < 0 ||
	    frame_read(s, "INDX", 1, INDEX_MAX_BYTES, &p->index, e) < 0)
		return err_wrap(e, "%s", p->path);
	return 0;
}

/* ---- What is done with them ---- */

static int extract_one(const char *folder, const char *name, const struct buf *part, struct err *e)
{
	CLEANUP(freep) char *path = join(folder, name, e);

	return path ? fdio_save(path, part->bytes, part->n_bytes, 0644, e) : -1;
}

static int extract(const char *folder, const struct parts *p, struct err *e)
{
	if (fdio_mkdir(folder, 0755, e) < 0 ||
	    extract_one(folder, "/manifest.json", &p->json, e) < 0 ||
	    extract_one(folder, "/signature.p7s", &p->signature, e) < 0)
		return -1;
	return extract_one(folder, "/index.bin", &p->index, e);
}

static int check_index(const struct parts *p, const struct manifest *m, struct err *e)
{
	uint8_t digest[SHA256_BYTES];

	if (digest_sha256(p->index.bytes, p->index.n_bytes, digest, e) < 0)
		return -1;
	if (m->index_size_bytes != p->index.n_bytes ||
	    memcmp(m->index_sha256, digest, SHA256_BYTES) != 0)
		return err_set(e, ERR_UNTRUSTED, "the index differs from the manifest");
	return 0;
}

static int check_signature(const struct options *o, const struct parts *p,
			   struct trust_verdict *out, struct err *e)
{
	CLEANUP(trust_options_release) struct trust_options t = {0};
	const struct signed_bytes b = {.signature = p->signature.bytes,
				       .signature_bytes = p->signature.n_bytes,
				       .content = p->json.bytes,
				       .content_bytes = p->json.n_bytes};

	if (trust_options_load(o, &t, e) < 0)
		return -1;
	return trust_verify(t.store, &t.policy, &b, out, e);
}

static int print(const struct options *o, const struct parts *p,
		 const struct trust_verdict *verdict, struct err *e)
{
	CLEANUP(manifest_freep) struct manifest *m = NULL;
	CLEANUP(index_freep) struct index *x = NULL;
	CLEANUP(buf_release) struct buf out = {0};

	if (manifest_parse(p->json.bytes, p->json.n_bytes, &m, e) < 0 || check_index(p, m, e) < 0 ||
	    index_parse(p->index.bytes, p->index.n_bytes, &x, e) < 0)
		return -1;
	struct inspection in = {.path = p->path, .manifest = m, .index = x, .verdict = verdict};
	if (o->is_json && inspect_put_json(&in, &out, e) < 0)
		return -1;
	if (!o->is_json && !o->is_quiet)
		inspect_put_text(&in, &out);
	return print_buf(&out, e);
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(parts_release) struct parts p = {0};
	struct trust_verdict verdict = {0};
	bool is_checked = o->trust_paths.n_items > 0;

	if (trust_options_check(o, e) < 0 || load_parts(o, &p, e) < 0)
		return -1;
	if (is_checked && check_signature(o, &p, &verdict, e) < 0)
		return err_wrap(e, "%s", p.path);
	if (o->extract_dir && extract(o->extract_dir, &p, e) < 0)
		return -1;
	if (print(o, &p, is_checked ? &verdict : NULL, e) < 0)
		return err_wrap(e, "%s", p.path);
	return 0;
}

const struct command cmd_inspect = {
	.name = "inspect",
	.operands = "FILE|URL",
	.summary = "print what the manifest of an image says",
	.details =
		"FILE is a manifest, a packed image, or an image with a manifest beside it.\n"
		"The image itself is not read. The signature is only checked when --trust names\n"
		"a CA; `lkflash verify` checks everything.",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_TRUST | OPTIONS_INSPECT,
	.n_operands_min = 1,
	.n_operands_max = 1,
	.run = run,
};
