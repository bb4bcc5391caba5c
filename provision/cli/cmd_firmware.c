/* lkflash firmware: fetch what Debian has of a board's firmware. */
#include <stdio.h>
#include <unistd.h>

#include "boards/registry.h"
#include "flash/base/cleanup.h"
#include "provision/build/fetch.h"
#include "provision/build/firmware.h"
#include "provision/cli/board_options.h"
#include "provision/cli/command.h"
#include "provision/cli/firmware_text.h"
#include "provision/cli/print.h"
#include "provision/cli/report.h"

#define MIRROR_DEFAULT  "http://deb.debian.org/debian"
#define KEYRING_DEFAULT "/usr/share/keyrings/debian-archive-keyring.gpg"

/* Where the files go, and where apt works. */
struct folders {
	char *files; /* owned */
	char *apt;   /* owned */
};

static void folders_release(struct folders *f)
{
	free(f->files);
	free(f->apt);
}

static int find_folders(const struct options *o, const struct board *b, struct folders *out,
			struct err *e)
{
	CLEANUP(freep) char *cache = NULL;
	CLEANUP(folders_release) struct folders f = {0};
	int n_bytes = 0;

	if (environment_cache_dir(&o->environment, &cache, e) < 0)
		return -1;
	if (o->out_path)
		n_bytes = asprintf(&f.files, "%s", o->out_path);
	else
		n_bytes = asprintf(&f.files, "%s/" FIRMWARE_CACHE_FOLDER "/%s", cache, b->id);
	if (n_bytes < 0) {
		f.files = NULL;
		return err_errno(e, "%s", cache);
	}
	if (asprintf(&f.apt, "%s/apt", cache) < 0) {
		f.apt = NULL;
		return err_errno(e, "%s", cache);
	}
	*out = (struct folders){TAKE(f.files), TAKE(f.apt)};
	return 0;
}

/* What is in the folder now must be what the board's profile wants. */
static int tell(const struct options *o, const struct board *b, const char *folder,
		const struct fetch_result *fetched, struct err *e)
{
	/* Without a package there is nothing that would have made the folder. */
	const struct firmware_places places = {.folder = access(folder, F_OK) == 0 ? folder : NULL};
	CLEANUP(firmware_freep) struct firmware_set *set = NULL;
	CLEANUP(buf_release) struct buf text = {0};

	if (firmware_load(b, &places, &set, e) < 0)
		return -1;
	const struct firmware_report r = {b, set, fetched, folder};
	if (o->is_json ? firmware_json(&r, &text, e) < 0 : firmware_text(&r, &text, e) < 0)
		return -1;
	return o->is_quiet && !o->is_json ? 0 : print_buf(&text, e);
}

static int fetch(const struct options *o, const struct board *b, const struct folders *folders,
		 struct err *e)
{
	CLEANUP(report_freep) struct report *report = NULL;
	CLEANUP(fetch_result_release) struct fetch_result fetched = {0};

	if (report_new(o, &report, e) < 0)
		return -1;
	const struct fetch_request r = {
		.board = b,
		.folder = folders->files,
		.apt_folder = folders->apt,
		.mirror = o->mirror ? o->mirror : MIRROR_DEFAULT,
		.keyring = o->keyring_path ? o->keyring_path : KEYRING_DEFAULT,
		.listener = report_listener(report),
		.cancel = o->cancel,
	};
	if (report_end(report, fetch_firmware(&r, &fetched, e), e) < 0)
		return -1;
	return tell(o, b, folders->files, &fetched, e);
}

static int tell_nothing_to_do(const struct options *o, const struct board *b, struct err *e)
{
	CLEANUP(buf_release) struct buf text = {0};

	if (!o->is_json && !o->is_quiet)
		buf_printf(&text, "%s needs no firmware files\n", b->id);
	return print_buf(&text, e);
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(registry_freep) struct registry *registry = NULL;
	CLEANUP(folders_release) struct folders folders = {0};
	const struct board *b = NULL;

	if (board_options_find(o, o->operands[0], &registry, &b, e) < 0)
		return -1;
	if (b->n_firmware == 0)
		return tell_nothing_to_do(o, b, e);
	if (find_folders(o, b, &folders, e) < 0)
		return -1;
	if (fetch(o, b, &folders, e) < 0)
		return *e->text ? err_wrap(e, "firmware of %s", b->id) : -1;
	return 0;
}

const struct command cmd_firmware = {
	.name = "firmware",
	.operands = "ID",
	.summary = "fetch the firmware of a board from Debian",
	.details = "Packages come through apt with a configuration of its own: this machine's\n"
		   "sources, package lists and installed packages are not touched, and root is\n"
		   "not needed. Files are kept where build and boot find them. What Debian does\n"
		   "not have is named, and where it comes from.",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_BOARDS | OPTIONS_FETCH,
	.n_operands_min = 1,
	.n_operands_max = 1,
	.watches_signals = true,
	.run = run,
};
