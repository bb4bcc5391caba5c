/* Events as bars, lines and JSON. */
#include "provision/cli/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "provision/cli/bar.h"
#include "provision/cli/event_json.h"
#include "provision/cli/event_text.h"

/* ---- Helpers -----------------------------------------------------------------------------------
 */

static const struct render_style lines = {.kind = RENDER_LINES};
static const struct render_style bars = {.kind = RENDER_BARS, .columns = 80, .rows = 24};
static const struct render_style errors = {.kind = RENDER_ERRORS};
static const struct render_style json = {.kind = RENDER_JSON};

static struct event write_begins(const char *target, uint64_t total_bytes)
{
	return (struct event){.kind = EVENT_PHASE,
			      .phase = PHASE_WRITE,
			      .target = target,
			      .total_bytes = total_bytes};
}

static struct event written(const char *target, uint64_t done_bytes, uint64_t total_bytes)
{
	return (struct event){.kind = EVENT_PROGRESS,
			      .phase = PHASE_WRITE,
			      .target = target,
			      .done_bytes = done_bytes,
			      .total_bytes = total_bytes};
}

static struct event said(enum event_kind kind, const char *target, const char *text)
{
	return (struct event){.kind = kind, .target = target, .text = text};
}

static struct render *render_with(const struct render_style *style)
{
	struct render *r = NULL;
	struct err e = {0};

	assert_int_equal(render_new(style, &r, &e), 0);
	return r;
}

static void show(struct render *r, struct event ev, uint64_t now_ms, struct buf *out)
{
	render_event(r, &ev, now_ms, out);
}

static void assert_text(struct buf *b, const char *wanted)
{
	struct err e = {0};
	const char *text = NULL;

	assert_int_equal(buf_text(b, &text, &e), 0);
	assert_string_equal(text, wanted);
}

static void assert_has(struct buf *b, const char *wanted)
{
	struct err e = {0};
	const char *text = NULL;

	assert_int_equal(buf_text(b, &text, &e), 0);
	if (!strstr(text, wanted))
		fail_msg("\"%s\" has no \"%s\"", text, wanted);
}

static void assert_has_not(struct buf *b, const char *unwanted)
{
	struct err e = {0};
	const char *text = NULL;

	assert_int_equal(buf_text(b, &text, &e), 0);
	if (strstr(text, unwanted))
		fail_msg("\"%s\" has \"%s\"", text, unwanted);
}

/* ---- Progress ----------------------------------------------------------------------------------
 */

static void percent_of_a_full_phase_is_99(void **state)
{
	struct progress p = {0};

	(void)state;
	progress_begin(&p, 0, 1000, 0);
	progress_update(&p, 1000, 1000, 10);
	assert_int_equal(progress_percent(&p), 99);
}

static void percent_of_an_unknown_total_is_unknown(void **state)
{
	struct progress p = {0};

	(void)state;
	progress_begin(&p, 0, SIZE_UNKNOWN, 0);
	progress_update(&p, 1000, SIZE_UNKNOWN, 10);
	assert_int_equal(progress_percent(&p), -1);
	assert_int_equal(progress_left_s(&p), UINT64_MAX);
}

static void percent_of_the_largest_sizes_does_not_overflow(void **state)
{
	struct progress p = {0};

	(void)state;
	progress_begin(&p, 0, UINT64_MAX - 1, 0);
	progress_update(&p, UINT64_MAX / 2, UINT64_MAX - 1, 10);
	assert_in_range(progress_percent(&p), 49, 50);
}

static void rate_is_not_told_in_the_first_half_second(void **state)
{
	struct progress p = {0};

	(void)state;
	progress_begin(&p, 0, 1000, 0);
	progress_update(&p, 100, 1000, 499);
	assert_int_equal(progress_rate(&p), 0);
}

static void rate_counts_from_where_the_phase_began(void **state)
{
	struct progress p = {0};

	(void)state;
	progress_begin(&p, 500, 1000, 0);
	progress_update(&p, 600, 1000, 1000);
	assert_int_equal(progress_rate(&p), 100);
}

static void rate_forgets_what_was_seconds_ago(void **state)
{
	struct progress p = {0};

	(void)state;
	progress_begin(&p, 0, 100000, 0);
	progress_update(&p, 10000, 100000, 2000);
	progress_update(&p, 10200, 100000, 4000);
	progress_update(&p, 10300, 100000, 5000);
	assert_int_equal(progress_rate(&p), 100);
}

