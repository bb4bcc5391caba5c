/* What a power cut can leave of a write whose journal fuse_disk.c kept.
 *
 *	power_cut check JOURNAL BEFORE AFTER SECTOR
 *
 * holds each medium that a cut at any moment can leave against what a cut may leave, and prints
 * how many there were. Those that may not be are told on standard error; the status is 1 then.
 *
 *	power_cut make JOURNAL BEFORE N all|none|odd MEDIUM
 *
 * makes the medium as a cut after N lines of the journal leaves it, when all, none or every second
 * one of the writes survive that were not flushed.
 *
 *	power_cut repeats JOURNAL BEFORE FROM
 *
 * prints how many bytes were written, from byte FROM on, that were there already.
 *
 * BEFORE and AFTER are what was on the medium. A write survives a cut once a flush came after it;
 * each other one may or may not, by itself. Of those at the start of the medium single sectors, of
 * SECTOR bytes, may survive, too.
 *
 * A cut may leave the medium as it is AFTER; or with zeros in its first sector and nothing that
 * libblkid finds but what is there AFTER; or, before the first flush, as it was BEFORE with some
 * zeros. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"
#include "flash/disk/probe.h"

enum {
	N_ENTRIES_MAX = 4096,
	FILE_BYTES_MAX = 64 << 20,
	TORN_BYTES = 1 << 16, /* a write that starts before it can survive in part */
	PAGE_BYTES = 4096,
	N_BAD_SHOWN = 5,
	N_EVERY_SUBSET = 8, /* of so many unflushed writes every subset is tried; of more ... */
	N_RANDOM = 16,      /* ... so many at random, beside each alone and all but each */
};

struct entry {
	bool is_flush;
	uint64_t offset_bytes;
	uint64_t size_bytes;
	const uint8_t *bytes; /* borrowed; NULL: zeros */
};

struct replay {
	struct entry entries[N_ENTRIES_MAX];
	size_t n_entries;
	uint8_t *data;    /* owned; what was written */
	uint8_t *flushed; /* owned; what is on the medium for sure */
	uint8_t *before;  /* owned */
	uint8_t *after;   /* owned; NULL where none is needed */
	uint8_t *medium;  /* owned, mapped; the same with what survived */
	size_t size_bytes;
	uint64_t sector_bytes;
	int fd; /* owned; of medium */
	size_t n_flushes;
	uint64_t random;
	unsigned long n_media, n_bad;
};

static void replay_release(struct replay *p)
{
	free(p->data);
	free(p->flushed);
	free(p->before);
	free(p->after);
	if (p->medium && p->medium != MAP_FAILED)
		(void)munmap(p->medium, p->size_bytes);
	closep(&p->fd);
}

/* ---- Reading -----------------------------------------------------------------------------------
 */

/* One line of the journal; *at is where its bytes are in data. */
static int parse_line(struct replay *p, char *line, size_t n_data_bytes, size_t *at, struct err *e)
{
	struct entry *x = &p->entries[p->n_entries];
	const char *kind = strsep(&line, " ");
	const char *offset = strsep(&line, " ");
	bool is_write = strcmp(kind, "write") == 0;
	bool is_good = p->n_entries < N_ENTRIES_MAX;

	x->is_flush = strcmp(kind, "flush") == 0;
	if (!x->is_flush)
		is_good = is_good && offset && line && parse_u64(offset, &x->offset_bytes) &&
			  parse_u64(line, &x->size_bytes) && x->offset_bytes <= p->size_bytes &&
			  x->size_bytes <= p->size_bytes - x->offset_bytes &&
			  (!is_write || x->size_bytes <= n_data_bytes - *at);
	if (!is_good)
		return err_set(e, ERR_USAGE, "line %zu of the journal is not one",
			       p->n_entries + 1);
	if (is_write) {
		x->bytes = p->data + *at;
		*at += (size_t)x->size_bytes;
	}
	p->n_entries++;
	return 0;
}

