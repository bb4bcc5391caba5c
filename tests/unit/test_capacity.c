/* The probe for media that claim too much: what it finds on honest media and on the kinds of
 * counterfeit ones there are, and that it leaves them as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/plan/capacity.h"

/* ---- Media --------------------------------------------------------------------------------------
 */

/* What a medium does behind its real end. */
enum beyond {
	BEYOND_WRAPS,
	BEYOND_READS_ZEROS,        /* writes are lost */
	BEYOND_READS_OLD,          /* what was always there; writes are lost */
	BEYOND_READS_LAST_READ,    /* what was read last before the end; writes are lost */
	BEYOND_READS_LAST_WRITTEN, /* a buffer that all writes go through */
};

enum { SECTOR_BYTES = 512, N_LOG_MAX = 512 };

struct medium {
	struct sink base;
	struct sink *store; /* owned; of the real size */
	uint8_t *bytes;     /* borrowed from store */
	uint8_t *before;    /* owned; what it held; NULL for a sparse one, which held zeros */
	uint64_t real_bytes;
	enum beyond beyond;
	uint8_t last_read[CAPACITY_MARK_BYTES];
	uint8_t last_written[CAPACITY_MARK_BYTES];
	uint64_t log[N_LOG_MAX]; /* offsets of writes */
	size_t n_writes;
	size_t n_flushes;
	size_t n_reads;
	uint64_t asked_offset_bytes;
	size_t failing_write; /* from 1; 0: none */
	size_t failing_flush;
	size_t failing_read;
	size_t losing_write;   /* from this one on they are lost; 0: none */
	size_t stopping_write; /* at it someone asks to stop */
	int stop_fd;
};

static void store_sector(struct medium *m, uint64_t offset_bytes, const uint8_t *bytes)
{
	if (offset_bytes < m->real_bytes || m->beyond == BEYOND_WRAPS)
		memcpy(m->bytes + offset_bytes % m->real_bytes, bytes, SECTOR_BYTES);
}

static int medium_write(struct sink *s, const struct chunk *c, struct err *e)
{
	struct medium *m = (struct medium *)s;

	assert_true(m->n_writes < N_LOG_MAX);
	m->log[m->n_writes++] = chunk_offset_bytes(c);
	if (m->n_writes == m->stopping_write)
		assert_int_equal(write(m->stop_fd, "x", 1), 1);
	if (cancel_check(s->options.cancel, e) < 0)
		return -1;
	if (m->n_writes == m->failing_write)
		return err_set(e, ERR_IO, "write failed");
	if (m->losing_write != 0 && m->n_writes >= m->losing_write)
		return 0;
	memcpy(m->last_written, chunk_bytes(c), CAPACITY_MARK_BYTES);
	for (uint64_t i = 0; i < chunk_size_bytes(c); i += SECTOR_BYTES)
		store_sector(m, chunk_offset_bytes(c) + i, chunk_bytes(c) + i);
	return 0;
}

static int medium_flush(struct sink *s, struct err *e)
{
	struct medium *m = (struct medium *)s;

	if (++m->n_flushes == m->failing_flush)
		return err_set(e, ERR_IO, "flush failed");
	return cancel_check(s->options.cancel, e);
}

/* i: from the start of the block that is read. */
static void load_sector(const struct medium *m, uint64_t offset_bytes, size_t i, uint8_t *out)
{
	if (offset_bytes + i < m->real_bytes || m->beyond == BEYOND_WRAPS) {
		memcpy(out, m->bytes + (offset_bytes + i) % m->real_bytes, SECTOR_BYTES);
		return;
	}
	memset(out, m->beyond == BEYOND_READS_OLD ? 0xa5 : 0, SECTOR_BYTES);
	if (m->beyond == BEYOND_READS_LAST_READ)
		memcpy(out, m->last_read + i, SECTOR_BYTES);
	if (m->beyond == BEYOND_READS_LAST_WRITTEN)
		memcpy(out, m->last_written + i, SECTOR_BYTES);
}

static int medium_read_ask(struct sink *s, uint64_t offset_bytes, size_t n_bytes, struct err *e)
{
	(void)e;
	assert_int_equal(n_bytes, CAPACITY_MARK_BYTES);
	assert_int_equal(s->n_reads, 0);
	((struct medium *)s)->asked_offset_bytes = offset_bytes;
	return 0;
}

