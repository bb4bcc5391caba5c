/* An image that was settled is made: what is copied into it stays within its partition. */
#include "provision/build/build_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/scratch.h"
#include "flash/base/units.h"

enum {
	PART_BYTES = 4096,
	PART_AT = MIB,
	MEDIUM_BYTES = 2 * MIB,
};

/* An image with one partition, which is copied from a file of PART_BYTES. */
struct settled {
	struct board board;
	struct board_build profile;
	struct board_build_partition wish;
	char *folder; /* owned, as all here */
	char *source_path;
	char *image_path;
	struct build b; /* but not this */
};

static int set_up(void **state)
{
	struct settled *s = calloc(1, sizeof *s);
	struct err e = {0};

	*state = s;
	if (!s || scratch_new("/tmp", &s->folder, &e) < 0 ||
	    asprintf(&s->source_path, "%s/root", s->folder) < 0 ||
	    asprintf(&s->image_path, "%s/image.raw", s->folder) < 0)
		return -1;
	s->board = (struct board){.id = (char *)"acme", .build = &s->profile};
	s->b = (struct build){
		.r = {.board = &s->board, .out_path = s->image_path},
		.table = TABLE_MBR,
		.disk_id = "0x12345678",
		.parts = {{.wish = &s->wish,
			   .name = "root",
			   .type = "0x83",
			   .image_path = s->source_path,
			   .need_bytes = PART_BYTES}},
		.n_parts = 1,
		.places = {{.start_bytes = PART_AT, .size_bytes = PART_BYTES}},
		.layout = {.medium_size_bytes = MEDIUM_BYTES},
	};
	return 0;
}

static int tear_down(void **state)
{
	struct settled *s = *state;

	scratch_free(s->folder);
	free(s->source_path);
	free(s->image_path);
	free(s);
	return 0;
}

/* The file is n_bytes long by now, all of them 'x'. */
static void put_source(const struct settled *s, size_t n_bytes)
{
	CLEANUP(freep) uint8_t *bytes = malloc(n_bytes);
	struct err e = {0};

	assert_non_null(bytes);
	memset(bytes, 'x', n_bytes);
	assert_int_equal(fdio_save(s->source_path, bytes, n_bytes, 0600, &e), 0);
}

static void image_that_grew_since_stays_within_its_partition(void **state)
{
	struct settled *s = *state;
	CLEANUP(freep) uint8_t *image = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	put_source(s, PART_BYTES + 512);
	assert_int_equal(build_make(&s->b, &e), 0);
	assert_int_equal(fdio_load(s->image_path, MEDIUM_BYTES, &image, &n_bytes, &e), 0);
	assert_int_equal(n_bytes, MEDIUM_BYTES);
	assert_int_equal(image[PART_AT + PART_BYTES - 1], 'x');
	assert_int_equal(image[PART_AT + PART_BYTES], 0);
}

static void image_that_shrank_since_is_an_error_and_nothing_is_left(void **state)
{
	struct settled *s = *state;
	struct err e = {0};

	put_source(s, PART_BYTES - 1);
	assert_int_equal(build_make(&s->b, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "root: it became shorter"));
	assert_int_equal(unlink(s->source_path), 0);
	assert_int_equal(rmdir(s->folder), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(image_that_grew_since_stays_within_its_partition),
		TEST(image_that_shrank_since_is_an_error_and_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
