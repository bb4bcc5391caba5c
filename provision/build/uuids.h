/* Identifiers made from a seed, so that the same image has the same ones: SHA-256 over the seed and
 * what they are for, made a UUID of version 8 (RFC 9562, 5.8). Pure. */
#pragma once

#include <stdint.h>

#include "flash/base/err.h"
#include "flash/trust/digest.h"

enum {
	UUID_BYTES = 16,
	UUID_TEXT_BYTES = 37, /* with the NUL */
};

/* purpose: "disk", "partition root-a", ... Fails with ERR_IO. */
int uuid_make(const uint8_t seed[SHA256_BYTES], const char *purpose, const char *name,
	      uint8_t out[UUID_BYTES], struct err *e);

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" into text, which is returned. */
const char *uuid_format(const uint8_t uuid[UUID_BYTES], char text[UUID_TEXT_BYTES]);

/* The id of a disk with an MBR: never 0, which means none. */
uint32_t uuid_disk_id(const uint8_t uuid[UUID_BYTES]);
