/* The table of partition types. See part_type.h. */
#include "flash/disk/part_type.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/parse.h"

struct part_type {
	const char *name;
	const char *arch; /* NULL: the same for all */
	const char *guid;
	uint8_t mbr_code; /* 0: an MBR has none */
};

/* GUIDs: Discoverable Partitions Specification; bios-boot: GRUB manual, "BIOS installation";
 * u-boot-env: U-Boot, doc/usage/partitions.rst; linux-reserved: EBBR 2.1, 4.1, for firmware in
 * partitions; basic-data: Microsoft's. MBR codes: those of fdisk; 0xea: Boot Loader Specification.
 */
static const struct part_type part_types[] = {
	{"esp", NULL, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", 0xef},
	{"xbootldr", NULL, "bc13c2ff-59e6-4262-a352-b275fd6f7172", 0xea},
	{"fat", NULL, "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", 0x0c},
	{"basic-data", NULL, "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", 0x0c},
	{"linux", NULL, "0fc63daf-8483-4772-8e79-3d69d8477de4", 0x83},
	{"swap", NULL, "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", 0x82},
	{"home", NULL, "933ac7e1-2eb4-4f13-b844-0e14e2aef915", 0x83},
	{"srv", NULL, "3b8f8425-20e0-4f3b-907f-1a25a76f98e8", 0x83},
	{"var", NULL, "4d21b016-b534-45c2-a9fb-5c16e091fd2d", 0x83},
	{"tmp", NULL, "7ec6f557-3bc5-4aca-b293-16ef5df639d1", 0x83},
	{"u-boot-env", NULL, "3de21764-95bd-54bd-a5c3-4abe786f38a8", 0},
	{"bios-boot", NULL, "21686148-6449-6e6f-744e-656564454649", 0},
	{"linux-reserved", NULL, "8da63339-0007-60c0-c436-083ac8230908", 0},
	{"root", "i386", "44479540-f297-41b2-9af7-d131d5f0458a", 0x83},
	{"root", "x86_64", "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", 0x83},
	{"root", "arm", "69dad710-2ce4-4e3c-b16c-21a1d49abed3", 0x83},
	{"root", "arm64", "b921b045-1df0-41c3-af44-4c6f280d3fae", 0x83},
	{"root", "riscv64", "72ec70a6-cf74-40e6-bd49-4bda08e8f224", 0x83},
	{"root", "s390x", "5eead9a9-fe09-4a1e-a1d7-520d00531306", 0x83},
	{"root-verity", "i386", "d13c5d3b-b5d1-422a-b29f-9454fdc89d76", 0},
	{"root-verity", "x86_64", "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", 0},
	{"root-verity", "arm", "7386cdf2-203c-47a9-a498-f2ecce45a2d6", 0},
	{"root-verity", "arm64", "df3300ce-d69f-4c92-978c-9bfb0f38d820", 0},
	{"root-verity", "riscv64", "b6ed5582-440b-4209-b8da-5ff7c419ea3d", 0},
	{"root-verity", "s390x", "b325bfbe-c7be-4ab8-8357-139e652d2f6b", 0},
	{"root-verity-sig", "x86_64", "41092b05-9fc8-4523-994f-2def0408b176", 0},
	{"root-verity-sig", "arm", "42b0455f-eb11-491d-98d3-56145ba9d037", 0},
	{"root-verity-sig", "arm64", "6db69de6-29f4-4758-a7a5-962190f00ce3", 0},
	{"root-verity-sig", "riscv64", "efe0f087-ea8d-4469-821a-4c2a96a8386a", 0},
};

enum { N_PART_TYPES = sizeof part_types / sizeof *part_types };

/* The row of that name, for arch; NULL when there is none. */
static const struct part_type *find_row(const char *name, const char *arch)
{
	for (size_t i = 0; i < N_PART_TYPES; i++)
		if (strcmp(part_types[i].name, name) == 0 &&
		    (!part_types[i].arch || strcmp(part_types[i].arch, arch) == 0))
			return &part_types[i];
	return NULL;
}

static bool is_known_name(const char *name)
{
	for (size_t i = 0; i < N_PART_TYPES; i++)
		if (strcmp(part_types[i].name, name) == 0)
			return true;
	return false;
}

bool part_type_is_guid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

bool part_type_is_mbr_code(const char *text)
{
	uint8_t code = 0;

	return parse_has_prefix(text, "0x") && parse_hex(text + 2, &code, 1) && code != 0;
}

static int fail_unknown(const char *type, struct err *e)
{
	CLEANUP(buf_release) struct buf names = {0};
	const char *text = NULL;

	for (size_t i = 0; i < N_PART_TYPES; i++)
		if (i == 0 || strcmp(part_types[i].name, part_types[i - 1].name) != 0)
			buf_printf(&names, "%s, ", part_types[i].name);
	if (buf_text(&names, &text, e) < 0)
		return -1;
	return err_set(e, ERR_USAGE,
		       "there is no partition type \"%s\"; known are %sa GUID, and 0x01 to 0xff in "
		       "an MBR",
		       type, text);
}

static int find_by_name(const char *type, const char *arch, enum table_kind kind,
			char out[PART_TYPE_BYTES], struct err *e)
{
	const struct part_type *row = find_row(type, arch);

	if (!row && is_known_name(type))
		return err_set(e, ERR_USAGE,
			       "partition type \"%s\" is not defined for the architecture %s; give "
			       "its GUID",
			       type, arch);
	if (!row)
		return fail_unknown(type, e);
	if (kind == TABLE_MBR && row->mbr_code == 0)
		return err_set(e, ERR_USAGE,
			       "an MBR cannot tell partition type \"%s\"; use a GPT, or give the "
			       "type in an MBR as 0xNN",
			       type);
	if (kind == TABLE_MBR)
		(void)snprintf(out, PART_TYPE_BYTES, "0x%02x", row->mbr_code);
	else
		(void)snprintf(out, PART_TYPE_BYTES, "%s", row->guid);
	return 0;
}

int part_type_find(const char *type, const char *arch, enum table_kind kind,
		   char out[PART_TYPE_BYTES], struct err *e)
{
	if (!part_type_is_guid(type) && !part_type_is_mbr_code(type))
		return find_by_name(type, arch, kind, out, e);
	if (part_type_is_guid(type) && kind == TABLE_MBR)
		return err_set(e, ERR_USAGE,
			       "an MBR cannot tell partition type %s; use a GPT, or give the type "
			       "in an MBR as 0xNN",
			       type);
	if (part_type_is_mbr_code(type) && kind == TABLE_GPT)
		return err_set(e, ERR_USAGE,
			       "a GPT cannot tell partition type %s; use an MBR, or give a name or "
			       "a GUID",
			       type);
	for (size_t i = 0; i <= strlen(type); i++)
		out[i] = (char)tolower((unsigned char)type[i]);
	return 0;
}