static int medium_read_take(struct sink *s, uint8_t **out_bytes, struct err *e)
{
	struct medium *m = (struct medium *)s;

	if (cancel_check(s->options.cancel, e) < 0)
		return -1;
	if (++m->n_reads == m->failing_read)
		return err_set(e, ERR_IO, "read failed");
	assert_int_equal(pool_take(sink_pool(s), out_bytes, e), 0);
	for (size_t i = 0; i < CAPACITY_MARK_BYTES; i += SECTOR_BYTES)
		load_sector(m, m->asked_offset_bytes, i, *out_bytes + i);
	if (m->asked_offset_bytes < m->real_bytes)
		memcpy(m->last_read, *out_bytes, CAPACITY_MARK_BYTES);
	return 0;
}

static void medium_free(struct sink *s)
{
	struct medium *m = (struct medium *)s;

	sink_free(m->store);
	free(m->before);
	free(m);
}

static const struct sink_ops medium_ops = {
	.name = "medium",
	.write = medium_write,
	.flush = medium_flush,
	.read_ask = medium_read_ask,
	.read_take = medium_read_take,
	.free = medium_free,
};

static void medium_freep(struct medium **m)
{
	sink_free((struct sink *)*m);
}

/* All zeros, and as large as one likes. */
static struct medium *sparse_medium(uint64_t claimed_bytes, uint64_t real_bytes, enum beyond beyond)
{
	struct medium *m = calloc(1, sizeof *m);
	struct err e = {0};

	assert_non_null(m);
	m->base.ops = &medium_ops;
	m->base.size_bytes = claimed_bytes;
	m->base.sector_bytes = SECTOR_BYTES;
	m->base.probe_fd = -1;
	m->real_bytes = real_bytes;
	m->beyond = beyond;
	assert_int_equal(sink_mem_new(real_bytes, &m->bytes, &m->store, &e), 0);
	m->base.options.pool = sink_pool(m->store);
	return m;
}

/* Every eight bytes of it are others. */
static struct medium *full_medium(uint64_t claimed_bytes, uint64_t real_bytes, enum beyond beyond)
{
	struct medium *m = sparse_medium(claimed_bytes, real_bytes, beyond);

	for (uint64_t i = 0; i < real_bytes; i += sizeof i) {
		uint64_t value = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
		memcpy(m->bytes + i, &value, sizeof value);
	}
	m->before = malloc(real_bytes);
	assert_non_null(m->before);
	memcpy(m->before, m->bytes, real_bytes);
	return m;
}

static void assert_unchanged(const struct medium *m)
{
	assert_non_null(m->before);
	assert_int_equal(memcmp(m->bytes, m->before, m->real_bytes), 0);
}

static size_t n_writes_at(const struct medium *m, uint64_t offset_bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_writes; i++)
		n += m->log[i] == offset_bytes;
	return n;
}

static int probe(struct medium *m, struct err *e)
{
	return capacity_probe((struct sink *)m, 0x123456789abcdef0, NULL, e);
}

/* The medium is found out, as losing what is at the byte named, and holds what it held. */
static void assert_found_out(struct medium *m, const char *where)
{
	struct err e = {0};

	assert_int_equal(probe(m, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_non_null(strstr(e.text, "counterfeit or broken"));
	assert_non_null(strstr(e.text, where));
	assert_null(strstr(e.text, "put back"));
	assert_unchanged(m);
}

/* ---- Honest media -------------------------------------------------------------------------------
 */

static void honest_medium_passes_and_is_unchanged(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	assert_int_equal(probe(m, &e), 0);
	assert_true(m->n_writes > 0);
	assert_unchanged(m);
}

static void honest_medium_of_large_sectors_passes(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(16 * MIB, 16 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	m->base.sector_bytes = 4096;
	assert_int_equal(probe(m, &e), 0);
	assert_unchanged(m);
}

static void honest_medium_of_an_odd_size_passes(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(19 * MIB + 3 * 512, 19 * MIB + 3 * 512, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	assert_int_equal(probe(m, &e), 0);
	assert_unchanged(m);
}

static void memory_passes(void **state)
{
	CLEANUP(sink_freep) struct sink *s = NULL;
	uint8_t *bytes = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sink_mem_new(2048 * GIB, &bytes, &s, &e), 0);
	assert_int_equal(capacity_probe(s, 0, NULL, &e), 0);
}

static void small_medium_is_not_touched(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(16 * MIB - 512, 8 * MIB, BEYOND_WRAPS);
	struct err e = {0};

	(void)state;
	assert_int_equal(probe(m, &e), 0);
	assert_int_equal(m->n_reads, 0);
	assert_int_equal(m->n_writes, 0);
}

static void first_byte_is_never_written(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	assert_int_equal(probe(m, &e), 0);
	assert_int_equal(n_writes_at(m, 0), 0);
}

static void lowest_mark_is_put_back_last(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	assert_int_equal(probe(m, &e), 0);
	assert_int_equal(m->log[m->n_writes - 1], MIB);
}

/* ---- Counterfeit media --------------------------------------------------------------------------
 */

static void wrap_at_half_the_size_is_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(16 * MIB, 8 * MIB, BEYOND_WRAPS);

	(void)state;
	assert_found_out(m, "it claims 16.0 MiB (16777216 bytes) and does not keep what is "
			    "written at byte 8388608 (8.00 MiB); replace it");
}

static void wrap_at_a_power_of_two_is_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(1000 * MIB, 4 * MIB, BEYOND_WRAPS);

	(void)state;
	assert_found_out(m, "at byte 4194304 (");
}

static void wrap_at_no_power_of_two_is_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 33 * MIB + 512 * KIB, BEYOND_WRAPS);

	(void)state;
	assert_found_out(m, "at byte 35127296 (");
}