static void time_left_is_rounded_up(void **state)
{
	struct progress p = {0};

	(void)state;
	progress_begin(&p, 0, 1001, 0);
	progress_update(&p, 100, 1001, 1000);
	assert_int_equal(progress_left_s(&p), 10);
}

/* ---- Lines -------------------------------------------------------------------------------------
 */

static void line_of_a_phase_names_target_and_size(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 3 * GIB), 0, &out);
	assert_text(&out, "/dev/sdb: writing 3.00 GiB\n");
}

static void line_of_progress_tells_all_that_is_known(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 1000 * MIB), 0, &ignored);
	show(r, written("/dev/sdb", 200 * MIB, 1000 * MIB), 2000, &out);
	assert_text(&out, "/dev/sdb: writing, 20 %, 200 MiB of 1000 MiB, 100 MiB/s, 0:08 left\n");
}

static void lines_of_progress_come_at_most_every_two_seconds(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 1000), 0, &ignored);
	show(r, written("/dev/sdb", 900, 1000), 1999, &out);
	assert_int_equal(out.n_bytes, 0);
}

static void lines_of_progress_come_at_most_every_ten_percent(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 1000), 0, &ignored);
	show(r, written("/dev/sdb", 105, 1000), 3000, &ignored);
	show(r, written("/dev/sdb", 199, 1000), 60000, &out);
	assert_int_equal(out.n_bytes, 0);
	show(r, written("/dev/sdb", 200, 1000), 60001, &out);
	assert_has(&out, "20 %");
}

static void line_of_a_pipe_tells_bytes_and_rate(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("out.img", SIZE_UNKNOWN), 0, &ignored);
	show(r, written("out.img", 100 * MIB, SIZE_UNKNOWN), 10000, &out);
	assert_text(&out, "out.img: writing, 100 MiB, 10.0 MiB/s\n");
}

static void line_of_done_tells_size_time_and_guarantee(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 2 * MIB), 1000, &ignored);
	show(r, written("/dev/sdb", 2 * MIB, 2 * MIB), 2000, &ignored);
	show(r, said(EVENT_DONE, "/dev/sdb", "signature"), 76000, &out);
	assert_text(&out, "/dev/sdb: done, 100 %, 2.00 MiB in 1:15: the signature holds\n");
}

static void guarantees_are_told_in_words(void **state)
{
	(void)state;
	assert_string_equal(guarantee_words("signature"), "the signature holds");
	assert_string_equal(guarantee_words("bmap"), "not signed; it matches its block map");
	assert_string_equal(guarantee_words("sha256sum"), "not signed; it matches its SHA256SUMS");
	assert_string_equal(guarantee_words("none"),
			    "not signed; nothing tells whether it is the right image");
	assert_string_equal(guarantee_words("packed in a.zst"), "packed in a.zst");
}

static void note_about_all_has_no_target(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, said(EVENT_NOTE, NULL, "the clock is behind"), 0, &out);
	assert_text(&out, "note: the clock is behind\n");
}

static void override_is_a_warning(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, said(EVENT_OVERRIDE, "a.img", "--allow-unsigned"), 0, &out);
	assert_text(&out, "a.img: warning: a check is lifted: --allow-unsigned\n");
}

static void failure_that_names_its_target_is_not_named_again(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, said(EVENT_FAILED, "/dev/sdb", "writing /dev/sdb: Input/output error"), 0, &out);
	assert_text(&out, "lkflash: writing /dev/sdb: Input/output error\n");
}

static void failure_that_does_not_name_its_target_gets_it(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, said(EVENT_FAILED, "/dev/sdb", "Input/output error"), 0, &out);
	assert_text(&out, "lkflash: /dev/sdb: Input/output error\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, said(EVENT_NOTE, "a\nb", "x\x1b[2Jy\xc2\x9bz\x7f\xc3\xa4"), 0, &out);
	assert_text(&out, "a?b: note: x?[2Jy?z?\xc3\xa4\n");
}

static void quiet_shows_failures_only(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&errors);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("a.img", 1000), 0, &out);
	show(r, written("a.img", 500, 1000), 5000, &out);
	show(r, said(EVENT_OVERRIDE, "a.img", "--allow-unsigned"), 5000, &out);
	assert_int_equal(out.n_bytes, 0);
	show(r, said(EVENT_FAILED, "a.img", "a.img: gone"), 5000, &out);
	assert_text(&out, "lkflash: a.img: gone\n");
}

