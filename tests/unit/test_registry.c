/* All boards: built in, and from a folder of the user's. */
#include "boards/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/builtin.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

#define PROFILE(id, name) "id: " id "\nname: " name "\narch: any\nboot: x\ntested: no\ntable: any\n"

/* A folder with one profile. */
struct place {
	char folder[40];
	char path[80];
};

static void place_remove(struct place *p)
{
	(void)unlink(p->path);
	(void)rmdir(p->path);
	(void)rmdir(p->folder);
}

static void place_make(struct place *p, const char *file, const char *yaml)
{
	struct err e;

	strcpy(p->folder, "/tmp/lkflash-test.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	(void)snprintf(p->path, sizeof p->path, "%s/%s", p->folder, file);
	assert_int_equal(fdio_save(p->path, yaml, strlen(yaml), 0644, &e), 0);
}

static struct registry *load(const char *folder)
{
	struct registry *r = NULL;
	struct err e = {0};

	if (registry_load(folder, &r, &e) < 0)
		fail_msg("%s", e.text);
	return r;
}

static const struct board *find(const struct registry *r, const char *id)
{
	const struct board *b = NULL;
	struct err e = {0};

	if (registry_by_id(r, id, &b, &e) < 0)
		fail_msg("%s", e.text);
	return b;
}

/* Each id is smaller than the one behind it. */
static bool is_sorted(const struct registry *r)
{
	for (size_t i = 1; i < r->n_boards; i++)
		if (strcmp(r->boards[i - 1]->id, r->boards[i]->id) >= 0)
			return false;
	return true;
}

static void every_built_in_board_is_there(void **state)
{
	(void)state;
	CLEANUP(registry_freep) struct registry *r = load(NULL);

	assert_true(n_board_builtins >= 4);
	assert_int_equal(r->n_boards, n_board_builtins);
	assert_true(is_sorted(r));
}

static void uefi_board_wants_an_efi_system_partition(void **state)
{
	(void)state;
	CLEANUP(registry_freep) struct registry *r = load(NULL);
	const struct board *b = find(r, "x86-uefi");

	assert_int_equal(b->table, BOARD_TABLE_MBR_OR_GPT);
	assert_int_equal(b->n_partitions, 1);
	assert_string_equal(b->partitions[0].types[0], "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_string_equal(b->partitions[0].types[1], "0xef");
	assert_string_equal(b->partitions[0].file_system, "vfat");
}

static void bios_board_wants_the_boot_signature(void **state)
{
	(void)state;
	CLEANUP(registry_freep) struct registry *r = load(NULL);
	const struct board *b = find(r, "x86-bios");

	assert_int_equal(b->n_blobs, 1);
	assert_int_equal(b->blobs[0].offset_bytes, 510);
	assert_string_equal(b->blobs[0].magic, "55aa");
}

static void generic_board_wants_nothing(void **state)
{
	(void)state;
	CLEANUP(registry_freep) struct registry *r = load(NULL);
	const struct board *b = find(r, "generic");

	assert_int_equal(b->table, BOARD_TABLE_ANY);
	assert_int_equal(b->n_partitions + b->n_blobs, 0);
}

static void missing_folder_adds_nothing(void **state)
{
	(void)state;
	CLEANUP(registry_freep) struct registry *r = load("/nonexistent/boards.d");

	assert_int_equal(r->n_boards, n_board_builtins);
}

static void folder_adds_a_board_in_its_place(void **state)
{
	CLEANUP(place_remove) struct place p = {0};

	(void)state;
	place_make(&p, "mine.yaml", PROFILE("mine", "My board"));
	CLEANUP(registry_freep) struct registry *r = load(p.folder);
	assert_int_equal(r->n_boards, n_board_builtins + 1);
	assert_true(is_sorted(r));
	assert_string_equal(find(r, "mine")->name, "My board");
}

static void folder_wins_over_built_in(void **state)
{
	CLEANUP(place_remove) struct place p = {0};

	(void)state;
	place_make(&p, "rpi4.yaml", PROFILE("rpi4", "My Pi"));
	CLEANUP(registry_freep) struct registry *r = load(p.folder);
	assert_int_equal(r->n_boards, n_board_builtins);
	assert_string_equal(find(r, "rpi4")->name, "My Pi");
}

static void other_files_of_the_folder_are_left_alone(void **state)
{
	CLEANUP(place_remove) struct place p = {0};

	(void)state;
	place_make(&p, "mine.yaml~", "not a profile");
	CLEANUP(registry_freep) struct registry *r = load(p.folder);
	assert_int_equal(r->n_boards, n_board_builtins);
}

static void hidden_files_of_the_folder_are_left_alone(void **state)
{
	CLEANUP(place_remove) struct place p = {0};

	(void)state;
	place_make(&p, ".mine.yaml", "not a profile");
	CLEANUP(registry_freep) struct registry *r = load(p.folder);
	assert_int_equal(r->n_boards, n_board_builtins);
}

/* The text behind the folder's name. */
static const char *load_fails(const struct place *p, enum err_code code, struct err *e)
{
	struct registry *r = NULL;

	assert_int_equal(registry_load(p->folder, &r, e), -1);
	assert_null(r);
	assert_int_equal(e->code, code);
	const char *at = strstr(e->text, p->folder);
	return at ? at + strlen(p->folder) : e->text;
}

static void bad_profile_of_the_folder_is_refused_with_file_and_line(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	struct err e;

	(void)state;
	place_make(&p, "mine.yaml", "id: mine\nnmae: x\n");
	assert_string_equal(load_fails(&p, ERR_USAGE, &e), "/mine.yaml:2: unknown key `nmae`");
}

static void file_not_called_after_its_id_is_refused(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	struct err e;

	(void)state;
	place_make(&p, "mine.yaml", PROFILE("yours", "Your board"));
	assert_string_equal(load_fails(&p, ERR_USAGE, &e),
			    "/mine.yaml:1: the profile's id is `yours`; rename it to yours.yaml");
}

static void file_whose_name_only_begins_with_its_id_is_refused(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	struct err e;

	(void)state;
	place_make(&p, "mine2.yaml", PROFILE("mine", "My board"));
	assert_string_equal(load_fails(&p, ERR_USAGE, &e),
			    "/mine2.yaml:1: the profile's id is `mine`; rename it to mine.yaml");
}

static void file_that_cannot_be_read_is_an_io_error(void **state)
{
	CLEANUP(place_remove) struct place p = {0};
	struct err e;

	(void)state;
	place_make(&p, "mine.yaml", "");
	assert_int_equal(unlink(p.path), 0);
	assert_int_equal(mkdir(p.path, 0755), 0);
	assert_string_equal(load_fails(&p, ERR_IO, &e), "/mine.yaml: reading: Is a directory");
}

static void folder_that_is_a_file_is_an_io_error(void **state)
{
	struct registry *r = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(registry_load("/dev/null", &r, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.text, "reading board profiles in /dev/null: Not a directory");
}

static void profile_file_that_is_missing_is_an_io_error(void **state)
{
	struct board *b = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(registry_load_file("/nonexistent/a.yaml", &b, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_null(b);
}

static void unknown_id_is_refused_with_the_nearest(void **state)
{
	const struct board *b = NULL;
	struct err e = {0};

	(void)state;
	CLEANUP(registry_freep) struct registry *r = load(NULL);
	assert_int_equal(registry_by_id(r, "x86-uefy", &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "there is no board x86-uefy; perhaps x86-uefi; `lkflash "
				    "boards` lists all");
	assert_null(b);
}

static void id_far_from_all_is_refused_without_a_guess(void **state)
{
	const struct board *b = NULL;
	struct err e = {0};

	(void)state;
	CLEANUP(registry_freep) struct registry *r = load(NULL);
	assert_int_equal(registry_by_id(r, "toaster", &b, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.text, "there is no board toaster; `lkflash boards` lists all");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_built_in_board_is_there),
		cmocka_unit_test(uefi_board_wants_an_efi_system_partition),
		cmocka_unit_test(bios_board_wants_the_boot_signature),
		cmocka_unit_test(generic_board_wants_nothing),
		cmocka_unit_test(missing_folder_adds_nothing),
		cmocka_unit_test(folder_adds_a_board_in_its_place),
		cmocka_unit_test(folder_wins_over_built_in),
		cmocka_unit_test(other_files_of_the_folder_are_left_alone),
		cmocka_unit_test(hidden_files_of_the_folder_are_left_alone),
		cmocka_unit_test(bad_profile_of_the_folder_is_refused_with_file_and_line),
		cmocka_unit_test(file_not_called_after_its_id_is_refused),
		cmocka_unit_test(file_whose_name_only_begins_with_its_id_is_refused),
		cmocka_unit_test(file_that_cannot_be_read_is_an_io_error),
		cmocka_unit_test(folder_that_is_a_file_is_an_io_error),
		cmocka_unit_test(profile_file_that_is_missing_is_an_io_error),
		cmocka_unit_test(unknown_id_is_refused_with_the_nearest),
		cmocka_unit_test(id_far_from_all_is_refused_without_a_guess),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
