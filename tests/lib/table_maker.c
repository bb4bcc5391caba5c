/* Makes a partition table in a file, as build does, for others to look at.
 *
 *     table_maker FILE KIND SECTOR ENTRIES START     KIND is mbr or gpt, START that of the first
 *                                                    partition in bytes; FILE has its size */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"
#include "flash/disk/table.h"

static const struct table_partition gpt_partitions[] = {
	{.number = 1,
	 .size_bytes = 8 * MIB,
	 .type = "5b193300-fc78-40cd-8002-e86c45580b47",
	 .uuid = "11111111-2222-8333-8444-555555555555",
	 .name = "spl",
	 .is_bootable = true},
	{.number = 2,
	 .start_bytes = 16 * MIB,
	 .size_bytes = 20 * MIB,
	 .type = "0fc63daf-8483-4772-8e79-3d69d8477de4",
	 .uuid = "aaaaaaaa-bbbb-8ccc-8ddd-eeeeeeeeeeee",
	 .name = "data",
	 .does_grow = true},
};
static const struct table_partition mbr_partitions[] = {
	{.number = 1, .size_bytes = 8 * MIB, .type = "0x0c", .is_bootable = true},
	{.number = 2, .start_bytes = 16 * MIB, .size_bytes = 20 * MIB, .type = "0x83"},
};

/* arguments: KIND SECTOR ENTRIES START */
static bool parse(char **arguments, struct table *t, struct table_partition partitions[2])
{
	bool is_gpt = strcmp(arguments[0], "gpt") == 0;
	uint64_t sector_bytes = 0;
	uint64_t n_entries = 0;

	memcpy(partitions, is_gpt ? gpt_partitions : mbr_partitions, sizeof gpt_partitions);
	if (!parse_u64(arguments[1], &sector_bytes) || !parse_u64(arguments[2], &n_entries) ||
	    !parse_u64(arguments[3], &partitions[0].start_bytes))
		return false;
	*t = (struct table){
		.kind = is_gpt ? TABLE_GPT : TABLE_MBR,
		.sector_bytes = (uint32_t)sector_bytes,
		.gpt_entries = (unsigned)n_entries,
		.partitions = partitions,
		.n_partitions = 2,
	};
	(void)snprintf(t->id, sizeof t->id, "%s",
		       is_gpt ? "01234567-89ab-8def-8123-456789abcdef" : "0x1a2b3c4d");
	return true;
}

static int write_table(const char *path, const struct table *t, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	CLEANUP(table_ends_freep) struct table_ends *made = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "%s", path);
	if (table_make(t, (uint64_t)st.st_size, &made, e) < 0 ||
	    fdio_pwrite(fd, made->head, made->head_bytes, 0, e) < 0)
		return -1;
	return fdio_pwrite(fd, made->tail, made->tail_bytes, made->tail_offset_bytes, e);
}

int main(int n_arguments, char **arguments)
{
	struct table_partition partitions[2];
	struct table t;
	struct err e = {0};

	if (n_arguments != 6 || !parse(arguments + 2, &t, partitions))
		return EXIT_FAILURE;
	if (write_table(arguments[1], &t, &e) == 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "table_maker: %s\n", e.text);
	return EXIT_FAILURE;
}
