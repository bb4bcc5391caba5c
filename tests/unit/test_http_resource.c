/* Whether two replies of a web server are about the same file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/image/http_resource.h"

/* A file of 10 bytes. */
static const struct http_reply whole = {
	.status = 200,
	.length_bytes = 10,
	.etag = "\"a1\"",
	.last_modified = "Sat, 01 Aug 2026 10:00:00 GMT",
	.accept_ranges = "bytes",
};

/* Its bytes from 4 on. */
static const struct http_reply part = {
	.status = 206,
	.length_bytes = 6,
	.etag = "\"a1\"",
	.last_modified = "Sat, 01 Aug 2026 10:00:00 GMT",
	.content_range = "bytes 4-9/10",
	.accept_ranges = "bytes",
};

static struct http_resource resource_of(struct http_reply reply)
{
	struct http_resource r = {0};
	struct err e;

	assert_int_equal(http_resource_init(&r, &reply, &e), 0);
	return r;
}

static void assert_no_resource(struct http_reply reply, const char *why)
{
	CLEANUP(http_resource_release) struct http_resource r = {0};
	struct err e = {0};

	assert_int_equal(http_resource_init(&r, &reply, &e), -1);
	assert_int_equal(e.code, ERR_PROTOCOL);
	assert_non_null(strstr(e.text, why));
}

/* That reply to a request for the file from byte 4 on is refused. */
static void assert_refused(struct http_reply reply, const char *why)
{
	CLEANUP(http_resource_release) struct http_resource r = resource_of(whole);
	uint64_t skip_bytes = 77;
	struct err e = {0};

	assert_int_equal(http_resource_check(&r, &reply, 4, &skip_bytes, &e), -1);
	assert_int_equal(e.code, ERR_PROTOCOL);
	assert_non_null(strstr(e.text, why));
	assert_int_equal(skip_bytes, 77);
}

static void size_and_ranges_are_learned_from_the_reply(void **state)
{
	CLEANUP(http_resource_release) struct http_resource r = resource_of(whole);

	(void)state;
	assert_int_equal(r.size_bytes, 10);
	assert_true(r.has_ranges);
}

static void server_without_ranges_is_known(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.accept_ranges = "none";
	CLEANUP(http_resource_release) struct http_resource r = resource_of(reply);
	assert_false(r.has_ranges);
}

static void chunked_body_needs_no_length(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.length_bytes = SIZE_UNKNOWN;
	reply.is_chunked = true;
	CLEANUP(http_resource_release) struct http_resource r = resource_of(reply);
	assert_true(r.size_bytes == SIZE_UNKNOWN);
}

static void body_whose_end_cannot_be_told_is_refused(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.length_bytes = SIZE_UNKNOWN;
	assert_no_resource(reply, "use one that sends Content-Length");
}

static void status_that_brings_no_file_is_refused(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.status = 204;
	assert_no_resource(reply, "the server answers 204, not 200");
}

static void part_that_was_not_asked_for_is_refused(void **state)
{
	(void)state;
	assert_no_resource(part, "the server answers 206, not 200");
}

static void etag_tells_a_version(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.last_modified = NULL;
	CLEANUP(http_resource_release) struct http_resource r = resource_of(reply);
	assert_true(http_resource_has_version(&r));
}

static void date_tells_a_version(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.etag = NULL;
	CLEANUP(http_resource_release) struct http_resource r = resource_of(reply);
	assert_true(http_resource_has_version(&r));
}

static void weak_etag_tells_no_version(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.etag = "W/\"a1\"";
	reply.last_modified = NULL;
	CLEANUP(http_resource_release) struct http_resource r = resource_of(reply);
	assert_false(http_resource_has_version(&r));
}

static void neither_etag_nor_date_tell_no_version(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.etag = NULL;
	reply.last_modified = NULL;
	CLEANUP(http_resource_release) struct http_resource r = resource_of(reply);
	assert_false(http_resource_has_version(&r));
}

static void part_that_was_asked_for_goes_on(void **state)
{
	CLEANUP(http_resource_release) struct http_resource r = resource_of(whole);
	uint64_t skip_bytes = 77;
	struct err e;

	(void)state;
	assert_int_equal(http_resource_check(&r, &part, 4, &skip_bytes, &e), 0);
	assert_int_equal(skip_bytes, 0);
}

