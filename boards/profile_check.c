/* Does what a profile says make sense? See profile_check.h. What firmware looks for is checked
 * here, the other parts in the files after them. */
#include "boards/profile_check.h"

#include <stdio.h>
#include <string.h>

#include "boards/profile_words.h"
#include "flash/base/parse.h"

static int check_arch(const struct board *b, const struct profile_spot *top, struct err *e)
{
	static const char *const archs[] = {
		"any", "arm", "arm64", "i386", "riscv64", "s390x", "x86_64", NULL,
	};

	if (profile_is_one_of(b->arch, archs))
		return 0;
	(void)profile_spot_fault(top, "arch", e, "unknown arch `%s`; choose one of", b->arch);
	for (size_t i = 0; archs[i]; i++)
		(void)snprintf(e->text + strlen(e->text), sizeof e->text - strlen(e->text), " %s",
			       archs[i]);
	return -1;
}

/* A table that the board cannot have makes the type a mistake. */
static bool fits_table(const char *type, enum board_table table)
{
	switch (table) {
	case BOARD_TABLE_MBR:
		return profile_is_mbr_type(type);
	case BOARD_TABLE_GPT:
		return profile_is_guid(type);
	case BOARD_TABLE_ANY:
	case BOARD_TABLE_MBR_OR_GPT:
		break;
	}
	return true;
}

static int check_type(const struct board *b, const struct profile_spot *s, const char *type,
		      unsigned i, struct err *e)
{
	char key[YAML_PATH_BYTES];

	(void)snprintf(key, sizeof key, "types[%u]", i);
	if (!profile_is_guid(type) && !profile_is_mbr_type(type))
		return profile_spot_fault(
			s, key, e, "partition type `%s` is neither a lower-case GUID nor like 0xef",
			type);
	if (!fits_table(type, b->table))
		return profile_spot_fault(s, key, e,
					  "partition type `%s` does not occur in %s tables", type,
					  board_table_name(b->table));
	return 0;
}

static int check_partitions(const struct board *b, const struct profile_spot *top, struct err *e)
{
	if (b->n_partitions > 0 && b->table == BOARD_TABLE_ANY)
		return profile_spot_fault(top, "partitions", e,
					  "partitions are wanted, but `table` is any");
	for (unsigned i = 0; i < b->n_partitions; i++) {
		struct profile_spot s = profile_spot_entry(top, "partitions", i);
		for (unsigned j = 0; j < b->partitions[i].n_types; j++)
			if (check_type(b, &s, b->partitions[i].types[j], j, e) < 0)
				return -1;
	}
	return 0;
}

int profile_check_file(const struct board *b, const struct profile_spot *s, const char *key,
		       const char *file, struct err *e)
{
	if (board_firmware_by_file(b, file))
		return 0;
	return profile_spot_fault(
		s, key, e, "file `%s` is not under `firmware`, which tells where it comes from",
		file);
}

int profile_check(const struct board *b, const char *where, const struct yaml_lines *lines,
		  struct err *e)
{
	const struct profile_spot top = {where, lines, ""};

	if (!parse_is_name(b->id))
		return profile_spot_fault(&top, "id", e,
					  "id `%s` must be 1 to 64 of A-Z a-z 0-9 . _ -", b->id);
	if (check_arch(b, &top, e) < 0 || check_partitions(b, &top, e) < 0 ||
	    profile_check_blobs(b, &top, e) < 0 || profile_check_build(b, &top, e) < 0 ||
	    profile_check_firmware(b, &top, e) < 0)
		return -1;
	return profile_check_qemu(b, &top, e);
}
