/* What identifies an image: UUIDs of a seed, and the digest over its inputs. And what a root file
 * system is, by its first bytes. */
#include "provision/build/inputs_digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "provision/build/root_source.h"
#include "provision/build/uuids.h"

/* ---- UUIDs ---------------------------------------------------------------------------------- */

static const uint8_t seed[SHA256_BYTES] = {1, 2, 3};

static void make(const uint8_t of[SHA256_BYTES], const char *purpose, const char *name,
		 uint8_t out[UUID_BYTES])
{
	struct err e = {0};

	assert_int_equal(uuid_make(of, purpose, name, out, &e), 0);
}

static void uuid_is_the_same_for_the_same_seed(void **state)
{
	uint8_t a[UUID_BYTES];
	uint8_t b[UUID_BYTES];

	(void)state;
	make(seed, "partition", "root", a);
	make(seed, "partition", "root", b);
	assert_memory_equal(a, b, sizeof a);
}

static void uuid_is_another_for_another_seed(void **state)
{
	static const uint8_t other[SHA256_BYTES] = {1, 2, 4};
	uint8_t a[UUID_BYTES];
	uint8_t b[UUID_BYTES];

	(void)state;
	make(seed, "partition", "root", a);
	make(other, "partition", "root", b);
	assert_memory_not_equal(a, b, sizeof a);
}

static void purpose_and_name_are_kept_apart(void **state)
{
	uint8_t a[UUID_BYTES];
	uint8_t b[UUID_BYTES];

	(void)state;
	make(seed, "partition", "root", a);
	make(seed, "partitionr", "oot", b);
	assert_memory_not_equal(a, b, sizeof a);
}

static void uuid_has_version_8_and_the_variant_of_its_rfc(void **state)
{
	uint8_t a[UUID_BYTES];

	(void)state;
	make(seed, "disk", "", a);
	assert_int_equal(a[6] & 0xf0, 0x80);
	assert_int_equal(a[8] & 0xc0, 0x80);
}

static void uuid_is_written_in_five_groups(void **state)
{
	static const uint8_t uuid[UUID_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
						 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	char text[UUID_TEXT_BYTES];

	(void)state;
	assert_string_equal(uuid_format(uuid, text), "00112233-4455-6677-8899-aabbccddeeff");
}

static void disk_id_is_never_0(void **state)
{
	static const uint8_t zeros[UUID_BYTES] = {0};
	static const uint8_t uuid[UUID_BYTES] = {0x78, 0x56, 0x34, 0x12};

	(void)state;
	assert_int_equal(uuid_disk_id(zeros), 1);
	assert_int_equal(uuid_disk_id(uuid), 0x12345678);
}

/* ---- Digests -------------------------------------------------------------------------------- */

static struct digest *start(void)
{
	struct digest *d = NULL;
	struct err e = {0};

	assert_int_equal(digest_new(DIGEST_SHA256, &d, &e), 0);
	return d;
}

static void finish(struct digest *d, uint8_t out[SHA256_BYTES])
{
	struct err e = {0};

	assert_int_equal(digest_finish(d, out, &e), 0);
	digest_free(d);
}

static void digest_texts(const char *what_a, const char *a, const char *what_b, const char *b,
			 uint8_t out[SHA256_BYTES])
{
	struct digest *d = start();
	struct err e = {0};

	assert_int_equal(inputs_digest_text(d, what_a, a, &e), 0);
	assert_int_equal(inputs_digest_text(d, what_b, b, &e), 0);
	finish(d, out);
}

static void digest_tree(const struct tree *t, uint8_t out[SHA256_BYTES])
{
	struct digest *d = start();
	struct err e = {0};

	assert_int_equal(inputs_digest_tree(d, "tree", t, &e), 0);
	finish(d, out);
}

static void where_one_piece_ends_counts(void **state)
{
	uint8_t a[SHA256_BYTES];
	uint8_t b[SHA256_BYTES];

	(void)state;
	digest_texts("x", "ab", "x", "c", a);
	digest_texts("x", "a", "x", "bc", b);
	assert_memory_not_equal(a, b, sizeof a);
}

static void what_a_piece_is_counts(void **state)
{
	uint8_t a[SHA256_BYTES];
	uint8_t b[SHA256_BYTES];

	(void)state;
	digest_texts("kernel", "a", "initrd", "b", a);
	digest_texts("initrd", "a", "kernel", "b", b);
	assert_memory_not_equal(a, b, sizeof a);
}

/* A file in /tmp with that content; its path is the caller's. */
static char *file_with(const char *content)
{
	char *path = strdup("/tmp/lkflash-inputs-XXXXXX");
	struct err e = {0};

	assert_non_null(path);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(fdio_write(fd, content, strlen(content), &e), 0);
	(void)close(fd);
	return path;
}

static void remove_file(char **path)
{
	(void)unlink(*path);
	free(*path);
}

static void where_a_file_is_read_from_does_not_count(void **state)
{
	CLEANUP(tree_release) struct tree in_memory = {0};
	CLEANUP(tree_release) struct tree on_disk = {0};
	CLEANUP(remove_file) char *path = file_with("content");
	struct err e = {0};
	uint8_t a[SHA256_BYTES];
	uint8_t b[SHA256_BYTES];

	(void)state;
	assert_int_equal(tree_add_text(&in_memory, "etc/x", "content", &e), 0);
	assert_int_equal(tree_add_path(&on_disk, "etc/x", path, &e), 0);
	digest_tree(&in_memory, a);
	digest_tree(&on_disk, b);
	assert_memory_equal(a, b, sizeof a);
}

static void mode_of_a_file_counts(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};
	uint8_t a[SHA256_BYTES];
	uint8_t b[SHA256_BYTES];

	(void)state;
	assert_int_equal(tree_add_text(&t, "x", "content", &e), 0);
	digest_tree(&t, a);
	t.entries[0].mode = 0755;
	digest_tree(&t, b);
	assert_memory_not_equal(a, b, sizeof a);
}

