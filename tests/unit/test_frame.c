/* Sections in skippable frames: what is appended is read back; all else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/image/frame.h"

/* MANI holding "hello". */
struct fixture {
	struct buf bytes;
};

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	frame_append(&f.bytes, "MANI", "hello", 5);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	buf_release(&((struct fixture *)*state)->bytes);
	return 0;
}

static int read_as(const struct fixture *f, const char *tag, size_t min_bytes, size_t max_bytes,
		   struct err *e)
{
	struct source *s = NULL;
	struct buf content = {0};

	assert_int_equal(source_mem_new(f->bytes.bytes, f->bytes.n_bytes, &s, e), 0);
	int result = frame_read(s, tag, min_bytes, max_bytes, &content, e);
	source_free(s);
	buf_release(&content);
	return result;
}

static void assert_refused(const struct fixture *f, const char *tag, size_t min_bytes,
			   size_t max_bytes)
{
	struct err e = {0};

	assert_int_equal(read_as(f, tag, min_bytes, max_bytes, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void section_is_a_zstd_skippable_frame(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(f->bytes.n_bytes, FRAME_HEADER_BYTES + 5);
	assert_memory_equal(f->bytes.bytes,
			    "\x50\x2a\x4d\x18\x15\0\0\0"
			    "LKF1MANI\x05\0\0\0\0\0\0\0hello",
			    FRAME_HEADER_BYTES + 5);
}

static void section_is_read_back(void **state)
{
	const struct fixture *f = *state;
	struct source *s = NULL;
	struct buf content = {0};
	struct err e;

	assert_int_equal(source_mem_new(f->bytes.bytes, f->bytes.n_bytes, &s, &e), 0);
	assert_int_equal(frame_read(s, "MANI", 5, 5, &content, &e), 0);
	assert_int_equal(content.n_bytes, 5);
	assert_memory_equal(content.bytes, "hello", 5);
	buf_release(&content);
	source_free(s);
}

static void sections_follow_one_another(void **state)
{
	struct fixture *f = *state;
	struct source *s = NULL;
	struct buf first = {0};
	struct buf second = {0};
	struct err e;

	frame_append(&f->bytes, "SIGN", "", 0);
	assert_int_equal(source_mem_new(f->bytes.bytes, f->bytes.n_bytes, &s, &e), 0);
	assert_int_equal(frame_read(s, "MANI", 1, 9, &first, &e), 0);
	assert_int_equal(frame_read(s, "SIGN", 0, 9, &second, &e), 0);
	assert_int_equal(second.n_bytes, 0);
	buf_release(&first);
	buf_release(&second);
	source_free(s);
}

static void own_section_is_recognised(void **state)
{
	const struct fixture *f = *state;

	assert_true(frame_has_magic(f->bytes.bytes, f->bytes.n_bytes));
}

static void skippable_frame_of_another_owner_is_not_recognised(void **state)
{
	const struct fixture *f = *state;

	f->bytes.bytes[11] = '2';
	assert_false(frame_has_magic(f->bytes.bytes, f->bytes.n_bytes));
}

static void zstd_frame_is_not_recognised(void **state)
{
	const struct fixture *f = *state;

	put_le32(f->bytes.bytes, 0xfd2fb528);
	assert_false(frame_has_magic(f->bytes.bytes, f->bytes.n_bytes));
}

static void too_few_bytes_are_not_recognised(void **state)
{
	const struct fixture *f = *state;

	assert_false(frame_has_magic(f->bytes.bytes, 11));
}

static void another_section_is_refused(void **state)
{
	assert_refused(*state, "SIGN", 1, 9);
}

static void section_too_small_is_refused(void **state)
{
	assert_refused(*state, "MANI", 6, 9);
}

static void section_too_large_is_refused(void **state)
{
	assert_refused(*state, "MANI", 1, 4);
}

static void section_with_two_lengths_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[4]++;
	assert_refused(*state, "MANI", 1, 9);
}

static void section_of_a_length_above_4_gib_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.bytes[20] = 1;
	assert_refused(*state, "MANI", 1, SIZE_MAX);
}

static void section_cut_in_its_header_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.n_bytes = FRAME_HEADER_BYTES - 1;
	assert_refused(*state, "MANI", 1, 9);
}

static void section_cut_in_its_content_is_refused(void **state)
{
	((struct fixture *)*state)->bytes.n_bytes--;
	assert_refused(*state, "MANI", 1, 9);
}

static int failing_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
			struct err *e)
{
	(void)s, (void)bytes, (void)n_bytes, (void)out_n_bytes;
	return err_set(e, ERR_IO, "the cable is out");
}

static void error_of_the_source_keeps_its_code(void **state)
{
	static const struct source_ops ops = {.name = "failing", .read = failing_read};
	struct source s = {.ops = &ops};
	struct buf content = {0};
	struct err e;

	(void)state;
	assert_int_equal(frame_read(&s, "MANI", 1, 9, &content, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "the cable is out"));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(section_is_a_zstd_skippable_frame),
		WITH_FIXTURE(section_is_read_back),
		WITH_FIXTURE(sections_follow_one_another),
		WITH_FIXTURE(own_section_is_recognised),
		WITH_FIXTURE(skippable_frame_of_another_owner_is_not_recognised),
		WITH_FIXTURE(zstd_frame_is_not_recognised),
		WITH_FIXTURE(too_few_bytes_are_not_recognised),
		WITH_FIXTURE(another_section_is_refused),
		WITH_FIXTURE(section_too_small_is_refused),
		WITH_FIXTURE(section_too_large_is_refused),
		WITH_FIXTURE(section_with_two_lengths_is_refused),
		WITH_FIXTURE(section_of_a_length_above_4_gib_is_refused),
		WITH_FIXTURE(section_cut_in_its_header_is_refused),
		WITH_FIXTURE(section_cut_in_its_content_is_refused),
		cmocka_unit_test(error_of_the_source_keeps_its_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