static int load_journal(struct replay *p, const char *path, struct err *e)
{
	CLEANUP(freep) uint8_t *text = NULL;
	CLEANUP(freep) char *data_path = NULL;
	size_t n_bytes = 0;
	size_t n_data_bytes = 0;
	size_t at = 0;

	if (asprintf(&data_path, "%s.data", path) < 0)
		return err_errno(e, "%s", path);
	if (fdio_load(path, FILE_BYTES_MAX, &text, &n_bytes, e) < 0 ||
	    fdio_load(data_path, FILE_BYTES_MAX, &p->data, &n_data_bytes, e) < 0)
		return -1;
	for (char *rest = (char *)text; rest && *rest;)
		if (parse_line(p, strsep(&rest, "\n"), n_data_bytes, &at, e) < 0)
			return -1;
	return 0;
}

static int load_media(struct replay *p, const char *before, const char *after, struct err *e)
{
	size_t n_bytes = 0;

	if (fdio_load(before, FILE_BYTES_MAX, &p->before, &p->size_bytes, e) < 0 ||
	    fdio_load(before, FILE_BYTES_MAX, &p->flushed, &p->size_bytes, e) < 0)
		return -1;
	if (after && fdio_load(after, FILE_BYTES_MAX, &p->after, &n_bytes, e) < 0)
		return -1;
	if (after && n_bytes != p->size_bytes)
		return err_set(e, ERR_USAGE, "%s and %s differ in size", before, after);
	return 0;
}

static int map_medium(struct replay *p, const char *path, struct err *e)
{
	p->fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)
		     : memfd_create("medium", MFD_CLOEXEC);
	if (p->fd < 0 || ftruncate(p->fd, (off_t)p->size_bytes) < 0)
		return err_errno(e, "making a medium");
	p->medium = mmap(NULL, p->size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (p->medium == MAP_FAILED)
		return err_errno(e, "mapping a medium");
	memcpy(p->medium, p->flushed, p->size_bytes);
	return 0;
}

/* ---- Judging a medium --------------------------------------------------------------------------
 */

/* n bytes of x from its byte i on. */
static void put(uint8_t *medium, const struct entry *x, uint64_t i, uint64_t n)
{
	if (x->is_flush || n == 0)
		return;
	if (x->bytes)
		memcpy(medium + x->offset_bytes + i, x->bytes + i, (size_t)n);
	else
		memset(medium + x->offset_bytes + i, 0, (size_t)n);
}

static bool is_wiped_only(const struct replay *p)
{
	for (size_t i = 0; i < p->size_bytes; i++)
		if (p->medium[i] != 0 && p->medium[i] != p->before[i])
			return false;
	return true;
}

/* Does libblkid find nothing there that is not of the image? The backup of its table may be there,
 * which nothing looks for as long as the first sector is empty (UEFI 2.10, 5.2.3). */
static int find_nothing_old(const struct replay *p, bool *out, struct err *e)
{
	struct signatures found = {0};
	bool is_new = true;

	if (probe_signatures(p->fd, p->size_bytes, (uint32_t)p->sector_bytes, &found, e) < 0)
		return -1;
	for (size_t i = 0; i < found.n_items; i++) {
		uint64_t at = align_down(found.items[i].offset_bytes, p->sector_bytes);
		is_new = is_new && at > 0 &&
			 memcmp(p->medium + at, p->after + at, (size_t)p->sector_bytes) == 0;
	}
	signatures_release(&found);
	*out = is_new;
	return 0;
}

static int judge(struct replay *p, size_t n_lines, const char *how, struct err *e)
{
	bool is_good = false;

	p->n_media++;
	if (bytes_are_zero(p->medium, (size_t)p->sector_bytes) &&
	    find_nothing_old(p, &is_good, e) < 0)
		return -1;
	is_good = is_good || memcmp(p->medium, p->after, p->size_bytes) == 0 ||
		  (p->n_flushes == 0 && is_wiped_only(p));
	if (is_good)
		return 0;
	if (p->n_bad++ < N_BAD_SHOWN)
		(void)fprintf(stderr, "after %zu lines, %s: the medium may not be so\n", n_lines,
			      how);
	return 0;
}

/* ---- Losing writes -----------------------------------------------------------------------------
 */

enum loss { LOSS_SUBSET, LOSS_ALONE, LOSS_ONE, LOSS_RANDOM };