static void wrap_just_before_the_end_is_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 63 * MIB + 512 * KIB, BEYOND_WRAPS);

	(void)state;
	assert_found_out(m, "does not keep");
}

static void wrap_onto_large_sectors_is_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 24 * MIB, BEYOND_WRAPS);

	(void)state;
	m->base.sector_bytes = 4096;
	assert_found_out(m, "does not keep");
}

static void unseen_wrap_leaves_the_content_as_it_was(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 24 * MIB + 100 * 512, BEYOND_WRAPS);
	struct err e = {0};

	(void)state;
	assert_int_equal(probe(m, &e), 0);
	assert_unchanged(m);
}

static void large_claim_of_a_small_card_is_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = sparse_medium(2048 * GIB, 15931539456, BEYOND_WRAPS);
	struct err e = {0};

	(void)state;
	assert_int_equal(probe(m, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	assert_non_null(strstr(e.text, "claims 2.00 TiB"));
}

static void lost_writes_that_read_as_zeros_are_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 40 * MIB + 3 * 512, BEYOND_READS_ZEROS);

	(void)state;
	assert_found_out(m, "at byte 41943040 (");
}

static void lost_writes_that_read_as_before_are_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 40 * MIB, BEYOND_READS_OLD);

	(void)state;
	assert_found_out(m, "at byte 41943040 (");
}

static void lost_writes_that_read_as_what_was_read_last_are_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 40 * MIB, BEYOND_READS_LAST_READ);

	(void)state;
	assert_found_out(m, "at byte 41943040 (");
}

static void lost_writes_that_read_as_what_was_written_last_are_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 40 * MIB, BEYOND_READS_LAST_WRITTEN);

	(void)state;
	assert_found_out(m, "at byte 41943040 (");
}

static void loss_of_the_last_sector_alone_is_found(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB - 512, BEYOND_READS_LAST_WRITTEN);

	(void)state;
	assert_found_out(m, "at byte 67104768 (");
}

/* ---- Failures -----------------------------------------------------------------------------------
 */

static void marks_of_an_earlier_run_do_not_count(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(16 * MIB, 16 * MIB, BEYOND_READS_ZEROS);
	struct capacity_places places = {0};
	struct err e = {0};

	(void)state;
	capacity_places(16 * MIB, &places);
	m->losing_write = places.n_marks + 1; /* what was there is not put back */
	assert_int_equal(capacity_probe((struct sink *)m, 1, NULL, &e), -1);
	assert_non_null(strstr(e.text, "byte 16773120 does not read back as it was put back"));
	m->losing_write = 1;
	assert_int_equal(capacity_probe((struct sink *)m, 2, NULL, &e), -1);
	assert_non_null(strstr(e.text, "counterfeit or broken"));
}

static void failing_mark_is_told(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	m->failing_write = 3;
	assert_int_equal(probe(m, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "probing the capacity: write failed"));
}

