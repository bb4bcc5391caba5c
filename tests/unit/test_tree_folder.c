/* What goes into a file system, from a folder of this machine. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/scratch.h"
#include "flash/disk/tree.h"

enum { TIME_S = 1000, EARLIER_S = 7, PATH_BYTES = 96 };

/* A folder with the file a/file, 0640, changed at EARLIER_S, and what was read from it. */
struct fixture {
	char *folder; /* owned */
	char file[PATH_BYTES];
	struct tree t;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct timespec times[2] = {{.tv_sec = EARLIER_S}, {.tv_sec = EARLIER_S}};
	char folder[PATH_BYTES];
	struct err e = {0};

	assert_non_null(f);
	assert_int_equal(scratch_new("/tmp", &f->folder, &e), 0);
	(void)snprintf(folder, sizeof folder, "%s/a", f->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	(void)snprintf(f->file, sizeof f->file, "%s/a/file", f->folder);
	assert_int_equal(fdio_save(f->file, "content", 7, 0640, &e), 0);
	assert_int_equal(chmod(f->file, 0640), 0);
	assert_int_equal(utimensat(AT_FDCWD, f->file, times, 0), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tree_release(&f->t);
	scratch_free(f->folder);
	free(f);
	return 0;
}

static const char *path_of(const struct fixture *f, const char *name, char path[PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, "%s/%s", f->folder, name);
	return path;
}

static const struct tree_entry *read_entry(struct fixture *f, const char *path)
{
	struct err e = {0};

	assert_int_equal(tree_read_folder(&f->t, f->folder, TIME_S, &e), 0);
	const struct tree_entry *entry = tree_find(&f->t, path);
	assert_non_null(entry);
	return entry;
}

static void file_keeps_mode_time_and_size(void **state)
{
	const struct tree_entry *file = read_entry(*state, "a/file");

	assert_int_equal(file->kind, TREE_FILE);
	assert_int_equal(file->mode, 0640);
	assert_int_equal(file->mtime_s, EARLIER_S);
	assert_int_equal(file->size_bytes, 7);
}

static void later_time_is_cut(void **state)
{
	assert_int_equal(read_entry(*state, "a")->mtime_s, TIME_S);
}

/* As root, the file is somebody else's; without root, it is ours. */
static void all_is_owned_by_root(void **state)
{
	struct fixture *f = *state;

	(void)!chown(f->file, 1234, 1234);
	const struct tree_entry *file = read_entry(f, "a/file");
	assert_int_equal(file->uid, 0);
	assert_int_equal(file->gid, 0);
}

static void link_is_read_as_it_is(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];

	assert_int_equal(symlink("/nonexistent/x", path_of(f, "link", path)), 0);
	const struct tree_entry *entry = read_entry(f, "link");
	assert_int_equal(entry->kind, TREE_SYMLINK);
	assert_string_equal(entry->link, "/nonexistent/x");
}

static void second_name_of_a_file_is_a_link_to_the_first(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];

	assert_int_equal(link(f->file, path_of(f, "a/also", path)), 0);
	const struct tree_entry *entry = read_entry(f, "a/file");
	assert_int_equal(entry->kind, TREE_HARD_LINK);
	assert_string_equal(entry->link, "a/also");
}

static void fifo_is_taken(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];

	assert_int_equal(mkfifo(path_of(f, "fifo", path), 0600), 0);
	assert_int_equal(read_entry(f, "fifo")->kind, TREE_FIFO);
}

static void socket_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[PATH_BYTES];
	struct err e = {0};

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path_of(f, "sock", path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(tree_read_folder(&f->t, f->folder, TIME_S, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, "sock"));
}

static void folder_that_is_not_there_is_an_io_error(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];
	struct err e = {0};

	assert_int_equal(tree_read_folder(&f->t, path_of(f, "none", path), TIME_S, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, path));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_keeps_mode_time_and_size),
		TEST(later_time_is_cut),
		TEST(all_is_owned_by_root),
		TEST(link_is_read_as_it_is),
		TEST(second_name_of_a_file_is_a_link_to_the_first),
		TEST(fifo_is_taken),
		TEST(socket_is_refused_by_name),
		TEST(folder_that_is_not_there_is_an_io_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
