/* Block maps, to XML of version 2.0. See bmap.h. */
#include <inttypes.h>
#include <string.h>

#include "flash/base/parse.h"
#include "flash/image/bmap.h"

enum { DIGITS = 2 * SHA256_BYTES };

static uint64_t blocks_up_to(const struct bmap *b, uint64_t end_bytes)
{
	return end_bytes / b->block_bytes + (end_bytes % b->block_bytes != 0);
}

static int check_range(const struct bmap *b, const struct bmap_range *r, struct err *e)
{
	if (r->start_bytes % b->block_bytes != 0 ||
	    (r->end_bytes % b->block_bytes != 0 && r->end_bytes != b->image_size_bytes))
		return err_set(e, ERR_USAGE, "range %llu-%llu is not made of blocks of %u bytes",
			       (unsigned long long)r->start_bytes, (unsigned long long)r->end_bytes,
			       b->block_bytes);
	if (r->has_digest && b->digest_kind != DIGEST_SHA256)
		return err_set(e, ERR_USAGE, "block maps are written with SHA-256 only");
	return 0;
}

static void format_range(const struct bmap *b, const struct bmap_range *r, struct buf *out)
{
	uint64_t first = r->start_bytes / b->block_bytes;
	uint64_t last = blocks_up_to(b, r->end_bytes) - 1;

	buf_append_text(out, "        <Range");
	if (r->has_digest) {
		char hex[DIGITS + 1];
		buf_printf(out, " chksum=\"%s\"", format_hex(r->digest, SHA256_BYTES, hex));
	}
	if (first == last)
		buf_printf(out, "> %" PRIu64 " </Range>\n", first);
	else
		buf_printf(out, "> %" PRIu64 "-%" PRIu64 " </Range>\n", first, last);
}

static void format_sizes(const struct bmap *b, uint64_t n_mapped, struct buf *out)
{
	buf_printf(out,
		   "<?xml version=\"1.0\" ?>\n"
		   "<bmap version=\"2.0\">\n"
		   "    <ImageSize> %" PRIu64 " </ImageSize>\n"
		   "    <BlockSize> %u </BlockSize>\n"
		   "    <BlocksCount> %" PRIu64 " </BlocksCount>\n"
		   "    <MappedBlocksCount> %" PRIu64 " </MappedBlocksCount>\n"
		   "    <ChecksumType> sha256 </ChecksumType>\n"
		   "    <BmapFileChecksum> ",
		   b->image_size_bytes, b->block_bytes, blocks_up_to(b, b->image_size_bytes),
		   n_mapped);
}

int bmap_format(const struct bmap *b, struct buf *out, struct err *e)
{
	size_t start = out->n_bytes;
	uint64_t n_mapped = 0;
	char hex[DIGITS + 1];
	uint8_t digest[SHA256_BYTES];

	for (size_t i = 0; i < b->n_ranges; i++) {
		const struct bmap_range *r = &b->ranges[i];
		if (check_range(b, r, e) < 0)
			return -1;
		n_mapped += blocks_up_to(b, r->end_bytes) - r->start_bytes / b->block_bytes;
	}
	format_sizes(b, n_mapped, out);
	size_t checksum_at = out->n_bytes;
	/* The checksum is taken with zeros in its place. */
	memset(hex, '0', DIGITS);
	hex[DIGITS] = '\0';
	buf_printf(out, "%s </BmapFileChecksum>\n    <BlockMap>\n", hex);
	for (size_t i = 0; i < b->n_ranges; i++)
		format_range(b, &b->ranges[i], out);
	buf_append_text(out, "    </BlockMap>\n</bmap>\n");
	if (buf_check(out, e) < 0 ||
	    digest_sha256(out->bytes + start, out->n_bytes - start, digest, e) < 0)
		return -1;
	memcpy(out->bytes + checksum_at, format_hex(digest, SHA256_BYTES, hex), DIGITS);
	return 0;
}
