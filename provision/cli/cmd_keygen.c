/* lkflash keygen: a CA and a signer, to begin with. */
#include <stdio.h>

#include "flash/base/cleanup.h"
#include "flash/base/json.h"
#include "flash/trust/keys.h"
#include "provision/cli/command.h"
#include "provision/cli/print.h"

enum {
	CA_DAYS = 3650,
	SIGNER_DAYS = 730, /* a signer is replaced more often than what machines trust */
};

static void put_json(const char *folder, struct buf *out)
{
	static const char *const files[][2] = {
		{"ca_cert", "ca.pem"},
		{"ca_key", "ca.key"},
		{"cert", "sign.pem"},
		{"key", "sign.key"},
	};
	char path[4096];

	json_open(out, NULL, '{');
	json_text(out, "event", "keys");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, files[i][1]);
		json_text(out, files[i][0], path);
	}
	json_close(out, '}');
	buf_append_text(out, "\n");
}

static void put_text(const char *folder, struct buf *out)
{
	buf_printf(out, "%s/sign.key  signs images: keep it secret\n", folder);
	buf_printf(out, "%s/sign.pem  its certificate: travels with each signature\n", folder);
	buf_printf(out, "%s/ca.key    certifies signers: keep it offline\n", folder);
	buf_printf(out, "%s/ca.pem    what to trust: --trust, or a copy in /etc/lkflash/trust.d\n",
		   folder);
	buf_printf(out,
		   "\nnext:\n  lkflash sign --key %s/sign.key --cert %s/sign.pem "
		   "--board ID --version 1 IMAGE\n  lkflash --trust %s/ca.pem IMAGE TARGET\n",
		   folder, folder, folder);
}

static int run(const struct options *o, struct err *e)
{
	CLEANUP(buf_release) struct buf out = {0};
	unsigned days = o->days ? (unsigned)o->days : SIGNER_DAYS;
	struct keygen_request request = {
		.folder = o->out_path,
		.kind = KEY_P256,
		.name = o->name,
		.ca_days = days > CA_DAYS ? days : CA_DAYS,
		.signer_days = days,
	};

	if (!o->out_path)
		return err_set(e, ERR_USAGE, "keygen needs --out DIR, a folder for the keys");
	if (o->key_type && key_kind_by_name(o->key_type, &request.kind, e) < 0)
		return err_wrap(e, "--type");
	if (keygen(&request, e) < 0)
		return -1;
	if (o->is_json)
		put_json(o->out_path, &out);
	else if (!o->is_quiet)
		put_text(o->out_path, &out);
	return print_buf(&out, e);
}

const struct command cmd_keygen = {
	.name = "keygen",
	.operands = "",
	.summary = "make a CA and a signing key certified by it",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON | OPTIONS_KEYGEN,
	.run = run,
};
