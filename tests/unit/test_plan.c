/* The steps that a plan has, and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/plan/plan.h"

static const struct signatures nothing_old = {0};

/* An image of 3 MiB in chunks of 1 MiB for a medium of 8 MiB with 512-byte sectors. */
static struct plan_input usual_input(void)
{
	return (struct plan_input){
		.image_size_bytes = 3 * MIB,
		.medium_size_bytes = 8 * MIB,
		.sector_bytes = 512,
		.chunk_bytes = MIB,
		.stale = &nothing_old,
	};
}

static struct plan *plan_of(const struct plan_input *in)
{
	struct plan *p = NULL;
	struct err e = {0};

	assert_int_equal(plan_make(in, &p, &e), 0);
	return p;
}

/* The kinds of all steps, one letter each, in order. */
static const char *letters(const struct plan *p, char text[64])
{
	static const char letter[] = {
		[STEP_WIPE] = 'w',  [STEP_WRITE] = 'W',     [STEP_MOVE_GPT] = 'G',
		[STEP_FLUSH] = 'f', [STEP_READ_BACK] = 'r', [STEP_COMMIT] = 'C',
		[STEP_PROBE] = 'p',
	};

	for (size_t i = 0; i < p->n_steps; i++)
		text[i] = letter[p->steps[i].kind];
	text[p->n_steps] = '\0';
	return text;
}

static void first_chunk_is_wiped_first_and_committed_last(void **state)
{
	struct plan_input in = usual_input();
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	char text[64];

	(void)state;
	assert_string_equal(letters(p, text), "wfWfrCp");
	assert_int_equal(p->steps[0].offset_bytes, 0);
	assert_int_equal(p->steps[0].size_bytes, MIB);
	assert_int_equal(p->steps[2].offset_bytes, MIB);
	assert_int_equal(p->steps[2].size_bytes, 2 * MIB);
	assert_int_equal(p->steps[5].size_bytes, MIB);
}

static void old_signature_behind_the_head_is_wiped_in_whole_sectors(void **state)
{
	struct signature old[] = {
		{.offset_bytes = 5 * MIB + 1080, .size_bytes = 2, .type = "ext4"}};
	struct signatures stale = {.items = old, .n_items = 1};
	struct plan_input in = usual_input();
	in.stale = &stale;
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	char text[64];

	(void)state;
	assert_string_equal(letters(p, text), "wwfWfrCp");
	assert_int_equal(p->steps[1].offset_bytes, 5 * MIB + 1024);
	assert_int_equal(p->steps[1].size_bytes, 512);
	assert_non_null(strstr(p->steps[1].reason, "ext4"));
}

static void old_signature_in_the_head_needs_no_step_of_its_own(void **state)
{
	struct signature old[] = {{.offset_bytes = 510, .size_bytes = 2, .type = "dos"}};
	struct signatures stale = {.items = old, .n_items = 1};
	struct plan_input in = usual_input();
	in.stale = &stale;
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	char text[64];

	(void)state;
	assert_string_equal(letters(p, text), "wfWfrCp");
}

static void two_signatures_in_one_sector_are_wiped_once(void **state)
{
	struct signature old[] = {{.offset_bytes = 5 * MIB, .size_bytes = 4, .type = "a"},
				  {.offset_bytes = 5 * MIB + 8, .size_bytes = 4, .type = "b"}};
	struct signatures stale = {.items = old, .n_items = 2};
	struct plan_input in = usual_input();
	in.stale = &stale;
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	char text[64];

	(void)state;
	assert_string_equal(letters(p, text), "wwfWfrCp");
}

static void moved_gpt_is_written_before_the_flush(void **state)
{
	struct plan_input in = usual_input();
	in.moved_gpt_offset_bytes = 8 * MIB - 33 * 512;
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	char text[64];

	(void)state;
	assert_string_equal(letters(p, text), "wfWGfrCp");
	assert_int_equal(p->steps[3].size_bytes, 33 * 512);
	assert_string_equal(p->steps[3].reason, "backup partition table at the real end");
}

static struct plan_input growing_input(void)
{
	struct plan_input in = usual_input();

	in.moved_gpt_offset_bytes = 8 * MIB - 33 * 512;
	in.growth = (struct table_growth){3, MIB, 5 * MIB};
	return in;
}

static void partition_that_grows_is_told_with_both_sizes(void **state)
{
	struct plan_input in = growing_input();
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);

	(void)state;
	assert_string_equal(p->steps[3].reason, "backup partition table at the real end; partition "
						"3 grows from 1.00 MiB to 5.00 MiB");
}

