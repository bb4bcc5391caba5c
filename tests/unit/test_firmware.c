/* Firmware files: where they are looked for, and what they are held against. */
#include "provision/build/firmware.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

/* Members of a board are its own; nothing changes them here. */
#define TEXT(text) ((char *)(text))

static struct board_firmware files[] = {
	{.file = TEXT("spl.bin"),
	 .package = TEXT("u-boot-acme:armhf"),
	 .path = TEXT("usr/lib/u-boot/acme/u-boot-with-spl.bin")},
	{.file = TEXT("scp.bin"), .source = TEXT("the maker"), .is_optional = true},
};

static struct board_blob blobs[] = {
	{.name = TEXT("boot ROM logo"), .magic = TEXT("ffff")},
	{.name = TEXT("SPL"),
	 .offset_bytes = 8192,
	 .magic = TEXT("65474f4e"),
	 .magic_at_bytes = 4,
	 .file = TEXT("spl.bin")},
};

static struct board_build_partition partitions[] = {
	{.name = TEXT("esp"), .content = CONTENT_BOOT},
	{.name = TEXT("scp"),
	 .content = CONTENT_FILE,
	 .file = TEXT("scp.bin"),
	 .magic = TEXT("d00dfeed")},
};

static struct board_boot_file boot_files[] = {
	{.file = TEXT("spl.bin"), .to = TEXT("BOOT.BIN"), .magic = TEXT("2d2d2d2d")},
};

static struct board_build build = {
	.partitions = partitions,
	.n_partitions = 2,
	.boot_files = boot_files,
	.n_boot_files = 1,
};

static const struct board board = {
	.id = TEXT("acme-gw"),
	.blobs = blobs,
	.n_blobs = 2,
	.build = &build,
	.firmware = files,
	.n_firmware = 2,
};

#define SPL "----eGON.BT0"
#define SCP "\xd0\x0d\xfe\xed."

static int set_up(void **state)
{
	char *folder = strdup("/tmp/lkflash-test-firmware.XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) ? 0 : -1;
}

static char *below(const char *folder, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	return path;
}

static void forget(const char *folder, const char *name)
{
	CLEANUP(freep) char *path = below(folder, name);

	(void)remove(path);
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"given/spl.bin",
		"given/scp.bin",
		"given",
		"cache/firmware/acme-gw/spl.bin",
		"cache/firmware/acme-gw",
		"cache/firmware",
		"cache",
		"root/usr/lib/u-boot/acme/u-boot-with-spl.bin",
		"root/usr/lib/u-boot/acme",
		"root/usr/lib/u-boot",
		"root/usr/lib",
		"root/usr",
		"root",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		forget(*state, names[i]);
	(void)remove(*state);
	free(*state);
	return 0;
}

/* A file below the test's folder, and the folders above it. */
static void put(const char *folder, const char *name, const char *text)
{
	CLEANUP(freep) char *path = below(folder, name);
	CLEANUP(freep) char *parent = strdup(path);
	struct err e;

	assert_non_null(parent);
	*strrchr(parent, '/') = '\0';
	assert_int_equal(fdio_mkdir(parent, 0700, &e), 0);
	assert_int_equal(fdio_save(path, text, strlen(text), 0600, &e), 0);
}

/* Load from given/, cache/ and root/ below folder; given/ only when asked for. */
static int load(const char *folder, bool has_given, struct firmware_set **out, struct err *e)
{
	CLEANUP(freep) char *given = below(folder, "given");
	CLEANUP(freep) char *cache = below(folder, "cache");
	CLEANUP(freep) char *root = below(folder, "root");
	struct firmware_places places = {
		.folder = has_given ? given : NULL,
		.cache = cache,
		.root = root,
	};

	return firmware_load(&board, &places, out, e);
}

/* The SPL is found at the place, named from the test's folder. */
static void assert_found(const char *folder, bool has_given, const char *place)
{
	CLEANUP(firmware_freep) struct firmware_set *s = NULL;
	CLEANUP(freep) char *wanted = below(folder, place);
	struct err e = {0};

	assert_int_equal(load(folder, has_given, &s, &e), 0);
	assert_non_null(firmware_path(s, "spl.bin"));
	assert_string_equal(firmware_path(s, "spl.bin"), wanted);
}

static void assert_refused(const char *folder, enum err_code code, const char *words)
{
	CLEANUP(firmware_freep) struct firmware_set *s = NULL;
	struct err e = {0};

	assert_int_equal(load(folder, true, &s, &e), -1);
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.text, words));
	assert_null(s);
}

static void given_folder_comes_before_the_cache(void **state)
{
	put(*state, "given/spl.bin", SPL);
	put(*state, "cache/firmware/acme-gw/spl.bin", SPL);
	assert_found(*state, true, "given/spl.bin");
}

static void cache_comes_before_packages_of_this_machine(void **state)
{
	put(*state, "cache/firmware/acme-gw/spl.bin", SPL);
	put(*state, "root/usr/lib/u-boot/acme/u-boot-with-spl.bin", SPL);
	assert_found(*state, false, "cache/firmware/acme-gw/spl.bin");
}

