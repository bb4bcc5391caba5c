/* What a bad disk does wrong, told as REQUEST:FAULT[:KEY=VALUE]... in one word, for fuse_disk.c.
 *
 * REQUEST is read, write, flush or any; zeroing is a write. FAULT is one of:
 *	fail         it ends with EIO, and nothing is done
 *	drop         what is written is acknowledged and forgotten
 *	flip         the lowest bit of the byte `at` is turned, in what is read or written
 *	zeros, ones  the range is read or written as 0x00, or as 0xff
 *	hold         it is neither done nor answered for `ms`, and while the file `until` is missing
 * KEY is one of:
 *	at, size     the bytes of the disk it happens to (all); sizes as in parse.h
 *	nth, count   the nth request that touches these bytes (1), and so many from there on (all)
 *	ms, until    for hold */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "flash/base/err.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"

enum request_kind { REQUEST_READ, REQUEST_WRITE, REQUEST_ZERO, REQUEST_FLUSH };

struct request {
	enum request_kind kind;
	uint64_t offset_bytes;
	uint64_t size_bytes;
};

enum fault_kind { FAULT_FAIL, FAULT_DROP, FAULT_FLIP, FAULT_ZEROS, FAULT_ONES, FAULT_HOLD };

struct fault {
	enum fault_kind kind;
	bool on[REQUEST_FLUSH + 1];
	uint64_t at_bytes, size_bytes;
	uint64_t nth, count;
	uint64_t n_seen; /* requests that fit so far */
	uint64_t hold_ms;
	const char *until_path; /* borrowed; NULL: none */
};

/* The bytes of the disk that both touch, from *out_from on; a flush touches all of them. */
static inline uint64_t fault_overlap(const struct fault *f, const struct request *r,
				     uint64_t *out_from)
{
	uint64_t to = min_u64(r->offset_bytes + r->size_bytes, f->at_bytes + f->size_bytes);

	*out_from = max_u64(r->offset_bytes, f->at_bytes);
	return to > *out_from ? to - *out_from : 0;
}

/* Count r, and tell whether f happens to it. */
static inline bool fault_hits(struct fault *f, const struct request *r)
{
	uint64_t from = 0;

	if (!f->on[r->kind] || (r->kind != REQUEST_FLUSH && fault_overlap(f, r, &from) == 0))
		return false;
	f->n_seen++;
	return f->n_seen >= f->nth && f->n_seen - f->nth < f->count;
}

/* Do to bytes, which are those of r, what f does to content; kept are what the disk has there now.
 */
static inline void fault_change(const struct fault *f, const struct request *r, uint8_t *bytes,
				const uint8_t *kept)
{
	uint64_t from = 0;
	size_t n = (size_t)fault_overlap(f, r, &from);
	size_t i = (size_t)(from - r->offset_bytes);

	switch (f->kind) {
	case FAULT_DROP:
		memcpy(bytes + i, kept + i, n);
		break;
	case FAULT_FLIP:
		if (from == f->at_bytes)
			bytes[i] ^= 1;
		break;
	case FAULT_ZEROS:
		memset(bytes + i, 0, n);
		break;
	case FAULT_ONES:
		memset(bytes + i, 0xff, n);
		break;
	case FAULT_FAIL:
	case FAULT_HOLD:
		break;
	}
}

/* One word of a table in *text, up to ':' or the end; false when it is none of them. */
static inline bool fault_parse_word(char **text, const char *const *words, size_t n_words,
				    size_t *out)
{
	const char *word = strsep(text, ":");

	for (size_t i = 0; word && i < n_words; i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

static inline bool fault_parse_key(char *text, struct fault *f)
{
	const char *key = strsep(&text, "=");

	if (!text)
		return false;
	if (strcmp(key, "at") == 0)
		return parse_size(text, &f->at_bytes);
	if (strcmp(key, "size") == 0)
		return parse_size(text, &f->size_bytes);
	if (strcmp(key, "nth") == 0)
		return parse_u64(text, &f->nth) && f->nth > 0;
	if (strcmp(key, "count") == 0)
		return parse_u64(text, &f->count);
	if (strcmp(key, "ms") == 0)
		return parse_u64(text, &f->hold_ms);
	f->until_path = text;
	return strcmp(key, "until") == 0;
}

/* text is taken apart, and outlives *out. ERR_USAGE. */
static inline int fault_parse(char *text, struct fault *out, struct err *e)
{
	static const char *const requests[] = {"read", "write", "flush", "any"};
	static const char *const faults[] = {"fail", "drop", "flip", "zeros", "ones", "hold"};
	struct fault f = {.size_bytes = INT64_MAX, .nth = 1, .count = UINT64_MAX};
	size_t request = 0;
	size_t kind = 0;

	if (!fault_parse_word(&text, requests, 4, &request))
		return err_set(e, ERR_USAGE, "a fault is of read, write, flush or any");
	if (!fault_parse_word(&text, faults, 6, &kind))
		return err_set(e, ERR_USAGE, "a fault is fail, drop, flip, zeros, ones or hold");
	f.kind = (enum fault_kind)kind;
	if (f.kind == FAULT_FLIP)
		f.size_bytes = 1;
	f.on[REQUEST_READ] = request == 0 || request == 3;
	f.on[REQUEST_WRITE] = f.on[REQUEST_ZERO] = request == 1 || request == 3;
	f.on[REQUEST_FLUSH] = request == 2 || request == 3;
	while (text)
		if (!fault_parse_key(strsep(&text, ":"), &f))
			return err_set(e, ERR_USAGE, "a fault has at, size, nth, count, ms, until");
	*out = f;
	return 0;
}
