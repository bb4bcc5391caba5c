/* Arguments of QEMU, as a profile says. */
#include "provision/build/qemu_args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

/* Members of a board are its own; nothing changes them here. */
#define TEXT(text) ((char *)(text))

static struct board_firmware files[] = {
	{.file = TEXT("u-boot.bin"),
	 .package = TEXT("u-boot-acme:all"),
	 .path = TEXT("usr/lib/u-boot.bin")},
	{.file = TEXT("fip.bin"), .source = TEXT("the maker's page")},
};

/* A board with a machine, and what is asked of it. */
struct machine {
	struct board board;
	struct board_qemu qemu;
	char *arguments[12];
	struct firmware_set *firmware; /* owned */
	char folder[64];               /* has u-boot.bin */
	struct qemu_request request;
};

static void put_firmware(struct machine *m)
{
	CLEANUP(freep) char *path = NULL;
	struct firmware_places places = {.folder = m->folder};
	struct err e = {0};

	(void)snprintf(m->folder, sizeof m->folder, "/tmp/lkflash,test-XXXXXX");
	assert_non_null(mkdtemp(m->folder));
	assert_true(asprintf(&path, "%s/u-boot.bin", m->folder) > 0);
	assert_int_equal(fdio_save(path, "x", 1, 0600, &e), 0);
	assert_int_equal(firmware_load(&m->board, &places, &m->firmware, &e), 0);
	assert_int_equal(remove(path), 0);
	assert_int_equal(remove(m->folder), 0);
}

static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof *m);

	assert_non_null(m);
	m->qemu =
		(struct board_qemu){.program = TEXT("qemu-system-arm"), .arguments = m->arguments};
	m->board = (struct board){
		.id = TEXT("acme"), .firmware = files, .n_firmware = 2, .qemu = &m->qemu};
	put_firmware(m);
	m->request = (struct qemu_request){
		.board = &m->board,
		.firmware = m->firmware,
		.drive_path = "/var/tmp/x/overlay",
		.drive_format = "qcow2",
		.folder = "/var/tmp/x",
	};
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *m = *state;

	firmware_free(m->firmware);
	free(m);
	return 0;
}

static void say(struct machine *m, const char *argument)
{
	m->arguments[m->qemu.n_arguments++] = TEXT(argument);
}

/* The arguments with blanks between them. */
static char *joined(const struct qemu_args *a)
{
	CLEANUP(buf_release) struct buf b = {0};
	const char *text = NULL;
	struct err e = {0};

	for (size_t i = 0; i < a->n_args; i++)
		buf_printf(&b, "%s%s", i ? " " : "", a->argv[i]);
	assert_null(a->argv[a->n_args]);
	assert_int_equal(buf_text(&b, &text, &e), 0);
	return strdup(text);
}

static void assert_args(const struct machine *m, const char *wanted)
{
	CLEANUP(qemu_args_release) struct qemu_args a = {0};
	struct err e = {0};

	assert_int_equal(qemu_args_make(&m->request, &a, &e), 0);
	CLEANUP(freep) char *text = joined(&a);
	assert_string_equal(text, wanted);
}

static void assert_refused(const struct machine *m, const char *words)
{
	CLEANUP(qemu_args_release) struct qemu_args a = {0};
	struct err e = {0};

	assert_int_equal(qemu_args_make(&m->request, &a, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, words));
	assert_null(a.argv);
}

#define COMMON "-display none -monitor none -no-reboot "

static void machine_has_the_profiles_arguments_and_a_console(void **state)
{
	struct machine *m = *state;

	say(m, "-machine");
	say(m, "orangepi-pc");
	assert_args(m, "qemu-system-arm -machine orangepi-pc " COMMON "-serial stdio");
}

static void console_of_a_person_can_be_left(void **state)
{
	struct machine *m = *state;

	m->request.is_terminal = true;
	assert_args(m, "qemu-system-arm " COMMON "-serial mon:stdio");
}

static void ports_before_the_console_are_silent(void **state)
{
	struct machine *m = *state;

	m->qemu.console = 2;
	assert_args(m, "qemu-system-arm " COMMON "-serial null -serial null -serial stdio");
}

static void drive_is_filled_in(void **state)
{
	struct machine *m = *state;

	say(m, "{drive},if=sd");
	assert_args(m, "qemu-system-arm file=/var/tmp/x/overlay,format=qcow2,if=sd " COMMON
		       "-serial stdio");
}