static void attribute_of_a_file_counts(void **state)
{
	CLEANUP(tree_release) struct tree t = {0};
	struct err e = {0};
	uint8_t a[SHA256_BYTES];
	uint8_t b[SHA256_BYTES];

	(void)state;
	assert_int_equal(tree_add_text(&t, "x", "content", &e), 0);
	digest_tree(&t, a);
	assert_int_equal(tree_entry_add_attribute(&t.entries[0], "user.a", "b", 1, &e), 0);
	digest_tree(&t, b);
	assert_memory_not_equal(a, b, sizeof a);
}

static void assert_file_refused(const char *path, uint64_t size_bytes, const char *text)
{
	struct digest *d = start();
	struct err e = {0};

	assert_int_equal(inputs_digest_file(d, "x", path, size_bytes, NULL, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, text));
	digest_free(d);
}

static void file_that_became_shorter_is_refused(void **state)
{
	CLEANUP(remove_file) char *path = file_with("content");

	(void)state;
	assert_file_refused(path, 8, "it changed while it was read");
}

static void file_that_became_longer_is_refused(void **state)
{
	CLEANUP(remove_file) char *path = file_with("content");

	(void)state;
	assert_file_refused(path, 6, "it changed while it was read");
}

static void file_that_is_gone_is_refused(void **state)
{
	(void)state;
	assert_file_refused("/nowhere/at/all", 6, "opening /nowhere/at/all");
}

/* ---- Root file systems ---------------------------------------------------------------------- */

static void squashfs_is_known(void **state)
{
	(void)state;
	assert_string_equal(root_source_file_system((const uint8_t *)"hsqs", 4), "squashfs");
}

static void erofs_is_known(void **state)
{
	static const uint8_t head[1028] = {[1024] = 0xe2, 0xe1, 0xf5, 0xe0};

	(void)state;
	assert_string_equal(root_source_file_system(head, sizeof head), "erofs");
}

static void ext4_is_known(void **state)
{
	static const uint8_t head[1082] = {[1080] = 0x53, 0xef};

	(void)state;
	assert_string_equal(root_source_file_system(head, sizeof head), "ext4");
}

static void head_that_ends_inside_a_magic_is_none(void **state)
{
	static const uint8_t erofs[1027] = {[1024] = 0xe2, 0xe1, 0xf5};
	static const uint8_t ext4[1081] = {[1080] = 0x53};

	(void)state;
	assert_null(root_source_file_system((const uint8_t *)"hsq", 3));
	assert_null(root_source_file_system(erofs, sizeof erofs));
	assert_null(root_source_file_system(ext4, sizeof ext4));
	assert_null(root_source_file_system(ext4, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_is_the_same_for_the_same_seed),
		cmocka_unit_test(uuid_is_another_for_another_seed),
		cmocka_unit_test(purpose_and_name_are_kept_apart),
		cmocka_unit_test(uuid_has_version_8_and_the_variant_of_its_rfc),
		cmocka_unit_test(uuid_is_written_in_five_groups),
		cmocka_unit_test(disk_id_is_never_0),
		cmocka_unit_test(where_one_piece_ends_counts),
		cmocka_unit_test(what_a_piece_is_counts),
		cmocka_unit_test(where_a_file_is_read_from_does_not_count),
		cmocka_unit_test(mode_of_a_file_counts),
		cmocka_unit_test(attribute_of_a_file_counts),
		cmocka_unit_test(file_that_became_shorter_is_refused),
		cmocka_unit_test(file_that_became_longer_is_refused),
		cmocka_unit_test(file_that_is_gone_is_refused),
		cmocka_unit_test(squashfs_is_known),
		cmocka_unit_test(erofs_is_known),
		cmocka_unit_test(ext4_is_known),
		cmocka_unit_test(head_that_ends_inside_a_magic_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
