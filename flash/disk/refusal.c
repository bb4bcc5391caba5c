/* Why a target must not be written. See refusal.h. */
#include "flash/disk/refusal.h"

#include <string.h>

#include "flash/base/parse.h"
#include "flash/base/units.h"

/* What all checks look at. */
struct question {
	const struct facts *facts;
	uint64_t image_size_bytes;
};

static const struct facts_use *find_use(const struct facts *f, enum facts_use_kind kind)
{
	for (size_t i = 0; i < f->n_uses; i++)
		if (f->uses[i].kind == kind)
			return &f->uses[i];
	return NULL;
}

static int check_system(const struct question *q, struct err *e)
{
	const struct facts_use *use = find_use(q->facts, USE_SYSTEM);

	if (!use)
		return 0;
	return err_set(e, ERR_REFUSED, "%s holds the running system (%s is on %s); choose another",
		       q->facts->path, use->what, use->by);
}

static int check_mounts(const struct question *q, struct err *e)
{
	const struct facts_use *use = find_use(q->facts, USE_MOUNT);

	if (!use)
		return 0;
	return err_set(e, ERR_REFUSED,
		       "%s is in use: %s is mounted on %s; unmount it first: umount %s",
		       q->facts->path, use->by, use->what, use->what);
}

static int check_swap(const struct question *q, struct err *e)
{
	const struct facts_use *use = find_use(q->facts, USE_SWAP);

	if (!use)
		return 0;
	return err_set(e, ERR_REFUSED,
		       "%s is in use: %s is swapped to; stop that first: swapoff %s",
		       q->facts->path, use->by, use->by);
}

/* How to make a holder let go. */
static int hint_holder(const char *what, struct err *e)
{
	if (parse_has_prefix(what, "loop"))
		return err_hint(e, "detach it first: losetup -d /dev/%s", what);
	if (parse_has_prefix(what, "md"))
		return err_hint(e, "stop it first: mdadm --stop /dev/%s", what);
	if (parse_has_prefix(what, "dm-"))
		return err_hint(e, "close it first, with vgchange -an, cryptsetup close or "
				   "dmsetup remove");
	return err_hint(e, "stop that first");
}

static int check_holders(const struct question *q, struct err *e)
{
	const struct facts_use *use = find_use(q->facts, USE_HOLDER);

	if (!use)
		return 0;
	(void)err_set(e, ERR_REFUSED, "%s is in use: %s is held by %s", q->facts->path, use->by,
		      use->what);
	return hint_holder(use->what, e);
}

static int check_partition(const struct question *q, struct err *e)
{
	if (!q->facts->is_partition)
		return 0;
	return err_set(e, ERR_REFUSED, "%s is a partition; name the whole disk: %s", q->facts->path,
		       q->facts->disk_path);
}

/* A mistyped disk must not become a file in memory beside the disks. */
static bool is_among_devices(const struct facts *f)
{
	return parse_has_prefix(f->real_path, "/dev/") &&
	       !parse_has_prefix(f->real_path, "/dev/shm/");
}

static int check_kind(const struct question *q, struct err *e)
{
	const struct facts *f = q->facts;

	switch (f->kind) {
	case TARGET_BLOCK:
		return 0;
	case TARGET_FILE:
		if (!is_among_devices(f))
			return 0;
		return err_set(e, ERR_REFUSED,
			       "%s is a regular file where devices belong; remove it, then name a "
			       "disk that lkflash devices shows",
			       f->path);
	case TARGET_MISSING:
		if (!is_among_devices(f))
			return 0;
		return err_set(e, ERR_REFUSED, "there is no %s; lkflash devices shows the disks",
			       f->path);
	case TARGET_FOLDER:
		return err_set(e, ERR_REFUSED, "%s is a folder; name a disk or a file", f->path);
	case TARGET_OTHER:
		return err_set(e, ERR_REFUSED,
			       "%s is neither a disk nor a regular file; name one of these",
			       f->path);
	}
	return err_set(e, ERR_REFUSED, "%s is of a kind unknown to lkflash", f->path);
}

static int check_read_only(const struct question *q, struct err *e)
{
	if (!q->facts->is_read_only)
		return 0;
	(void)err_set(e, ERR_REFUSED, "%s is read-only", q->facts->path);
	if (q->facts->kind == TARGET_BLOCK)
		return err_hint(e,
				"move its write-protect switch, or lift the protection: "
				"blockdev --setrw %s",
				q->facts->path);
	return err_hint(e, "choose a folder that can be written");
}

static int check_medium(const struct question *q, struct err *e)
{
	if (q->facts->kind != TARGET_BLOCK || q->facts->size_bytes > 0)
		return 0;
	return err_set(e, ERR_REFUSED, "%s has no medium; insert one", q->facts->path);
}

static int check_fixed(const struct question *q, struct err *e)
{
	const struct facts *f = q->facts;
	char size_text[UNITS_TEXT_BYTES];

	if (f->kind != TARGET_BLOCK || f->is_removable || f->is_hotplug || f->is_loop)
		return 0;
	return err_set(e, ERR_REFUSED,
		       "%s (%s%s%s) is a fixed disk, neither removable nor hot-pluggable; if it is "
		       "meant, say --allow-fixed-disk",
		       f->path, f->model, *f->model ? ", " : "",
		       units_format_bytes(f->size_bytes, size_text));
}

static int check_size(const struct question *q, struct err *e)
{
	const struct facts *f = q->facts;
	char size_text[UNITS_TEXT_BYTES];
	char image_text[UNITS_TEXT_BYTES];

	if (f->kind == TARGET_MISSING || q->image_size_bytes == SIZE_UNKNOWN ||
	    q->image_size_bytes <= f->size_bytes)
		return 0;
	(void)err_set(e, ERR_REFUSED,
		      "%s is too small: it has %llu bytes (%s), the image has %llu (%s)", f->path,
		      (unsigned long long)f->size_bytes,
		      units_format_bytes(f->size_bytes, size_text),
		      (unsigned long long)q->image_size_bytes,
		      units_format_bytes(q->image_size_bytes, image_text));
	if (f->kind == TARGET_FILE)
		return err_hint(e, "remove it, or enlarge it: truncate -s %llu %s",
				(unsigned long long)q->image_size_bytes, f->path);
	return err_hint(e, "use a larger one");
}

/* In order of danger. */
static const struct {
	int (*check)(const struct question *q, struct err *e);
	const char *flag; /* that lifts it; NULL: nothing does */
} checks[] = {
	{check_system, NULL},    {check_mounts, NULL},    {check_swap, NULL},
	{check_holders, NULL},   {check_partition, NULL}, {check_kind, NULL},
	{check_read_only, NULL}, {check_medium, NULL},    {check_fixed, "--allow-fixed-disk"},
	{check_size, NULL},
};

int refusal_check(const struct facts *f, const struct refusal_policy *p, uint64_t image_size_bytes,
		  const char **out_lifted, struct err *e)
{
	const struct question q = {.facts = f, .image_size_bytes = image_size_bytes};
	const char *lifted = NULL;
	struct err refused = {0};

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		if (checks[i].check(&q, &refused) == 0)
			continue;
		if (!checks[i].flag || !p->is_fixed_disk_allowed) {
			*e = refused;
			return -1;
		}
		lifted = checks[i].flag;
	}
	if (out_lifted)
		*out_lifted = lifted;
	return 0;
}