static void whole_file_instead_of_a_part_is_skipped_to_the_part(void **state)
{
	CLEANUP(http_resource_release) struct http_resource r = resource_of(whole);
	uint64_t skip_bytes = 77;
	struct err e;

	(void)state;
	assert_int_equal(http_resource_check(&r, &whole, 4, &skip_bytes, &e), 0);
	assert_int_equal(skip_bytes, 4);
}

static void part_that_ends_early_goes_on(void **state)
{
	CLEANUP(http_resource_release) struct http_resource r = resource_of(whole);
	struct http_reply reply = part;
	uint64_t skip_bytes = 77;
	struct err e;

	(void)state;
	reply.content_range = "bytes 4-6/10";
	assert_int_equal(http_resource_check(&r, &reply, 4, &skip_bytes, &e), 0);
}

static void part_of_a_file_of_unknown_size_goes_on(void **state)
{
	struct http_reply reply = whole;
	uint64_t skip_bytes = 77;
	struct err e;

	(void)state;
	reply.length_bytes = SIZE_UNKNOWN;
	reply.is_chunked = true;
	CLEANUP(http_resource_release) struct http_resource r = resource_of(reply);
	assert_int_equal(http_resource_check(&r, &part, 4, &skip_bytes, &e), 0);
}

static void other_etag_is_a_changed_file(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.etag = "\"a2\"";
	assert_refused(reply, "changed during the transfer; start again");
}

static void etag_that_is_gone_is_a_changed_file(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.etag = NULL;
	assert_refused(reply, "changed during the transfer");
}

static void other_date_is_a_changed_file(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.last_modified = "Sat, 01 Aug 2026 10:00:01 GMT";
	assert_refused(reply, "changed during the transfer");
}

static void other_total_is_a_changed_file(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = "bytes 4-9/11";
	assert_refused(reply, "changed during the transfer");
}

static void whole_file_of_another_length_is_a_changed_file(void **state)
{
	struct http_reply reply = whole;

	(void)state;
	reply.length_bytes = 11;
	assert_refused(reply, "changed during the transfer");
}

static void part_from_another_place_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = "bytes 5-9/10";
	assert_refused(
		reply,
		"asked for the bytes from 4 on, the server sends the range \"bytes 5-9/10\"");
}

static void part_without_its_range_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = NULL;
	assert_refused(reply, "sends the range \"\"");
}

static void part_of_an_unknown_total_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = "bytes 4-9/*";
	assert_refused(reply, "bytes 4-9/*");
}

static void part_that_ends_before_it_begins_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = "bytes 4-3/10";
	assert_refused(reply, "bytes 4-3/10");
}

static void part_that_passes_the_end_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = "bytes 4-10/10";
	assert_refused(reply, "bytes 4-10/10");
}

static void range_in_another_unit_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = "items 4-9/10";
	assert_refused(reply, "items 4-9/10");
}

static void range_with_something_behind_it_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = "bytes 4-9/10 ";
	assert_refused(reply, "bytes 4-9/10 ");
}

static void range_with_too_many_digits_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.content_range = "bytes 4-9/0000000000000000000000000000000010";
	assert_refused(reply, "the server sends the range");
}

static void status_that_brings_no_part_is_refused(void **state)
{
	struct http_reply reply = part;

	(void)state;
	reply.status = 204;
	assert_refused(reply, "the server answers 204, not 200 or 206");
}

static void assert_status_fails(long status, bool is_known, enum err_code code, bool is_transient,
				const char *text)
{
	bool got_transient = !is_transient;
	struct err e = {0};

	assert_int_equal(http_status_fail(status, is_known, &got_transient, &e), -1);
	assert_int_equal(e.code, code);
	assert_int_equal(got_transient, is_transient);
	assert_non_null(strstr(e.text, text));
}

static void missing_file_stays_missing(void **state)
{
	(void)state;
	assert_status_fails(404, false, ERR_IO, false, "there is no such file on the server (404)");
	assert_status_fails(410, false, ERR_IO, false, "there is no such file on the server (410)");
}

