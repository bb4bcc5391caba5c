/* Starting programs: what they get, what comes back, and how a failure reads. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/spawn.h"

/* Run a line of sh with s's other members; what it wrote, owned by the caller, without the last
 * newline. */
static int run_sh(struct spawn s, const char *line, char **out, struct err *e)
{
	const char *const argv[] = {"sh", "-c", line, NULL};
	CLEANUP(buf_release) struct buf output = {0};
	const char *text = NULL;

	s.argv = argv;
	s.output = &output;
	if (spawn_run(&s, e) < 0)
		return -1;
	assert_int_equal(buf_text(&output, &text, e), 0);
	*out = strndup(text, strcspn(text, "\n"));
	assert_non_null(*out);
	return 0;
}

static void arguments_arrive_as_they_are(void **state)
{
	const char *const argv[] = {"printf", "%s|", "a b", "$HOME", "*", "", NULL};
	CLEANUP(buf_release) struct buf output = {0};
	const char *text = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(spawn_run(&(struct spawn){.argv = argv, .output = &output}, &e), 0);
	assert_int_equal(buf_text(&output, &text, &e), 0);
	assert_string_equal(text, "a b|$HOME|*||");
}

static void input_of_a_megabyte_comes_back(void **state)
{
	enum { INPUT_BYTES = 1 << 20 };
	const char *const argv[] = {"cat", NULL};
	CLEANUP(freep) uint8_t *bytes = malloc(INPUT_BYTES);
	CLEANUP(buf_release) struct buf output = {0};
	struct err e = {0};

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', INPUT_BYTES);
	bytes[INPUT_BYTES - 1] = 'y';
	const struct spawn s = {.argv = argv, .input = {bytes, INPUT_BYTES}, .output = &output};
	assert_int_equal(spawn_run(&s, &e), 0);
	assert_int_equal(output.n_bytes, INPUT_BYTES);
	assert_memory_equal(output.bytes, bytes, INPUT_BYTES);
}

static void input_may_be_a_file(void **state)
{
	CLEANUP(freep) char *out = NULL;
	char path[] = "/tmp/lkflash-test.XXXXXX";
	CLEANUP(closep) int fd = mkstemp(path);
	struct err e = {0};

	(void)state;
	assert_int_equal(write(fd, "from a file", 11), 11);
	const int result = run_sh((struct spawn){.input_path = path}, "cat", &out, &e);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(result, 0);
	assert_string_equal(out, "from a file");
}

static void input_file_that_is_not_there_is_named(void **state)
{
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(run_sh((struct spawn){.input_path = "/nonexistent/tar"}, "cat", &out, &e),
			 -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text,
			    "starting sh: opening /nonexistent/tar: No such file or directory");
}

static void output_is_appended(void **state)
{
	const char *const argv[] = {"echo", "b", NULL};
	CLEANUP(buf_release) struct buf output = {0};
	const char *text = NULL;
	struct err e = {0};

	(void)state;
	buf_append_text(&output, "a");
	assert_int_equal(spawn_run(&(struct spawn){.argv = argv, .output = &output}, &e), 0);
	assert_int_equal(buf_text(&output, &text, &e), 0);
	assert_string_equal(text, "ab\n");
}

static void no_input_is_an_empty_one(void **state)
{
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(run_sh((struct spawn){0}, "wc -c", &out, &e), 0);
	assert_string_equal(out, "0");
}

static void program_speaks_english_and_knows_no_time_zone(void **state)
{
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	assert_int_equal(run_sh((struct spawn){0}, "echo $LC_ALL $TZ", &out, &e), 0);
	assert_string_equal(out, "C UTC");
}

static void setting_stands_in_for_ours_of_that_name(void **state)
{
	const char *const settings[] = {"LKFLASH_TEST=new", "LKFLASH_TEST_2=too", NULL};
	const struct spawn s = {.environment = settings};
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(setenv("LKFLASH_TEST", "old", 1), 0);
	assert_int_equal(run_sh(s, "echo $(env | grep LKFLASH_TEST)", &out, &e), 0);
	assert_string_equal(out, "LKFLASH_TEST=new LKFLASH_TEST_2=too");
}

