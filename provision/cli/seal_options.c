/* What sign and pack have in common. See seal_options.h. */
#include "provision/cli/seal_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"
#include "provision/cli/manifest_options.h"
#include "provision/image_table.h"

static bool are_same_file(const char *a, const char *b)
{
	struct stat sa;
	struct stat sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

int seal_options_check_paths(const struct options *o, struct err *e)
{
	const char *const paths[] = {o->out_path, o->bmap_out_path, o->manifest_out_path};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (paths[i] && are_same_file(paths[i], o->operands[0]))
			return err_set(e, ERR_USAGE,
				       "%s is the image, and would be replaced; name another file",
				       paths[i]);
	return 0;
}

int seal_options_load_trust(struct seal_options *so, struct err *e)
{
	if (trust_options_check(so->o, e) < 0)
		return -1;
	return so->o->trust_paths.n_items > 0 ? trust_options_load(so->o, &so->trust, e) : 0;
}

const struct seal_trust *seal_options_trust(const struct seal_options *so, struct seal_trust *room)
{
	*room = (struct seal_trust){.store = so->trust.store, .policy = so->trust.policy};
	return room->store ? room : NULL;
}

int seal_options_load(struct seal_options *so, bool has_keys, struct err *e)
{
	if (manifest_options_new(so->o, &so->manifest, e) < 0)
		return -1;
	if (has_keys && signer_options_load(so->o, &so->signers, e) < 0)
		return -1;
	return seal_options_load_trust(so, e);
}

void seal_options_release(struct seal_options *so)
{
	manifest_free(so->manifest);
	signer_options_release(&so->signers);
	trust_options_release(&so->trust);
}

int seal_options_tell(const struct seal_options *so, enum event_kind kind, const char *what,
		      const char *detail, struct err *e)
{
	CLEANUP(freep) char *text = NULL;

	if (asprintf(&text, "%s%s", what, detail) < 0) {
		text = NULL;
		return err_errno(e, "telling about the image");
	}
	struct event ev = {
		.kind = kind, .phase = PHASE_CHECK, .target = so->o->operands[0], .text = text};
	event_emit(so->listener, &ev);
	return 0;
}

int seal_options_prepare(const struct seal_options *so, const struct survey *s, struct seal *out,
			 struct err *e)
{
	struct err note = {0};

	if (image_table_take(s, so->o->sector_bytes, so->manifest, &note, e) < 0)
		return -1;
	if (*note.text && seal_options_tell(so, EVENT_NOTE,
					    "the manifest names no partitions: ", note.text, e) < 0)
		return -1;
	return seal_prepare(so->manifest, s, out, e);
}

int seal_options_sign(const struct seal_options *so, const struct survey *s, struct buf *out,
		      struct err *e)
{
	CLEANUP(seal_release) struct seal seal = {0};
	struct seal_trust room = {0};

	if (seal_options_prepare(so, s, &seal, e) < 0)
		return -1;
	return seal_sign(&seal, so->signers.keys, so->signers.n_keys, seal_options_trust(so, &room),
			 out, e);
}
