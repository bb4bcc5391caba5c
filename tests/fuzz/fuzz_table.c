/* Partition tables: whatever the bytes, reading ends; a GPT that was moved is good, with as many
 * partitions, and of one that grew no other changed. The digests of a GPT are set right first: no
 * fuzzer guesses them. */
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/units.h"
#include "flash/disk/table.h"
#include "tests/lib/gpt_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The header's digests of itself and of its entries, where they are in head. */
static void seal(uint8_t *head, size_t head_bytes, uint32_t sector_bytes)
{
	uint8_t *header = head + sector_bytes;
	uint64_t entries_at = 0;
	uint64_t n_bytes = (uint64_t)le32(header + 80) * le32(header + 84);

	if (checked_mul(le64(header + 72), sector_bytes, &entries_at) && entries_at < head_bytes &&
	    n_bytes <= head_bytes - entries_at)
		put_le32(header + 88, gpt_crc32(head + entries_at, (size_t)n_bytes));
	gpt_seal(header);
}

/* Only the partition that grew has another size, and that is the one that was told. */
static void check_partition(const struct table_partition *was, const struct table_partition *is,
			    const struct table_growth *growth)
{
	bool has_grown = growth->number == was->number;

	if (is->start_bytes != was->start_bytes ||
	    (has_grown ? was->size_bytes != growth->from_bytes || is->size_bytes != growth->to_bytes
		       : is->size_bytes != was->size_bytes))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t sector_bytes = table_gpt_sector_bytes(data, size);
	CLEANUP(freep) uint8_t *head = malloc(size ? size : 1);
	CLEANUP(table_freep) struct table *t = NULL;
	CLEANUP(table_freep) struct table *again = NULL;
	CLEANUP(table_ends_freep) struct table_ends *m = NULL;
	struct err e;

	if (!head || size > TABLE_HEAD_BYTES)
		return 0;
	if (size > 0)
		memcpy(head, data, size);
	if (sector_bytes)
		seal(head, size, sector_bytes);
	sector_bytes = sector_bytes ? sector_bytes : 512;
	if (table_parse(head, size, 64 * MIB, sector_bytes, &t, &e) < 0 || t->kind != TABLE_GPT ||
	    table_move_gpt(head, size, 128 * MIB, sector_bytes, &m, &e) < 0)
		return 0;
	if (table_parse(m->head, m->head_bytes, 128 * MIB, sector_bytes, &again, &e) < 0 ||
	    again->n_partitions != t->n_partitions)
		abort();
	for (size_t i = 0; i < t->n_partitions; i++)
		check_partition(&t->partitions[i], &again->partitions[i], &m->growth);
	return 0;
}
