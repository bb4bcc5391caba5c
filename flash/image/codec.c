/* A decoder over a source: feeds the steps of a codec, stream after stream. See codec.h. */
#include "flash/image/codec.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"

#define CODEC(name) extern const struct codec codec_##name;
#include "flash/image/codecs.def"
#undef CODEC

static const struct codec *const codecs[] = {
#define CODEC(name) &codec_##name,
#include "flash/image/codecs.def"
#undef CODEC
};

enum {
	/* Stays in a processor's second cache between reading and decoding: of 32, 64, 128 and 256
	 * KiB the fastest for gzip, and as fast as any for zstd and xz. */
	INPUT_BYTES = 64 << 10,
	STEP_MAX_BYTES = 1 << 30, /* ISA-L and bzip2 count in unsigned int */
};

struct decoder {
	struct source base;
	const struct codec *codec;
	unsigned n_threads;
	void *state;            /* owned */
	struct source *in;      /* owned */
	uint8_t *input;         /* owned; INPUT_BYTES long */
	size_t start;           /* input that was read and not decoded yet is from here ... */
	size_t end;             /* ... to here */
	uint64_t n_taken_bytes; /* of the input, by the codec */
	bool is_at_input_end;
	bool is_in_stream;
	struct err failure; /* what every further read says; ERR_NONE: nothing yet */
};

/* Have at least n_bytes of input, unless it ends before. */
static int fill(struct decoder *d, size_t n_bytes, struct err *e)
{
	size_t n_there = d->end - d->start;

	if (n_there >= n_bytes || d->is_at_input_end)
		return 0;
	memmove(d->input, d->input + d->start, n_there);
	d->start = 0;
	d->end = n_there;
	while (d->end < n_bytes && !d->is_at_input_end) {
		size_t n = 0;
		if (source_read(d->in, d->input + d->end, INPUT_BYTES - d->end, &n, e) < 0)
			return -1;
		d->end += n;
		d->is_at_input_end = n == 0;
	}
	return 0;
}

static void take(struct decoder *d, size_t n_bytes)
{
	d->start += n_bytes;
	d->n_taken_bytes += n_bytes;
}

static int skip_padding(struct decoder *d, struct err *e)
{
	size_t n_padding = d->codec->padding_bytes;
	bool is_padding = n_padding > 0;

	while (is_padding) {
		if (fill(d, n_padding, e) < 0)
			return -1;
		is_padding = d->end - d->start >= n_padding &&
			     bytes_are_zero(d->input + d->start, n_padding);
		if (is_padding)
			take(d, n_padding);
	}
	return 0;
}

/* Find the next stream, or leave is_in_stream false at the end. */
static int begin_stream(struct decoder *d, struct err *e)
{
	if (skip_padding(d, e) < 0 || fill(d, CODEC_MAGIC_MAX_BYTES, e) < 0)
		return -1;
	if (d->start == d->end)
		return 0;
	if (!d->codec->has_magic(d->input + d->start, d->end - d->start))
		return err_set(e, ERR_UNTRUSTED,
			       "byte %llu of the input begins no %s stream; "
			       "the file is cut short, damaged or has something else behind it",
			       (unsigned long long)d->n_taken_bytes, d->codec->name);
	if (d->codec->start(d->state, d->n_threads, e) < 0)
		return -1;
	d->is_in_stream = true;
	return 0;
}

