/* Partition types by name: those of the Discoverable Partitions Specification, and what firmware
 * asks for. Pure. */
#pragma once

#include "flash/base/err.h"
#include "flash/disk/table.h"

enum { PART_TYPE_BYTES = 40 }; /* of a GUID, and its NUL */

/* The type as the table writes it, "c12a7328-..." or "0xef". type is a name ("esp", "root", ...),
 * a GUID or "0xNN"; arch, as in a profile, decides which GUID "root" is. Fails with ERR_USAGE for a
 * name that is not known, and for one that this kind of table cannot tell, naming both. */
int part_type_find(const char *type, const char *arch, enum table_kind kind,
		   char out[PART_TYPE_BYTES], struct err *e);
