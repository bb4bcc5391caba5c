/* A written target against image and board: what does not show is found. */
#include "provision/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/units.h"

enum { MEDIUM_BYTES = 4 << 20, FAT_LBA = 2048 };

static const struct board no_board = {.id = (char *)"generic"};

/* A boot sector with one partition of type 0x0c at start_lba, to the end of the medium. */
static void put_table(uint8_t *bytes, uint32_t start_lba)
{
	memset(bytes, 0, 512);
	bytes[446 + 4] = 0x0c;
	put_le32(bytes + 446 + 8, start_lba);
	put_le32(bytes + 446 + 12, MEDIUM_BYTES / 512 - start_lba);
	bytes[510] = 0x55;
	bytes[511] = 0xaa;
}

/* A medium, and the table it has at first as the image's. */
struct scene {
	struct sink *sink;    /* owned */
	uint8_t *bytes;       /* borrowed from sink */
	struct table *wanted; /* owned */
};

static struct scene scene_new(void)
{
	struct scene s = {0};
	struct err e = {0};

	assert_int_equal(sink_mem_new(MEDIUM_BYTES, &s.bytes, &s.sink, &e), 0);
	put_table(s.bytes, FAT_LBA);
	assert_int_equal(table_parse(s.bytes, TABLE_HEAD_BYTES, MEDIUM_BYTES, 512, &s.wanted, &e),
			 0);
	return s;
}

static void scene_release(struct scene *s)
{
	table_free(s->wanted);
	sink_free(s->sink);
}

static void assert_differs(const struct scene *s, const struct board *b, const char *why)
{
	struct err e = {0};

	assert_int_equal(outcome_check(s->sink, s->wanted, b, &e), -1);
	assert_int_equal(e.code, ERR_DIFFERS);
	if (!strstr(e.text, why))
		fail_msg("\"%s\" is not in \"%s\"", why, e.text);
}

static void same_table_is_good(void **state)
{
	CLEANUP(scene_release) struct scene s = scene_new();
	struct err e = {0};

	(void)state;
	assert_int_equal(outcome_check(s.sink, s.wanted, &no_board, &e), 0);
}

static void moved_partition_is_found(void **state)
{
	CLEANUP(scene_release) struct scene s = scene_new();

	(void)state;
	put_table(s.bytes, FAT_LBA + 1);
	assert_differs(&s, &no_board, "partition 1 is another on the target");
}

static void missing_table_is_found(void **state)
{
	CLEANUP(scene_release) struct scene s = scene_new();

	(void)state;
	memset(s.bytes, 0, 512);
	assert_differs(&s, &no_board, "none with 0");
}

static void damaged_table_differs_and_is_no_matter_of_trust(void **state)
{
	CLEANUP(scene_release) struct scene s = scene_new();

	(void)state;
	s.bytes[446 + 4] = 0xee; /* a protective MBR, and no GPT behind it */
	assert_differs(&s, &no_board, "the GPT is damaged");
}

static void missing_file_system_is_found(void **state)
{
	CLEANUP(scene_release) struct scene s = scene_new();
	char *types[] = {(char *)"0x0c"};
	struct board_partition boot = {.name = (char *)"boot partition",
				       .types = types,
				       .n_types = 1,
				       .file_system = (char *)"vfat"};
	const struct board b = {.partitions = &boot, .n_partitions = 1};

	(void)state;
	assert_differs(&s, &b,
		       "partition 1, the boot partition, should hold vfat, but has no file "
		       "system");
}

static void partition_that_the_board_wants_is_missed(void **state)
{
	CLEANUP(scene_release) struct scene s = scene_new();
	char *types[] = {(char *)"0xef"};
	struct board_partition esp = {
		.name = (char *)"ESP", .types = types, .n_types = 1, .file_system = (char *)"vfat"};
	const struct board b = {.partitions = &esp, .n_partitions = 1};

	(void)state;
	assert_differs(&s, &b, "no ESP is found on the target");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_table_is_good),
		cmocka_unit_test(moved_partition_is_found),
		cmocka_unit_test(missing_table_is_found),
		cmocka_unit_test(damaged_table_differs_and_is_no_matter_of_trust),
		cmocka_unit_test(missing_file_system_is_found),
		cmocka_unit_test(partition_that_the_board_wants_is_missed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
