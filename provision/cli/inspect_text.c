/* A manifest for people and for programs. See inspect_text.h. */
#include "provision/cli/inspect_text.h"

#include <inttypes.h>
#include <time.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/json.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"

enum { HEX_BYTES = 2 * SHA256_BYTES + 1, N_KINDS = CHUNK_SKIP + 1 };

static void count_kinds(const struct index *x, uint64_t counts[N_KINDS])
{
	for (uint64_t i = 0; i < x->n_chunks; i++)
		counts[x->entries[i].kind]++;
}

static const char *codec_words(enum chunk_codec codec)
{
	switch (codec) {
	case CHUNK_CODEC_STORED:
		return "stored in this file";
	case CHUNK_CODEC_ZSTD:
		return "packed in this file";
	case CHUNK_CODEC_STREAM:
		return "beside this file";
	}
	return "unknown";
}

/* ---- For people ---- */

static void put_size(struct buf *out, uint64_t size_bytes)
{
	char text[UNITS_TEXT_BYTES];

	buf_printf(out, "%" PRIu64 " bytes (%s)", size_bytes, units_format_bytes(size_bytes, text));
}

static void put_time(const struct manifest *m, struct buf *out)
{
	time_t time_s = (time_t)m->build_time_s;
	char text[64] = "";
	struct tm parts;

	if (m->build_time_s == 0)
		return;
	if (gmtime_r(&time_s, &parts))
		(void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
	buf_printf(out, "built       %s\n", text);
}

static void put_labels(const struct manifest *m, struct buf *out)
{
	buf_printf(out, "image       %s %s\nboards     ", m->name, m->version);
	for (size_t i = 0; i < m->n_boards; i++)
		buf_printf(out, " %s", m->boards[i]);
	buf_append_text(out, "\n");
	put_time(m, out);
	if (m->rollback_group[0] != '\0')
		buf_printf(out, "rollback    security version %" PRIu64 " of %s\n",
			   m->security_version, m->rollback_group);
}

static void put_content(const struct inspection *in, struct buf *out)
{
	const struct manifest *m = in->manifest;
	uint64_t counts[N_KINDS] = {0};
	char text[UNITS_TEXT_BYTES];
	char hex[HEX_BYTES];

	count_kinds(in->index, counts);
	buf_append_text(out, "size        ");
	put_size(out, m->image_size_bytes);
	buf_printf(out, "\nsha256      %s\nsectors     %u bytes\n",
		   format_hex(m->image_sha256, SHA256_BYTES, hex), m->sector_bytes);
	buf_printf(out,
		   "chunks      %" PRIu64 " of %s, %s: %" PRIu64 " data, %" PRIu64 " zero, %" PRIu64
		   " not to be written\n",
		   in->index->n_chunks,
		   units_format_bytes(UINT64_C(1) << in->index->chunk_log2, text),
		   codec_words(in->index->codec), counts[CHUNK_DATA], counts[CHUNK_ZERO],
		   counts[CHUNK_SKIP]);
}

static void put_partitions(const struct manifest *m, struct buf *out)
{
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct manifest_partition *p = &m->partitions[i];
		buf_printf(out, "%s%s, ", i == 0 ? "partitions  " : "            ", p->name);
		put_size(out, p->size_bytes);
		buf_printf(out, " at byte %" PRIu64 "%s%s\n", p->start_bytes,
			   p->slot[0] != '\0' ? ", slot " : "", p->slot);
	}
}

static void put_signature(const struct inspection *in, struct buf *out)
{
	const struct trust_verdict *v = in->verdict;

	if (!v) {
		buf_append_text(out, "signature   not checked; use `lkflash verify`, or give "
				     "--trust FILE\n");
		return;
	}
	for (size_t i = 0; i < v->n_signers; i++) {
		buf_append_text(out, i == 0 ? "signature   trusted, by " : "            and by ");
		buf_append_clean(out, v->signers[i]);
		buf_append_text(out, "\n");
	}
}

void inspect_put_text(const struct inspection *in, struct buf *out)
{
	put_labels(in->manifest, out);
	put_content(in, out);
	put_partitions(in->manifest, out);
	put_signature(in, out);
}

/* ---- For programs ---- */

static void put_chunks(const struct index *x, struct buf *out)
{
	uint64_t counts[N_KINDS] = {0};

	count_kinds(x, counts);
	json_open(out, "chunks", '{');
	json_u64(out, "count", x->n_chunks);
	json_u64(out, "size_bytes", UINT64_C(1) << x->chunk_log2);
	json_bool(out, "packed", x->codec != CHUNK_CODEC_STREAM);
	json_u64(out, "data", counts[CHUNK_DATA]);
	json_u64(out, "zero", counts[CHUNK_ZERO]);
	json_u64(out, "skip", counts[CHUNK_SKIP]);
	json_close(out, '}');
}

int inspect_put_json(const struct inspection *in, struct buf *out, struct err *e)
{
	CLEANUP(buf_release) struct buf manifest = {0};

	if (manifest_format(in->manifest, &manifest, e) < 0)
		return -1;
	json_open(out, NULL, '{');
	json_text(out, "event", "inspect");
	json_text(out, "file", in->path);
	json_text(out, "signature", in->verdict ? "trusted" : "not checked");
	json_open(out, "signers", '[');
	for (size_t i = 0; in->verdict && i < in->verdict->n_signers; i++)
		json_text(out, NULL, in->verdict->signers[i]);
	json_close(out, ']');
	put_chunks(in->index, out);
	buf_append_text(out, ",\"manifest\":");
	buf_append(out, manifest.bytes, manifest.n_bytes);
	json_close(out, '}');
	buf_append_text(out, "\n");
	return buf_check(out, e);
}
