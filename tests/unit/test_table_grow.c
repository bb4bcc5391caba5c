/* Partitions that grow when their GPT is moved to a larger medium. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/disk/table.h"
#include "tests/lib/gpt_bytes.h"

/* ---- Fixtures ------------------------------------------------------------------------------- */

static const struct gpt_bytes gpt_512 = {
	.sector_bytes = 512, .n_sectors = 2048, .n_entries = 128}; /* a medium of 1 MiB */
static const struct gpt_bytes gpt_short = {.sector_bytes = 512, .n_sectors = 2048, .n_entries = 56};
static const struct gpt_bytes gpt_4096 = {
	.sector_bytes = 4096, .n_sectors = 1024, .n_entries = 128}; /* a medium of 4 MiB */

enum { EFI, ROOT }; /* the partitions of gpt_put_partitions; ROOT ends last */

struct head {
	uint8_t bytes[TABLE_HEAD_BYTES];
};

static void freehead(struct head **h)
{
	free(*h);
}

static uint8_t *entry_of(const struct gpt_bytes *g, uint8_t *head, unsigned i)
{
	return head + 2 * (size_t)g->sector_bytes + (size_t)i * GPT_ENTRY_BYTES;
}

/* Set both CRCs right. */
static void seal(const struct gpt_bytes *g, uint8_t *head)
{
	put_le32(head + g->sector_bytes + 88,
		 gpt_crc32(entry_of(g, head, 0), (size_t)g->n_entries * GPT_ENTRY_BYTES));
	gpt_seal(head + g->sector_bytes);
}

/* A GPT, with the attribute "grow" on one of its partitions. */
static struct head *marked_head(const struct gpt_bytes *g, unsigned i)
{
	struct head *h = calloc(1, sizeof *h);

	assert_non_null(h);
	gpt_put_head(g, h->bytes);
	put_le64(entry_of(g, h->bytes, i) + 48, UINT64_C(1) << 59 | 1 << 2);
	seal(g, h->bytes);
	return h;
}

static struct table_ends *move(const struct gpt_bytes *g, const struct head *h,
			       uint64_t medium_size_bytes)
{
	struct table_ends *m = NULL;
	struct err e = {0};

	assert_int_equal(table_move_gpt(h->bytes, sizeof h->bytes, medium_size_bytes,
					g->sector_bytes, &m, &e),
			 0);
	return m;
}

static struct table *parse(const struct gpt_bytes *g, const struct table_ends *m,
			   uint64_t medium_size_bytes)
{
	struct table *t = NULL;
	struct err e = {0};

	assert_int_equal(
		table_parse(m->head, m->head_bytes, medium_size_bytes, g->sector_bytes, &t, &e), 0);
	return t;
}

static void assert_growth(const struct table_ends *m, unsigned number, uint64_t from_bytes,
			  uint64_t to_bytes)
{
	assert_int_equal(m->growth.number, number);
	assert_int_equal(m->growth.from_bytes, from_bytes);
	assert_int_equal(m->growth.to_bytes, to_bytes);
}

/* What moving h gives is what moving it without the attribute gives. */
static void assert_not_grown(const struct gpt_bytes *g, const struct head *h,
			     uint64_t medium_size_bytes)
{
	CLEANUP(table_ends_freep) struct table_ends *m = move(g, h, medium_size_bytes);
	CLEANUP(table_freep) struct table *t = parse(g, m, medium_size_bytes);

	assert_growth(m, 0, 0, 0);
	assert_int_equal(t->partitions[EFI].size_bytes, UINT64_C(64) * g->sector_bytes);
	assert_int_equal(t->partitions[ROOT].size_bytes, UINT64_C(32) * g->sector_bytes);
}

/* ---- Growing -------------------------------------------------------------------------------- */

static void marked_partition_grows_to_the_last_grain_before_the_backup(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);
	CLEANUP(table_ends_freep) struct table_ends *m = move(&gpt_512, h, 4 * MIB);
	CLEANUP(table_freep) struct table *t = parse(&gpt_512, m, 4 * MIB);

	(void)state;
	/* The backup takes 33 sectors, 16896 bytes: 20480 is the next multiple of 4096. */
	assert_int_equal(t->partitions[ROOT].start_bytes, 65536);
	assert_int_equal(t->partitions[ROOT].size_bytes, 4 * MIB - 20480 - 65536);
	assert_growth(m, 2, 16384, 4 * MIB - 20480 - 65536);
}

static void short_backup_leaves_more(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_short, ROOT);
	CLEANUP(table_ends_freep) struct table_ends *m = move(&gpt_short, h, 4 * MIB);

	(void)state;
	assert_growth(m, 2, 16384, 4 * MIB - 8192 - 65536);
}

static void partition_of_large_sectors_grows(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_4096, ROOT);
	CLEANUP(table_ends_freep) struct table_ends *m = move(&gpt_4096, h, 16 * MIB);
	CLEANUP(table_freep) struct table *t = parse(&gpt_4096, m, 16 * MIB);

	(void)state;
	assert_growth(m, 2, 131072, 16 * MIB - 5 * 4096 - 524288);
	assert_int_equal(t->partitions[ROOT].size_bytes, 16 * MIB - 5 * 4096 - 524288);
}

