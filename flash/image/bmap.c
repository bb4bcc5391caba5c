/* Block maps, from XML. See bmap.h.
 *
 * What the versions differ in: 1.2 has no checksums that count (its "sha1" attributes were never
 * checked by anyone); 1.3 has SHA-1 of the file and of each range; 1.4 and 2.x are the same and
 * name the kind of digest. A file's own digest is taken with zeros in its place. */
#include "flash/image/bmap.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"

enum {
	TEXT_MAX_BYTES = 512, /* the longest value is a digest of 128 digits, and blanks */
	BLOCK_MIN_BYTES = 512,
	BLOCK_MAX_BYTES = 1 << 26,
};

enum element {
	IMAGE_SIZE,
	BLOCK_SIZE,
	BLOCKS_COUNT,
	MAPPED_BLOCKS_COUNT,
	CHECKSUM_TYPE,
	FILE_CHECKSUM,
	FILE_SHA1,
	BLOCK_MAP,
	N_CHILDREN, /* of the root */
	RANGE = N_CHILDREN,
	ROOT,
	NO_ELEMENT,
};

static const char *const child_names[N_CHILDREN] = {
	[IMAGE_SIZE] = "ImageSize",       [BLOCK_SIZE] = "BlockSize",
	[BLOCKS_COUNT] = "BlocksCount",   [MAPPED_BLOCKS_COUNT] = "MappedBlocksCount",
	[CHECKSUM_TYPE] = "ChecksumType", [FILE_CHECKSUM] = "BmapFileChecksum",
	[FILE_SHA1] = "BmapFileSHA1",     [BLOCK_MAP] = "BlockMap",
};

enum dialect {
	DIALECT_1_2,
	DIALECT_1_3,
	DIALECT_2_0,
};