static void commas_of_a_path_are_doubled_in_a_list(void **state)
{
	struct machine *m = *state;

	m->request.drive_path = "/a,b";
	m->request.drive_format = "raw";
	say(m, "{drive}");
	assert_args(m, "qemu-system-arm file=/a,,b,format=raw " COMMON "-serial stdio");
}

static void firmware_is_filled_in(void **state)
{
	struct machine *m = *state;
	CLEANUP(freep) char *wanted = NULL;

	say(m, "{firmware:u-boot.bin}");
	assert_true(asprintf(&wanted, "qemu-system-arm %s " COMMON "-serial stdio",
			     firmware_path(m->firmware, "u-boot.bin")) > 0);
	assert_args(m, wanted);
}

static void firmware_in_a_list_has_its_commas_doubled(void **state)
{
	struct machine *m = *state;
	CLEANUP(freep) char *wanted = NULL;

	say(m, "if=pflash,file={firmware:u-boot.bin}");
	assert_true(asprintf(&wanted,
			     "qemu-system-arm if=pflash,file=/tmp/lkflash,%s " COMMON
			     "-serial stdio",
			     strchr(firmware_path(m->firmware, "u-boot.bin"), ',')) > 0);
	assert_args(m, wanted);
}

static void copies_are_told(void **state)
{
	struct machine *m = *state;
	CLEANUP(qemu_args_release) struct qemu_args a = {0};
	struct err e = {0};

	say(m, "file={copy:/usr/share/VARS_1.fd}");
	say(m, "{copy:/usr/share/VARS_2.fd}");
	assert_int_equal(qemu_args_make(&m->request, &a, &e), 0);
	assert_string_equal(a.argv[1], "file=/var/tmp/x/copy-0");
	assert_string_equal(a.argv[2], "/var/tmp/x/copy-1");
	assert_int_equal(a.n_copies, 2);
	assert_string_equal(a.copies[0].from, "/usr/share/VARS_1.fd");
	assert_string_equal(a.copies[0].to, "/var/tmp/x/copy-0");
	assert_string_equal(a.copies[1].from, "/usr/share/VARS_2.fd");
}

static void more_arguments_stand_last(void **state)
{
	struct machine *m = *state;
	static const char *const more[] = {"-smp", "2"};

	m->request.arguments = more;
	m->request.n_arguments = 2;
	assert_args(m, "qemu-system-arm " COMMON "-serial stdio -smp 2");
}

static void missing_firmware_of_a_package_is_to_be_fetched(void **state)
{
	struct machine *m = *state;
	struct firmware_places nowhere = {0};
	struct err e = {0};

	firmware_free(TAKE(m->firmware));
	assert_int_equal(firmware_load(&m->board, &nowhere, &m->firmware, &e), 0);
	m->request.firmware = m->firmware;
	say(m, "{firmware:u-boot.bin}");
	assert_refused(m, "`lkflash firmware acme`");
}

static void missing_firmware_of_a_maker_is_to_be_got_there(void **state)
{
	struct machine *m = *state;

	say(m, "{firmware:fip.bin}");
	assert_refused(m, "the maker's page");
}

static void unknown_word_is_refused(void **state)
{
	struct machine *m = *state;

	say(m, "{disk}");
	assert_refused(m, "{disk}");
}

static void word_without_an_end_is_refused(void **state)
{
	struct machine *m = *state;

	say(m, "{drive");
	assert_refused(m, "{drive");
}

static void too_many_copies_are_refused(void **state)
{
	struct machine *m = *state;

	say(m, "{copy:/a}{copy:/b}{copy:/c}{copy:/d}{copy:/e}{copy:/f}{copy:/g}{copy:/h}{copy:/i}");
	assert_refused(m, "copies more than 8 files");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(machine_has_the_profiles_arguments_and_a_console),
		TEST(console_of_a_person_can_be_left),
		TEST(ports_before_the_console_are_silent),
		TEST(drive_is_filled_in),
		TEST(commas_of_a_path_are_doubled_in_a_list),
		TEST(firmware_is_filled_in),
		TEST(firmware_in_a_list_has_its_commas_doubled),
		TEST(copies_are_told),
		TEST(more_arguments_stand_last),
		TEST(missing_firmware_of_a_package_is_to_be_fetched),
		TEST(missing_firmware_of_a_maker_is_to_be_got_there),
		TEST(unknown_word_is_refused),
		TEST(word_without_an_end_is_refused),
		TEST(too_many_copies_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