/* ---- Bars --------------------------------------------------------------------------------------
 */

static void bar_at(struct buf *out, size_t columns)
{
	struct progress p = {0};
	struct bar b = {"/dev/sdb", PHASE_WRITE, &p};

	progress_begin(&p, 0, 1000 * MIB, 0);
	progress_update(&p, 500 * MIB, 1000 * MIB, 5000);
	bar_put(out, &b, strlen(b.target), columns);
}

static void bar_of_80_columns_has_all_but_the_total(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	bar_at(&out, 80);
	assert_text(&out, "/dev/sdb  writing       [######.......]  50 %   500 MiB   100 MiB/s   "
			  "0:05 left");
}

static void wide_bar_has_the_total(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	bar_at(&out, 120);
	assert_has(&out, "  50 %   500 MiB of 1000 MiB   100 MiB/s   0:05 left");
}

static void narrow_bar_keeps_phase_and_percent(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	bar_at(&out, 40);
	assert_text(&out, "/dev/sdb  writing       50 %   500 MiB");
}

static void bar_is_shorter_than_the_line(void **state)
{
	CLEANUP(buf_release) struct buf at_60 = {0};
	CLEANUP(buf_release) struct buf at_79 = {0};
	CLEANUP(buf_release) struct buf at_100 = {0};

	(void)state;
	bar_at(&at_60, 60);
	bar_at(&at_79, 79);
	bar_at(&at_100, 100);
	assert_in_range(at_60.n_bytes, 40, 59);
	assert_in_range(at_79.n_bytes, 60, 78);
	assert_in_range(at_100.n_bytes, 80, 99);
}

static void bar_of_a_long_target_keeps_its_end(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};
	struct progress p = {0};
	struct bar b = {"/dev/disk/by-id/usb-Some_Stick-0:0", PHASE_FLUSH, &p};

	(void)state;
	bar_put(&out, &b, strlen(b.target), 80);
	assert_text(&out, "..usb-Some_Stick-0:0  flushing    ");
}

static void bar_is_drawn_in_place(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&bars);
	CLEANUP(buf_release) struct buf first = {0};
	CLEANUP(buf_release) struct buf second = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 1000), 1000, &first);
	show(r, written("/dev/sdb", 500, 1000), 1100, &second);
	assert_has_not(&first, "A\r");
	assert_int_equal(strncmp((const char *)second.bytes, "\x1b[1A\r/dev/sdb  writing", 22), 0);
	assert_has(&second, "\x1b[K\n\x1b[J");
}

static void bars_are_drawn_ten_times_a_second_at_most(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&bars);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 1000), 1000, &ignored);
	show(r, written("/dev/sdb", 500, 1000), 1099, &out);
	assert_int_equal(out.n_bytes, 0);
}

static void each_target_has_a_bar(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&bars);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 1000), 1000, &ignored);
	show(r, write_begins("/dev/sdc", 1000), 1000, &ignored);
	show(r, written("/dev/sdb", 500, 1000), 2000, &out);
	assert_has(&out, "\x1b[2A\r/dev/sdb");
	assert_has(&out, "\n/dev/sdc");
}

static void note_goes_above_the_bars(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&bars);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 0), 1000, &ignored);
	show(r, said(EVENT_NOTE, "/dev/sdb", "warm"), 2000, &out);
	assert_text(&out, "\x1b[1A\r/dev/sdb: note: warm\x1b[K\n/dev/sdb  writing     "
			  "\x1b[K\n\x1b[J");
}

static void target_that_is_done_has_a_line_and_no_bar(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&bars);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 1000), 1000, &ignored);
	show(r, said(EVENT_DONE, "/dev/sdb", NULL), 2000, &out);
	assert_text(&out, "\x1b[1A\r/dev/sdb: done, 100 % in 0:01\x1b[K\n\x1b[J");
}

static void hundred_percent_is_not_shown_before_done(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&bars);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 1000), 1000, &out);
	show(r, written("/dev/sdb", 1000, 1000), 2000, &out);
	assert_has(&out, "99 %");
	assert_has_not(&out, "100 %");
}