static uint64_t next_random(struct replay *p)
{
	p->random ^= p->random << 13; /* xorshift64, Marsaglia 2003 */
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random;
}

/* Does write i of the unflushed ones survive? The last one always does: without it, the medium is
 * one of those of the cut before. */
static bool survives(struct replay *p, enum loss loss, size_t which, size_t i)
{
	switch (loss) {
	case LOSS_SUBSET:
		return which >> i & 1;
	case LOSS_ALONE:
		return false;
	case LOSS_ONE:
		return i != which;
	case LOSS_RANDOM:
		break;
	}
	return next_random(p) & 1;
}

/* Judge the medium with what survives of the writes [from, to). */
static int lose(struct replay *p, size_t from, size_t to, enum loss loss, size_t which,
		struct err *e)
{
	static const char *const names[] = {"a subset", "the last alone", "one lost",
					    "a random subset"};

	for (size_t i = from; i < to; i++)
		if (i + 1 == to || survives(p, loss, which, i - from))
			put(p->medium, &p->entries[i], 0, p->entries[i].size_bytes);
	if (judge(p, to, names[loss], e) < 0)
		return -1;
	for (size_t i = from; i < to; i++)
		memcpy(p->medium + p->entries[i].offset_bytes,
		       p->flushed + p->entries[i].offset_bytes, (size_t)p->entries[i].size_bytes);
	return 0;
}

static int lose_some(struct replay *p, size_t from, size_t to, enum loss loss, size_t n,
		     struct err *e)
{
	for (size_t which = 0; which < n; which++)
		if (lose(p, from, to, loss, which, e) < 0)
			return -1;
	return 0;
}

/* Every legal loss of the writes [from, to) that needs the last one. */
static int lose_all_ways(struct replay *p, size_t from, size_t to, struct err *e)
{
	size_t n_others = to - from - 1;

	if (n_others < N_EVERY_SUBSET)
		return lose_some(p, from, to, LOSS_SUBSET, (size_t)1 << n_others, e);
	if (lose_some(p, from, to, LOSS_ALONE, 1, e) < 0 ||
	    lose_some(p, from, to, LOSS_ONE, n_others + 1, e) < 0)
		return -1;
	return lose_some(p, from, to, LOSS_RANDOM, N_RANDOM, e);
}

/* Judge the medium with those pieces of write i whose bit is set. */
static int tear(struct replay *p, size_t i, uint64_t pieces, uint64_t piece_bytes, struct err *e)
{
	const struct entry *x = &p->entries[i];

	for (uint64_t at = 0; at < x->size_bytes; at += piece_bytes)
		if (pieces >> (at / piece_bytes) & 1)
			put(p->medium, x, at, min_u64(piece_bytes, x->size_bytes - at));
	if (judge(p, i + 1, "the last torn", e) < 0)
		return -1;
	memcpy(p->medium + x->offset_bytes, p->flushed + x->offset_bytes, (size_t)x->size_bytes);
	return 0;
}

/* Of a small write any sectors may survive, of a large one all up to a page or from one on. */
static int tear_all_ways(struct replay *p, size_t i, struct err *e)
{
	const struct entry *x = &p->entries[i];
	uint64_t n_sectors = x->size_bytes / p->sector_bytes;
	uint64_t n_pages = x->size_bytes / PAGE_BYTES;

	if (x->offset_bytes >= TORN_BYTES || n_pages > 64)
		return 0;
	if (n_sectors <= 8) {
		for (uint64_t pieces = 0; pieces < (uint64_t)1 << n_sectors; pieces++)
			if (tear(p, i, pieces, p->sector_bytes, e) < 0)
				return -1;
		return 0;
	}
	for (uint64_t n = 1; n < n_pages; n++)
		if (tear(p, i, ((uint64_t)1 << n) - 1, PAGE_BYTES, e) < 0 ||
		    tear(p, i, ~(uint64_t)0 << n, PAGE_BYTES, e) < 0)
			return -1;
	return 0;
}

/* ---- Commands ----------------------------------------------------------------------------------
 */