static void it_runs_in_the_folder_that_was_named(void **state)
{
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(run_sh((struct spawn){.folder = "/proc"}, "pwd", &out, &e), 0);
	assert_string_equal(out, "/proc");
}

static void no_other_descriptor_is_handed_down(void **state)
{
	CLEANUP(closep) int fd = open("/dev/null", O_RDONLY);
	CLEANUP(freep) char *out = NULL;
	char line[64];
	struct err e = {0};

	(void)state;
	(void)snprintf(line, sizeof line, "[ -e /proc/$$/fd/%d ] || echo closed", fd);
	assert_int_equal(run_sh((struct spawn){0}, line, &out, &e), 0);
	assert_string_equal(out, "closed");
}

static void signals_that_we_block_reach_it(void **state)
{
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};
	sigset_t term;

	(void)state;
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &term, NULL), 0);
	assert_int_equal(run_sh((struct spawn){0}, "kill -TERM $$; echo deaf", &out, &e), -1);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &term, NULL), 0);
	assert_string_equal(e.text, "sh was ended by signal 15");
}

static void program_that_is_not_there_names_its_package(void **state)
{
	const char *const argv[] = {"mkfs.nothing", NULL};
	const struct spawn s = {.argv = argv, .packages = "nothing-tools"};
	struct err e = {0};

	(void)state;
	assert_int_equal(spawn_run(&s, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text,
			    "mkfs.nothing is not installed; install Debian's nothing-tools");
}

/* The caller's. */
static char *path_now(void)
{
	const char *path = getenv("PATH");

	assert_non_null(path);
	return strdup(path ? path : "");
}

static void program_of_the_sbin_folders_is_found_without_path(void **state)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *before = path_now();
	struct err e = {0};

	(void)state;
	assert_int_equal(setenv("PATH", "relative:/nonexistent", 1), 0);
	assert_int_equal(spawn_find("mke2fs", NULL, &path, &e), 0);
	assert_int_equal(setenv("PATH", before, 1), 0);
	assert_non_null(strstr(path, "/sbin/mke2fs"));
}

