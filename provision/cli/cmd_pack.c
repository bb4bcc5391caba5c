/* lkflash pack: an image, its manifest and its signature in one .zst file. */
#include "flash/base/cleanup.h"
#include "flash/image/pack.h"
#include "provision/cli/command.h"
#include "provision/cli/report.h"
#include "provision/cli/seal_options.h"
#include "provision/cli/survey_options.h"

enum { LEVEL_DEFAULT = 3 };

static int pack(const struct seal_options *so, struct err *e)
{
	const struct options *o = so->o;
	CLEANUP(pack_freep) struct pack *p = NULL;
	CLEANUP(survey_freep) struct survey *s = NULL;
	CLEANUP(buf_release) struct buf sections = {0};
	struct survey_options survey = {.o = o, .listener = so->listener, .store = pack_store};

	if (pack_new(o->out_path, o->level ? (int)o->level : LEVEL_DEFAULT, &p, e) < 0)
		return -1;
	survey.store_context = p;
	if (survey_options_run(&survey, &s, e) < 0)
		return -1;
	pack_end(p, s->index);
	if (seal_options_sign(so, s, &sections, e) < 0 ||
	    pack_commit(p, &sections, o->cancel, e) < 0)
		return -1;
	return seal_options_tell(so, EVENT_DONE, "signed and packed in ", o->out_path, e);
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(report_freep) struct report *r = NULL;
	CLEANUP(seal_options_release) struct seal_options so = {.o = o};

	if (!o->out_path)
		return err_set(e, ERR_USAGE, "--out FILE is needed: say IMAGE.raw.zst");
	if (seal_options_check_paths(o, e) < 0 || report_new(o, &r, e) < 0)
		return -1;
	so.listener = report_listener(r);
	if (seal_options_load(&so, true, e) < 0)
		return -1;
	return report_end(r, pack(&so, e), e);
}

const struct command cmd_pack = {
	.name = "pack",
	.operands = "IMAGE",
	.summary = "sign an image and pack both into one .zst file",
	.details = "Any tool that reads .zst files gets the image out of it; lkflash also finds\n"
		   "the manifest and the signature in it, and checks each chunk before it\n"
		   "unpacks it. The folder of the result needs room for it twice.",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_TRUST | OPTIONS_MANIFEST | OPTIONS_PACK,
	.n_operands_min = 1,
	.n_operands_max = 1,
	.watches_signals = true,
	.run = run,
};
