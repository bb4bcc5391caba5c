/* Options as a manifest, and as keys to sign with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "provision/cli/manifest_options.h"
#include "provision/cli/signer_options.h"

/* What is needed for an image called gw.raw. */
static struct options good(void)
{
	static const char *const operands[] = {"/srv/gw.raw"};

	return (struct options){.operands = operands,
				.n_operands = 1,
				.image_version = "1",
				.board_ids = {.items = {"rpi4"}, .n_items = 1}};
}

static struct manifest *new_good(const struct options *o)
{
	struct manifest *m = NULL;
	struct err e;

	assert_int_equal(manifest_options_new(o, &m, &e), 0);
	return m;
}

static void assert_refused(const struct options *o, const char *reason)
{
	struct manifest *m = NULL;
	struct err e;

	assert_int_equal(manifest_options_new(o, &m, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.text, reason));
	assert_null(m);
}

static void options_become_a_manifest(void **state)
{
	struct options o = good();

	(void)state;
	o.name = "acme";
	o.rollback_group = "gw";
	o.security_version = 7;
	o.board_ids = (struct option_list){.items = {"rpi4", "acme-1"}, .n_items = 2};
	struct manifest *m = new_good(&o);
	assert_string_equal(m->name, "acme");
	assert_string_equal(m->version, "1");
	assert_string_equal(m->rollback_group, "gw");
	assert_int_equal(m->security_version, 7);
	assert_int_equal(m->n_boards, 2);
	assert_string_equal(m->boards[1], "acme-1");
	manifest_free(m);
}

static void name_comes_from_the_file_when_none_is_given(void **state)
{
	struct options o = good();
	struct manifest *m = new_good(&o);

	(void)state;
	assert_string_equal(m->name, "gw");
	manifest_free(m);
}

static void source_date_is_the_build_time(void **state)
{
	struct options o = good();

	(void)state;
	o.environment.source_date = "1700000000";
	struct manifest *m = new_good(&o);
	assert_int_equal(m->build_time_s, 1700000000);
	manifest_free(m);
}

static void build_time_is_now_without_a_source_date(void **state)
{
	struct options o = good();
	uint64_t before_s = (uint64_t)time(NULL);
	struct manifest *m = new_good(&o);

	(void)state;
	assert_in_range(m->build_time_s, before_s, (uint64_t)time(NULL));
	manifest_free(m);
}

static void source_date_that_is_no_number_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.environment.source_date = "-1";
	assert_refused(&o, "SOURCE_DATE_EPOCH=-1");
}

static void missing_version_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.image_version = NULL;
	assert_refused(&o, "--version");
}

static void version_that_is_no_name_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.image_version = "1 2";
	assert_refused(&o, "--version 1 2");
}

static void missing_board_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.board_ids.n_items = 0;
	assert_refused(&o, "--board ID");
}

static void board_that_is_no_name_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.board_ids.items[0] = "../x";
	assert_refused(&o, "--board ../x");
}

static void name_that_is_no_name_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.name = "a/b";
	assert_refused(&o, "--name a/b");
}

static void standard_input_gives_no_name(void **state)
{
	static const char *const operands[] = {"-"};
	struct options o = good();

	(void)state;
	o.operands = operands;
	assert_refused(&o, "--name NAME");
}

static void security_version_without_a_group_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.security_version = 1;
	assert_refused(&o, "--rollback-group");
}

static void group_that_is_no_name_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.rollback_group = "..";
	assert_refused(&o, "--rollback-group ..");
}

static void assert_name(const char *where, const char *wanted)
{
	char name[MANIFEST_NAME_BYTES];

	manifest_options_name_of(where, name);
	assert_string_equal(name, wanted);
}

static void endings_are_cut_from_a_name(void **state)
{
	(void)state;
	assert_name("/srv/gw-1.2.raw.xz", "gw-1.2");
}

static void name_that_is_an_ending_stays(void **state)
{
	(void)state;
	assert_name("x/raw", "raw");
}

static void query_of_a_url_is_no_part_of_a_name(void **state)
{
	(void)state;
	assert_name("https://example.com/a/gw.img?token=1", "gw");
}

