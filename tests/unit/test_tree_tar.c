/* Tars as what goes into a file system, and the other way round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/scratch.h"
#include "flash/disk/tree.h"

enum { TIME_S = 1000, TAR_MAX_BYTES = 1 << 20 };

/* A folder for a test, with a tree to write and one that was read. */
struct fixture {
	char *folder; /* owned */
	char path[64];
	struct tree written;
	struct tree read;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = {0};

	assert_non_null(f);
	assert_int_equal(scratch_new("/tmp", &f->folder, &e), 0);
	(void)snprintf(f->path, sizeof f->path, "%s/x.tar", f->folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tree_release(&f->written);
	tree_release(&f->read);
	scratch_free(f->folder);
	free(f);
	return 0;
}

/* Add an entry of owner 1:2 with an attribute. */
static void add(struct fixture *f, enum tree_kind kind, const char *path, const char *link)
{
	struct tree_entry x = {
		.kind = kind,
		.path = strdup(path),
		.link = link ? strdup(link) : NULL,
		.mode = 04751,
		.uid = 1,
		.gid = 2,
		.major = 5,
		.minor = 1,
		.mtime_s = 7,
	};
	struct err e = {0};

	assert_int_equal(tree_entry_add_attribute(&x, "user.a", "value", 5, &e), 0);
	assert_int_equal(tree_add_entry(&f->written, &x, &e), 0);
}

static void write_tar(struct fixture *f)
{
	struct err e = {0};

	assert_int_equal(tree_sort(&f->written, &e), 0);
	assert_int_equal(tree_write_tar(&f->written, f->path, TIME_S, &e), 0);
}

static const struct tree_entry *there_and_back(struct fixture *f, const char *path, int64_t time_s)
{
	struct err e = {0};

	write_tar(f);
	assert_int_equal(tree_read_tar(&f->read, f->path, f->folder, time_s, &e), 0);
	const struct tree_entry *entry = tree_find(&f->read, path);
	assert_non_null(entry);
	return entry;
}

static void owner_mode_and_time_come_back(void **state)
{
	struct fixture *f = *state;

	add(f, TREE_FILE, "a", NULL);
	const struct tree_entry *a = there_and_back(f, "a", TIME_S);
	assert_int_equal(a->uid, 1);
	assert_int_equal(a->gid, 2);
	assert_int_equal(a->mode, 04751);
	assert_int_equal(a->mtime_s, 7);
}

static void attribute_comes_back_once(void **state)
{
	struct fixture *f = *state;

	add(f, TREE_FILE, "a", NULL);
	const struct tree_entry *a = there_and_back(f, "a", TIME_S);
	assert_int_equal(a->n_attributes, 1);
	assert_string_equal(a->attributes[0].name, "user.a");
	assert_int_equal(a->attributes[0].n_bytes, 5);
	assert_memory_equal(a->attributes[0].value, "value", 5);
}

static void later_time_is_cut(void **state)
{
	struct fixture *f = *state;

	add(f, TREE_FILE, "a", NULL);
	assert_int_equal(there_and_back(f, "a", 3)->mtime_s, 3);
}

static void device_keeps_its_numbers(void **state)
{
	struct fixture *f = *state;

	add(f, TREE_CHARACTER_DEVICE, "dev/console", NULL);
	const struct tree_entry *console = there_and_back(f, "dev/console", TIME_S);
	assert_int_equal(console->kind, TREE_CHARACTER_DEVICE);
	assert_int_equal(console->major, 5);
	assert_int_equal(console->minor, 1);
}

static void hard_link_stays_one(void **state)
{
	struct fixture *f = *state;

	add(f, TREE_FILE, "a", NULL);
	add(f, TREE_HARD_LINK, "b", "a");
	const struct tree_entry *b = there_and_back(f, "b", TIME_S);
	assert_int_equal(b->kind, TREE_HARD_LINK);
	assert_string_equal(b->link, "a");
}

static void content_is_in_a_file_of_the_scratch_folder(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	assert_int_equal(tree_add_text(&f->written, "a", "content", &e), 0);
	const struct tree_entry *a = there_and_back(f, "a", TIME_S);
	assert_int_equal(strncmp(a->source_path, f->folder, strlen(f->folder)), 0);
	assert_int_equal(fdio_load(a->source_path, TAR_MAX_BYTES, &bytes, &n_bytes, &e), 0);
	assert_int_equal(n_bytes, 7);
	assert_memory_equal(bytes, "content", 7);
}

static void name_outside_of_ascii_comes_back(void **state)
{
	struct fixture *f = *state;

	add(f, TREE_FILE, "F\xc5\x91.crt", NULL);
	(void)there_and_back(f, "F\xc5\x91.crt", TIME_S);
}

static void same_tree_gives_same_bytes(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) uint8_t *first = NULL;
	CLEANUP(freep) uint8_t *second = NULL;
	size_t n_first = 0;
	size_t n_second = 0;
	struct err e = {0};

	add(f, TREE_FILE, "a", NULL);
	add(f, TREE_FOLDER, "b", NULL);
	write_tar(f);
	assert_int_equal(fdio_load(f->path, TAR_MAX_BYTES, &first, &n_first, &e), 0);
	assert_int_equal(remove(f->path), 0);
	write_tar(f);
	assert_int_equal(fdio_load(f->path, TAR_MAX_BYTES, &second, &n_second, &e), 0);
	assert_int_equal(n_first, n_second);
	assert_memory_equal(first, second, n_first);
}

static void tar_is_not_put_over_a_file(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	write_tar(f);
	assert_int_equal(tree_write_tar(&f->written, f->path, TIME_S, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void what_is_no_tar_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(fdio_save(f->path, "no tar, but text", 16, 0600, &e), 0);
	assert_int_equal(tree_read_tar(&f->read, f->path, f->folder, TIME_S, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, f->path));
}

static void tar_that_is_not_there_is_an_io_error(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(tree_read_tar(&f->read, f->path, f->folder, TIME_S, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(owner_mode_and_time_come_back),
		TEST(attribute_comes_back_once),
		TEST(later_time_is_cut),
		TEST(device_keeps_its_numbers),
		TEST(hard_link_stays_one),
		TEST(content_is_in_a_file_of_the_scratch_folder),
		TEST(name_outside_of_ascii_comes_back),
		TEST(same_tree_gives_same_bytes),
		TEST(tar_is_not_put_over_a_file),
		TEST(what_is_no_tar_is_refused),
		TEST(tar_that_is_not_there_is_an_io_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