static void denied_file_stays_denied(void **state)
{
	(void)state;
	assert_status_fails(401, false, ERR_IO, false, "the server denies access (401)");
	assert_status_fails(403, false, ERR_IO, false, "the server denies access (403)");
}

static void busy_server_is_asked_again(void **state)
{
	(void)state;
	assert_status_fails(408, false, ERR_IO, true, "the server answers 408");
	assert_status_fails(429, false, ERR_IO, true, "the server answers 429");
}

static void broken_server_is_asked_again(void **state)
{
	(void)state;
	assert_status_fails(500, false, ERR_IO, true, "the server answers 500");
	assert_status_fails(503, true, ERR_IO, true, "the server answers 503");
}

static void other_refusals_are_final(void **state)
{
	(void)state;
	assert_status_fails(400, false, ERR_IO, false, "the server answers 400");
}

static void file_that_became_shorter_is_a_changed_file(void **state)
{
	(void)state;
	assert_status_fails(416, true, ERR_PROTOCOL, false, "changed during the transfer");
}

static void copy_knows_what_the_resource_does_and_outlives_it(void **state)
{
	struct http_resource r = resource_of(whole);
	CLEANUP(http_resource_release) struct http_resource copy = {0};
	struct err e;

	(void)state;
	assert_int_equal(http_resource_copy(&r, &copy, &e), 0);
	http_resource_release(&r);
	assert_int_equal(copy.size_bytes, 10);
	assert_string_equal(copy.etag, "\"a1\"");
	assert_string_equal(copy.last_modified, "Sat, 01 Aug 2026 10:00:00 GMT");
	assert_true(copy.has_ranges);
}

static void whole_reply_runs_to_the_end_and_a_part_need_not(void **state)
{
	(void)state;
	assert_true(http_reply_is_whole(&whole));
	assert_false(http_reply_is_whole(&part));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_and_ranges_are_learned_from_the_reply),
		cmocka_unit_test(server_without_ranges_is_known),
		cmocka_unit_test(chunked_body_needs_no_length),
		cmocka_unit_test(body_whose_end_cannot_be_told_is_refused),
		cmocka_unit_test(status_that_brings_no_file_is_refused),
		cmocka_unit_test(part_that_was_not_asked_for_is_refused),
		cmocka_unit_test(etag_tells_a_version),
		cmocka_unit_test(date_tells_a_version),
		cmocka_unit_test(weak_etag_tells_no_version),
		cmocka_unit_test(neither_etag_nor_date_tell_no_version),
		cmocka_unit_test(part_that_was_asked_for_goes_on),
		cmocka_unit_test(whole_file_instead_of_a_part_is_skipped_to_the_part),
		cmocka_unit_test(part_that_ends_early_goes_on),
		cmocka_unit_test(part_of_a_file_of_unknown_size_goes_on),
		cmocka_unit_test(other_etag_is_a_changed_file),
		cmocka_unit_test(etag_that_is_gone_is_a_changed_file),
		cmocka_unit_test(other_date_is_a_changed_file),
		cmocka_unit_test(other_total_is_a_changed_file),
		cmocka_unit_test(whole_file_of_another_length_is_a_changed_file),
		cmocka_unit_test(part_from_another_place_is_refused),
		cmocka_unit_test(part_without_its_range_is_refused),
		cmocka_unit_test(part_of_an_unknown_total_is_refused),
		cmocka_unit_test(part_that_ends_before_it_begins_is_refused),
		cmocka_unit_test(part_that_passes_the_end_is_refused),
		cmocka_unit_test(range_in_another_unit_is_refused),
		cmocka_unit_test(range_with_something_behind_it_is_refused),
		cmocka_unit_test(range_with_too_many_digits_is_refused),
		cmocka_unit_test(status_that_brings_no_part_is_refused),
		cmocka_unit_test(missing_file_stays_missing),
		cmocka_unit_test(denied_file_stays_denied),
		cmocka_unit_test(busy_server_is_asked_again),
		cmocka_unit_test(broken_server_is_asked_again),
		cmocka_unit_test(other_refusals_are_final),
		cmocka_unit_test(file_that_became_shorter_is_a_changed_file),
		cmocka_unit_test(copy_knows_what_the_resource_does_and_outlives_it),
		cmocka_unit_test(whole_reply_runs_to_the_end_and_a_part_need_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