struct parser {
	XML_Parser xml; /* owned by whoever made the parser */
	struct bmap *b; /* borrowed */
	struct err *e;  /* borrowed */
	bool is_failed;
	enum dialect dialect;
	enum element inside; /* the innermost open element */
	bool is_seen[N_CHILDREN];
	uint64_t n_blocks;
	uint64_t n_mapped_wanted; /* as the file says */
	uint64_t n_mapped;        /* as its ranges say */
	uint64_t next_block;      /* behind the last range */
	size_t ranges_capacity;
	char checksum[TEXT_MAX_BYTES + 1]; /* the file's own, as written */
	char text[TEXT_MAX_BYTES + 1];     /* of the innermost open element */
	size_t n_text;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- Opening elements ---- */

static int open_root(struct parser *p, const char *name, const char **attributes)
{
	const char *version = NULL;

	if (strcmp(name, "bmap") != 0)
		return err_set(p->e, ERR_UNTRUSTED, "not a block map");
	for (; *attributes; attributes += 2)
		if (strcmp(attributes[0], "version") == 0)
			version = attributes[1];
	if (!version)
		return err_set(p->e, ERR_UNTRUSTED, "block map without a version");
	if (strcmp(version, "1.2") == 0)
		p->dialect = DIALECT_1_2;
	else if (strcmp(version, "1.3") == 0)
		p->dialect = DIALECT_1_3;
	else if (strcmp(version, "1.4") == 0 || strncmp(version, "2.", 2) == 0)
		p->dialect = DIALECT_2_0;
	else
		return err_set(p->e, ERR_UNTRUSTED,
			       "block map of version %.16s; this program reads 1.2 to 2.x",
			       version);
	p->inside = ROOT;
	return 0;
}

static bool is_child_allowed(enum dialect dialect, enum element child)
{
	if (child == CHECKSUM_TYPE || child == FILE_CHECKSUM)
		return dialect == DIALECT_2_0;
	return child != FILE_SHA1 || dialect == DIALECT_1_3;
}

/* What the ranges are checked against must come before them. */
static int begin_ranges(struct parser *p)
{
	if (!p->is_seen[IMAGE_SIZE] || !p->is_seen[BLOCK_SIZE] || !p->is_seen[BLOCKS_COUNT] ||
	    (p->dialect == DIALECT_2_0 && !p->is_seen[CHECKSUM_TYPE]))
		return err_set(p->e, ERR_UNTRUSTED,
			       "block map whose ranges come before its sizes and checksum type");
	uint64_t size_bytes = p->b->image_size_bytes;
	uint64_t n_blocks = size_bytes / p->b->block_bytes + (size_bytes % p->b->block_bytes != 0);
	if (p->n_blocks != n_blocks)
		return err_set(p->e, ERR_UNTRUSTED, "block map with %llu blocks for %llu bytes",
			       (unsigned long long)p->n_blocks, (unsigned long long)size_bytes);
	return 0;
}

static int open_child(struct parser *p, const char *name)
{
	enum element child = 0;

	while (child < N_CHILDREN && strcmp(name, child_names[child]) != 0)
		child++;
	if (child == N_CHILDREN || !is_child_allowed(p->dialect, child))
		return err_set(p->e, ERR_UNTRUSTED, "block map with an unknown element %.64s",
			       name);
	if (p->is_seen[child])
		return err_set(p->e, ERR_UNTRUSTED, "block map with two elements %s", name);
	p->is_seen[child] = true;
	p->inside = child;
	return child == BLOCK_MAP ? begin_ranges(p) : 0;
}

static int take_digest(struct parser *p, struct bmap_range *r, const char *name, const char *value)
{
	const char *wanted = p->dialect == DIALECT_2_0 ? "chksum" : "sha1";

	if (strcmp(name, wanted) != 0)
		return err_set(p->e, ERR_UNTRUSTED, "range with an unknown attribute %.64s", name);
	if (p->dialect == DIALECT_1_2)
		return 0;
	if (!parse_hex(value, r->digest, digest_size_bytes(p->b->digest_kind)))
		return err_set(p->e, ERR_UNTRUSTED, "range with a bad checksum %.64s", value);
	r->has_digest = true;
	return 0;
}

static int open_range(struct parser *p, const char *name, const char **attributes)
{
	struct bmap *b = p->b;

	if (strcmp(name, "Range") != 0)
		return err_set(p->e, ERR_UNTRUSTED, "block map with an unknown element %.64s",
			       name);
	if (b->n_ranges == p->ranges_capacity) {
		size_t capacity = p->ranges_capacity ? 2 * p->ranges_capacity : 64;
		struct bmap_range *grown = reallocarray(b->ranges, capacity, sizeof *grown);
		if (!grown)
			return err_errno(p->e, "reading a block map");
		b->ranges = grown;
		p->ranges_capacity = capacity;
	}
	b->ranges[b->n_ranges] = (struct bmap_range){0};
	for (; *attributes; attributes += 2)
		if (take_digest(p, &b->ranges[b->n_ranges], attributes[0], attributes[1]) < 0)
			return -1;
	p->inside = RANGE;
	return 0;
}

static int open_element(struct parser *p, const char *name, const char **attributes)
{
	p->n_text = 0;
	if (p->inside == NO_ELEMENT)
		return open_root(p, name, attributes);
	if (p->inside == ROOT)
		return open_child(p, name);
	if (p->inside == BLOCK_MAP)
		return open_range(p, name, attributes);
	return err_set(p->e, ERR_UNTRUSTED, "block map with an element %.64s inside a value", name);
}

/* ---- Text and closing elements ---- */

static int take_text(struct parser *p, const char *text, size_t n_bytes)
{
	bool is_between_elements = p->inside == ROOT || p->inside == BLOCK_MAP;

	for (size_t i = 0; i < n_bytes; i++) {
		if (p->n_text == 0 && is_blank(text[i]))
			continue;
		if (is_between_elements || p->n_text == TEXT_MAX_BYTES)
			return err_set(p->e, ERR_UNTRUSTED, "block map with text out of place");
		p->text[p->n_text++] = text[i];
	}
	return 0;
}

static int finish_range(struct parser *p)
{
	struct bmap *b = p->b;
	struct bmap_range *r = &b->ranges[b->n_ranges];
	char *dash = strchr(p->text, '-');
	uint64_t first = 0;
	uint64_t last = 0;

	if (dash)
		*dash = '\0';
	if (!parse_u64(p->text, &first) || !parse_u64(dash ? dash + 1 : p->text, &last))
		return err_set(p->e, ERR_UNTRUSTED, "range %zu of the block map is no range",
			       b->n_ranges);
	if (first < p->next_block || last < first || last >= p->n_blocks)
		return err_set(p->e, ERR_UNTRUSTED,
			       "range %llu-%llu of the block map overlaps another, is out of "
			       "order or passes the end",
			       (unsigned long long)first, (unsigned long long)last);
	p->next_block = last + 1;
	p->n_mapped += last - first + 1;
	/* Neither product passes the image's size by a block or more: last is below n_blocks. */
	r->start_bytes = first * b->block_bytes;
	r->end_bytes = b->image_size_bytes;
	if (last + 1 < p->n_blocks)
		r->end_bytes = (last + 1) * b->block_bytes;
	b->n_ranges++;
	return 0;
}

static int take_number(struct parser *p, uint64_t *out)
{
	if (!parse_u64(p->text, out))
		return err_set(p->e, ERR_UNTRUSTED, "block map with a bad %s \"%.32s\"",
			       child_names[p->inside], p->text);
	return 0;
}

static int take_image_size(struct parser *p)
{
	if (take_number(p, &p->b->image_size_bytes) < 0)
		return -1;
	if (p->b->image_size_bytes == 0)
		return err_set(p->e, ERR_UNTRUSTED, "block map of an empty image");
	return 0;
}

static int take_block_size(struct parser *p)
{
	uint64_t block_bytes = 0;

	if (take_number(p, &block_bytes) < 0)
		return -1;
	if (block_bytes < BLOCK_MIN_BYTES || block_bytes > BLOCK_MAX_BYTES ||
	    (block_bytes & (block_bytes - 1)) != 0)
		return err_set(p->e, ERR_UNTRUSTED, "block map with blocks of %llu bytes",
			       (unsigned long long)block_bytes);
	p->b->block_bytes = (uint32_t)block_bytes;
	return 0;
}

static int take_checksum_type(struct parser *p)
{
	if (digest_by_name(p->text, &p->b->digest_kind, p->e) < 0) {
		p->e->code = ERR_UNTRUSTED;
		return err_wrap(p->e, "block map with an unknown checksum type");
	}
	return 0;
}

static int close_element(struct parser *p)
{
	enum element closed = p->inside;

	while (p->n_text > 0 && is_blank(p->text[p->n_text - 1]))
		p->n_text--;
	p->text[p->n_text] = '\0';
	switch (closed) {
	case IMAGE_SIZE:
		return take_image_size(p);
	case BLOCK_SIZE:
		return take_block_size(p);
	case BLOCKS_COUNT:
		return take_number(p, &p->n_blocks);
	case MAPPED_BLOCKS_COUNT:
		return take_number(p, &p->n_mapped_wanted);
	case CHECKSUM_TYPE:
		return take_checksum_type(p);
	case FILE_CHECKSUM:
	case FILE_SHA1:
		memcpy(p->checksum, p->text, p->n_text + 1);
		return 0;
	case RANGE:
		return finish_range(p);
	case BLOCK_MAP:
	case ROOT:
	case NO_ELEMENT:
		return 0;
	}
	return 0;
}

static enum element outer(enum element closed)
{
	if (closed == RANGE)
		return BLOCK_MAP;
	return closed < N_CHILDREN ? ROOT : NO_ELEMENT;
}

/* ---- What expat calls ---- */

static void fail(struct parser *p)
{
	p->is_failed = true;
	(void)XML_StopParser(p->xml, XML_FALSE);
}

static void XMLCALL on_open(void *user, const char *name, const char **attributes)
{
	struct parser *p = user;

	if (!p->is_failed && open_element(p, name, attributes) < 0)
		fail(p);
}

static void XMLCALL on_close(void *user, const char *name)
{
	struct parser *p = user;

	(void)name; /* expat has held it against the opening one */
	if (!p->is_failed && close_element(p) < 0)
		fail(p);
	p->inside = outer(p->inside);
	p->n_text = 0;
}

static void XMLCALL on_text(void *user, const char *text, int n_bytes)
{
	struct parser *p = user;

	if (!p->is_failed && take_text(p, text, (size_t)n_bytes) < 0)
		fail(p);
}

/* Entities can only be declared in a document type, and a few lines of them can ask for gigabytes.
 */
static void XMLCALL on_doctype(void *user, const char *name, const char *system_id,
			       const char *public_id, int has_internal_subset)
{
	struct parser *p = user;

	(void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
	if (!p->is_failed)
		(void)err_set(p->e, ERR_UNTRUSTED, "block map with a document type");
	fail(p);
}

static void free_xmlp(XML_Parser *xml)
{
	if (*xml)
		XML_ParserFree(*xml);
}

static int parse_xml(struct parser *p, const char *xml, size_t xml_bytes)
{
	CLEANUP(free_xmlp) XML_Parser parser = XML_ParserCreate("UTF-8");

	if (!parser)
		return err_set(p->e, ERR_IO, "out of memory");
	p->xml = parser;
	XML_SetUserData(parser, p);
	XML_SetElementHandler(parser, on_open, on_close);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	if (XML_Parse(parser, xml, (int)xml_bytes, 1) == XML_STATUS_OK && !p->is_failed)
		return 0;
	if (!p->is_failed)
		(void)err_set(p->e, ERR_UNTRUSTED, "not XML: %s",
			      XML_ErrorString(XML_GetErrorCode(parser)));
	return err_wrap(p->e, "line %lu", (unsigned long)XML_GetCurrentLineNumber(parser));
}

/* ---- The whole file ---- */

static int digest_with_zeros(enum digest_kind kind, const char *xml, size_t xml_bytes,
			     const char *checksum, uint8_t *out, struct err *e)
{
	CLEANUP(digest_freep) struct digest *d = NULL;
	char zeros[2 * DIGEST_MAX_BYTES];
	size_t n_digits = 2 * digest_size_bytes(kind);
	const char *at = memmem(xml, xml_bytes, checksum, n_digits);

	if (!at) /* written with character references, perhaps */
		return err_set(e, ERR_UNTRUSTED, "block map whose checksum cannot be found in it");
	size_t before_bytes = (size_t)(at - xml);
	size_t after_bytes = xml_bytes - before_bytes - n_digits;
	memset(zeros, '0', sizeof zeros);
	if (digest_new(kind, &d, e) < 0 || digest_update(d, xml, before_bytes, e) < 0 ||
	    digest_update(d, zeros, n_digits, e) < 0 ||
	    digest_update(d, at + n_digits, after_bytes, e) < 0)
		return -1;
	return digest_finish(d, out, e);
}

static int check_file(const struct parser *p, const char *xml, size_t xml_bytes)
{
	enum digest_kind kind = p->b->digest_kind;
	uint8_t wanted[DIGEST_MAX_BYTES] = {0};
	uint8_t got[DIGEST_MAX_BYTES] = {0};

	if (p->dialect == DIALECT_1_2)
		return 0;
	if (!parse_hex(p->checksum, wanted, digest_size_bytes(kind)))
		return err_set(p->e, ERR_UNTRUSTED, "block map without a good checksum of itself");
	if (digest_with_zeros(kind, xml, xml_bytes, p->checksum, got, p->e) < 0)
		return -1;
	if (memcmp(wanted, got, digest_size_bytes(kind)) != 0)
		return err_set(p->e, ERR_UNTRUSTED,
			       "block map differs from its own checksum; get it again");
	return 0;
}

static int check_whole(const struct parser *p)
{
	if (!p->is_seen[BLOCK_MAP] || !p->is_seen[MAPPED_BLOCKS_COUNT])
		return err_set(
			p->e, ERR_UNTRUSTED, "block map without %s",
			child_names[p->is_seen[BLOCK_MAP] ? MAPPED_BLOCKS_COUNT : BLOCK_MAP]);
	if (p->n_mapped != p->n_mapped_wanted)
		return err_set(
			p->e, ERR_UNTRUSTED, "block map with %llu mapped blocks that says %llu",
			(unsigned long long)p->n_mapped, (unsigned long long)p->n_mapped_wanted);
	return 0;
}

int bmap_parse(const void *xml, size_t xml_bytes, struct bmap **out, struct err *e)
{
	CLEANUP(bmap_freep) struct bmap *b = calloc(1, sizeof *b);
	CLEANUP(freep) struct parser *p = calloc(1, sizeof *p);

	if (!b || !p)
		return err_errno(e, "reading a block map");
	if (xml_bytes > BMAP_MAX_BYTES)
		return err_set(e, ERR_UNTRUSTED, "block map of %zu bytes; %d are allowed",
			       xml_bytes, BMAP_MAX_BYTES);
	b->digest_kind = DIGEST_SHA1; /* what 1.3 has; 2.0 says which */
	p->b = b;
	p->e = e;
	p->inside = NO_ELEMENT;
	if (parse_xml(p, xml, xml_bytes) < 0 || check_whole(p) < 0 ||
	    check_file(p, xml, xml_bytes) < 0)
		return -1;
	*out = TAKE(b);
	return 0;
}

void bmap_free(struct bmap *b)
{
	if (!b)
		return;
	free(b->ranges);
	free(b);
}
