/* lkflash build: a board profile and a payload become an image; `plan build` prints how. */
#include <stdlib.h>
#include <string.h>

#include "boards/registry.h"
#include "flash/base/cleanup.h"
#include "flash/base/scratch.h"
#include "flash/trust/boot_key.h"
#include "provision/build/build.h"
#include "provision/cli/board_options.h"
#include "provision/cli/build_output.h"
#include "provision/cli/command.h"
#include "provision/cli/firmware_options.h"
#include "provision/cli/print.h"
#include "provision/cli/report.h"
#include "provision/cli/sign_image.h"

/* Of everything in an image when SOURCE_DATE_EPOCH is not set: 2020-01-01T00:00:00Z. Any time will
 * do that is the same for everybody and behind 1980, where that of a FAT begins. */
#define TIME_DEFAULT_S INT64_C(1577836800)

/* What a build works with. Zero-initialise. */
struct inputs {
	struct registry *registry; /* owned, as all here */
	struct firmware_set *firmware;
	struct boot_key *boot_key;
	char *scratch_folder;
	const struct board *board; /* borrowed from registry */
	int64_t time_s;
	struct payload payload;
};

static void inputs_release(struct inputs *in)
{
	payload_release(&in->payload);
	firmware_free(in->firmware);
	boot_key_free(in->boot_key);
	scratch_free(in->scratch_folder);
	registry_free(in->registry);
}

static int load_board(const struct options *o, struct inputs *in, struct err *e)
{
	if (board_options_find(o, o->board_id, &in->registry, &in->board, e) < 0)
		return -1;
	return firmware_options_load(o, in->board, &in->firmware, e);
}

static int load_payload(const struct options *o, struct inputs *in, struct err *e)
{
	const struct payload_request r = {
		.arch = in->board->arch,
		.kernel_path = o->kernel_path,
		.initrd_path = o->initrd_path,
		.cmdline = o->cmdline,
		.dtb_folder = o->dtb_dir,
		.microcode_path = o->microcode_path,
		.linuxkit = o->linuxkit,
		.rootfs_path = o->rootfs_path,
		.boot_files = o->boot_files.items,
		.n_boot_files = o->boot_files.n_items,
		.version = o->image_version ? o->image_version : "",
		.time_s = in->time_s,
		.scratch_folder = in->scratch_folder,
		.cancel = o->cancel,
	};

	return payload_load(&r, &in->payload, e);
}

static int load_inputs(const struct options *o, struct inputs *in, struct err *e)
{
	if (load_board(o, in, e) < 0 ||
	    environment_source_date(&o->environment, TIME_DEFAULT_S, &in->time_s, e) < 0 ||
	    scratch_new(o->environment.temp_dir, &in->scratch_folder, e) < 0)
		return -1;
	if (o->boot_key_path && boot_key_load(o->boot_key_path, &in->boot_key, e) < 0)
		return err_wrap(e, "--boot-key");
	if (load_payload(o, in, e) < 0)
		return -1;
	return build_output_check(o, &in->payload, in->firmware, e);
}

static enum board_table table_of(const struct options *o)
{
	static const enum board_table tables[] = {BOARD_TABLE_ANY, BOARD_TABLE_MBR,
						  BOARD_TABLE_GPT};

	return tables[o->table];
}

static int prepare(const struct options *o, const struct inputs *in,
		   const struct boot_signer *signer, const struct listener *listener,
		   struct build **out, struct err *e)
{
	const struct build_request r = {
		.board = in->board,
		.payload = &in->payload,
		.firmware = in->firmware,
		.out_path = o->out_path,
		.size_bytes = o->size_bytes,
		.table = table_of(o),
		.n_slots = (unsigned)o->n_slots,
		.is_data_left_out = o->is_data_left_out,
		.method = o->method,
		.seed = o->seed,
		.time_s = in->time_s,
		.signer = in->boot_key ? signer : NULL,
		.scratch_folder = in->scratch_folder,
		.listener = listener,
		.cancel = o->cancel,
	};

	return build_prepare(&r, out, e);
}

static int print_plan(const struct options *o, const struct build *b, struct err *e)
{
	CLEANUP(buf_release) struct buf out = {0};

	if (o->is_json)
		build_format_json(b, &out);
	else
		build_format(b, &out);
	return print_buf(&out, e);
}

/* ---- Signing in the same go ---- */

/* The options of `sign` for the image that is built. */
struct sign_options {
	struct options o;
	char *key;           /* owned */
	const char *operand; /* borrowed */
};