static void flushing_is_shown(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&bars);
	CLEANUP(buf_release) struct buf out = {0};
	struct event ev = {.kind = EVENT_PHASE, .phase = PHASE_FLUSH, .target = "/dev/sdb"};

	(void)state;
	show(r, ev, 1000, &out);
	assert_has(&out, "/dev/sdb  flushing");
}

static void bars_never_fill_more_than_the_screen(void **state)
{
	const struct render_style low = {.kind = RENDER_BARS, .columns = 80, .rows = 3};
	CLEANUP(render_freep) struct render *r = render_with(&low);
	CLEANUP(buf_release) struct buf ignored = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("/dev/sdb", 0), 1000, &ignored);
	show(r, write_begins("/dev/sdc", 0), 1000, &ignored);
	show(r, write_begins("/dev/sdd", 0), 1000, &out);
	assert_has(&out, "/dev/sdc");
	assert_has_not(&out, "/dev/sdd");
	buf_release(&out);
	show(r, said(EVENT_NOTE, NULL, "x"), 1000, &out);
	assert_has(&out, "\x1b[2A\r");
}

static void done_is_green_and_failed_is_red_where_there_is_colour(void **state)
{
	const struct render_style colored = {.kind = RENDER_LINES, .has_color = true};
	CLEANUP(render_freep) struct render *r = render_with(&colored);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, said(EVENT_DONE, "a", NULL), 0, &out);
	show(r, said(EVENT_FAILED, "b", "b: gone"), 0, &out);
	assert_text(&out, "a: \x1b[32mdone\x1b[0m, 100 %\nlkflash: \x1b[31mb: gone\x1b[0m\n");
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static void json_of_progress_has_phase_and_bytes(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};
	struct event ev = written("/dev/sdb", 5, 10);

	(void)state;
	event_json(&ev, &out);
	assert_text(&out, "{\"event\":\"progress\",\"target\":\"/dev/sdb\",\"phase\":\"write\","
			  "\"done_bytes\":5,\"total_bytes\":10}\n");
}

static void json_of_a_pipe_has_no_total(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};
	struct event ev = written("a.img", 5, SIZE_UNKNOWN);

	(void)state;
	event_json(&ev, &out);
	assert_text(&out, "{\"event\":\"progress\",\"target\":\"a.img\",\"phase\":\"write\","
			  "\"done_bytes\":5}\n");
}

static void json_of_a_failure_has_code_and_phase(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};
	struct event ev = {.kind = EVENT_FAILED,
			   .phase = PHASE_READ_BACK,
			   .code = ERR_DIFFERS,
			   .target = "a.img",
			   .text = "say \"no\""};

	(void)state;
	event_json(&ev, &out);
	assert_text(&out, "{\"event\":\"failed\",\"target\":\"a.img\",\"phase\":\"read-back\","
			  "\"code\":5,\"text\":\"say \\\"no\\\"\"}\n");
}

static void json_of_done_has_what_is_guaranteed(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};
	struct event ev = said(EVENT_DONE, "a.img", "signature");

	(void)state;
	event_json(&ev, &out);
	assert_text(&out, "{\"event\":\"done\",\"target\":\"a.img\",\"text\":\"signature\"}\n");
}

static void json_has_the_end_of_a_phase_even_when_it_comes_fast(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&json);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("a.img", 10), 0, &out);
	buf_release(&out);
	show(r, written("a.img", 5, 10), 50, &out);
	assert_int_equal(out.n_bytes, 0);
	show(r, written("a.img", 10, 10), 60, &out);
	assert_has(&out, "\"done_bytes\":10");
}

static void json_of_a_failure_has_the_phase_that_the_target_was_in(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&json);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, write_begins("a.img", 10), 0, &out);
	show(r, said(EVENT_FAILED, "a.img", "gone"), 50, &out);
	assert_has(&out, "\"event\":\"failed\",\"target\":\"a.img\",\"phase\":\"write\"");
}

static void json_of_done_has_the_bytes_that_had_to_be_written(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};
	const struct event ev = {
		.kind = EVENT_DONE, .target = "a.img", .text = "signature", .total_bytes = 10};

	(void)state;
	event_json(&ev, &out);
	assert_text(&out, "{\"event\":\"done\",\"target\":\"a.img\",\"written_bytes\":0,"
			  "\"text\":\"signature\"}\n");
}