static void nothing_but_the_end_of_the_partition_changes(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);
	CLEANUP(table_ends_freep) struct table_ends *m = move(&gpt_512, h, 4 * MIB);

	(void)state;
	memcpy(h->bytes + 512, m->head + 512, 512); /* the header */
	memcpy(entry_of(&gpt_512, h->bytes, ROOT) + 40, entry_of(&gpt_512, m->head, ROOT) + 40, 8);
	put_le32(h->bytes + 446 + 12, 8191); /* the protective MBR's size */
	assert_memory_equal(m->head, h->bytes, m->head_bytes);
}

static void backup_tells_the_growth_as_well(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);
	CLEANUP(table_ends_freep) struct table_ends *m = move(&gpt_512, h, 4 * MIB);

	(void)state;
	assert_memory_equal(m->tail, m->head + 1024, 32 * 512);
	assert_int_equal(le32(m->tail + 32 * 512 + 88), le32(m->head + 512 + 88));
}

static void what_has_grown_stays_as_it_is(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);
	CLEANUP(table_ends_freep) struct table_ends *first = move(&gpt_512, h, 4 * MIB);

	(void)state;
	memcpy(h->bytes, first->head, first->head_bytes);
	CLEANUP(table_ends_freep) struct table_ends *second = move(&gpt_512, h, 4 * MIB);
	assert_growth(second, 0, 0, 0);
	assert_memory_equal(second->head, first->head, first->head_bytes);
	assert_memory_equal(second->tail, first->tail, first->tail_bytes);
}

static void attribute_is_read(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);
	CLEANUP(table_freep) struct table *t = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(table_parse(h->bytes, sizeof h->bytes, MIB, 512, &t, &e), 0);
	assert_true(t->partitions[ROOT].does_grow);
	assert_false(t->partitions[EFI].does_grow);
}

/* ---- Not growing ---------------------------------------------------------------------------- */

static void partition_that_is_not_marked_stays(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);

	(void)state;
	put_le64(entry_of(&gpt_512, h->bytes, ROOT) + 48, ~(UINT64_C(1) << 59));
	seal(&gpt_512, h->bytes);
	assert_not_grown(&gpt_512, h, 4 * MIB);
}

static void marked_partition_with_another_behind_it_stays(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, EFI);

	(void)state;
	assert_not_grown(&gpt_512, h, 4 * MIB);
}

static void last_on_the_medium_counts_not_last_in_the_table(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);
	uint8_t *entries = entry_of(&gpt_512, h->bytes, 0);
	uint8_t efi[GPT_ENTRY_BYTES];

	(void)state;
	memcpy(efi, entries, sizeof efi);
	memcpy(entries, entries + GPT_ENTRY_BYTES, GPT_ENTRY_BYTES);
	memcpy(entries + GPT_ENTRY_BYTES, efi, sizeof efi);
	seal(&gpt_512, h->bytes);
	CLEANUP(table_ends_freep) struct table_ends *m = move(&gpt_512, h, 4 * MIB);
	assert_growth(m, 1, 16384, 4 * MIB - 20480 - 65536);
}

static void partition_stays_when_less_than_a_grain_is_new(void **state)
{
	static const struct gpt_bytes tight = {
		.sector_bytes = 512, .n_sectors = GPT_SECOND_END_LBA + 1 + 33, .n_entries = 128};
	CLEANUP(freehead) struct head *h = marked_head(&tight, ROOT);

	(void)state;
	assert_not_grown(&tight, h, (tight.n_sectors + 7) * 512);
}

static void damaged_entries_do_not_become_good_by_growing(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);
	CLEANUP(table_ends_freep) struct table_ends *m = NULL;
	struct err e = {0};

	(void)state;
	entry_of(&gpt_512, h->bytes, EFI)[20] ^= 1;
	assert_int_equal(table_move_gpt(h->bytes, sizeof h->bytes, 4 * MIB, 512, &m, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void damaged_header_does_not_become_good_by_growing(void **state)
{
	CLEANUP(freehead) struct head *h = marked_head(&gpt_512, ROOT);
	CLEANUP(table_ends_freep) struct table_ends *m = NULL;
	struct err e = {0};

	(void)state;
	h->bytes[512 + 60] ^= 1;
	assert_int_equal(table_move_gpt(h->bytes, sizeof h->bytes, 4 * MIB, 512, &m, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked_partition_grows_to_the_last_grain_before_the_backup),
		cmocka_unit_test(short_backup_leaves_more),
		cmocka_unit_test(partition_of_large_sectors_grows),
		cmocka_unit_test(nothing_but_the_end_of_the_partition_changes),
		cmocka_unit_test(backup_tells_the_growth_as_well),
		cmocka_unit_test(what_has_grown_stays_as_it_is),
		cmocka_unit_test(attribute_is_read),
		cmocka_unit_test(partition_that_is_not_marked_stays),
		cmocka_unit_test(marked_partition_with_another_behind_it_stays),
		cmocka_unit_test(last_on_the_medium_counts_not_last_in_the_table),
		cmocka_unit_test(partition_stays_when_less_than_a_grain_is_new),
		cmocka_unit_test(damaged_entries_do_not_become_good_by_growing),
		cmocka_unit_test(damaged_header_does_not_become_good_by_growing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