static void packages_of_this_machine_come_last(void **state)
{
	put(*state, "given/scp.bin", SCP);
	put(*state, "root/usr/lib/u-boot/acme/u-boot-with-spl.bin", SPL);
	assert_found(*state, true, "root/usr/lib/u-boot/acme/u-boot-with-spl.bin");
}

static void content_is_as_in_the_file(void **state)
{
	CLEANUP(firmware_freep) struct firmware_set *s = NULL;
	struct err e = {0};
	size_t n_files = 0;

	put(*state, "given/spl.bin", SPL);
	put(*state, "given/scp.bin", SCP);
	assert_int_equal(load(*state, true, &s, &e), 0);
	const struct boot_firmware *all = firmware_files(s, &n_files);
	assert_int_equal(n_files, 2);
	assert_string_equal(all[0].file, "spl.bin");
	assert_int_equal(all[0].content.n_bytes, strlen(SPL));
	assert_memory_equal(all[0].content.bytes, SPL, strlen(SPL));
	assert_string_equal(all[1].file, "scp.bin");
	assert_int_equal(all[1].content.n_bytes, strlen(SCP));
}

static void missing_file_is_left_out(void **state)
{
	CLEANUP(firmware_freep) struct firmware_set *s = NULL;
	struct err e = {0};
	size_t n_files = 1;

	assert_int_equal(load(*state, false, &s, &e), 0);
	(void)firmware_files(s, &n_files);
	assert_int_equal(n_files, 0);
	assert_null(firmware_path(s, "spl.bin"));
}

static void places_that_are_not_there_are_passed_over(void **state)
{
	CLEANUP(firmware_freep) struct firmware_set *s = NULL;
	struct firmware_places nowhere = {0};
	struct err e = {0};
	size_t n_files = 1;

	(void)state;
	assert_int_equal(firmware_load(&board, &nowhere, &s, &e), 0);
	(void)firmware_files(s, &n_files);
	assert_int_equal(n_files, 0);
}

static void given_folder_that_is_not_there_fails(void **state)
{
	assert_refused(*state, ERR_IO, "given: No such file");
}

static void given_file_that_is_a_folder_is_refused(void **state)
{
	put(*state, "given/spl.bin/x", "x");
	assert_refused(*state, ERR_USAGE, "given/spl.bin is no regular file");
	forget(*state, "given/spl.bin/x");
}

static void given_folder_that_is_a_file_is_refused(void **state)
{
	put(*state, "given", "x");
	assert_refused(*state, ERR_USAGE, "not a folder");
}

static void file_that_cannot_be_reached_fails(void **state)
{
	CLEANUP(freep) char *link = below(*state, "given/spl.bin");

	put(*state, "given/scp.bin", SCP);
	assert_int_equal(symlink("spl.bin", link), 0); /* to itself: ELOOP, for root too */
	assert_refused(*state, ERR_IO, "given/spl.bin: Too many levels");
}

static void empty_file_is_refused(void **state)
{
	put(*state, "given/spl.bin", "");
	assert_refused(*state, ERR_USAGE, "given/spl.bin is empty");
}

static void file_without_the_magic_of_its_blob_is_refused(void **state)
{
	put(*state, "given/spl.bin", "----eGOO.BT0");
	assert_refused(*state, ERR_USAGE,
		       "given/spl.bin is not acme-gw's SPL: byte 4 should begin with 65474f4e");
}

static void file_too_short_for_the_magic_is_refused(void **state)
{
	put(*state, "given/spl.bin", "----eGO");
	assert_refused(*state, ERR_USAGE, "is not acme-gw's SPL");
}

static void file_without_the_magic_of_its_partition_is_refused(void **state)
{
	put(*state, "given/scp.bin", "feed");
	assert_refused(*state, ERR_USAGE, "given/scp.bin is not for acme-gw's partition scp");
}

static void file_without_the_magic_of_its_boot_file_is_refused(void **state)
{
	put(*state, "given/spl.bin", "-+--eGON.BT0");
	assert_refused(*state, ERR_USAGE,
		       "given/spl.bin is not acme-gw's BOOT.BIN: it should begin with 2d2d2d2d");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(given_folder_comes_before_the_cache),
		TEST(cache_comes_before_packages_of_this_machine),
		TEST(packages_of_this_machine_come_last),
		TEST(content_is_as_in_the_file),
		TEST(missing_file_is_left_out),
		TEST(places_that_are_not_there_are_passed_over),
		TEST(given_folder_that_is_not_there_fails),
		TEST(given_file_that_is_a_folder_is_refused),
		TEST(given_folder_that_is_a_file_is_refused),
		TEST(file_that_cannot_be_reached_fails),
		TEST(empty_file_is_refused),
		TEST(file_without_the_magic_of_its_blob_is_refused),
		TEST(file_too_short_for_the_magic_is_refused),
		TEST(file_without_the_magic_of_its_partition_is_refused),
		TEST(file_without_the_magic_of_its_boot_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
