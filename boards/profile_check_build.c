/* Does a profile's `build` make sense? See profile_check.h. The partitions are checked in
 * profile_check_partition.c. */
#include "boards/profile_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "boards/profile_check_partition.h"
#include "boards/profile_words.h"
#include "flash/base/parse.h"

enum {
	SECTOR_BYTES = 512,
	MBR_ENTRIES = 4,
	GPT_ENTRIES = 128,
	GPT_ENTRIES_A_SECTOR = 4, /* of 128 bytes each */
};

static int check_methods(const struct board_build *build, const struct profile_spot *s,
			 struct err *e)
{
	char key[YAML_PATH_BYTES];

	for (unsigned i = 0; i < build->n_methods; i++) {
		(void)snprintf(key, sizeof key, "methods[%u]", i);
		if (!profile_is_word(build->methods[i]))
			return profile_spot_fault(s, key, e,
						  "method `%s` is not a word of a-z 0-9 + . _ -",
						  build->methods[i]);
		for (unsigned j = 0; j < i; j++)
			if (strcmp(build->methods[i], build->methods[j]) == 0)
				return profile_spot_fault(s, key, e, "method `%s` is there twice",
							  build->methods[i]);
	}
	return 0;
}

static int check_table(const struct board *b, const struct profile_spot *s, struct err *e)
{
	const struct board_build *build = b->build;
	bool is_free = b->table == BOARD_TABLE_ANY || b->table == BOARD_TABLE_MBR_OR_GPT;

	if (build->table != BOARD_TABLE_MBR && build->table != BOARD_TABLE_GPT)
		return profile_spot_fault(
			s, "table", e, "an image has one table: `table` of `build` is mbr or gpt");
	if (!is_free && build->table != b->table)
		return profile_spot_fault(
			s, "table", e, "table %s is built, but the board's `table` is %s",
			board_table_name(build->table), board_table_name(b->table));
	if (build->gpt_entries % GPT_ENTRIES_A_SECTOR != 0)
		return profile_spot_fault(s, "gpt_entries", e,
					  "`gpt_entries` %u must be a multiple of %d",
					  build->gpt_entries, GPT_ENTRIES_A_SECTOR);
	if (build->gpt_entries > 0 && b->table == BOARD_TABLE_MBR)
		return profile_spot_fault(s, "gpt_entries", e,
					  "`gpt_entries` is set, but the board's `table` is mbr");
	return 0;
}

/* Braces are for what build fills in. */
static int check_cmdline(const struct board_build *build, const struct profile_spot *s,
			 struct err *e)
{
	static const char *const known[] = {"{root}", "{boot}", "{slot}", NULL};

	for (const char *p = build->cmdline ? strchr(build->cmdline, '{') : NULL; p;
	     p = strchr(p + 1, '{')) {
		size_t i = 0;
		while (known[i] && strncmp(p, known[i], strlen(known[i])) != 0)
			i++;
		if (!known[i])
			return profile_spot_fault(
				s, "cmdline", e,
				"`%.20s`: what is filled in are {root}, {boot} and {slot}", p);
	}
	return 0;
}

static int check_values(const struct board_build *build, const struct profile_spot *s,
			struct err *e)
{
	if (build->slots_max == 0)
		return profile_spot_fault(s, "slots", e, "`slots` must be 1 or %d", SLOTS_MAX);
	if (build->size_bytes % SECTOR_BYTES != 0)
		return profile_spot_fault(s, "size", e,
					  "size %" PRIu64 " is not a multiple of %d bytes",
					  build->size_bytes, SECTOR_BYTES);
	if (build->dtb && (!profile_is_path(build->dtb) || !parse_has_suffix(build->dtb, ".dtb")))
		return profile_spot_fault(
			s, "dtb", e, "dtb `%s` must be a path below a folder that ends in .dtb",
			build->dtb);
	return check_cmdline(build, s, e);
}

/* With one slot: what else is made depends on the payload, and build tells then. */
static int check_entries(const struct board_build *build, const struct profile_spot *s,
			 struct err *e)
{
	unsigned n_max = build->gpt_entries > 0 ? build->gpt_entries : GPT_ENTRIES;
	unsigned n_entries = 0;

	if (build->table == BOARD_TABLE_MBR)
		n_max = MBR_ENTRIES;
	for (unsigned i = 0; i < build->n_partitions; i++)
		n_entries += build->partitions[i].content != CONTENT_SELECT;
	if (n_entries > n_max)
		return profile_spot_fault(s, "partitions", e,
					  "%u partitions do not fit the %u entries of this %s",
					  n_entries, n_max, board_table_name(build->table));
	return 0;
}

static unsigned count(const struct board_build *build, enum board_content content)
{
	unsigned n_found = 0;

	for (unsigned i = 0; i < build->n_partitions; i++)
		n_found += build->partitions[i].content == content;
	return n_found;
}

static int check_contents(const struct board_build *build, const struct profile_spot *s,
			  struct err *e)
{
	static const enum board_content once[] = {CONTENT_BOOT, CONTENT_SELECT, CONTENT_ROOT,
						  CONTENT_DATA};

	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
		if (count(build, once[i]) > 1)
			return profile_spot_fault(
				s, "partitions", e,
				"%u partitions have the content %s; one can (`slotted` makes two)",
				count(build, once[i]), board_content_name(once[i]));
	if (count(build, CONTENT_BOOT) == 0)
		return profile_spot_fault(
			s, "partitions", e,
			"no partition has the content boot, which the methods fill");
	return 0;
}

static int check_boot_file(const struct board *b, const struct board_boot_file *f,
			   const struct profile_spot *s, struct err *e)
{
	if (profile_check_file(b, s, "file", f->file, e) < 0)
		return -1;
	if (!profile_is_path(f->to))
		return profile_spot_fault(
			s, "to", e, "`%s` must be a path below the folder of the boot partition",
			f->to);
	if (f->magic && !profile_is_magic(f->magic))
		return profile_spot_fault(
			s, "magic", e,
			"magic `%s` must be 2 to %d lower-case hex digits, an even number",
			f->magic, MAGIC_MAX_DIGITS);
	return 0;
}

static int check_boot_files(const struct board *b, const struct profile_spot *s, struct err *e)
{
	for (unsigned i = 0; i < b->build->n_boot_files; i++) {
		const struct board_boot_file *f = &b->build->boot_files[i];
		const struct profile_spot at = profile_spot_entry(s, "boot_files", i);
		if (check_boot_file(b, f, &at, e) < 0)
			return -1;
		for (unsigned j = 0; j < i; j++)
			if (strcasecmp(f->to, b->build->boot_files[j].to) == 0)
				return profile_spot_fault(&at, "to", e, "`%s` is there twice",
							  f->to);
	}
	return 0;
}

int profile_check_build(const struct board *b, const struct profile_spot *top, struct err *e)
{
	const struct profile_spot s = profile_spot_at(top, "build");

	if (!b->build)
		return 0;
	if (strcmp(b->arch, "any") == 0)
		return profile_spot_fault(top, "build", e, "nothing can be built for the arch any");
	if (check_methods(b->build, &s, e) < 0 || check_table(b, &s, e) < 0 ||
	    check_values(b->build, &s, e) < 0)
		return -1;
	for (unsigned i = 0; i < b->build->n_partitions; i++)
		if (profile_check_partition(b, i, &s, e) < 0)
			return -1;
	if (check_boot_files(b, &s, e) < 0 || check_entries(b->build, &s, e) < 0)
		return -1;
	return check_contents(b->build, &s, e);
}
