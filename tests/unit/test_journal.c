/* The journal: one line a target, with what was lifted and what went wrong. */
#include "provision/journal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "tests/unit/fixture.h"

/* A folder of the test's own, and an unsigned image in it. */
struct scene {
	char folder[64];
	char image_path[96];
	char state_dir[96];  /* is not there yet */
	char path[128];      /* of the journal */
	struct image *image; /* owned */
	struct facts facts;  /* borrows static texts */
	struct journal_entry entry;
};

static int scene_new(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	struct err e = {0};

	assert_non_null(s);
	strcpy(s->folder, "/tmp/lkflash-journal.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	(void)snprintf(s->image_path, sizeof s->image_path, "%s/image.raw", s->folder);
	(void)snprintf(s->state_dir, sizeof s->state_dir, "%s/state", s->folder);
	(void)snprintf(s->path, sizeof s->path, "%s/journal.jsonl", s->state_dir);
	fixture_put(s->image_path, "12345", 5);
	const struct image_request r = {.where = s->image_path, .is_unsigned_allowed = true};
	assert_int_equal(image_open(&r, &s->image, &e), 0);
	s->facts = (struct facts){.path = (char *)"/dev/sdb",
				  .model = (char *)"SC\"64G",
				  .serial = (char *)"0x1",
				  .size_bytes = 1024};
	s->entry = (struct journal_entry){.time_s = 1795400000,
					  .facts = &s->facts,
					  .image = s->image,
					  .where = "image.raw",
					  .board_id = "rpi4"};
	*state = s;
	return 0;
}

static int scene_free(void **state)
{
	struct scene *s = *state;

	image_free(s->image);
	(void)unlink(s->path);
	(void)unlink(s->image_path);
	(void)rmdir(s->state_dir);
	(void)rmdir(s->folder);
	free(s);
	return 0;
}

static void append(const struct scene *s)
{
	struct err e = {0};

	assert_int_equal(journal_append(s->state_dir, &s->entry, &e), 0);
}

static void assert_journal(const struct scene *s, const char *wanted)
{
	CLEANUP(freep) uint8_t *text = NULL;
	size_t n_bytes = 0;
	struct err e = {0};

	assert_int_equal(fdio_load(s->path, 65536, &text, &n_bytes, &e), 0);
	assert_string_equal((char *)text, wanted);
}

#define HEAD                                                                                       \
	"{\"time\":1795400000,\"target\":\"/dev/sdb\",\"model\":\"SC\\\"64G\",\"serial\":\"0x1\"," \
	"\"size_bytes\":1024,\"board\":\"rpi4\",\"image\":\"image.raw\","
#define HELD "\"guarantee\":\"none\","

static void success_is_one_line(void **state)
{
	struct scene *s = *state;

	append(s);
	assert_journal(s, HEAD HELD "\"overrides\":[],\"code\":0}\n");
}

static void overrides_are_listed(void **state)
{
	static const char *const overrides[] = {"--allow-unsigned", "--allow-fixed-disk"};
	struct scene *s = *state;

	s->entry.overrides = overrides;
	s->entry.n_overrides = 2;
	append(s);
	assert_journal(s, HEAD HELD "\"overrides\":[\"--allow-unsigned\",\"--allow-fixed-disk\"],"
				    "\"code\":0}\n");
}

static void failure_is_told_with_its_code(void **state)
{
	struct scene *s = *state;
	const struct err failure = {.code = ERR_DIFFERS, .text = "byte 5"};

	s->entry.failure = &failure;
	append(s);
	assert_journal(s, HEAD "\"overrides\":[],\"code\":5,\"text\":\"byte 5\"}\n");
}

static void later_line_stands_behind_the_earlier(void **state)
{
	struct scene *s = *state;

	append(s);
	append(s);
	assert_journal(s, HEAD HELD "\"overrides\":[],\"code\":0}\n" HEAD HELD
				    "\"overrides\":[],\"code\":0}\n");
}

static void half_a_line_is_not_joined_by_the_next(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	assert_int_equal(fdio_mkdir(s->state_dir, 0755, &e), 0);
	fixture_put(s->path, "{\"time\":17", 10);
	append(s);
	assert_journal(s, "{\"time\":17\n" HEAD HELD "\"overrides\":[],\"code\":0}\n");
}

static void line_that_does_not_fit_is_taken_back(void **state)
{
	struct scene *s = *state;
	const struct rlimit small = {.rlim_cur = 200, .rlim_max = RLIM_INFINITY};
	const struct rlimit large = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	struct err e = {0};

	append(s);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(journal_append(s->state_dir, &s->entry, &e), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &large), 0);
	assert_int_equal(e.code, ERR_IO);
	assert_journal(s, HEAD HELD "\"overrides\":[],\"code\":0}\n");
}

static void journal_that_cannot_be_written_is_an_io_error(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	assert_int_equal(fdio_mkdir(s->path, 0755, &e), 0);
	assert_int_equal(journal_append(s->state_dir, &s->entry, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(rmdir(s->path), 0);
}

static void state_folder_that_is_a_file_is_a_usage_error(void **state)
{
	struct scene *s = *state;
	struct err e = {0};

	assert_int_equal(journal_append(s->image_path, &s->entry, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_new, scene_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(success_is_one_line),
		TEST(overrides_are_listed),
		TEST(failure_is_told_with_its_code),
		TEST(later_line_stands_behind_the_earlier),
		TEST(half_a_line_is_not_joined_by_the_next),
		TEST(line_that_does_not_fit_is_taken_back),
		TEST(journal_that_cannot_be_written_is_an_io_error),
		TEST(state_folder_that_is_a_file_is_a_usage_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
