/* New block maps: the holes of a file, and the digests of the rest. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/units.h"
#include "flash/image/holes.h"

/* An empty file. */
struct fixture {
	char path[sizeof "/tmp/lkflash-test-holes.XXXXXX"];
	int fd;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	strcpy(f->path, "/tmp/lkflash-test-holes.XXXXXX");
	f->fd = mkstemp(f->path);
	assert_true(f->fd >= 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)close(f->fd);
	(void)unlink(f->path);
	free(f);
	return 0;
}

static struct bmap *map_good(const struct fixture *f)
{
	struct bmap *b = NULL;
	struct err e;

	assert_int_equal(holes_map_file(f->path, &b, &e), 0);
	return b;
}

static void put(const struct fixture *f, const char *text, uint64_t offset_bytes)
{
	size_t n_bytes = strlen(text);

	assert_int_equal(pwrite(f->fd, text, n_bytes, (off_t)offset_bytes), n_bytes);
}

static void data_between_holes_is_a_range(void **state)
{
	struct fixture *f = *state;

	put(f, "x", MIB);
	assert_int_equal(ftruncate(f->fd, 2 * MIB + 1), 0);
	struct bmap *b = map_good(f);
	assert_int_equal(b->image_size_bytes, 2 * MIB + 1);
	assert_int_equal(b->block_bytes, HOLES_BLOCK_BYTES);
	assert_int_equal(b->n_ranges, 1);
	assert_int_equal(b->ranges[0].start_bytes, MIB);
	assert_true(b->ranges[0].end_bytes >= MIB + HOLES_BLOCK_BYTES);
	assert_true(b->ranges[0].end_bytes < 2 * MIB);
	bmap_free(b);
}

static void file_of_one_hole_has_no_ranges(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ftruncate(f->fd, MIB), 0);
	struct bmap *b = map_good(f);
	assert_int_equal(b->n_ranges, 0);
	bmap_free(b);
}

static void range_ends_with_the_file(void **state)
{
	struct fixture *f = *state;

	put(f, "hello", 0);
	struct bmap *b = map_good(f);
	assert_int_equal(b->n_ranges, 1);
	assert_int_equal(b->ranges[0].start_bytes, 0);
	assert_int_equal(b->ranges[0].end_bytes, 5);
	bmap_free(b);
}

static void empty_file_is_refused(void **state)
{
	struct fixture *f = *state;
	struct bmap *b = NULL;
	struct err e;

	assert_int_equal(holes_map_file(f->path, &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void device_is_refused(void **state)
{
	struct bmap *b = NULL;
	struct err e;

	(void)state;
	assert_int_equal(holes_map_file("/dev/null", &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void missing_file_is_an_error(void **state)
{
	struct bmap *b = NULL;
	struct err e;

	(void)state;
	assert_int_equal(holes_map_file("/dev/null/image", &b, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

/* Ranges [1, 3) and [3, 4) and [6, 8) of an image "01234567". */
struct example {
	struct bmap_range ranges[3];
	struct bmap map;
};

static void make_example(struct example *x)
{
	x->ranges[0] = (struct bmap_range){.start_bytes = 1, .end_bytes = 3};
	x->ranges[1] = (struct bmap_range){.start_bytes = 3, .end_bytes = 4};
	x->ranges[2] = (struct bmap_range){.start_bytes = 6, .end_bytes = 8};
	x->map = (struct bmap){.image_size_bytes = 8, .ranges = x->ranges, .n_ranges = 3};
}

static void assert_digest_of(const struct bmap_range *r, const char *text)
{
	uint8_t digest[SHA256_BYTES];
	struct err e;

	assert_int_equal(digest_sha256(text, strlen(text), digest, &e), 0);
	assert_true(r->has_digest);
	assert_memory_equal(r->digest, digest, SHA256_BYTES);
}

static void ranges_get_the_digests_of_their_bytes(void **state)
{
	struct example x;
	struct holes_digests *d = NULL;
	struct err e;

	(void)state;
	make_example(&x);
	assert_int_equal(holes_digests_new(&x.map, &d, &e), 0);
	assert_int_equal(holes_digests_show(d, (const uint8_t *)"01234567", 8, &e), 0);
	assert_int_equal(holes_digests_end(d, &e), 0);
	assert_digest_of(&x.ranges[0], "12");
	assert_digest_of(&x.ranges[1], "3");
	assert_digest_of(&x.ranges[2], "67");
	holes_digests_free(d);
}

static void pieces_may_be_cut_anywhere(void **state)
{
	struct example x;
	struct holes_digests *d = NULL;
	struct err e;

	(void)state;
	make_example(&x);
	assert_int_equal(holes_digests_new(&x.map, &d, &e), 0);
	assert_int_equal(holes_digests_show(d, (const uint8_t *)"01", 2, &e), 0);
	assert_int_equal(holes_digests_show(d, (const uint8_t *)"23456", 5, &e), 0);
	assert_int_equal(holes_digests_show(d, (const uint8_t *)"7", 1, &e), 0);
	assert_digest_of(&x.ranges[0], "12");
	assert_digest_of(&x.ranges[1], "3");
	assert_digest_of(&x.ranges[2], "67");
	holes_digests_free(d);
}

static void image_that_ends_early_is_refused(void **state)
{
	struct example x;
	struct holes_digests *d = NULL;
	struct err e;

	(void)state;
	make_example(&x);
	assert_int_equal(holes_digests_new(&x.map, &d, &e), 0);
	assert_int_equal(holes_digests_show(d, (const uint8_t *)"0123456", 7, &e), 0);
	assert_int_equal(holes_digests_end(d, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	holes_digests_free(d);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(data_between_holes_is_a_range),
		WITH_FILE(file_of_one_hole_has_no_ranges),
		WITH_FILE(range_ends_with_the_file),
		WITH_FILE(empty_file_is_refused),
		WITH_FILE(device_is_refused),
		WITH_FILE(missing_file_is_an_error),
		WITH_FILE(ranges_get_the_digests_of_their_bytes),
		WITH_FILE(pieces_may_be_cut_anywhere),
		WITH_FILE(image_that_ends_early_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
