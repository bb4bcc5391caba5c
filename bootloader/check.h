/* Does an image have what makes this board boot? Pure: the first bytes and the table in, a reason
 * out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "boards/profile.h"
#include "flash/base/err.h"
#include "flash/disk/table.h"

/* How many bytes from the start of an image the check needs to see. */
size_t boot_check_head_bytes(const struct board *b);

/* 0, or ERR_REFUSED with the first thing that is missing: table kind, a partition of one of the
 * wanted types, a blob's magic. Fewer head_bytes than boot_check_head_bytes mean that the image
 * ends there. */
int boot_check_image(const struct board *b, const struct table *t, const uint8_t *head,
		     size_t head_bytes, struct err *e);

/* The first partition of t whose type is one of those wanted; NULL when there is none. Borrowed
 * from t. */
const struct table_partition *boot_find_partition(const struct board_partition *wanted,
						  const struct table *t);