static void partition_that_grows_is_told_to_programs_in_bytes(void **state)
{
	struct plan_input in = growing_input();
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	CLEANUP(buf_release) struct buf json = {0};
	const char *text = NULL;
	struct err e = {0};

	(void)state;
	plan_format_json(p, "t", &json);
	assert_int_equal(buf_text(&json, &text, &e), 0);
	assert_non_null(strstr(text, "\"step\":\"move-gpt\",\"offset_bytes\":8371712,"
				     "\"size_bytes\":16896,\"partition\":3,"
				     "\"from_bytes\":1048576,\"to_bytes\":5242880,"));
	assert_null(strstr(strstr(text, "\"from_bytes\"") + 1, "\"from_bytes\""));
}

static void new_file_needs_no_wipe(void **state)
{
	struct plan_input in = usual_input();
	in.is_blank = true;
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	char text[64];

	(void)state;
	assert_string_equal(letters(p, text), "WfrCp");
}

static void image_of_one_chunk_is_all_commit(void **state)
{
	struct plan_input in = usual_input();
	in.image_size_bytes = 1;
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);

	(void)state;
	assert_int_equal(p->steps[2].kind, STEP_WRITE);
	assert_int_equal(p->steps[2].size_bytes, 0);
	assert_int_equal(p->steps[5].size_bytes, 1);
}

static void stream_of_unknown_size_is_written_to_its_end(void **state)
{
	struct plan_input in = usual_input();
	in.image_size_bytes = SIZE_UNKNOWN;
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);

	(void)state;
	assert_int_equal(p->steps[2].size_bytes, SIZE_UNKNOWN);
}

static void text_has_one_numbered_line_a_step(void **state)
{
	struct plan_input in = usual_input();
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	CLEANUP(buf_release) struct buf out = {0};
	struct err e = {0};
	const char *text = NULL;

	(void)state;
	plan_format(p, &out);
	assert_int_equal(buf_text(&out, &text, &e), 0);
	assert_non_null(strstr(text, "1  wipe           1.00 MiB at byte 0 "));
	assert_non_null(strstr(text, "\n 7  probe "));
}

static void label_of_the_medium_cannot_steer_the_terminal(void **state)
{
	struct signature old[] = {
		{.offset_bytes = 5 * MIB, .size_bytes = 2, .type = "ext4", .label = "a\033[2Jb"}};
	struct signatures stale = {.items = old, .n_items = 1};
	struct plan_input in = usual_input();
	in.stale = &stale;
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	CLEANUP(buf_release) struct buf out = {0};
	struct err e = {0};
	const char *text = NULL;

	(void)state;
	plan_format(p, &out);
	assert_int_equal(buf_text(&out, &text, &e), 0);
	assert_non_null(strstr(text, "old ext4 a?[2Jb\n"));
}

static void json_has_one_object_a_step(void **state)
{
	struct plan_input in = usual_input();
	CLEANUP(plan_freep) struct plan *p = plan_of(&in);
	CLEANUP(buf_release) struct buf out = {0};
	struct err e = {0};
	const char *text = NULL;

	(void)state;
	plan_format_json(p, "/dev/x", &out);
	assert_int_equal(buf_text(&out, &text, &e), 0);
	assert_non_null(strstr(text,
			       "{\"event\":\"step\",\"target\":\"/dev/x\",\"step\":\"commit\","
			       "\"offset_bytes\":0,\"size_bytes\":1048576,"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_chunk_is_wiped_first_and_committed_last),
		cmocka_unit_test(old_signature_behind_the_head_is_wiped_in_whole_sectors),
		cmocka_unit_test(old_signature_in_the_head_needs_no_step_of_its_own),
		cmocka_unit_test(two_signatures_in_one_sector_are_wiped_once),
		cmocka_unit_test(moved_gpt_is_written_before_the_flush),
		cmocka_unit_test(partition_that_grows_is_told_with_both_sizes),
		cmocka_unit_test(partition_that_grows_is_told_to_programs_in_bytes),
		cmocka_unit_test(new_file_needs_no_wipe),
		cmocka_unit_test(image_of_one_chunk_is_all_commit),
		cmocka_unit_test(stream_of_unknown_size_is_written_to_its_end),
		cmocka_unit_test(text_has_one_numbered_line_a_step),
		cmocka_unit_test(label_of_the_medium_cannot_steer_the_terminal),
		cmocka_unit_test(json_has_one_object_a_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
