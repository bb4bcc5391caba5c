/* The image that sign and pack read. See survey_options.h. */
#include "provision/cli/survey_options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"
#include "flash/image/frame.h"
#include "provision/cli/manifest_options.h"

enum { HOLES_SKIP = 2 }; /* --holes zero|skip, counted from 1 */

/* What is needed while the image is read. */
struct inputs {
	struct source *source;         /* owned; plain bytes */
	bool has_holes;                /* it is a regular file, and not compressed */
	struct evidence *evidence;     /* owned; what --bmap says, or the holes to be skipped */
	struct bmap *new_map;          /* owned; for --write-bmap; NULL: made afterwards */
	struct holes_digests *digests; /* owned; fills in new_map */
};

static void inputs_release(struct inputs *in)
{
	holes_digests_free(in->digests);
	bmap_free(in->new_map);
	evidence_free(in->evidence);
	source_free(in->source);
}

static bool is_regular_file(const char *where)
{
	struct stat st;

	return stat(where, &st) == 0 && S_ISREG(st.st_mode);
}

static int open_image(const struct survey_options *so, struct inputs *in, struct err *e)
{
	const char *where = so->o->operands[0];
	struct source_options options = {.cancel = so->o->cancel,
					 .tls_ca_path = so->o->tls_ca_path};
	const uint8_t *head = NULL;
	size_t n_head = 0;

	if (source_open(where, &options, &in->source, e) < 0 ||
	    source_peek(in->source, SOURCE_PEEK_BYTES, &head, &n_head, e) < 0)
		return -1;
	if (so->is_packed_refused && frame_has_magic(head, n_head))
		return err_set(e, ERR_USAGE,
			       "%s is packed, and carries its signature itself; to sign it again, "
			       "`lkflash pack` it again",
			       where);
	if (codec_open_fitting(TAKE(in->source), 0, &in->source, e) < 0)
		return -1;
	in->has_holes = in->source->size_bytes != SIZE_UNKNOWN && is_regular_file(where);
	return 0;
}

static int load_bmap(const struct options *o, struct evidence **out, struct err *e)
{
	CLEANUP(freep) uint8_t *xml = NULL;
	struct source_options options = {.cancel = o->cancel, .tls_ca_path = o->tls_ca_path};
	struct bmap *map = NULL;
	size_t n_bytes = 0;

	if (source_load(o->bmap_where, &options, BMAP_MAX_BYTES, &xml, &n_bytes, e) < 0)
		return -1;
	if (bmap_parse(xml, n_bytes, &map, e) < 0)
		return err_wrap(e, "%s", o->bmap_where);
	return evidence_new(map, NULL, out, e);
}

/* The holes that are to be skipped: where the block map says, else the file. */
static int find_holes(const struct options *o, struct inputs *in, struct err *e)
{
	struct bmap *map = NULL;

	if (o->bmap_where)
		return load_bmap(o, &in->evidence, e);
	if (o->holes != HOLES_SKIP)
		return 0;
	if (!in->has_holes)
		return err_set(e, ERR_USAGE,
			       "--holes skip: no holes can be seen in %s; give --bmap FILE",
			       o->operands[0]);
	if (holes_map_file(o->operands[0], &map, e) < 0)
		return -1;
	return evidence_new(map, NULL, &in->evidence, e);
}

static int prepare_new_map(const struct options *o, struct inputs *in, struct err *e)
{
	if (!o->bmap_out_path || !in->has_holes)
		return 0;
	if (holes_map_file(o->operands[0], &in->new_map, e) < 0)
		return -1;
	return holes_digests_new(in->new_map, &in->digests, e);
}

static int write_map(const char *path, const struct bmap *map, struct err *e)
{
	CLEANUP(buf_release) struct buf xml = {0};

	if (bmap_format(map, &xml, e) < 0)
		return -1;
	return fdio_save(path, xml.bytes, xml.n_bytes, 0644, e);
}

/* An image whose holes cannot be seen is one range, whose digest is the image's. */
static int write_new_map(const struct options *o, const struct inputs *in, const struct survey *s,
			 struct err *e)
{
	uint64_t size_bytes = s->index->image_size_bytes;
	struct bmap_range all = {.end_bytes = size_bytes, .has_digest = true};
	struct bmap map = {.image_size_bytes = size_bytes,
			   .block_bytes = HOLES_BLOCK_BYTES,
			   .digest_kind = DIGEST_SHA256,
			   .ranges = &all,
			   .n_ranges = 1};

	if (!o->bmap_out_path)
		return 0;
	memcpy(all.digest, s->image_sha256, SHA256_BYTES);
	return write_map(o->bmap_out_path, in->new_map ? in->new_map : &map, e);
}

int survey_options_run(const struct survey_options *so, struct survey **out, struct err *e)
{
	const struct options *o = so->o;
	CLEANUP(inputs_release) struct inputs in = {0};
	CLEANUP(survey_freep) struct survey *s = NULL;
	struct survey_request r = {.are_holes_skipped = o->holes == HOLES_SKIP,
				   .store = so->store,
				   .store_context = so->store_context,
				   .name = o->operands[0],
				   .listener = so->listener,
				   .cancel = o->cancel};

	if (manifest_options_chunk_log2(o, &r.chunk_log2, e) < 0 || open_image(so, &in, e) < 0 ||
	    find_holes(o, &in, e) < 0 || prepare_new_map(o, &in, e) < 0)
		return -1;
	r.source = in.source;
	r.evidence = in.evidence;
	r.digests = in.digests;
	if (survey_run(&r, &s, e) < 0)
		return err_wrap(e, "reading %s", o->operands[0]);
	if (write_new_map(o, &in, s, e) < 0)
		return -1;
	*out = TAKE(s);
	return 0;
}