static void json_of_memory_has_peaks_and_bound(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};
	const struct event_memory memory = {
		.buffers_bytes = 1, .bound_bytes = 2, .process_bytes = 3};
	const struct event ev = {.kind = EVENT_MEMORY, .memory = &memory};

	(void)state;
	event_json(&ev, &out);
	assert_text(&out, "{\"event\":\"memory\",\"buffers_bytes\":1,\"bound_bytes\":2,"
			  "\"process_bytes\":3}\n");
}

static void people_are_not_told_of_memory(void **state)
{
	const struct event_memory memory = {.buffers_bytes = 1};
	const struct event ev = {.kind = EVENT_MEMORY, .memory = &memory};
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, ev, 0, &out);
	assert_int_equal(out.n_bytes, 0);
}

/* The line of a target of 10 bytes of which done_bytes had to be written. */
static void done_of_ten(uint64_t done_bytes, struct buf *out)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);

	show(r,
	     (struct event){.kind = EVENT_DONE,
			    .target = "a.img",
			    .done_bytes = done_bytes,
			    .total_bytes = 10},
	     0, out);
}

static void line_of_done_tells_what_had_to_be_written_of_it(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	done_of_ten(3, &out);
	assert_text(&out, "a.img: done, 100 %, 10 B, 3 B of it written\n");
}

static void line_of_done_tells_when_nothing_had_to_be_written(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	done_of_ten(0, &out);
	assert_text(&out, "a.img: done, 100 %, 10 B, nothing of it written\n");
}

static void line_of_done_is_short_when_all_was_written(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	done_of_ten(10, &out);
	assert_text(&out, "a.img: done, 100 %, 10 B\n");
}

/* ---- Several targets ---------------------------------------------------------------------------
 */

/* What is said at the end, when a.img is done and b.img came to second. */
static void end_of_two(const struct render_style *style, enum event_kind second, struct buf *out)
{
	CLEANUP(render_freep) struct render *r = render_with(style);
	CLEANUP(buf_release) struct buf before = {0};

	show(r, said(EVENT_DONE, "a.img", NULL), 0, &before);
	show(r, said(second, "b.img", "gone"), 10, &before);
	render_end(r, out);
}

static void end_of_several_targets_names_those_that_failed(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	end_of_two(&lines, EVENT_FAILED, &out);
	assert_text(&out, "1 of 2 targets done; b.img failed\n");
}

static void end_of_several_good_targets_counts_them(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	end_of_two(&bars, EVENT_DONE, &out);
	assert_text(&out, "2 of 2 targets done\n");
}

static void end_is_green_or_red_where_there_is_colour(void **state)
{
	const struct render_style colored = {.kind = RENDER_LINES, .has_color = true};
	CLEANUP(buf_release) struct buf good = {0};
	CLEANUP(buf_release) struct buf bad = {0};

	(void)state;
	end_of_two(&colored, EVENT_DONE, &good);
	assert_text(&good, "\x1b[32m2 of 2 targets done\x1b[0m\n");
	end_of_two(&colored, EVENT_FAILED, &bad);
	assert_text(&bad, "\x1b[31m1 of 2 targets done; b.img failed\x1b[0m\n");
}

static void end_of_one_target_needs_no_line(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf before = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, said(EVENT_FAILED, "a.img", "gone"), 0, &before);
	render_end(r, &out);
	assert_int_equal(out.n_bytes, 0);
}

static void quiet_tells_the_end_of_several_only_when_one_failed(void **state)
{
	CLEANUP(buf_release) struct buf good = {0};
	CLEANUP(buf_release) struct buf bad = {0};

	(void)state;
	end_of_two(&errors, EVENT_DONE, &good);
	assert_int_equal(good.n_bytes, 0);
	end_of_two(&errors, EVENT_FAILED, &bad);
	assert_text(&bad, "1 of 2 targets done; b.img failed\n");
}

static void json_has_no_line_at_the_end(void **state)
{
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	end_of_two(&json, EVENT_FAILED, &out);
	assert_int_equal(out.n_bytes, 0);
}