static void place_that_cannot_be_put_back_is_named(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	m->failing_write = 3;
	assert_int_equal(probe(m, &e), -1);
	assert_non_null(strstr(e.text, "; putting back what was at byte 67104768: "));
}

static void failing_flush_is_told(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	m->failing_flush = 1;
	assert_int_equal(probe(m, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "flush failed"));
}

static void failing_flush_of_what_was_put_back_is_told(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	m->failing_flush = 3; /* of the marks, before and after putting back */
	assert_int_equal(probe(m, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.text, "probing the capacity: putting back what was at byte "
				       "67104768: flush failed"));
}

static void failing_first_read_writes_nothing(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct err e = {0};

	(void)state;
	m->failing_read = 1;
	assert_int_equal(probe(m, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(m->n_writes, 0);
}

static void failing_look_leaves_the_content_as_it_was(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 64 * MIB, BEYOND_READS_ZEROS);
	struct capacity_places places = {0};
	struct err e = {0};

	(void)state;
	capacity_places(64 * MIB, &places);
	m->failing_read = places.n_marks + 1;
	assert_int_equal(probe(m, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_true(m->n_writes > 0);
	assert_unchanged(m);
}

static void request_to_stop_leaves_the_content_as_it_was(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 24 * MIB, BEYOND_WRAPS);
	struct err e = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	const struct cancel cancel = {.fd = fds[0]};
	m->stop_fd = fds[1];
	m->stopping_write = 3;
	assert_int_equal(capacity_probe((struct sink *)m, 1, &cancel, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_int_equal(m->n_writes, 6); /* three marks, and what was there */
	assert_unchanged(m);
	close(fds[0]);
	close(fds[1]);
}

static void sink_that_heeds_the_request_is_not_stopped_while_putting_back(void **state)
{
	CLEANUP(medium_freep)
	struct medium *m = full_medium(64 * MIB, 24 * MIB, BEYOND_WRAPS);
	struct err e = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	const struct cancel cancel = {.fd = fds[0]};
	m->base.options.cancel = &cancel;
	m->stop_fd = fds[1];
	m->stopping_write = 3; /* which is not done */
	assert_int_equal(capacity_probe((struct sink *)m, 1, &cancel, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_string_equal(e.text, "probing the capacity: stopped by a signal");
	assert_int_equal(m->n_flushes, 2); /* before and after putting back */
	assert_ptr_equal(m->base.options.cancel, &cancel);
	assert_unchanged(m);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_medium_passes_and_is_unchanged),
		cmocka_unit_test(honest_medium_of_large_sectors_passes),
		cmocka_unit_test(honest_medium_of_an_odd_size_passes),
		cmocka_unit_test(memory_passes),
		cmocka_unit_test(small_medium_is_not_touched),
		cmocka_unit_test(first_byte_is_never_written),
		cmocka_unit_test(lowest_mark_is_put_back_last),
		cmocka_unit_test(wrap_at_half_the_size_is_found),
		cmocka_unit_test(wrap_at_a_power_of_two_is_found),
		cmocka_unit_test(wrap_at_no_power_of_two_is_found),
		cmocka_unit_test(wrap_just_before_the_end_is_found),
		cmocka_unit_test(wrap_onto_large_sectors_is_found),
		cmocka_unit_test(unseen_wrap_leaves_the_content_as_it_was),
		cmocka_unit_test(large_claim_of_a_small_card_is_found),
		cmocka_unit_test(lost_writes_that_read_as_zeros_are_found),
		cmocka_unit_test(lost_writes_that_read_as_before_are_found),
		cmocka_unit_test(lost_writes_that_read_as_what_was_read_last_are_found),
		cmocka_unit_test(lost_writes_that_read_as_what_was_written_last_are_found),
		cmocka_unit_test(loss_of_the_last_sector_alone_is_found),
		cmocka_unit_test(marks_of_an_earlier_run_do_not_count),
		cmocka_unit_test(failing_mark_is_told),
		cmocka_unit_test(place_that_cannot_be_put_back_is_named),
		cmocka_unit_test(failing_flush_is_told),
		cmocka_unit_test(failing_flush_of_what_was_put_back_is_told),
		cmocka_unit_test(failing_first_read_writes_nothing),
		cmocka_unit_test(failing_look_leaves_the_content_as_it_was),
		cmocka_unit_test(request_to_stop_leaves_the_content_as_it_was),
		cmocka_unit_test(sink_that_heeds_the_request_is_not_stopped_while_putting_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