static void folder_of_path_that_is_not_absolute_is_passed_over(void **state)
{
	char folder[] = "/tmp/test-spawn.XXXXXX";
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *before = path_now();
	struct err e = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(symlink("/bin/true", "lkflash-true"), 0);
	assert_int_equal(setenv("PATH", ".:", 1), 0);
	assert_int_equal(spawn_find("lkflash-true", NULL, &path, &e), -1);
	assert_int_equal(setenv("PATH", before, 1), 0);
	assert_int_equal(unlink("lkflash-true"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_string_equal(e.text, "lkflash-true is not installed");
}

static void name_with_a_slash_is_a_path(void **state)
{
	CLEANUP(freep) char *path = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(spawn_find("./here", NULL, &path, &e), 0);
	assert_string_equal(path, "./here");
}

static void file_that_cannot_be_started_is_named(void **state)
{
	const char *const argv[] = {"/nonexistent/x", NULL};
	struct err e = {0};

	(void)state;
	assert_int_equal(spawn_run(&(struct spawn){.argv = argv}, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "starting /nonexistent/x: No such file or directory"));
}

static void failure_tells_status_and_last_lines(void **state)
{
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(run_sh((struct spawn){0},
				"for i in 1 2 3 4 5; do echo line $i; echo; done >&2; exit 3", &out,
				&e),
			 -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "sh ended with status 3: line 2; line 3; line 4; line 5");
}

static void failure_that_only_wrote_to_standard_output_tells_that(void **state)
{
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(run_sh((struct spawn){0}, "printf 'bad\\033thing'; exit 1", &out, &e), -1);
	assert_string_equal(e.text, "sh ended with status 1: bad?thing");
}

static void failure_without_a_word_tells_the_status(void **state)
{
	const char *const argv[] = {"false", NULL};
	struct err e = {0};

	(void)state;
	assert_int_equal(spawn_run(&(struct spawn){.argv = argv}, &e), -1);
	assert_string_equal(e.text, "false ended with status 1");
}

static void messages_are_kept_apart_from_output(void **state)
{
	static const char *const argv[] = {"sh", "-c", "echo said >&2; echo out; exit 3", NULL};
	CLEANUP(buf_release) struct buf output = {0};
	CLEANUP(buf_release) struct buf messages = {0};
	const struct spawn s = {.argv = argv, .output = &output, .messages = &messages};
	struct err e = {0};

	(void)state;
	assert_int_equal(spawn_run(&s, &e), -1);
	assert_int_equal(messages.n_bytes, 5);
	assert_memory_equal(messages.bytes, "said\n", 5);
	assert_int_equal(output.n_bytes, 4);
}

static void output_before_a_failure_is_kept(void **state)
{
	const char *const argv[] = {"sh", "-c", "echo half; exit 1", NULL};
	CLEANUP(buf_release) struct buf output = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(spawn_run(&(struct spawn){.argv = argv, .output = &output}, &e), -1);
	assert_int_equal(output.n_bytes, 5);
}

/* What the program started holds a lock and then asks for the stop; when it is gone, so is the
 * lock. */
static void being_stopped_kills_it_and_what_it_started(void **state)
{
	char folder[] = "/tmp/test-spawn.XXXXXX";
	char path[64];
	char line[256];
	CLEANUP(freep) char *out = NULL;
	struct err e = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/pipe", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	CLEANUP(closep) int lock = open(folder, O_RDONLY | O_CLOEXEC);
	const struct cancel c = {.fd = fd};
	(void)snprintf(line, sizeof line, "flock %s sh -c 'echo stop >%s; sleep 1000' & sleep 1000",
		       folder, path);
	assert_int_equal(run_sh((struct spawn){.cancel = &c}, line, &out, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	(void)alarm(20);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	(void)alarm(0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void nothing_is_started_once_we_were_stopped(void **state)
{
	CLEANUP(closep) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	const char *const argv[] = {"/nonexistent/x", NULL};
	const struct cancel c = {.fd = fd};
	struct err e = {0};

	(void)state;
	assert_int_equal(spawn_run(&(struct spawn){.argv = argv, .cancel = &c}, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_arrive_as_they_are),
		cmocka_unit_test(input_of_a_megabyte_comes_back),
		cmocka_unit_test(input_may_be_a_file),
		cmocka_unit_test(input_file_that_is_not_there_is_named),
		cmocka_unit_test(output_is_appended),
		cmocka_unit_test(no_input_is_an_empty_one),
		cmocka_unit_test(program_speaks_english_and_knows_no_time_zone),
		cmocka_unit_test(setting_stands_in_for_ours_of_that_name),
		cmocka_unit_test(it_runs_in_the_folder_that_was_named),
		cmocka_unit_test(no_other_descriptor_is_handed_down),
		cmocka_unit_test(signals_that_we_block_reach_it),
		cmocka_unit_test(program_that_is_not_there_names_its_package),
		cmocka_unit_test(program_of_the_sbin_folders_is_found_without_path),
		cmocka_unit_test(folder_of_path_that_is_not_absolute_is_passed_over),
		cmocka_unit_test(name_with_a_slash_is_a_path),
		cmocka_unit_test(file_that_cannot_be_started_is_named),
		cmocka_unit_test(failure_tells_status_and_last_lines),
		cmocka_unit_test(failure_that_only_wrote_to_standard_output_tells_that),
		cmocka_unit_test(failure_without_a_word_tells_the_status),
		cmocka_unit_test(output_before_a_failure_is_kept),
		cmocka_unit_test(messages_are_kept_apart_from_output),
		cmocka_unit_test(being_stopped_kills_it_and_what_it_started),
		cmocka_unit_test(nothing_is_started_once_we_were_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
