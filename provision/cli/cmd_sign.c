/* lkflash sign: a manifest for an image, and a signature under it, in a file beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "provision/cli/command.h"
#include "provision/cli/report.h"
#include "provision/cli/seal_options.h"
#include "provision/cli/sign_image.h"

static int sign(struct seal_options *so, struct err *e)
{
	return seal_options_load(so, true, e) < 0 ? -1 : sign_image(so, e);
}

/* ---- A signature from elsewhere ---- */

static int write_manifest(struct seal_options *so, struct err *e)
{
	const struct options *o = so->o;
	CLEANUP(survey_freep) struct survey *s = NULL;
	CLEANUP(seal_release) struct seal seal = {0};

	if (o->attach_path || o->manifest_where)
		return err_set(e, ERR_USAGE,
			       "--manifest-only comes first, --attach when the signature is made");
	if (o->key_paths.n_items > 0 || o->cert_paths.n_items > 0 || o->out_path)
		return err_set(e, ERR_USAGE,
			       "--manifest-only signs nothing; leave out --key, --cert and --out");
	if (seal_options_load(so, false, e) < 0 || sign_survey(so, &s, e) < 0 ||
	    seal_options_prepare(so, s, &seal, e) < 0)
		return -1;
	return sign_save(so, o->manifest_out_path, &seal.manifest_json, "manifest to be signed in ",
			 e);
}

static int check_attach(const struct options *o, struct err *e)
{
	if (!o->attach_path || !o->manifest_where)
		return err_set(e, ERR_USAGE,
			       "--attach FILE and --manifest FILE go together: a signature, and "
			       "what it was made over");
	if (o->key_paths.n_items > 0 || o->cert_paths.n_items > 0 || o->board_ids.n_items > 0 ||
	    o->image_version || o->name || o->security_version || o->rollback_group ||
	    o->sector_bytes)
		return err_set(e, ERR_USAGE,
			       "--attach takes what the manifest says; leave out --key, --cert, "
			       "--board and what else describes the image");
	return 0;
}

static int attach(struct seal_options *so, struct err *e)
{
	const struct options *o = so->o;
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) uint8_t *json = NULL;
	CLEANUP(freep) uint8_t *signature = NULL;
	CLEANUP(survey_freep) struct survey *s = NULL;
	CLEANUP(buf_release) struct buf sections = {0};
	struct signed_bytes manifest = {0};
	struct seal_trust room = {0};

	if (check_attach(o, e) < 0 || sign_choose_path(o, &path, e) < 0 ||
	    seal_options_load_trust(so, e) < 0 ||
	    fdio_load(o->manifest_where, MANIFEST_MAX_BYTES, &json, &manifest.content_bytes, e) <
		    0 ||
	    fdio_load(o->attach_path, SIGNATURE_MAX_BYTES, &signature, &manifest.signature_bytes,
		      e) < 0)
		return -1;
	manifest.content = json;
	manifest.signature = signature;
	if (sign_survey(so, &s, e) < 0 ||
	    seal_attach(s, &manifest, seal_options_trust(so, &room), &sections, e) < 0)
		return -1;
	return sign_save(so, path, &sections, "signed manifest in ", e);
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(report_freep) struct report *r = NULL;
	CLEANUP(seal_options_release) struct seal_options so = {.o = o};

	if (seal_options_check_paths(o, e) < 0 || report_new(o, &r, e) < 0)
		return -1;
	so.listener = report_listener(r);
	if (o->manifest_out_path)
		return report_end(r, write_manifest(&so, e), e);
	if (o->attach_path || o->manifest_where)
		return report_end(r, attach(&so, e), e);
	return report_end(r, sign(&so, e), e);
}

const struct command cmd_sign = {
	.name = "sign",
	.operands = "IMAGE",
	.summary = "sign an image",
	.details = "Reads IMAGE once, raw or compressed, and writes IMAGE.lkm: a manifest, a\n"
		   "signature under it, and the digests of all chunks. IMAGE stays as it is.\n"
		   "With --trust, only what these CAs trust is written.\n"
		   "\n"
		   "With a key in an HSM: `sign --manifest-only m.json ... IMAGE`, let the HSM\n"
		   "make m.p7s from it (the man page tells how), then `sign --attach m.p7s\n"
		   "--manifest m.json IMAGE`, with the same --chunk-size, --bmap and --holes.",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_TRUST | OPTIONS_MANIFEST | OPTIONS_SIGN,
	.n_operands_min = 1,
	.n_operands_max = 1,
	.watches_signals = true,
	.run = run,
};