static void flush(struct replay *p, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		put(p->flushed, &p->entries[i], 0, p->entries[i].size_bytes);
		put(p->medium, &p->entries[i], 0, p->entries[i].size_bytes);
	}
	p->n_flushes += from < to;
}

static int check(struct replay *p, const char *sector_text, struct err *e)
{
	size_t from = 0;

	if (!parse_size(sector_text, &p->sector_bytes) || p->sector_bytes == 0)
		return err_set(e, ERR_USAGE, "%s is no size of a sector", sector_text);
	if (map_medium(p, NULL, e) < 0)
		return -1;
	for (size_t i = 0; i < p->n_entries; i++) {
		if (p->entries[i].is_flush) {
			flush(p, from, i);
			from = i + 1;
			if (judge(p, i + 1, "flushed", e) < 0)
				return -1;
		} else if (lose_all_ways(p, from, i + 1, e) < 0 || tear_all_ways(p, i, e) < 0) {
			return -1;
		}
	}
	printf("%lu\n", p->n_media);
	return p->n_bad ? err_set(e, ERR_IO, "%lu media may not be as they are", p->n_bad) : 0;
}

/* argv: N, all|none|odd, MEDIUM. */
static int make(struct replay *p, char **argv, struct err *e)
{
	uint64_t n_lines = 0;
	size_t from = 0;
	size_t step = strcmp(argv[1], "odd") == 0 ? 2 : 1;

	if (!parse_u64(argv[0], &n_lines) || n_lines > p->n_entries)
		return err_set(e, ERR_USAGE, "the journal has %zu lines", p->n_entries);
	if (map_medium(p, argv[2], e) < 0)
		return -1;
	for (size_t i = 0; i < n_lines; i++) {
		if (!p->entries[i].is_flush)
			continue;
		flush(p, from, i);
		from = i + 1;
	}
	for (size_t i = from; i < n_lines && strcmp(argv[1], "none") != 0; i += step)
		put(p->medium, &p->entries[i], 0, p->entries[i].size_bytes);
	return 0;
}

static int repeats(struct replay *p, const char *from_text, struct err *e)
{
	uint64_t from_bytes = 0;
	uint64_t n_repeated = 0;

	if (!parse_u64(from_text, &from_bytes))
		return err_set(e, ERR_USAGE, "%s is no number", from_text);
	if (map_medium(p, NULL, e) < 0)
		return -1;
	for (size_t i = 0; i < p->n_entries; i++) {
		const struct entry *x = &p->entries[i];
		put(p->medium, x, 0, x->size_bytes);
		if (x->offset_bytes >= from_bytes &&
		    memcmp(p->medium + x->offset_bytes, p->before + x->offset_bytes,
			   (size_t)x->size_bytes) == 0)
			n_repeated += x->size_bytes;
	}
	printf("%llu\n", (unsigned long long)n_repeated);
	return 0;
}

static int run(struct replay *p, int argc, char **argv, struct err *e)
{
	bool is_check = argc == 6 && strcmp(argv[1], "check") == 0;
	bool is_make = argc == 7 && strcmp(argv[1], "make") == 0;
	bool is_repeats = argc == 5 && strcmp(argv[1], "repeats") == 0;

	if (!is_check && !is_make && !is_repeats)
		return err_set(e, ERR_USAGE, "usage: see tests/lib/power_cut.c");
	if (load_media(p, argv[3], is_check ? argv[4] : NULL, e) < 0 ||
	    load_journal(p, argv[2], e) < 0)
		return -1;
	if (is_check)
		return check(p, argv[5], e);
	return is_make ? make(p, argv + 4, e) : repeats(p, argv[4], e);
}

int main(int argc, char **argv)
{
	CLEANUP(freep) struct replay *p = calloc(1, sizeof *p);
	struct err e = {0};

	if (!p)
		return ERR_IO;
	p->fd = -1;
	p->random = 0x9e3779b97f4a7c15; /* any number but 0; fixed, so that each run is the same */
	int result = run(p, argc, argv, &e);
	replay_release(p);
	if (result == 0)
		return 0;
	(void)fprintf(stderr, "power_cut: %s\n", e.text);
	return (int)e.code;
}