static void sign_options_release(struct sign_options *s)
{
	free(s->key);
}

static int sign_options_from(const struct options *o, struct sign_options *s, struct err *e)
{
	s->key = strdup(o->sign);
	if (!s->key)
		return err_errno(e, "--sign %s", o->sign);
	char *comma = strrchr(s->key, ',');
	if (!comma || comma == s->key || !comma[1])
		return err_set(e, ERR_USAGE,
			       "--sign %s: say KEY,CERT, as in keys/sign.key,keys/sign.pem",
			       o->sign);
	*comma = '\0';
	s->operand = o->out_path;
	s->o = *o;
	s->o.out_path = NULL;
	s->o.operands = &s->operand;
	s->o.n_operands = 1;
	s->o.key_paths = (struct option_list){{s->key}, 1};
	s->o.cert_paths = (struct option_list){{comma + 1}, 1};
	s->o.board_ids = (struct option_list){{o->board_id}, 1};
	if (build_output_check_path(o->out_path, s->key, e) < 0)
		return -1;
	return build_output_check_path(o->out_path, comma + 1, e);
}

/* Without --sign nothing may be said about a signature. */
static int check_unsigned(const struct options *o, struct err *e)
{
	if (o->security_version > 0 || o->rollback_group || o->name)
		return err_set(e, ERR_USAGE,
			       "--name, --security-version and --rollback-group go into a signed "
			       "manifest; add --sign KEY,CERT");
	return 0;
}

/* ---- The verb ---- */

static int sign_built(const struct seal_options *seal, struct err *e)
{
	if (sign_image(seal, e) == 0)
		return 0;
	return err_hint(e, "%s is built, and not signed: `lkflash sign` does that",
			seal->o->operands[0]);
}

static int tell_built(const struct options *o, const struct listener *listener, uint64_t size_bytes)
{
	const struct event ev = {
		.kind = EVENT_DONE,
		.phase = PHASE_FLUSH,
		.done_bytes = size_bytes,
		.total_bytes = size_bytes,
		.target = o->out_path,
		.text = "built",
	};

	event_emit(listener, &ev);
	return 0;
}

static int make(const struct options *o, const struct listener *listener, struct err *e)
{
	CLEANUP(inputs_release) struct inputs in = {0};
	CLEANUP(build_freep) struct build *b = NULL;
	CLEANUP(sign_options_release) struct sign_options s = {0};
	CLEANUP(seal_options_release) struct seal_options seal = {.o = &s.o, .listener = listener};

	if (o->sign ? sign_options_from(o, &s, e) < 0 : check_unsigned(o, e) < 0)
		return -1;
	if (o->sign && seal_options_load(&seal, true, e) < 0)
		return -1;
	if (load_inputs(o, &in, e) < 0)
		return -1;
	const struct boot_signer signer = {.sign = boot_key_sign, .context = in.boot_key};
	if (prepare(o, &in, &signer, listener, &b, e) < 0)
		return -1;
	if (o->is_plan)
		return print_plan(o, b, e);
	if (build_make(b, e) < 0)
		return -1;
	return o->sign ? sign_built(&seal, e) : tell_built(o, listener, build_size_bytes(b));
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(report_freep) struct report *r = NULL;

	if (!o->out_path && (!o->is_plan || o->sign))
		return err_set(e, ERR_USAGE, "-o FILE is needed: say -o image.raw");
	if (o->out_path && strcmp(o->out_path, "-") == 0)
		return err_set(e, ERR_USAGE,
			       "-o -: an image does not go to standard output, as its table is "
			       "written last; say -o image.raw");
	if (o->is_plan)
		return make(o, NULL, e);
	if (report_new(o, &r, e) < 0)
		return -1;
	return report_end(r, make(o, report_listener(r), e), e);
}

const struct command cmd_build = {
	.name = "build",
	.operands = "",
	.summary = "make an image of a board profile and a payload",
	.details = "The payload is a kernel with what goes with it, a LinuxKit build, or a root\n"
		   "file system beside a kernel. No root, loop device or container is needed,\n"
		   "and the same inputs give the same bytes. `lkflash plan build ...` prints\n"
		   "what would be in the image, and where.",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_BOARD | OPTIONS_BOARDS | OPTIONS_BUILD |
		  OPTIONS_FIRMWARE,
	.n_operands_min = 0,
	.n_operands_max = 0,
	.watches_signals = true,
	.can_be_planned = true,
	.run = run,
};
