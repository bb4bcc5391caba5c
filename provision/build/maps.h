/* Files and bytes that are held in memory until an image is made. */
#pragma once

#include <stdint.h>

#include "flash/base/bytes.h"
#include "flash/base/err.h"

struct payload_maps;

int maps_new(struct payload_maps **out, struct err *e);
void maps_free(struct payload_maps *m);
static inline void maps_freep(struct payload_maps **m)
{
	maps_free(*m);
}

/* The content of the file at path, read once and held until m is freed: what others do to the file
 * afterwards does not matter. Fails with ERR_USAGE for what is empty, no regular file or larger
 * than 4 GiB, with ERR_IO for what cannot be read. */
int maps_file(struct payload_maps *m, const char *path, struct span *out, struct err *e);

/* Bytes from malloc, which m owns from now on, also when this fails. */
int maps_take(struct payload_maps *m, uint8_t *bytes, struct err *e);