static void name_of_a_failed_target_cannot_steer_the_terminal(void **state)
{
	CLEANUP(render_freep) struct render *r = render_with(&lines);
	CLEANUP(buf_release) struct buf before = {0};
	CLEANUP(buf_release) struct buf out = {0};

	(void)state;
	show(r, said(EVENT_FAILED, "a\x1b[2J", "gone"), 0, &before);
	show(r, said(EVENT_FAILED, "b", "gone"), 0, &before);
	render_end(r, &out);
	assert_text(&out, "0 of 2 targets done; a?[2J, b failed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percent_of_a_full_phase_is_99),
		cmocka_unit_test(percent_of_an_unknown_total_is_unknown),
		cmocka_unit_test(percent_of_the_largest_sizes_does_not_overflow),
		cmocka_unit_test(rate_is_not_told_in_the_first_half_second),
		cmocka_unit_test(rate_counts_from_where_the_phase_began),
		cmocka_unit_test(rate_forgets_what_was_seconds_ago),
		cmocka_unit_test(time_left_is_rounded_up),
		cmocka_unit_test(line_of_a_phase_names_target_and_size),
		cmocka_unit_test(line_of_progress_tells_all_that_is_known),
		cmocka_unit_test(lines_of_progress_come_at_most_every_two_seconds),
		cmocka_unit_test(lines_of_progress_come_at_most_every_ten_percent),
		cmocka_unit_test(line_of_a_pipe_tells_bytes_and_rate),
		cmocka_unit_test(line_of_done_tells_size_time_and_guarantee),
		cmocka_unit_test(note_about_all_has_no_target),
		cmocka_unit_test(guarantees_are_told_in_words),
		cmocka_unit_test(override_is_a_warning),
		cmocka_unit_test(failure_that_names_its_target_is_not_named_again),
		cmocka_unit_test(failure_that_does_not_name_its_target_gets_it),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(quiet_shows_failures_only),
		cmocka_unit_test(bar_of_80_columns_has_all_but_the_total),
		cmocka_unit_test(wide_bar_has_the_total),
		cmocka_unit_test(narrow_bar_keeps_phase_and_percent),
		cmocka_unit_test(bar_is_shorter_than_the_line),
		cmocka_unit_test(bar_of_a_long_target_keeps_its_end),
		cmocka_unit_test(bar_is_drawn_in_place),
		cmocka_unit_test(bars_are_drawn_ten_times_a_second_at_most),
		cmocka_unit_test(each_target_has_a_bar),
		cmocka_unit_test(note_goes_above_the_bars),
		cmocka_unit_test(target_that_is_done_has_a_line_and_no_bar),
		cmocka_unit_test(hundred_percent_is_not_shown_before_done),
		cmocka_unit_test(flushing_is_shown),
		cmocka_unit_test(bars_never_fill_more_than_the_screen),
		cmocka_unit_test(done_is_green_and_failed_is_red_where_there_is_colour),
		cmocka_unit_test(json_of_progress_has_phase_and_bytes),
		cmocka_unit_test(json_of_a_pipe_has_no_total),
		cmocka_unit_test(json_of_a_failure_has_code_and_phase),
		cmocka_unit_test(json_of_done_has_what_is_guaranteed),
		cmocka_unit_test(json_has_the_end_of_a_phase_even_when_it_comes_fast),
		cmocka_unit_test(json_of_a_failure_has_the_phase_that_the_target_was_in),
		cmocka_unit_test(json_of_done_has_the_bytes_that_had_to_be_written),
		cmocka_unit_test(json_of_memory_has_peaks_and_bound),
		cmocka_unit_test(people_are_not_told_of_memory),
		cmocka_unit_test(line_of_done_tells_what_had_to_be_written_of_it),
		cmocka_unit_test(line_of_done_tells_when_nothing_had_to_be_written),
		cmocka_unit_test(line_of_done_is_short_when_all_was_written),
		cmocka_unit_test(end_of_several_targets_names_those_that_failed),
		cmocka_unit_test(end_of_several_good_targets_counts_them),
		cmocka_unit_test(end_is_green_or_red_where_there_is_colour),
		cmocka_unit_test(end_of_one_target_needs_no_line),
		cmocka_unit_test(quiet_tells_the_end_of_several_only_when_one_failed),
		cmocka_unit_test(json_has_no_line_at_the_end),
		cmocka_unit_test(name_of_a_failed_target_cannot_steer_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
