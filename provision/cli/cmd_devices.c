/* lkflash devices: what could be written to, and why the rest is refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/json.h"
#include "flash/disk/refusal.h"
#include "provision/cli/command.h"
#include "provision/cli/describe.h"
#include "provision/cli/print.h"

/* One device, as far as it could be looked at. */
struct device {
	struct facts *facts;       /* owned */
	struct signatures content; /* owned */
	struct err unread;         /* why content is not known; code ERR_NONE when it is */
	struct err refusal;        /* why it is not written to; code ERR_NONE when it would be */
};

static void device_release(struct device *d)
{
	facts_free(d->facts);
	signatures_release(&d->content);
}

static bool has_content(const struct facts *f)
{
	return f->kind == TARGET_BLOCK || f->kind == TARGET_FILE;
}

/* Opened neither exclusively nor for writing: looking must not disturb who uses it. */
static int look_into(const struct facts *f, struct signatures *out, struct err *e)
{
	if (!has_content(f))
		return 0;
	CLEANUP(closep) int fd = open(f->real_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "opening %s", f->path);
	return probe_signatures(fd, f->size_bytes, f->sector_bytes, out, e);
}

static int device_look(const char *path, struct device *out, struct err *e)
{
	static const struct refusal_policy strict = {.is_fixed_disk_allowed = false};

	if (facts_gather(path, "", &out->facts, e) < 0)
		return -1;
	(void)look_into(out->facts, &out->content, &out->unread);
	if (refusal_check(out->facts, &strict, 0, NULL, &out->refusal) == 0 &&
	    has_content(out->facts) && access(out->facts->real_path, R_OK | W_OK) < 0)
		(void)err_hint((err_errno(&out->refusal, "opening %s", path), &out->refusal),
			       "run as root");
	return 0;
}

/* ---- Telling -----------------------------------------------------------------------------------
 */

static void put_text(const struct device *d, struct buf *out)
{
	buf_append_clean(out, d->facts->path);
	buf_append_text(out, ": ");
	describe_target(d->facts, out);
	if (d->facts->by_id[0]) {
		buf_append_text(out, "\n  by id: ");
		buf_append_clean(out, d->facts->by_id);
	}
	if (has_content(d->facts)) {
		buf_append_text(out, "\n  on it: ");
		if (d->unread.code == ERR_NONE)
			describe_content(&d->content, out);
		else
			buf_append_clean(out, d->unread.text);
	}
	buf_append_text(out, d->refusal.code == ERR_NONE ? "\n  can be written" : "\n  refused: ");
	buf_append_clean(out, d->refusal.text);
	buf_append_text(out, "\n");
}

static const char *kind_name(const struct facts *f)
{
	switch (f->kind) {
	case TARGET_BLOCK:
		return f->is_partition ? "partition" : "disk";
	case TARGET_FILE:
		return "file";
	case TARGET_MISSING:
		return "missing";
	case TARGET_FOLDER:
		return "folder";
	case TARGET_OTHER:
		return "other";
	}
	return "other";
}

static void put_json_content(const struct signatures *s, struct buf *out)
{
	json_open(out, "content", '[');
	for (size_t i = 0; i < s->n_items; i++) {
		json_open(out, NULL, '{');
		json_text(out, "type", s->items[i].type);
		json_text(out, "label", s->items[i].label);
		json_u64(out, "offset_bytes", s->items[i].offset_bytes);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_json(const struct device *d, struct buf *out)
{
	const struct facts *f = d->facts;

	json_open(out, NULL, '{');
	json_text(out, "event", "device");
	json_text(out, "target", f->path);
	json_text(out, "kind", kind_name(f));
	json_u64(out, "size_bytes", f->size_bytes);
	json_u64(out, "sector_bytes", f->sector_bytes);
	json_text(out, "model", f->model);
	json_text(out, "serial", f->serial);
	json_text(out, "transport", f->transport);
	json_text(out, "by_id", f->by_id);
	json_bool(out, "removable", f->is_removable);
	json_bool(out, "hotplug", f->is_hotplug);
	if (d->unread.code == ERR_NONE)
		put_json_content(&d->content, out);
	json_bool(out, "writable", d->refusal.code == ERR_NONE);
	json_text(out, "reason", d->refusal.text);
	json_close(out, '}');
	buf_append_text(out, "\n");
}

static int tell(const struct options *o, const char *path, struct err *e)
{
	CLEANUP(device_release) struct device d = {0};
	CLEANUP(buf_release) struct buf out = {0};

	if (device_look(path, &d, e) < 0)
		return -1;
	if (o->is_json)
		put_json(&d, &out);
	else
		put_text(&d, &out);
	return print_buf(&out, e);
}

/* ---- The verb ----------------------------------------------------------------------------------
 */

/* A disk that is unplugged while we look must not hide the others. */
static int tell_all(const struct options *o, struct err *e)
{
	char **paths = NULL;
	struct err gone = {0};

	if (facts_list_disks("", &paths, e) < 0)
		return -1;
	for (char **path = paths; *path; path++)
		if (tell(o, *path, &gone) < 0)
			(void)fprintf(stderr, "lkflash: %s\n", gone.text);
	facts_free_paths(paths);
	return 0;
}

static int run(const struct options *o, struct err *e)
{
	if (o->n_operands == 0)
		return tell_all(o, e);
	for (size_t i = 0; i < o->n_operands; i++)
		if (tell(o, o->operands[i], e) < 0)
			return -1;
	return 0;
}

const struct command cmd_devices = {
	.name = "devices",
	.operands = "[TARGET...]",
	.summary = "show what could be written to, and why the rest is refused",
	.details = "Without operands, all disks that are attached. Nothing is changed on them.",
	.groups = OPTIONS_GLOBAL | OPTIONS_JSON,
	.n_operands_max = OPERANDS_MANY,
	.run = run,
};
