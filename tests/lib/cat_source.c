/* Print a source: cat_source [--decode] [--clone] [--tls-ca FILE] [--timeout-ms N] [--seek N]
 * [--size]
 * [--stop-on-input] [--until N] WHERE [FROM END]... With --clone it is a clone that is printed;
 * with FROM and END ranges, which are sought as the beginning of what ends at --until N. With
 * --stop-on-input it stops as soon as standard input can be read. Ends with the code of the error,
 * if there is one. For shell tests of what a unit test cannot have: servers and terminals. */
#include <getopt.h>
#include <stdio.h>

#include "flash/base/cleanup.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"
#include "flash/image/codec.h"
#include "flash/image/source.h"

struct request {
	struct source_options options;
	struct cancel cancel;
	bool is_decoded;
	bool is_cloned;
	bool is_size_wanted;
	uint64_t seek_bytes;  /* SIZE_UNKNOWN: no seek */
	uint64_t until_bytes; /* SIZE_UNKNOWN: the end of each range */
	const char *where;
	char **ranges; /* NULL at the end */
};

static bool parse_arguments(int argc, char **argv, struct request *r)
{
	static const struct option names[] = {
		{"decode", no_argument, NULL, 'd'},
		{"clone", no_argument, NULL, 'l'},
		{"size", no_argument, NULL, 'n'},
		{"stop-on-input", no_argument, NULL, 'i'},
		{"tls-ca", required_argument, NULL, 'c'},
		{"timeout-ms", required_argument, NULL, 't'},
		{"until", required_argument, NULL, 'u'},
		{"seek", required_argument, NULL, 's'},
		{0},
	};
	uint64_t timeout_ms = 0;
	bool is_good = true;
	int c = 0;

	while (is_good && (c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		r->is_decoded |= c == 'd';
		r->is_cloned |= c == 'l';
		r->is_size_wanted |= c == 'n';
		if (c == 'i')
			r->cancel.fd = STDIN_FILENO;
		if (c == 'c')
			r->options.tls_ca_path = optarg;
		if (c == 't')
			is_good = parse_u64(optarg, &timeout_ms) && timeout_ms <= UINT32_MAX;
		if (c == 's')
			is_good = parse_u64(optarg, &r->seek_bytes);
		if (c == 'u')
			is_good = parse_u64(optarg, &r->until_bytes);
		is_good = is_good && c != '?';
	}
	r->options.cancel = &r->cancel;
	r->options.http_timeout_ms = (unsigned)timeout_ms;
	r->where = argv[optind];
	r->ranges = argv + optind + 1;
	return is_good && optind < argc && (argc - optind) % 2 == 1;
}

/* The next n_bytes, or what there is up to the end. */
static int print_next(struct source *s, uint64_t n_bytes, struct err *e)
{
	char bytes[1 << 16];
	size_t n = 1;

	for (uint64_t n_left = n_bytes; n_left > 0 && n > 0; n_left -= n) {
		if (source_read(s, bytes, (size_t)min_u64(sizeof bytes, n_left), &n, e) < 0)
			return -1;
		if (fwrite(bytes, 1, n, stdout) != n || fflush(stdout) != 0)
			return err_errno(e, "writing standard output");
	}
	return 0;
}

static int print_ranges(struct source *s, const struct request *r, struct err *e)
{
	uint64_t from_bytes = 0;
	uint64_t end_bytes = 0;

	for (char **ranges = r->ranges; *ranges; ranges += 2) {
		if (!parse_u64(ranges[0], &from_bytes) || !parse_u64(ranges[1], &end_bytes))
			return err_set(e, ERR_USAGE, "%s %s is no range", ranges[0], ranges[1]);
		if (source_seek(s, from_bytes,
				r->until_bytes == SIZE_UNKNOWN ? end_bytes : r->until_bytes,
				e) < 0 ||
		    print_next(s, end_bytes - from_bytes, e) < 0)
			return -1;
	}
	return 0;
}

/* *s becomes a clone of itself. */
static int become_clone(struct source **s, struct err *e)
{
	CLEANUP(source_freep) struct source *clone = NULL;

	if (source_clone(*s, &clone, e) < 0)
		return -1;
	source_free(*s);
	*s = TAKE(clone);
	return 0;
}

static int print(const struct request *r, struct err *e)
{
	CLEANUP(source_freep) struct source *s = NULL;

	if (source_open(r->where, &r->options, &s, e) < 0)
		return -1;
	if (r->is_decoded && codec_open_fitting(TAKE(s), 0, &s, e) < 0)
		return -1;
	if (r->is_cloned && become_clone(&s, e) < 0)
		return -1;
	if (r->is_size_wanted) {
		printf("%llu\n", (unsigned long long)s->size_bytes);
		return 0;
	}
	if (r->seek_bytes != SIZE_UNKNOWN && source_seek(s, r->seek_bytes, SIZE_UNKNOWN, e) < 0)
		return -1;
	return r->ranges[0] ? print_ranges(s, r, e) : print_next(s, SIZE_UNKNOWN, e);
}

int main(int argc, char **argv)
{
	struct request r = {
		.cancel.fd = -1, .seek_bytes = SIZE_UNKNOWN, .until_bytes = SIZE_UNKNOWN};
	struct err e = {0};

	if (!parse_arguments(argc, argv, &r))
		return ERR_USAGE;
	if (print(&r, &e) == 0)
		return 0;
	(void)fprintf(stderr, "cat_source: %s\n", e.text);
	return (int)e.code;
}