/* One step of the codec; *out_n_bytes may be 0 without being at the end. */
static int step(struct decoder *d, void *bytes, size_t n_bytes, size_t *out_n_bytes, struct err *e)
{
	bool is_end = false;

	if (fill(d, 1, e) < 0)
		return -1;
	size_t n_there = d->end - d->start;
	struct codec_io io = {
		.in = d->input + d->start,
		.in_bytes = n_there,
		.out = bytes,
		.out_bytes = min_u64(n_bytes, STEP_MAX_BYTES),
	};
	if (d->codec->step(d->state, &io, &is_end, e) < 0)
		return err_wrap(e, "decoding %s near byte %llu of the input", d->codec->name,
				(unsigned long long)d->n_taken_bytes);
	*out_n_bytes = (size_t)(io.out - (uint8_t *)bytes);
	take(d, n_there - io.in_bytes);
	d->is_in_stream = !is_end;
	if (is_end || *out_n_bytes > 0 || io.in_bytes < n_there)
		return 0;
	if (n_there > 0)
		return err_set(e, ERR_UNTRUSTED, "the %s stream does not go on at byte %llu",
			       d->codec->name, (unsigned long long)d->n_taken_bytes);
	return err_set(e, ERR_UNTRUSTED,
		       "the input ends inside a %s stream, after %llu bytes; the file is cut short",
		       d->codec->name, (unsigned long long)d->n_taken_bytes);
}

static int decode(struct decoder *d, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		  struct err *e)
{
	size_t n = 0;
	bool is_at_end = false;

	while (n == 0 && !is_at_end) {
		if (!d->is_in_stream && begin_stream(d, e) < 0)
			return -1;
		is_at_end = !d->is_in_stream;
		if (!is_at_end && step(d, bytes, n_bytes, &n, e) < 0)
			return -1;
	}
	*out_n_bytes = n;
	return 0;
}

static int decoder_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
			struct err *e)
{
	struct decoder *d = (struct decoder *)s;

	if (d->failure.code == ERR_NONE && decode(d, bytes, n_bytes, out_n_bytes, &d->failure) == 0)
		return 0;
	*e = d->failure;
	return -1;
}

static void decoder_free(struct source *s)
{
	struct decoder *d = (struct decoder *)s;

	if (d->state)
		d->codec->release(d->state);
	free(d->state);
	source_free(d->in);
	free(d->input);
	free(d);
}

static int decoder_clone(const struct source *s, struct source **out, struct err *e)
{
	const struct decoder *d = (const struct decoder *)s;
	struct source *in = NULL;

	if (source_clone(d->in, &in, e) < 0)
		return -1;
	return codec_open(d->codec, in, d->n_threads, out, e);
}

static const struct source_ops decoder_ops = {
	.name = "compressed",
	.read = decoder_read,
	.clone = decoder_clone,
	.free = decoder_free,
};

/* Over an input that comes only once. */
static const struct source_ops decoder_once_ops = {
	.name = "compressed",
	.read = decoder_read,
	.free = decoder_free,
};

const struct codec *codec_by_magic(const uint8_t *bytes, size_t n_bytes)
{
	for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
		if (codecs[i]->has_magic(bytes, n_bytes))
			return codecs[i];
	}
	return NULL;
}

int codec_open(const struct codec *c, struct source *in, unsigned n_threads, struct source **out,
	       struct err *e)
{
	CLEANUP(source_freep) struct source *owned_in = in;
	struct decoder *d = calloc(1, sizeof *d);

	if (!d)
		return err_errno(e, "decoding %s", c->name);
	CLEANUP(source_freep) struct source *s = (struct source *)d;
	s->ops = source_can_clone(owned_in) ? &decoder_ops : &decoder_once_ops;
	s->size_bytes = SIZE_UNKNOWN;
	d->codec = c;
	d->n_threads = n_threads;
	d->in = TAKE(owned_in);
	d->state = calloc(1, c->state_bytes);
	d->input = malloc(INPUT_BYTES);
	if (!d->state || !d->input)
		return err_errno(e, "decoding %s", c->name);
	*out = TAKE(s);
	return 0;
}

int codec_open_fitting(struct source *in, unsigned n_threads, struct source **out, struct err *e)
{
	CLEANUP(source_freep) struct source *owned_in = in;
	const uint8_t *bytes = NULL;
	size_t n_bytes = 0;

	if (source_peek(in, CODEC_MAGIC_MAX_BYTES, &bytes, &n_bytes, e) < 0)
		return -1;
	const struct codec *c = codec_by_magic(bytes, n_bytes);
	if (c)
		return codec_open(c, TAKE(owned_in), n_threads, out, e);
	*out = TAKE(owned_in);
	return 0;
}