static void other_characters_become_dashes(void **state)
{
	(void)state;
	assert_name("my image (1).iso", "my-image--1-");
}

static void long_name_is_cut(void **state)
{
	(void)state;
	assert_name("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg",
		    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg");
}

static void dots_are_no_name(void **state)
{
	(void)state;
	assert_name("..", "");
}

static void chunks_have_1_mib_when_nothing_is_said(void **state)
{
	struct options o = good();
	unsigned log2 = 0;
	struct err e;

	(void)state;
	assert_int_equal(manifest_options_chunk_log2(&o, &log2, &e), 0);
	assert_int_equal(log2, 20);
}

static void chunk_size_becomes_a_power_of_two(void **state)
{
	struct options o = good();
	unsigned log2 = 0;
	struct err e;

	(void)state;
	o.chunk_bytes = 65536;
	assert_int_equal(manifest_options_chunk_log2(&o, &log2, &e), 0);
	assert_int_equal(log2, 16);
}

static void chunk_size_that_is_no_power_of_two_is_refused(void **state)
{
	struct options o = good();
	unsigned log2 = 0;
	struct err e;

	(void)state;
	o.chunk_bytes = 65537;
	assert_int_equal(manifest_options_chunk_log2(&o, &log2, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void assert_signer_refused(const struct options *o, enum err_code code)
{
	struct signer_options s = {0};
	struct err e;

	assert_int_equal(signer_options_load(o, &s, &e), -1);
	assert_int_equal(e.code, code);
	assert_int_equal(s.n_keys, 0);
}

static void signing_without_a_key_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	assert_signer_refused(&o, ERR_USAGE);
}

static void key_without_a_certificate_is_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.key_paths = (struct option_list){.items = {"/dev/null/k"}, .n_items = 1};
	assert_signer_refused(&o, ERR_USAGE);
}

static void five_keys_are_refused(void **state)
{
	struct options o = good();

	(void)state;
	o.key_paths.n_items = SIGNERS_MAX + 1;
	o.cert_paths.n_items = SIGNERS_MAX + 1;
	assert_signer_refused(&o, ERR_USAGE);
}

static void key_that_is_not_there_is_an_error(void **state)
{
	struct options o = good();

	(void)state;
	o.key_paths = (struct option_list){.items = {"/dev/null/k"}, .n_items = 1};
	o.cert_paths = (struct option_list){.items = {"/dev/null/c"}, .n_items = 1};
	assert_signer_refused(&o, ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_become_a_manifest),
		cmocka_unit_test(name_comes_from_the_file_when_none_is_given),
		cmocka_unit_test(source_date_is_the_build_time),
		cmocka_unit_test(build_time_is_now_without_a_source_date),
		cmocka_unit_test(source_date_that_is_no_number_is_refused),
		cmocka_unit_test(missing_version_is_refused),
		cmocka_unit_test(version_that_is_no_name_is_refused),
		cmocka_unit_test(missing_board_is_refused),
		cmocka_unit_test(board_that_is_no_name_is_refused),
		cmocka_unit_test(name_that_is_no_name_is_refused),
		cmocka_unit_test(standard_input_gives_no_name),
		cmocka_unit_test(security_version_without_a_group_is_refused),
		cmocka_unit_test(group_that_is_no_name_is_refused),
		cmocka_unit_test(endings_are_cut_from_a_name),
		cmocka_unit_test(name_that_is_an_ending_stays),
		cmocka_unit_test(query_of_a_url_is_no_part_of_a_name),
		cmocka_unit_test(other_characters_become_dashes),
		cmocka_unit_test(long_name_is_cut),
		cmocka_unit_test(dots_are_no_name),
		cmocka_unit_test(chunks_have_1_mib_when_nothing_is_said),
		cmocka_unit_test(chunk_size_becomes_a_power_of_two),
		cmocka_unit_test(chunk_size_that_is_no_power_of_two_is_refused),
		cmocka_unit_test(signing_without_a_key_is_refused),
		cmocka_unit_test(key_without_a_certificate_is_refused),
		cmocka_unit_test(five_keys_are_refused),
		cmocka_unit_test(key_that_is_not_there_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
