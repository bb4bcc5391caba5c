/* Where a medium is probed, and which counterfeit ones that finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash/base/units.h"
#include "flash/plan/capacity.h"

static bool is_mark(const struct capacity_places *p, uint64_t offset_bytes)
{
	for (size_t i = 0; i < p->n_marks; i++)
		if (p->marks[i] == offset_bytes)
			return true;
	return false;
}

/* Does a mark show at another place when the medium wraps at real_bytes? */
static bool is_found(const struct capacity_places *p, uint64_t real_bytes)
{
	for (size_t i = 0; i < p->n_marks && p->marks[i] >= real_bytes; i++) {
		uint64_t cell_bytes = p->marks[i] % real_bytes;
		if (is_mark(p, cell_bytes) || (cell_bytes % CAPACITY_UNIT_BYTES == 0 &&
					       cell_bytes / CAPACITY_UNIT_BYTES < p->n_looks))
			return true;
	}
	return false;
}

/* The first multiple of the unit, up to to_bytes, that a medium of size_bytes may wrap at unseen;
 * 0: none. */
static uint64_t first_missed(uint64_t size_bytes, uint64_t to_bytes)
{
	struct capacity_places p = {0};

	capacity_places(size_bytes, &p);
	for (uint64_t real_bytes = CAPACITY_UNIT_BYTES; real_bytes <= to_bytes;
	     real_bytes += CAPACITY_UNIT_BYTES)
		if (!is_found(&p, real_bytes))
			return real_bytes;
	return 0;
}

static uint64_t first_missed_power(uint64_t size_bytes)
{
	struct capacity_places p = {0};

	capacity_places(size_bytes, &p);
	for (uint64_t real_bytes = MIB; real_bytes < size_bytes; real_bytes *= 2)
		if (!is_found(&p, real_bytes))
			return real_bytes;
	return 0;
}

static size_t n_out_of_order(const struct capacity_places *p)
{
	size_t n = 0;

	for (size_t i = 1; i < p->n_marks; i++)
		n += p->marks[i] >= p->marks[i - 1];
	return n;
}

static void small_medium_may_wrap_nowhere_unseen(void **state)
{
	(void)state;
	assert_int_equal(first_missed(16 * MIB, 16 * MIB - CAPACITY_UNIT_BYTES), 0);
	assert_int_equal(first_missed(17 * MIB + 512, 17 * MIB - CAPACITY_UNIT_BYTES), 0);
	assert_int_equal(first_missed(1000 * MIB - 512, 999 * MIB), 0);
}

static void medium_of_twice_the_sure_size_may_wrap_nowhere_unseen(void **state)
{
	(void)state;
	assert_int_equal(first_missed(2 * CAPACITY_SURE_BYTES,
				      2 * CAPACITY_SURE_BYTES - CAPACITY_UNIT_BYTES),
			 0);
}

static void large_medium_may_not_wrap_unseen_up_to_the_sure_size(void **state)
{
	(void)state;
	assert_int_equal(first_missed(2048 * GIB, CAPACITY_SURE_BYTES), 0);
	assert_int_equal(first_missed(256061 * MIB + 4096, CAPACITY_SURE_BYTES), 0);
}

static void large_medium_may_wrap_at_no_power_of_two_unseen(void **state)
{
	(void)state;
	assert_int_equal(first_missed_power(2048 * GIB), 0);
	assert_int_equal(first_missed_power(2000398934016), 0);
}

static void marks_fall_from_the_end_and_spare_the_first(void **state)
{
	struct capacity_places p = {0};

	(void)state;
	capacity_places(20 * MIB + 512, &p);
	assert_int_equal(p.marks[0], 20 * MIB - CAPACITY_MARK_BYTES);
	assert_int_equal(p.marks[p.n_marks - 1], MIB);
	assert_int_equal(n_out_of_order(&p), 0);
}

static void marks_of_the_largest_medium_have_room(void **state)
{
	struct capacity_places p = {0};

	(void)state;
	capacity_places(UINT64_MAX, &p);
	assert_true(p.n_marks <= CAPACITY_N_MARKS_MAX);
	assert_int_equal(n_out_of_order(&p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_medium_may_wrap_nowhere_unseen),
		cmocka_unit_test(medium_of_twice_the_sure_size_may_wrap_nowhere_unseen),
		cmocka_unit_test(large_medium_may_not_wrap_unseen_up_to_the_sure_size),
		cmocka_unit_test(large_medium_may_wrap_at_no_power_of_two_unseen),
		cmocka_unit_test(marks_fall_from_the_end_and_spare_the_first),
		cmocka_unit_test(marks_of_the_largest_medium_have_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
