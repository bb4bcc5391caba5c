/* A manifest for people and for programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/units.h"
#include "provision/cli/inspect_text.h"

/* An image of three chunks, one of each kind. */
struct fixture {
	char boards[1][MANIFEST_NAME_BYTES];
	struct manifest_partition partitions[2];
	struct manifest manifest;
	struct index *index;
	struct trust_verdict verdict;
	struct inspection inspection;
	struct buf out;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e;

	f = (struct fixture){
		.boards = {"rpi4"},
		.partitions =
			{{.name = "root-a", .slot = "a", .start_bytes = MIB, .size_bytes = MIB},
			 {.name = "data", .start_bytes = 2 * MIB, .size_bytes = 1}},
		.manifest = {.name = "gw",
			     .version = "1",
			     .n_boards = 1,
			     .image_size_bytes = 3 * MIB,
			     .sector_bytes = 512},
		.verdict = {.n_signers = 2, .signers = {"CN=a", "CN=b\x1b[2J"}},
	};
	f.manifest.boards = f.boards;
	assert_int_equal(index_new(3 * MIB, INDEX_CHUNK_LOG2_DEFAULT, &f.index, &e), 0);
	f.index->entries[1].kind = CHUNK_ZERO;
	f.index->entries[2].kind = CHUNK_SKIP;
	f.index->codec = CHUNK_CODEC_STREAM;
	f.inspection = (struct inspection){
		.path = "gw.raw.lkm", .manifest = &f.manifest, .index = f.index};
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	index_free(f->index);
	buf_release(&f->out);
	return 0;
}

static const char *text_of(struct fixture *f)
{
	const char *text = NULL;
	struct err e;

	inspect_put_text(&f->inspection, &f->out);
	assert_int_equal(buf_text(&f->out, &text, &e), 0);
	return text;
}

static const char *json_of(struct fixture *f)
{
	const char *text = NULL;
	struct err e;

	assert_int_equal(inspect_put_json(&f->inspection, &f->out, &e), 0);
	assert_int_equal(buf_text(&f->out, &text, &e), 0);
	return text;
}

static void manifest_is_printed_line_by_line(void **state)
{
	assert_string_equal(
		text_of(*state),
		"image       gw 1\n"
		"boards      rpi4\n"
		"size        3145728 bytes (3.00 MiB)\n"
		"sha256      0000000000000000000000000000000000000000000000000000000000000000\n"
		"sectors     512 bytes\n"
		"chunks      3 of 1.00 MiB, beside this file: 1 data, 1 zero, 1 not to be written\n"
		"signature   not checked; use `lkflash verify`, or give --trust FILE\n");
}

static void partitions_and_slots_are_printed(void **state)
{
	struct fixture *f = *state;

	f->manifest.partitions = f->partitions;
	f->manifest.n_partitions = 2;
	assert_non_null(strstr(
		text_of(f), "partitions  root-a, 1048576 bytes (1.00 MiB) at byte 1048576, slot a\n"
			    "            data, 1 bytes (1 B) at byte 2097152\n"));
}

static void rollback_group_is_printed(void **state)
{
	struct fixture *f = *state;

	strcpy(f->manifest.rollback_group, "os");
	f->manifest.security_version = 7;
	assert_non_null(strstr(text_of(f), "rollback    security version 7 of os\n"));
}

static void build_time_is_printed(void **state)
{
	struct fixture *f = *state;

	f->manifest.build_time_s = 1795400000;
	assert_non_null(strstr(text_of(f), "built       2026-11-23 02:13:20 UTC\n"));
}

static void signers_are_printed_without_what_steers_a_terminal(void **state)
{
	struct fixture *f = *state;

	f->inspection.verdict = &f->verdict;
	assert_non_null(strstr(text_of(f), "signature   trusted, by CN=a\n"
					   "            and by CN=b?[2J\n"));
}

static void packed_image_is_called_so(void **state)
{
	struct fixture *f = *state;

	f->index->codec = CHUNK_CODEC_ZSTD;
	assert_non_null(strstr(text_of(f), "3 of 1.00 MiB, packed in this file"));
}

static void stored_image_is_called_so(void **state)
{
	struct fixture *f = *state;

	f->index->codec = CHUNK_CODEC_STORED;
	assert_non_null(strstr(text_of(f), "3 of 1.00 MiB, stored in this file"));
}

static void json_says_what_was_not_checked(void **state)
{
	assert_non_null(strstr(json_of(*state), "{\"event\":\"inspect\",\"file\":\"gw.raw.lkm\","
						"\"signature\":\"not checked\",\"signers\":[],"));
}

static void json_counts_the_chunks(void **state)
{
	assert_non_null(strstr(json_of(*state),
			       "\"chunks\":{\"count\":3,\"size_bytes\":1048576,\"packed\":false,"
			       "\"data\":1,\"zero\":1,\"skip\":1}"));
}

static void json_holds_the_manifest(void **state)
{
	assert_non_null(strstr(json_of(*state), ",\"manifest\":{\"lkflash-manifest\":1,"));
}

static void json_names_the_signers(void **state)
{
	struct fixture *f = *state;

	f->inspection.verdict = &f->verdict;
	assert_non_null(strstr(json_of(f), "\"signature\":\"trusted\",\"signers\":[\"CN=a\","
					   "\"CN=b\\u001b[2J\"]"));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(manifest_is_printed_line_by_line),
		WITH_FIXTURE(partitions_and_slots_are_printed),
		WITH_FIXTURE(rollback_group_is_printed),
		WITH_FIXTURE(build_time_is_printed),
		WITH_FIXTURE(signers_are_printed_without_what_steers_a_terminal),
		WITH_FIXTURE(packed_image_is_called_so),
		WITH_FIXTURE(stored_image_is_called_so),
		WITH_FIXTURE(json_says_what_was_not_checked),
		WITH_FIXTURE(json_counts_the_chunks),
		WITH_FIXTURE(json_holds_the_manifest),
		WITH_FIXTURE(json_names_the_signers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
