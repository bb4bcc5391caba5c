/* Partition types by name: those of the Discoverable Partitions Specification, and what firmware
 * asks for. Pure. */
#pragma once

#include <stdbool.h>

#include "flash/base/err.h"
#include "flash/disk/table.h"

enum { PART_TYPE_BYTES = 40 }; /* of a GUID, and its NUL */

/* The type as the table writes it, "c12a7328-..." or "0xef". type is a name ("esp", "root", ...),
 * a GUID or "0xNN" (not 0x00, which is no partition); arch, as in a profile, decides which GUID
 * "root", "root-verity" and "root-verity-sig" are. Fails with ERR_USAGE, naming the type, for a
 * name that is not known (and lists those that are), for one that this architecture does not have,
 * and for one that this kind of table cannot tell. */
int part_type_find(const char *type, const char *arch, enum table_kind kind,
		   char out[PART_TYPE_BYTES], struct err *e);

/* A GUID as text, of either case. */
bool part_type_is_guid(const char *text);
/* "0x01" to "0xff". */
bool part_type_is_mbr_code(const char *text);
